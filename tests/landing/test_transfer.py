"""A file that breaks off is gone on with where it is proven to be the same, and begun anew else."""

import hashlib
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal
from zlib import compressobj

import anyio
import httpx
import pytest
from attrs import define, evolve, field, frozen
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.acme import signed
from tests.support.disks import full_disk
from tests.support.hosts import Landing, failure, landing

from exportjobs import (
    DestinationFailed,
    DownloadFailed,
    Event,
    ExportJob,
    ExportJobsError,
    JobRef,
    JobStatus,
    LandedFile,
    NetworkError,
)
from exportjobs._http.transport import Transport
from exportjobs._landing.into.folder import Folder
from exportjobs.adapter import Artifact, Reading
from exportjobs.adapter._errors import Corrupted, SignedUrlRejected
from exportjobs.events import DownloadRetried, SignedUrlRenewed
from exportjobs.testing import ManualClock

KIBIBYTE = 1024
MEBIBYTE = 1024 * KIBIBYTE
REF = JobRef("acme", "default", "q3", kind="report")
DATE = "Sun, 01 Mar 2026 12:00:00 GMT"
MODIFIED = "Sat, 28 Feb 2026 12:00:00 GMT"
FIRST = b"".join(b"%07d," % number for number in range(100_000))
SECOND = FIRST.replace(b"0", b"x")

Speech = Callable[["Host", httpx.Request], httpx.Response]
Begin = Callable[..., Landing]


@frozen
class File:
    """One version of a file at its host."""

    content: bytes = FIRST
    etag: str = '"v1"'
    modified: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """What its host says of the version."""
        named = {"etag": self.etag, "last-modified": self.modified, "date": DATE}
        return {name: value for name, value in named.items() if value}


@define
class Host:
    """A host of files that does what it is told, in turn, and the last of it again and again."""

    file: File = field(factory=File)
    speeches: list[Speech] = field(factory=list[Speech])
    asked: list[httpx.Request] = field(factory=list[httpx.Request])

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        self.asked.append(request)
        speech = self.speeches.pop(0) if len(self.speeches) > 1 else self.speeches[0]
        return speech(self, request)

    @property
    def starts(self) -> list[int]:
        """From which byte on the file was asked for."""
        return [start_of(request) for request in self.asked]


