"""What all the adapters have in common, in each vendor's words."""

from collections.abc import Callable, Mapping
from typing import Any

from attrs import field, frozen

from exportjobs.adapter import Adapter, Export, ExportJob, JobRef
from exportjobs_clari import Clari
from exportjobs_closient import Closient
from exportjobs_csv import CsvExport
from exportjobs_demandbase import Demandbase, DemandbaseV1

from .support import Body, polled

KEY = "k-7f3a91"
OTHER_KEY = "k-58c2d4"
ORGANIZATION = "vytxeTZskVKR7C7WgdSP3d"


@frozen
class Case:
    """One vendor's account, and the words in which it says what all of them say."""

    adapter: Adapter
    make: Callable[..., Adapter]
    """Makes the adapter with more arguments."""
    start: Callable[[Any], Export]
    accepted: Body
    done: Body
    words: Mapping[str, str]
    """The vendor's word for a status, and ours."""
    poll_path: str
    base_url: str
    id_member: str
    capabilities: frozenset[str] = frozenset()
    status_member: str = "status"
    headers: Mapping[str, str] = field(factory=dict[str, str])
    scope: Mapping[str, str] = field(factory=dict[str, str])

    def __repr__(self) -> str:
        """Return the vendor's name, for a test's id and a failure's report."""
        return self.adapter.vendor

    def ref(self, job_id: str = "J1") -> JobRef:
        """Return the name of a job."""
        return self.adapter.ref(job_id, **self.scope)

    def poll(self, body: object) -> ExportJob:
        """Return the job that the adapter reads in a poll's body."""
        return polled(self.adapter, body, self.ref())


def _clari(**more: str) -> Clari:
    return Clari(api_key=KEY, **more)


def _demandbase(**more: str) -> Demandbase:
    return Demandbase(client_id=OTHER_KEY, client_secret=KEY, **more)


def _demandbase_v1(**more: str) -> DemandbaseV1:
    return DemandbaseV1(token=KEY, **more)


def _closient(**more: str) -> Closient:
    return Closient(api_key=KEY, **more)


def _csv(**more: str) -> CsvExport:
    return CsvExport(api_key=KEY, tenant="ACME", **more)


