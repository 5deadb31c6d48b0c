"""A signed URL is a lease: renewed before it is asked for in vain, and when it is refused."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from tests.support.acme import signed
from tests.support.hosts import Landing, landing

from exportjobs import (
    DownloadFailed,
    Event,
    ExportJob,
    JobRef,
    JobStatus,
    MalformedResponse,
    NetworkError,
    Rejected,
    SignedUrlRejected,
)
from exportjobs._http.transport import Transport
from exportjobs._landing.into.folder import Folder
from exportjobs.adapter import Artifact, Reading
from exportjobs.events import SignedUrlRenewed
from exportjobs.testing import ManualClock

REF = JobRef("acme", "default", "q3", kind="report")
Begin = Callable[..., Landing]


class Vendor:
    """A vendor that issues numbered addresses, and the host that takes only some of them."""

    def __init__(self) -> None:
        """Begin with the first addresses issued."""
        self.renewals = 0
        self.refuses: dict[str, int] = {}
        self.asked: list[str] = []
        self.failures: list[Exception] = []
        self.artifacts: Callable[[int], tuple[Artifact, ...]] = lambda number: (
            Artifact(signed(f"v{number}.csv")),
        )
        self.transport = httpx.MockTransport(self._file)

    def job(self) -> ExportJob:
        """Describe the job, with addresses of this moment."""
        artifacts = self.artifacts(self.renewals)
        return ExportJob(REF, Reading(JobStatus.DONE, "done"), artifacts=artifacts)

    async def renew(self) -> ExportJob:
        """Describe the job anew."""
        if self.failures:
            raise self.failures.pop(0)
        self.renewals += 1
        return self.job()

    def _file(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.lstrip("/")
        self.asked.append(name)
        code = self.refuses.get(name, 200)
        return httpx.Response(code, content=name.encode() if code == 200 else b"<Error/>")


@pytest.fixture
def vendor() -> Vendor:
    """Return the vendor."""
    return Vendor()


@pytest.fixture
def begin(clock: ManualClock, events: list[Event], tmp_path: Path) -> Begin:
    """Return a function that begins to land a vendor's job."""

    def make(vendor: Vendor, job: ExportJob | None = None) -> Landing:
        folder, transport = Folder(tmp_path, clock, unpacks=False), Transport(vendor.transport)
        return landing(
            job or vendor.job(), folder, transport, clock, events.append, renew=vendor.renew
        )

    return make


def ending(clock: ManualClock, seconds: float) -> dict[str, object]:
    """Return when an address ends, as the vendor says it."""
    return {"expires_at": clock.now() + timedelta(seconds=seconds)}


@pytest.mark.parametrize("code", [401, 403, 404, 410])
async def test_a_refused_address_is_renewed_once(
    begin: Begin, vendor: Vendor, events: list[Event], code: int
) -> None:
    """However a host says that an address is over, a fresh one is asked for and used."""
    vendor.refuses = {"v0.csv": code}
    download = begin(vendor)

    (landed,) = await download.land()

    assert landed.path.read_bytes() == b"v1.csv"
    assert vendor.asked == ["v0.csv", "v1.csv"]
    assert vendor.renewals == 1
    assert sum(isinstance(event, SignedUrlRenewed) for event in events) == 1
    assert download.retries == 1


async def test_renewals_of_an_address_that_is_always_refused_are_bounded(
    begin: Begin, vendor: Vendor, tmp_path: Path
) -> None:
    """A host that refuses every address is given up, with one renewal for each refusal at most."""
    vendor.refuses = {f"v{number}.csv": 403 for number in range(100)}

    with pytest.raises(SignedUrlRejected, match="403"):
        await begin(vendor).land()

    assert len(vendor.asked) == 8
    assert vendor.renewals < len(vendor.asked)
    assert len(set(vendor.asked)) == len(vendor.asked)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("seconds", [-60, 0, 3], ids=["over", "now", "nearly"])
async def test_an_address_that_is_over_by_the_clock_is_not_asked(
    begin: Begin, vendor: Vendor, clock: ManualClock, seconds: float
) -> None:
    """What has ended, or will at once, is renewed before anything is sent."""
    ends = [ending(clock, seconds), ending(clock, 3600)]
    vendor.artifacts = lambda number: (Artifact(signed(f"v{number}.csv"), **ends[number]),)  # type: ignore[arg-type]

    await begin(vendor).land()

    assert vendor.asked == ["v1.csv"]