def start_of(request: httpx.Request) -> int:
    """Return from which byte on a file is wanted."""
    return int(request.headers.get("range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))


def is_current(file: File, request: httpx.Request) -> bool:
    """Return whether what was asked for is of this version."""
    return request.headers.get("if-range") in {file.etag, file.modified} - {""}


async def cut(content: bytes, at: int | None, *, step: int = 64 * KIBIBYTE) -> AsyncIterator[bytes]:
    """Send a body, and break off after so many bytes."""
    end = len(content) if at is None else at
    for start in range(0, end, step):
        yield content[start : min(start + step, end)]
    if at is not None:
        raise httpx.ReadError("reset")


def good(
    host: Host, request: httpx.Request, *, at: int | None = None, known: bool = True
) -> httpx.Response:
    """Answer as a host should that knows ranges, and break off after some bytes of the answer."""
    file, start = host.file, start_of(request)
    total = len(file.content)
    if start >= total > 0 and is_current(file, request):
        return httpx.Response(416, headers={"content-range": f"bytes */{total}"})
    if start == 0 or not is_current(file, request):
        length = {"content-length": str(total)} if known else {}
        return httpx.Response(
            200, headers={**file.headers, **length}, content=cut(file.content, at)
        )
    headers = {
        **file.headers,
        "content-range": f"bytes {start}-{total - 1}/{total}",
        "content-length": str(total - start),
    }
    return httpx.Response(206, headers=headers, content=cut(file.content[start:], at))


def breaking(at: int, *, known: bool = True) -> Speech:
    """Answer well, and break off after some bytes."""
    return partial(good, at=at, known=known)


def deaf(host: Host, _: httpx.Request, *, at: int | None = None) -> httpx.Response:
    """Send the whole file, whatever was asked for."""
    headers = {**host.file.headers, "content-length": str(len(host.file.content))}
    return httpx.Response(200, headers=headers, content=cut(host.file.content, at))


def rest(
    headers: Mapping[str, str] | None = None, content: bytes | None = None, *, shift: int = 0
) -> Speech:
    """Send a part of the file, with other headers or of another place."""

    def speak(host: Host, request: httpx.Request) -> httpx.Response:
        body = host.file.content[start_of(request) + shift :] if content is None else content
        start, total = start_of(request) + shift, len(host.file.content)
        named = {
            **host.file.headers,
            "content-range": f"bytes {start}-{total - 1}/{total}",
            "content-length": str(len(body)),
            **(headers or {}),
        }
        kept = {name: value for name, value in named.items() if value}
        return httpx.Response(206, headers=kept, content=cut(body, None))

    return speak


def piece(length: int, *, total: bool) -> Speech:
    """Send no more than so many bytes of what was asked for, and say so."""

    def speak(host: Host, request: httpx.Request) -> httpx.Response:
        start, whole = start_of(request), len(host.file.content)
        body = host.file.content[start : start + length]
        place = f"bytes {start}-{start + len(body) - 1}/{whole if total else '*'}"
        return rest({"content-range": place}, body)(host, request)

    return speak


def status(code: int) -> Speech:
    """Answer with a status alone."""
    return lambda _, __: httpx.Response(code, content=b"<Error/>")


def changes(file: File, then: Speech = good) -> Speech:
    """Have another file from now on."""

    def speak(host: Host, request: httpx.Request) -> httpx.Response:
        host.file = file
        return then(host, request)

    return speak


@pytest.fixture
def renewals() -> list[ExportJob]:
    """Return how the vendor describes the job when it is asked for fresh addresses, in turn."""
    return []


@pytest.fixture
def land_from(
    clock: ManualClock, events: list[Event], renewals: list[ExportJob], tmp_path: Path
) -> Begin:
    """Return a function that begins to fetch a job's files from a host; each call is a process."""
    return partial(begin, folder=tmp_path, clock=clock, report=events.append, renewals=renewals)


def job_of(*artifacts: Artifact) -> ExportJob:
    """Return a finished job."""
    return ExportJob(REF, Reading(JobStatus.DONE, "done"), artifacts=artifacts)


def begin(
    host: Host,
    *artifacts: Artifact,
    folder: Path,
    clock: ManualClock,
    report: Callable[[Event], object],
    renewals: list[ExportJob],
) -> Landing:
    """Begin to fetch a job's files from a host."""
    transport = Transport(httpx.MockTransport(host.answer))
    job = job_of(*(artifacts or (Artifact(signed("q3.csv")),)))

    async def renew() -> ExportJob:
        return renewals.pop(0) if renewals else job

    def tell(event: Event) -> None:
        report(event)

    into = Folder(folder, clock, unpacks=False)
    return landing(job, into, transport, clock, tell, renew=renew)


def names(folder: Path) -> list[str]:
    """Return what is in a folder, without what all names begin with."""
    return sorted(path.name.removeprefix("acme.default.report.") for path in folder.iterdir())


async def landed(landing: Landing) -> LandedFile:
    """Fetch a job's only file."""
    (file,) = await landing.land()
    return file


@pytest.mark.parametrize(
    ("file", "condition"),
    [
        pytest.param(File(), '"v1"', id="etag"),
        pytest.param(File(etag="", modified=MODIFIED), MODIFIED, id="time"),
        pytest.param(File(modified=MODIFIED), '"v1"', id="both"),
        pytest.param(File(etag='W/"v1"', modified=MODIFIED), MODIFIED, id="weak-etag-and-time"),
    ],
)
async def test_a_file_that_breaks_off_is_gone_on_with(
    land_from: Begin, tmp_path: Path, file: File, condition: str
) -> None:
    """The rest is asked for on the condition that the file is the same, and put behind."""
    host = Host(file, [breaking(300_000), good])

    found = await landed(land_from(host))

    assert found.path.read_bytes() == FIRST
    assert found.sha256 == hashlib.sha256(FIRST).hexdigest()
    assert host.starts == [0, 300_000]
    assert [request.headers.get("if-range") for request in host.asked] == [None, condition]
    assert names(tmp_path) == ["q3.csv"]


@pytest.mark.parametrize("at", [1000, 65_535, 262_144, len(FIRST) - 1])
async def test_the_next_process_goes_on_where_the_last_one_stood(
    land_from: Begin, tmp_path: Path, at: int
) -> None:
    """What one process could not have whole, the next fetches the rest of."""
    host = Host(speeches=[breaking(at), status(503)])
    error = await failure(land_from(host).land())
    between = names(tmp_path)

    second = Host(speeches=[good])
    found = await landed(land_from(second))

    assert isinstance(error, NetworkError)
    assert between == ["q3.csv.part", "q3.csv.part.json"]
    assert second.starts == [at]
    assert found.path.read_bytes() == FIRST
    assert found.sha256 == hashlib.sha256(FIRST).hexdigest()
    assert names(tmp_path) == ["q3.csv"]


async def test_a_file_that_is_there_whole_is_not_asked_for_again(
    land_from: Begin, tmp_path: Path
) -> None:
    """A process that came to the last byte and not to the name leaves only that to do."""
    name = tmp_path / "acme.default.report.q3.csv"
    name.mkdir()
    error = await failure(land_from(Host(speeches=[good])).land())
    name.rmdir()

    second = Host(speeches=[good])
    found = await landed(land_from(second))

    assert isinstance(error, DestinationFailed)
    assert second.asked == []
    assert found.path.read_bytes() == FIRST


@pytest.mark.parametrize(
    ("file", "speech"),
    [
        pytest.param(File(), deaf, id="no-ranges"),
        pytest.param(File(), rest(shift=1), id="later-start"),
        pytest.param(File(), rest(shift=-1), id="earlier-start"),
        pytest.param(File(), rest({"etag": '"v2"'}), id="other-etag"),
        pytest.param(File(), rest({"etag": 'W/"v1"'}), id="weak-etag"),
        pytest.param(File(), rest({"etag": ""}), id="no-etag"),
        pytest.param(File(), rest({"content-range": ""}), id="no-range"),
        pytest.param(File(), rest({"content-range": "bytes 300000-799999/*"}), id="fits-not"),
        pytest.param(
            File(),
            rest({"content-range": f"bytes 300000-{len(FIRST)}/{len(FIRST) + 1}"}),
            id="grown",
        ),
        pytest.param(
            File(),
            rest(
                {"content-range": f"bytes 300000-{len(FIRST) - 2}/{len(FIRST) - 1}"},
                FIRST[300_001:],
            ),
            id="shrunk",
        ),
        pytest.param(File(), status(416), id="not-satisfiable"),
        pytest.param(
            File(etag="", modified=MODIFIED), rest({"last-modified": DATE}), id="other-time"
        ),
    ],
)
async def test_what_is_not_proven_to_be_the_rest_begins_anew(
    land_from: Begin, tmp_path: Path, file: File, speech: Speech
) -> None:
    """However a host answers a range, the file lands whole in the end."""
    host = Host(file, [breaking(300_000), speech, good])

    found = await landed(land_from(host))

    assert found.path.read_bytes() == FIRST
    assert host.starts[:2] == [0, 300_000]
    assert set(host.starts[2:]) <= {0, 300_000}
    assert names(tmp_path) == ["q3.csv"]


@pytest.mark.parametrize("speech", [good, deaf, rest(content=SECOND[300_000:])])
@pytest.mark.parametrize("content", [SECOND, SECOND[:1000], SECOND + SECOND, b""])
async def test_a_file_that_changed_begins_anew(
    land_from: Begin, tmp_path: Path, content: bytes, speech: Speech
) -> None:
    """What lands is the later version, whole."""
    host = Host(speeches=[breaking(300_000), changes(File(content, '"v2"'), speech), good])

    found = await landed(land_from(host))

    assert found.path.read_bytes() == content
    assert names(tmp_path) == ["q3.csv"]


@pytest.mark.parametrize(
    "file",
    [
        pytest.param(File(etag='W/"v1"'), id="weak-etag"),
        pytest.param(File(etag=""), id="nothing"),
        pytest.param(File(etag="", modified=DATE), id="changed-just-now"),
        pytest.param(File(etag="v1"), id="no-quotes"),
    ],
)
async def test_a_file_whose_versions_cannot_be_told_apart_begins_anew(
    land_from: Begin, tmp_path: Path, file: File
) -> None:
    """No range is asked for without a condition."""
    host = Host(file, [breaking(300_000), good])

    found = await landed(land_from(host))

    assert found.path.read_bytes() == FIRST
    assert ["range" in request.headers for request in host.asked] == [False, False]
    assert names(tmp_path) == ["q3.csv"]


async def test_a_file_with_an_etag_beyond_ascii_lands(land_from: Begin) -> None:
    """A validator that cannot be sent back is as good as none."""

    def speak(host: Host, request: httpx.Request, *, at: int | None = None) -> httpx.Response:
        answer = good(host, request, at=at)
        raw = [(b"ETag", b'"\xc3\xa9"'), *answer.headers.raw]
        return httpx.Response(200, headers=raw, content=cut(host.file.content, at))

    host = Host(File(etag=""), [partial(speak, at=300_000), speak])

    found = await landed(land_from(host))

    assert found.path.read_bytes() == FIRST


async def test_a_file_of_unknown_length_is_gone_on_with(land_from: Begin) -> None:
    """The first answer may keep its length to itself; the range tells it."""
    host = Host(speeches=[breaking(300_000, known=False), good])

    found = await landed(land_from(host))

    assert found.path.read_bytes() == FIRST
    assert host.starts == [0, 300_000]


async def test_a_rest_whose_end_nobody_tells_is_not_taken_for_the_end(land_from: Begin) -> None:
    """A host that serves a piece of what was asked for does not make a short file."""
    host = Host(speeches=[breaking(300_000, known=False), piece(100_000, total=False), good])

    found = await landed(land_from(host))

    assert found.path.read_bytes() == FIRST


async def test_a_piece_of_the_rest_is_not_the_rest(land_from: Begin) -> None:
    """A host that says that it sends a piece only is asked anew."""
    host = Host(speeches=[breaking(300_000), piece(100_000, total=True), good])

    found = await landed(land_from(host))

    assert found.path.read_bytes() == FIRST


@pytest.mark.parametrize("at", [None, 100_000])
async def test_a_rest_that_is_longer_than_it_says_does_not_land(
    land_from: Begin, tmp_path: Path, at: int | None
) -> None:
    """What comes beyond the end is no part of the file."""

    def longer(host: Host, request: httpx.Request) -> httpx.Response:
        answer = good(host, request)
        body = cut(host.file.content[start_of(request) :] + b"more", at)
        headers = {k: v for k, v in answer.headers.items() if k != "content-length"}
        return httpx.Response(answer.status_code, headers=headers, content=body)

    host = Host(speeches=[breaking(300_000), longer, good])

    found = await landed(land_from(host))

    assert found.path.read_bytes() == FIRST
    assert names(tmp_path) == ["q3.csv"]


async def test_a_host_that_breaks_off_again_and_again_is_outlasted(land_from: Begin) -> None:
    """As long as each try brings new ground, there is no end to the tries."""
    content = bytes(range(256)) * (20 * MEBIBYTE // 256)
    host = Host(File(content), [breaking(512 * KIBIBYTE)])
    host.speeches *= 39
    host.speeches.append(good)

    found = await landed(land_from(host))

    assert found.path.read_bytes() == content
    assert host.starts == [number * 512 * KIBIBYTE for number in range(40)]


@pytest.mark.parametrize(
    "file",
    [
        pytest.param(File(), id="resumable"),
        pytest.param(File(etag=""), id="not-resumable"),
    ],
)
async def test_a_host_that_never_gets_further_is_given_up(land_from: Begin, file: File) -> None:
    """The same ground again and again is none that is new."""
    host = Host(file, [breaking(400_000), partial(deaf, at=400_000)])

    error = await failure(land_from(host).land())

    assert isinstance(error, NetworkError)
    assert 8 <= len(host.asked) <= 9


async def test_a_host_that_brings_little_each_time_is_given_up(land_from: Begin) -> None:
    """A byte at a time is no ground that is worth a new count."""
    host = Host(speeches=[breaking(100)])

    error = await failure(land_from(host).land())

    assert isinstance(error, NetworkError)
    assert host.starts == [number * 100 for number in range(8)]


async def test_a_file_that_changes_all_the_time_is_given_up(land_from: Begin) -> None:
    """There is no end to it, so we make one."""
    host = Host()
    count = iter(range(10_000))

    def speak(host: Host, request: httpx.Request) -> httpx.Response:
        host.file = File(FIRST, f'"v{next(count)}"')
        return good(host, request, at=400_000)

    host.speeches.append(speak)

    error = await failure(land_from(host).land())

    assert isinstance(error, NetworkError)
    assert len(host.asked) <= 20


@pytest.mark.parametrize("by", ["host", "vendor-md5", "vendor-sha256"])
async def test_a_file_that_is_not_what_was_promised_is_fetched_once_more(
    land_from: Begin, tmp_path: Path, by: Literal["host", "vendor-md5", "vendor-sha256"]
) -> None:
    """A bit may have fallen over on the way; the second time it lands."""
    md5 = hashlib.md5(FIRST, usedforsecurity=False)
    digests: dict[str, dict[str, Any]] = {
        "host": {},
        "vendor-md5": {"md5": md5.hexdigest()},
        "vendor-sha256": {"sha256": hashlib.sha256(FIRST).hexdigest().upper()},
    }
    artifact = Artifact(signed("q3.csv"), **digests[by])

    def spoilt(host: Host, request: httpx.Request) -> httpx.Response:
        return promising(evolve(host, file=evolve(host.file, content=SECOND)), request)

    host = Host(speeches=[spoilt, promising])

    found = await landed(land_from(host, artifact))

    assert found.path.read_bytes() == FIRST
    assert found.verified_by == {"host": ("sha-512",)}.get(
        by, ("sha-256", "sha-512") if by == "vendor-sha256" else ("md5", "sha-512")
    )
    assert host.starts == [0, 0]
    assert names(tmp_path) == ["q3.csv"]


def promising(host: Host, request: httpx.Request) -> httpx.Response:
    """Answer well, with the digest of the first version."""
    answer = good(host, request)
    answer.headers["digest"] = f"sha-512={_b64(hashlib.sha512(FIRST).digest())}"
    return answer


def _b64(digest: bytes) -> str:
    import base64  # noqa: PLC0415 - a helper of one line

    return base64.b64encode(digest).decode()


@pytest.mark.parametrize(
    "artifact",
    [
        pytest.param(Artifact(signed("q3.csv"), md5="0" * 32), id="md5"),
        pytest.param(Artifact(signed("q3.csv"), sha256="0" * 64), id="sha256"),
    ],
)
async def test_a_file_that_is_never_what_was_promised_is_refused(
    land_from: Begin, tmp_path: Path, artifact: Artifact
) -> None:
    """Twice is enough, and nothing of it is left for anybody to take for the file."""
    host = Host(speeches=[good])

    error = await failure(land_from(host, artifact).land())

    assert isinstance(error, Corrupted)
    assert host.starts == [0, 0]
    assert names(tmp_path) == []


@pytest.mark.parametrize("size", [0, len(FIRST) - 1, len(FIRST) + 1])
@pytest.mark.parametrize("known", [True, False])
async def test_a_file_of_another_size_than_the_vendor_says_is_refused(
    land_from: Begin, tmp_path: Path, size: int, *, known: bool
) -> None:
    """Whether its host tells the length before or not."""
    host = Host(speeches=[partial(good, known=known)])

    error = await failure(land_from(host, Artifact(signed("q3.csv"), size=size)).land())

    assert type(error) is DownloadFailed
    assert str(size) in str(error)
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    "artifact",
    [
        pytest.param(Artifact(signed("q3.csv"), md5="0" * 32), id="md5"),
        pytest.param(Artifact(signed("q3.csv"), sha256="0" * 64), id="sha256"),
    ],
)
async def test_what_the_vendor_says_by_now_of_a_file_that_is_gone_on_with_counts(
    land_from: Begin, tmp_path: Path, artifact: Artifact
) -> None:
    """A digest that the job tells only after the first bytes came is looked into as well."""
    await failure(land_from(Host(speeches=[breaking(300_000), status(503)])).land())

    error = await failure(land_from(Host(speeches=[good]), artifact).land())

    assert isinstance(error, Corrupted)
    assert names(tmp_path) == []


@pytest.mark.parametrize("code", [401, 403, 410])
async def test_an_address_that_ends_in_the_middle_is_renewed(
    land_from: Begin, renewals: list[ExportJob], events: list[Event], code: int
) -> None:
    """The fresh one is asked for the rest alone, at the same byte."""
    renewals.append(job_of(Artifact(signed("fresh.csv"))))
    host = Host(speeches=[breaking(300_000), status(code), good])

    found = await landed(land_from(host))

    assert found.path.read_bytes() == FIRST
    assert [request.url.path for request in host.asked] == ["/q3.csv", "/q3.csv", "/fresh.csv"]
    assert host.starts == [0, 300_000, 300_000]
    assert sum(isinstance(event, SignedUrlRenewed) for event in events) == 1
    assert sum(isinstance(event, DownloadRetried) for event in events) == 2


async def test_an_address_that_is_refused_for_good_leaves_what_can_be_gone_on_with(
    land_from: Begin,
) -> None:
    """The next run has fresh addresses, and fetches the rest alone."""
    error = await failure(land_from(Host(speeches=[breaking(300_000), status(403)])).land())

    host = Host(speeches=[good])
    found = await landed(land_from(host))

    assert isinstance(error, SignedUrlRejected)
    assert host.starts == [300_000]
    assert found.path.read_bytes() == FIRST


async def test_files_of_one_name_do_not_overwrite_each_other(
    land_from: Begin, tmp_path: Path
) -> None:
    """A job whose vendor calls all parts alike has them all."""
    artifacts = [Artifact(f"{signed('q3.csv')}&n={n}", name="export.csv", part=1) for n in "123"]

    def speak(_: Host, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=request.url.params["n"].encode())

    files = await land_from(Host(speeches=[speak]), *artifacts).land()

    assert [file.path.read_bytes() for file in files] == [b"1", b"2", b"3"]
    assert len({file.path for file in files}) == 3
    assert len(names(tmp_path)) == 4


def numbered(count: int) -> list[Artifact]:
    """Return the parts of a job."""
    return [Artifact(signed(f"{number}.csv"), part=number) for number in range(1, count + 1)]


def part_number(host: Host, request: httpx.Request) -> httpx.Response:
    """Answer with the number of the part; the third is not there at first."""
    del host
    return httpx.Response(200, content=request.url.path.encode() * 1000)


def all_but(path: str) -> Speech:
    """Answer well, but for one part."""
    return lambda host, request: (
        httpx.Response(400) if request.url.path == path else part_number(host, request)
    )


async def test_parts_that_landed_are_not_fetched_again(land_from: Begin, tmp_path: Path) -> None:
    """The next process fetches what is missing, and the manifest names them all."""
    await failure(land_from(Host(speeches=[all_but("/3.csv")]), *numbered(4)).land())
    host = Host(speeches=[part_number])

    files = await land_from(host, *numbered(4)).land()

    assert [request.url.path for request in host.asked] == ["/3.csv", "/4.csv"]
    assert [file.part for file in files] == [1, 2, 3, 4]
    assert [file.path.read_bytes() for file in files] == [
        b"/%d.csv" % n * 1000 for n in (1, 2, 3, 4)
    ]
    manifest = json.loads((tmp_path / "acme.default.report.q3.manifest.json").read_bytes())
    assert [entry["sha256"] for entry in manifest["files"]] == [file.sha256 for file in files]
    assert [entry["name"] for entry in manifest["files"]] == [file.path.name for file in files]
    assert len(names(tmp_path)) == 5


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(Path.unlink, id="gone"),
        pytest.param(lambda path: path.write_bytes(b""), id="emptied"),
        pytest.param(lambda path: path.write_bytes(path.read_bytes() + b"x"), id="longer"),
        pytest.param(lambda path: path.write_bytes(b"x" + path.read_bytes()[1:]), id="changed"),
    ],
)
async def test_a_part_that_changed_since_is_fetched_again(
    land_from: Begin, tmp_path: Path, spoil: Callable[[Path], object]
) -> None:
    """What is on the disk counts, not what was noted."""
    await failure(land_from(Host(speeches=[all_but("/3.csv")]), *numbered(3)).land())
    spoil(tmp_path / "acme.default.report.q3.part-00001.csv")
    host = Host(speeches=[part_number])

    files = await land_from(host, *numbered(3)).land()

    assert [request.url.path for request in host.asked] == ["/1.csv", "/3.csv"]
    assert [file.path.read_bytes() for file in files] == [b"/%d.csv" % n * 1000 for n in (1, 2, 3)]


