"""What a store is asked for while a file goes there, and how its refusals are told."""

import re
import traceback
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest
from attrs import Factory, define
from obstore.store import AzureStore, MemoryStore, S3Store
from tests.support.acme import signed
from tests.support.errors import assert_error
from tests.support.hosts import take

from exportjobs import DestinationFailed, ExportJob, JobRef, JobStatus
from exportjobs._landing.destination import Sink
from exportjobs._landing.into.bucket import Bucket
from exportjobs._landing.into.stores import failed
from exportjobs._landing.opening import Opening
from exportjobs._schedule.clock import SystemClock
from exportjobs.adapter import Artifact, Reading, evolve

PIECE = 8 * 1024 * 1024
NAME = "acme.default.report.q3.csv"
JOB = ExportJob(
    JobRef("acme", "default", "q3", kind="report"),
    Reading(JobStatus.DONE, "done"),
    artifacts=(Artifact(signed("q3.csv")),),
)
SECRET = "secretDoNotTell0"  # noqa: S105 - it is to be recognised
_BEGUN = (
    f"<InitiateMultipartUploadResult><UploadId>{SECRET}</UploadId></InitiateMultipartUploadResult>"
)
_DONE = "<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>"
_NO = (
    "<Error><Code>SignatureDoesNotMatch</Code><StringToSign>AWS4-HMAC-SHA256"
    f" {SECRET}</StringToSign></Error>"
)
_DEBUG = f"\n\nDebug source:\nUrl {{ query: {SECRET} }}"


@define
class Amazon:
    """A store that takes everything, but for what it was told to refuse."""

    said: list[str] = Factory(list[str])
    """Every request so far, such as `PUT 2`, which brings the second piece."""
    refuses: str = ""
    """What it refuses, as a pattern."""
    refusal: int = 403
    origin: str = ""
    name: str = NAME

    def answer(self, command: str, path: str) -> tuple[int, str]:
        """Answer a request."""
        asked = urlsplit(path)
        assert asked.path == f"/bucket/{self.name}"
        query = parse_qs(asked.query, keep_blank_values=True)
        begins, number = "uploads" in query, query.get("partNumber", [""])[0]
        said = f"{command} {'begin' if begins else number}".strip()
        self.said.append(said)
        if self.refuses and re.fullmatch(self.refuses, said):
            return self.refusal, _NO
        return 200, _BEGUN if begins else _DONE