CLARI = Case(
    adapter=_clari(),
    make=_clari,
    start=lambda clari: clari.audit_events(),
    accepted={"jobId": "6073683781a6da229df71e00"},
    # The OpenAPI's example, but done.
    done={
        "jobId": "606e23c981a6da229d75b515",
        "userId": 1,
        "orgId": 101,
        "title": "Forecast Export",
        "module": "FORECAST",
        "startTime": 1617830857175,
        "endTime": 1617830861959,
        "expiredTime": 1620422861959,
        "version": 1,
        "fileName": "clari_export_forecast_new_summary_2021_Q12915_20210407_212737.json",
        "fileType": "JSON",
        "status": "DONE",
        "viewed": False,
        "cellsTruncated": False,
        "rowsTruncated": False,
        "downloads": 0,
        "deliveryStatusMap": {},
        "currency": "USD",
    },
    words={
        "SCHEDULED": "queued",
        "QUEUED": "queued",
        "STARTED": "running",
        "RUNNING": "running",
        "DONE": "done",
        "FAILED": "failed",
        "CANCELLED": "cancelled",
        "ABORTED": "cancelled",
    },
    poll_path="/export/jobs/{}",
    base_url="https://api.clari.com/v4",
    id_member="jobId",
    capabilities=frozenset({"list_jobs", "cancel", "limits"}),
    headers={"apikey": KEY},
)
DEMANDBASE = Case(
    adapter=_demandbase(),
    make=_demandbase,
    start=lambda demandbase: demandbase.accounts(),
    accepted={
        "jobStatus": "accepted",
        "createdAt": "2026-08-13T04:46:21.684Z",
        "jobId": "f546c341-0d1e-4a6a-9d43-6f4f2ad8a7b3",
        "entityType": "account",
        "jobName": "exportjobs accounts",
    },
    done={
        "jobId": "f546c341-0d1e-4a6a-9d43-6f4f2ad8a7b3",
        "jobName": "exportjobs accounts",
        "entityType": "account",
        "jobStatus": "finished",
        "createdAt": "2026-08-13T04:46:21.684Z",
        "updatedAt": "2026-08-13T04:58:03.112Z",
        "resultsUrl": "https://cdn.example/a.csv?Expires=1786683483&Signature=s&Key-Pair-Id=k",
        "resultsUrls": ["https://cdn.example/b.csv?Expires=1786683483&Signature=t&Key-Pair-Id=k"],
        "message": None,
    },
    words={"accepted": "queued", "processing": "running", "finished": "done", "failed": "failed"},
    poll_path="/data/export/v1/job/{}",
    base_url="https://uapi.demandbase.com",
    id_member="jobId",
    capabilities=frozenset({"list_jobs", "sign_in"}),
    status_member="jobStatus",
)
DEMANDBASE_V1 = Case(
    adapter=_demandbase_v1(),
    make=_demandbase_v1,
    start=lambda demandbase: demandbase.accounts(),
    accepted={"id": "exp_1", "entity_type": "accounts", "status": "pending"},
    done={
        "id": "exp_1",
        "entity_type": "accounts",
        "status": "completed",
        "fields": ["name", "industry"],
        "filters": {"account_list_id": "42"},
        "record_count": 1200,
        "file_size_bytes": 48213,
        "file_parts": 1,
        "download_url": "https://files.example/exp_1.csv?X-Amz-Signature=s",
        "created_at": "2026-03-01T10:00:00Z",
        "completed_at": "2026-03-01T10:05:00Z",
        "expires_at": "2026-03-02T10:05:00Z",
        "error_message": None,
    },
    words={
        "pending": "queued",
        "processing": "running",
        "completed": "done",
        "failed": "failed",
        "cancelled": "cancelled",
    },
    poll_path="/export/v1/jobs/{}",
    base_url="https://api.demandbase.com",
    id_member="id",
    capabilities=frozenset({"list_jobs", "cancel"}),
    headers={"authorization": f"Bearer {KEY}"},
)
CLOSIENT = Case(
    adapter=_closient(),
    make=_closient,
    start=lambda closient: closient.organization(ORGANIZATION),
    accepted={
        "job_id": "3VtQ8fXkq2ZyWmN5RbCdEg",
        "status": "pending",
        "archive_format": "zip",
        "format_version": "1",
        "file_size_bytes": 0,
        "output_filename": None,
        "download_url": None,
        "expires_at": None,
        "sections": [],
        "error": None,
    },
    done={
        "job_id": "3VtQ8fXkq2ZyWmN5RbCdEg",
        "status": "completed",
        "archive_format": "tar.gz",
        "format_version": "1",
        "file_size_bytes": 48213,
        "output_filename": "org-export.tar.gz",
        "download_url": "https://files.example/3Vt.tar.gz?signature=s",
        "expires_at": "2026-08-13T10:00:00Z",
        "sections": [
            {
                "key": "products",
                "status": "ok",
                "record_count": 12,
                "binary_count": 3,
                "error": None,
            },
            {
                "key": "offers",
                "status": "error",
                "record_count": 0,
                "binary_count": 0,
                "error": "timed out",
            },
        ],
        "error": None,
    },
    words={"pending": "queued", "processing": "running", "completed": "done", "failed": "failed"},
    poll_path=f"/dashboard/api/v1/data-export/{ORGANIZATION}/{{}}",
    base_url="https://www.closient.com",
    id_member="job_id",
    headers={"x-api-key": KEY},
    scope={"organization_id": ORGANIZATION},
)
CSV = Case(
    adapter=_csv(),
    make=_csv,
    start=lambda csv: csv.clients(),
    accepted={"code": "exp_1", "status": "Queued", "totalItems": None, "processedItems": 0},
    done={
        "code": "exp_1",
        "status": "Completed",
        "totalItems": 150,
        "processedItems": 150,
        "downloadUrl": "https://acct.blob.example/c/exp_1.csv?se=2026-08-14T10%3A00%3A00Z&sig=s",
        "createdDate": "2026-08-13T10:00:00",
        "startedDate": "2026-08-13T10:00:01",
        "completedDate": "2026-08-13T10:00:09.5",
    },
    words={
        "Queued": "queued",
        "InProgress": "running",
        "Completed": "done",
        "Failed": "failed",
        "Cancelled": "cancelled",
    },
    poll_path="/tenants/ACME/clients/export/csv/{}",
    base_url="https://api.sodiumhq.com",
    id_member="code",
    headers={"x-api-key": KEY},
)
CASES = (CLARI, DEMANDBASE, DEMANDBASE_V1, CLOSIENT, CSV)