@pytest.mark.parametrize(
    "tail",
    [b'{"name": "acme.de', bytes(100), b"[" * 2000],
    ids=["cut", "zeros", "deep"],
)
async def test_a_note_that_was_cut_off_costs_its_own_part_alone(
    land_from: Begin, tmp_path: Path, tail: bytes
) -> None:
    """Those before it are believed, and those after it are noted."""
    await failure(land_from(Host(speeches=[all_but("/2.csv")]), *numbered(3)).land())
    notes = tmp_path / "acme.default.report.q3.manifest.json.part"
    with notes.open("ab") as file:
        file.write(tail)
    second = Host(speeches=[all_but("/3.csv")])
    await failure(land_from(second, *numbered(3)).land())

    third = Host(speeches=[part_number])
    files = await land_from(third, *numbered(3)).land()

    assert [request.url.path for request in second.asked] == ["/2.csv", "/3.csv"]
    assert [request.url.path for request in third.asked] == ["/3.csv"]
    assert len(files) == 3


async def test_a_cancelled_download_is_gone_on_with(land_from: Begin, tmp_path: Path) -> None:
    """Breaking off in the middle leaves what the next process begins with."""
    came = anyio.Event()

    async def stalling() -> AsyncIterator[bytes]:
        yield FIRST[:300_000]
        came.set()
        await anyio.sleep_forever()

    headers = {"etag": '"v1"', "content-length": str(len(FIRST))}
    host = Host(speeches=[lambda *_: httpx.Response(200, headers=headers, content=stalling())])
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(land_from(host).land)
        await came.wait()
        tasks.cancel_scope.cancel()
    between = names(tmp_path)

    second = Host(speeches=[good])
    found = await landed(land_from(second))

    assert between in ([], ["q3.csv.part", "q3.csv.part.json"])
    assert second.starts in ([0], [300_000])
    assert found.path.read_bytes() == FIRST
    assert names(tmp_path) == ["q3.csv"]