async def test_an_address_that_is_good_is_not_renewed(
    begin: Begin, vendor: Vendor, clock: ManualClock
) -> None:
    """A lease with time left is used as it is."""
    vendor.artifacts = lambda _: (Artifact(signed("v0.csv"), **ending(clock, 60)),)  # type: ignore[arg-type]

    await begin(vendor).land()

    assert vendor.renewals == 0


@pytest.mark.parametrize(
    "query",
    [
        "sig=x&se=2025-12-31T23%3A59%3A59Z",
        "X-Amz-Date=20251231T000000Z&X-Amz-Expires=3600&X-Amz-Signature=x",
        "X-Goog-Date=20251231T000000Z&X-Goog-Expires=3600&X-Goog-Signature=x",
        "Expires=1700000000&Signature=x",
    ],
    ids=["azure", "amazon", "google", "plain"],
)
async def test_an_end_that_the_address_itself_tells_counts(
    begin: Begin, vendor: Vendor, query: str
) -> None:
    """Where the vendor does not say when an address ends, the address often does."""
    old = Artifact(f"https://files.acme.test/v0.csv?{query}")
    vendor.artifacts = lambda number: (Artifact(signed("v1.csv")),) if number else (old,)

    await begin(vendor).land()

    assert vendor.asked == ["v1.csv"]


async def test_a_renewal_serves_the_parts_that_follow(begin: Begin, vendor: Vendor) -> None:
    """A job whose addresses ended is renewed once, not once for every part."""
    vendor.artifacts = lambda number: tuple(
        Artifact(signed(f"v{number}-{part}.csv"), part=part) for part in (1, 2, 3)
    )
    vendor.refuses = dict.fromkeys(("v0-1.csv", "v0-2.csv", "v0-3.csv"), 403)

    files = await begin(vendor).land()

    assert [file.path.read_bytes() for file in files] == [b"v1-1.csv", b"v1-2.csv", b"v1-3.csv"]
    assert vendor.renewals == 1


async def test_a_renewal_in_the_middle_goes_on_with_the_part_at_hand(
    begin: Begin, vendor: Vendor
) -> None:
    """Parts that landed are not fetched again when a later one needs a fresh address."""
    vendor.artifacts = lambda number: tuple(
        Artifact(signed(f"v{number}-{part}.csv"), part=part) for part in (1, 2)
    )
    vendor.refuses = {"v0-2.csv": 403}

    await begin(vendor).land()

    assert vendor.asked == ["v0-1.csv", "v0-2.csv", "v1-2.csv"]


async def test_a_part_that_is_offered_no_more_is_a_failed_download(
    begin: Begin, vendor: Vendor
) -> None:
    """A job that comes back with fewer files is not taken for whole."""
    vendor.artifacts = lambda number: () if number else (Artifact(signed("v0.csv")),)
    vendor.refuses = {"v0.csv": 403}

    with pytest.raises(DownloadFailed, match="not offer this part"):
        await begin(vendor).land()


async def test_an_address_that_a_renewal_repeats_is_tried_and_bounded(
    begin: Begin, vendor: Vendor
) -> None:
    """A vendor that gives the same dead address again does not keep us busy for ever."""
    vendor.artifacts = lambda _: (Artifact(signed("v0.csv")),)
    vendor.refuses = {"v0.csv": 403}

    with pytest.raises(SignedUrlRejected):
        await begin(vendor).land()

    assert len(vendor.asked) <= 8
    assert vendor.renewals <= 8


@pytest.mark.parametrize(
    "lapse", [NetworkError("broke"), MalformedResponse("no JSON")], ids=["network", "malformed"]
)
async def test_a_renewal_that_fails_for_a_moment_is_tried_again(
    begin: Begin, vendor: Vendor, lapse: Exception
) -> None:
    """A vendor that cannot be asked for a fresh address at once is asked again."""
    vendor.refuses = {"v0.csv": 403}
    vendor.failures = [lapse]

    (landed,) = await begin(vendor).land()

    assert landed.path.read_bytes() == b"v1.csv"


async def test_a_renewal_that_is_refused_is_final(begin: Begin, vendor: Vendor) -> None:
    """A vendor that will not describe the job again ends the download with its own words."""
    vendor.refuses = {"v0.csv": 403}
    vendor.failures = [Rejected("HTTP 400 (no more)")]

    with pytest.raises(Rejected, match="no more"):
        await begin(vendor).land()

    assert vendor.asked == ["v0.csv"]