@pytest.fixture
def amazon() -> Iterator[Amazon]:
    """Serve a store on this machine."""
    store = Amazon()

    class Answering(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", "0")))
            status, body = store.answer(self.command, self.path)
            self.send_response(status)
            self.send_header("ETag", '"e"')
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with suppress(ConnectionError):
                self.wfile.write(body.encode())

        do_POST = do_DELETE = do_PUT  # noqa: N815 - the names are the server's

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        store.origin = f"http://127.0.0.1:{server.server_port}"
        yield store
        server.shutdown()
        thread.join()


@pytest.fixture
def bucket(amazon: Amazon) -> Bucket:
    """Return the store as a place for files."""
    store = S3Store(
        "bucket",
        endpoint=amazon.origin,
        access_key_id=SECRET,
        secret_access_key=SECRET,
        client_options={"allow_http": True},
        retry_config={"max_retries": 0, "retry_timeout": timedelta(seconds=5)},
    )
    return Bucket.of(store, SystemClock())


async def fill(sink: Sink, length: int) -> None:
    """Keep some bytes of a file."""
    await sink.begin(Opening(size=length), {}, ".csv")
    content = memoryview(bytes(length))
    for start in range(0, length, 1024 * 1024):
        await take(sink, content[start : start + 1024 * 1024])


async def land(bucket: Bucket, length: int) -> None:
    """Let a file land."""
    async with bucket.sink(JOB, 0) as sink:
        await fill(sink, length)
        await sink.land(part=None)


async def test_a_small_file_is_put_in_one_go(bucket: Bucket, amazon: Amazon) -> None:
    """Nothing is sent before it is proven."""
    async with bucket.sink(JOB, 0) as sink:
        await fill(sink, PIECE - 1)
        before = list(amazon.said)
        await sink.land(part=None)

    assert before == []
    assert amazon.said == ["PUT"]


async def test_a_large_file_is_sent_while_it_comes(bucket: Bucket, amazon: Amazon) -> None:
    """In pieces, of which the store makes an object at the end."""
    async with bucket.sink(JOB, 0) as sink:
        await fill(sink, 5 * PIECE + 1)
        before = list(amazon.said)
        await sink.land(part=None)

    assert before[0] == "POST begin"
    assert len(before) > 1
    assert "POST" not in before
    assert sorted(amazon.said[1:-1]) == [f"PUT {number}" for number in range(1, 7)]
    assert amazon.said[-1] == "POST"


async def test_what_does_not_land_is_aborted(bucket: Bucket, amazon: Amazon) -> None:
    """The store forgets its pieces, which its owner would go on paying for."""
    with suppress(ZeroDivisionError):
        async with bucket.sink(JOB, 0) as sink:
            await fill(sink, 2 * PIECE + 1)
            raise ZeroDivisionError

    assert amazon.said[0] == "POST begin"
    assert "DELETE" in amazon.said
    assert "POST" not in amazon.said


async def test_what_begins_again_is_aborted_first(bucket: Bucket, amazon: Amazon) -> None:
    """The pieces of two versions never meet."""
    async with bucket.sink(JOB, 0) as sink:
        await fill(sink, 2 * PIECE)
        await fill(sink, 2)
        await sink.land(part=None)

    assert amazon.said[0] == "POST begin"
    assert {"DELETE", "PUT"} < set(amazon.said)
    assert "POST" not in amazon.said


@pytest.mark.parametrize(
    ("refuses", "length"),
    [
        ("PUT", 1),
        ("POST begin", 3 * PIECE),
        ("PUT 1", 3 * PIECE),
        ("PUT 3", 2 * PIECE + 1),
        ("POST", 2 * PIECE + 1),
        ("POST|DELETE", 2 * PIECE + 1),
        ("PUT .|DELETE", 6 * PIECE),
    ],
)
@pytest.mark.parametrize("refusal", [HTTPStatus.FORBIDDEN, HTTPStatus.BAD_REQUEST])
async def test_a_refusal_is_told_without_what_the_store_said(
    bucket: Bucket, amazon: Amazon, refuses: str, length: int, refusal: HTTPStatus
) -> None:
    """Whenever it comes: object, bucket, cause and remedy, and no key, address or signature."""
    amazon.refuses, amazon.refusal = refuses, refusal

    with pytest.raises(DestinationFailed) as caught:
        await land(bucket, length)

    error = caught.value
    cause = f"HTTP {refusal} {refusal.phrase}, SignatureDoesNotMatch"
    assert_error(
        error,
        DestinationFailed,
        reason=f"cannot be written: {NAME} in s3://bucket ({cause})",
        remedy="check the store's credentials and URL, then resume the job by its ref",
    )
    said = "".join(traceback.format_exception(error))
    assert not [word for word in (SECRET, "127.0.0.1", "AWS4", "<Error>") if word in said]
    assert ("DELETE" in amazon.said) == (refuses not in {"PUT", "POST begin"})


async def test_a_piece_that_is_refused_is_found_out_before_all_are_sent(
    bucket: Bucket, amazon: Amazon
) -> None:
    """The rest of a long file is not fetched for nothing."""
    amazon.refuses = "PUT 1"

    with pytest.raises(DestinationFailed):
        await land(bucket, 20 * PIECE)

    assert len(amazon.said) < 20
    assert "DELETE" in amazon.said


async def test_a_manifest_that_is_refused_is_told(bucket: Bucket, amazon: Amazon) -> None:
    """Without it nobody knows that the parts are all there."""
    amazon.refuses, amazon.name = ".*", "acme.default.report.q3.manifest.json"

    with pytest.raises(DestinationFailed, match=r"manifest\.json in s3://bucket \(HTTP 403"):
        await bucket.conclude(evolve(JOB, artifacts=2 * JOB.artifacts), ())


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("Generic S3 error: Missing bucket name", "(Missing bucket name)"),
        (
            f"Generic GCS error: PUT https://x.test/a?sig={SECRET} - HTTP error: cut{_DEBUG}",
            "(cut)",
        ),
        (f"no token at https://login.test/?{SECRET}", "(no token at https://login.test/…"),
    ],
)
def test_an_error_is_cut_down(said: str, told: str) -> None:
    """What remains is what went wrong."""
    error = failed("n.csv", MemoryStore(), ValueError(said))

    assert told in str(error)
    assert SECRET not in str(error)


async def test_a_store_with_a_signature_keeps_it() -> None:
    """What opens an Azure container is in every address that is sent there."""
    store = AzureStore(
        "box",
        account_name="acct",
        sas_token=f"sv=1&sig={SECRET}",
        endpoint="http://127.0.0.1:1/acct",
        client_options={"allow_http": True},
        retry_config={"max_retries": 0, "retry_timeout": timedelta(seconds=5)},
    )
    bucket = Bucket.of(store, SystemClock())

    with pytest.raises(DestinationFailed, match=r"in az://box \(error sending") as caught:
        await land(bucket, 1)

    assert SECRET not in "".join(traceback.format_exception(caught.value))