async def test_a_full_disk_and_a_broken_line_are_told_as_the_disks(
    land_from: Begin,
) -> None:
    """When both go wrong at once, the user learns what asking again does not mend."""
    host = Host(speeches=[breaking(300_000)])

    with full_disk(4096):
        error = await failure(land_from(host).land())

    assert isinstance(error, DestinationFailed)


async def test_a_full_disk_ends_a_large_file_at_once(land_from: Begin) -> None:
    """However many pieces are on their way, there is one error and no second try."""
    host = Host(File(bytes(12 * MEBIBYTE)), [good])

    with full_disk(MEBIBYTE + 5):
        error = await failure(land_from(host).land())

    assert isinstance(error, DestinationFailed)
    assert len(host.asked) == 1


async def test_a_compressed_answer_that_is_cut_off_does_not_land(
    land_from: Begin, tmp_path: Path
) -> None:
    """A compression that has not come to its end is no file, though nothing else tells."""
    packer = compressobj(wbits=31)
    packed = packer.compress(FIRST) + packer.flush()

    def speak(_: Host, __: httpx.Request, *, end: int) -> httpx.Response:
        headers = {"content-encoding": "gzip"}
        return httpx.Response(200, headers=headers, content=cut(packed[:end], None))

    half = partial(speak, end=len(packed) // 2)
    host = Host(speeches=[half, partial(speak, end=len(packed))])

    found = await landed(land_from(host))

    assert found.path.read_bytes() == FIRST
    assert len(host.asked) == 2
    assert names(tmp_path) == ["q3.csv"]


async def test_a_compression_that_is_not_known_here_does_not_land(
    land_from: Begin, tmp_path: Path
) -> None:
    """Bytes that nobody has undone the compression of are not the file."""

    def speak(_: Host, __: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-encoding": "made-up"}, content=b"\x1b\x07\x00")

    error = await failure(land_from(Host(speeches=[speak])).land())

    assert isinstance(error, ExportJobsError)
    assert names(tmp_path) == []


async def test_an_error_page_in_pieces_is_no_file(land_from: Begin, tmp_path: Path) -> None:
    """A page that says that an address has expired is one however it comes."""

    async def page() -> AsyncIterator[bytes]:
        yield b"<"
        yield b"html>expired</html>"

    def speak(_: Host, __: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-type": "text/html"}, content=page())

    error = await failure(land_from(Host(speeches=[speak])).land())

    assert isinstance(error, SignedUrlRejected)
    assert names(tmp_path) == []


VERSIONS = (File(FIRST[:50_000]), File(SECOND[:50_000], '"v2"'), File(FIRST[:7], '"v3"'))
which = st.integers(0, len(VERSIONS) - 1)
cuts = st.none() | st.integers(0, 50_001)
speeches = st.one_of(
    st.builds(lambda at: partial(good, at=at), cuts),
    st.builds(lambda at: partial(good, at=at, known=False), cuts),
    st.builds(lambda at: partial(deaf, at=at), cuts),
    st.builds(
        lambda length, total: piece(length, total=total), st.integers(1, 50_000), st.booleans()
    ),
    st.builds(lambda number, at: changes(VERSIONS[number], partial(good, at=at)), which, cuts),
    st.builds(lambda shift: rest(shift=shift), st.integers(-5, 5).filter(bool)),
    st.builds(
        lambda tag: rest({"etag": tag}, SECOND[:100]), st.sampled_from(["", '"no"', 'W/"v1"'])
    ),
    st.builds(
        lambda first, last, total: rest({"content-range": f"bytes {first}-{last}/{total}"}),
        st.integers(0, 50_001),
        st.integers(0, 50_001),
        st.integers(0, 50_001) | st.just("*"),
    ),
    st.builds(status, st.sampled_from([416, 500, 503, 429, 403, 400])),
)


@contextmanager
def processes() -> Iterator[tuple[Path, Begin]]:
    """Return a folder, and what fetches a job's file into it."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        clock = ManualClock()
        yield folder, partial(begin, folder=folder, clock=clock, report=repr, renewals=[])


@given(
    first=st.lists(speeches, min_size=1, max_size=5),
    second=st.lists(speeches, max_size=5),
    version=which,
)
@settings(max_examples=150)
async def test_what_lands_is_always_one_version_of_the_file(
    first: list[Speech], second: list[Speech], version: int
) -> None:
    """Wherever lines break and however a host behaves, over two processes: never a mix."""
    with processes() as (folder, land):
        host = Host(VERSIONS[version], [*first, status(503)])
        with suppress(ExportJobsError):
            await land(host).land()
        host.speeches = [*second, good]
        with suppress(ExportJobsError):
            await land(host).land()

        for path in folder.glob("*.csv"):
            assert path.read_bytes() in {file.content for file in VERSIONS}
        left = {"q3.csv", "q3.csv.part", "q3.csv.part.json"}
        assert set(names(folder)) <= left
