"""Closient's organization data export (seed 003; VENDORS.md section 2)."""

import math
import re
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from exportjobs.sandbox import _draw
from exportjobs.sandbox._api import Api, Operation
from exportjobs.sandbox._archive import FORMAT_VERSION, sections, tar_archive, zip_archive
from exportjobs.sandbox._content import HeldFile, Recipe
from exportjobs.sandbox._faults import RequestKind
from exportjobs.sandbox._http import HttpError, Json
from exportjobs.sandbox._jobs import Job, Snapshot
from exportjobs.sandbox._signing import Scheme
from exportjobs.sandbox._timeline import JobState
from exportjobs.sandbox._times import zulu
from exportjobs.sandbox._world import World

_EXPORTS: Final = "/dashboard/api/v1/data-export/{organization_id}"
_LINK_LIFETIME: Final = timedelta(hours=1)
_ARCHIVES: Final = {
    "zip": (zip_archive, "application/zip"),
    "tar.gz": (tar_archive, "application/gzip"),
}
_SHORTUUID: Final = re.compile(f"[{_draw.SHORTUUID_ALPHABET}]{{22}}")
# https://docs.closient.com/rate-limits: 300 a minute and 10,000 a day per key. The sandbox states
# the minute's budget, whose window shrinks with speed, and leaves keeping it to the client.
_PER_WINDOW: Final = 300
_WINDOW_SECONDS: Final = 60.0


class Closient(Api):
    """One API key's exports, of whichever organization is named."""

    vendor = "closient"
    statuses: Mapping[JobState, str] = {
        JobState.queued: "pending",
        JobState.running: "processing",
        JobState.done: "completed",
        JobState.failed: "failed",
    }

    def __init__(self, world: World) -> None:
        """Serve one API key."""
        super().__init__(world, label="closient", folder="closient")
        self._received: Counter[int] = Counter()

    @property
    def credentials(self) -> Mapping[str, str]:
        """The API key, which ends in a checksum of its body."""
        body = _draw.alphanumeric(f"{self.world.seed}/{self.label}/key", length=32)
        return {"api_key": f"csb_{body}_{zlib.crc32(body.encode()):08x}"}

    def make_id(self, key: str) -> str:
        """Return a shortuuid."""
        return _draw.shortuuid(f"{key}/id")

    def operations(self) -> Sequence[Operation]:
        """Return the two operations there are: no list, no cancel."""
        return (
            Operation("POST", _EXPORTS, self._start, RequestKind.submit),
            Operation("GET", _EXPORTS + "/{job_id}", self._status, RequestKind.poll),
        )

    def authorize(self, request: Request) -> None:
        """Check the key, then the form of the organization's id."""
        if request.headers.get("x-api-key") != self.credentials["api_key"]:
            raise HttpError(self._error(401, "Unauthorized"))
        if not _SHORTUUID.fullmatch(request.path_params["organization_id"]):
            raise HttpError(self._error(422, "organization_id must be a shortuuid"))

    def files(self, job: Job) -> Sequence[HeldFile]:
        """Return the one archive."""
        make, media_type = _ARCHIVES[job.request["format"]]
        name = f"org-export-{job.timeline.created:%Y%m%d}-{job.index}.{job.request['format']}"
        return (
            HeldFile(
                self.label,
                job.id,
                job.timeline.ended,
                name,
                media_type,
                Recipe(make, job.key),
                is_attachment=True,
            ),
        )

    def throttled(self) -> Response:
        """Return a 429."""
        return self._error(429, "Too many requests.")

    def broken(self) -> Response:
        """Return a 500."""
        return self._error(500, "Internal Server Error")

    def unknown(self) -> Response:
        """Return a 404."""
        return self._error(404, "Not Found")

    async def _start(self, request: Request) -> Response:
        archive_format = request.query_params.get("archive_format", "zip")
        if archive_format not in _ARCHIVES:
            raise HttpError(self._error(422, "archive_format must be zip or tar.gz"))
        organization_id = request.path_params["organization_id"]
        asked = {"organization_id": organization_id, "format": archive_format}
        job = self.book.open("archive", request=asked)
        return self._answer_job(self.look(request, job=job))

    async def _status(self, request: Request) -> Response:
        job = self.book.find(request.path_params["job_id"])
        organization_id = request.path_params["organization_id"]
        if job is None or job.request["organization_id"] != organization_id:
            raise HttpError(self._error(404, "Not Found"))
        return self._answer_job(self.look(request, job=job))

    def _answer_job(self, snapshot: Snapshot) -> Response:
        job, state = snapshot.job, snapshot.state
        body: Json = {
            "job_id": job.id,
            "status": snapshot.status,
            "archive_format": job.request["format"],
            "format_version": FORMAT_VERSION,
            "file_size_bytes": 0,
            "output_filename": None,
            "download_url": None,
            "expires_at": None,
            "sections": [],
            "error": "The export could not be written." if state is JobState.failed else None,
        }
        if state is JobState.done:
            body |= self._result(job)
        return JSONResponse(body, headers=self._rate_limit())

    def _result(self, job: Job) -> Json:
        (file,) = self.files(job)
        link = self.world.link(file.path, scheme=Scheme.amazon, lifetime=_LINK_LIFETIME)
        return {
            "file_size_bytes": file.facts.size,
            "output_filename": file.name,
            "download_url": link.url,
            "expires_at": zulu(link.validity.end),
            "sections": [
                {
                    "key": section.key,
                    "status": section.status,
                    "record_count": section.records,
                    "binary_count": section.binaries,
                    "error": section.error,
                }
                for section in sections(job.key)
            ],
        }

    def _error(self, status: int, detail: str) -> Response:
        # The vendor documents no error body; this is django-ninja's own (section 2).
        return JSONResponse({"detail": detail}, status, headers=self._rate_limit())

    def _rate_limit(self) -> Mapping[str, str]:
        """Count one request and return both families of headers: seconds left, and an instant."""
        now = self.world.clock.now().timestamp()
        window = _WINDOW_SECONDS / self.world.speed
        turn = int(now // window)
        self._received[turn] += 1
        end = (turn + 1) * window
        counts = {
            "Limit": str(_PER_WINDOW),
            "Remaining": str(max(0, _PER_WINDOW - self._received[turn])),
        }
        return {
            "RateLimit-Policy": "300;w=60, 10000;w=86400",
            **{f"RateLimit-{name}": value for name, value in counts.items()},
            "RateLimit-Reset": str(math.ceil(end - now)),
            **{f"X-RateLimit-{name}": value for name, value in counts.items()},
            "X-RateLimit-Reset": str(math.ceil(end)),
        }
