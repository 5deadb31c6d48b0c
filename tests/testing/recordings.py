"""What the vendors of the shipped adapters answer, for the contract.

The bodies are those of the vendors' own descriptions, which docs/vendors.md names.
"""

from datetime import date, datetime, timedelta, timezone

from exportjobs.adapter import Response
from exportjobs.testing import Recorded
from exportjobs_clari import Clari
from exportjobs_closient import Closient
from exportjobs_csv import CsvExport
from exportjobs_demandbase import Demandbase, DemandbaseV1

KEY = "k-7f3a91"
OTHER_KEY = "k-58c2d4"


def clari() -> Recorded:
    """Return a forecast at Clari, listed and cancelled: the OpenAPI's example of a job."""
    job = {
        "jobId": "606e23c981a6da229d75b515",
        "userId": 1,
        "orgId": 101,
        "title": "Forecast Export",
        "module": "FORECAST",
        "startTime": 1617830857175,
        "version": 1,
        "fileType": "JSON",
        "viewed": False,
        "downloads": 0,
        "deliveryStatusMap": {},
        "currency": "USD",
    }
    ended = {
        **job,
        "endTime": 1617830861959,
        "expiredTime": 1620422861959,
        "fileName": "clari_export_forecast_new_summary_2021_Q12915_20210407_212737.json",
        "cellsTruncated": True,
        "rowsTruncated": False,
    }
    words = ("SCHEDULED", "QUEUED", "STARTED", "RUNNING")
    going = {word: {**job, "status": word} for word in words}
    over = {word: {**ended, "status": word} for word in ("DONE", "FAILED", "CANCELLED", "ABORTED")}
    return Recorded(
        export=Clari(api_key=KEY).forecast(
            "deal_owner", time_period="2024_Q3", types_to_export=["quota"], include_historical=True
        ),
        accepted={"jobId": "606e23c981a6da229d75b515"},
        states={**going, **over},
        listing={"jobs": [*going.values(), *over.values()]},
        cancelling=({}, over["CANCELLED"]),
        limits={
            "jobs": {
                "concurrentLimit": 3,
                "availableConcurrentLimit": 2,
                "monthlyQuota": 1000,
                "availableMonthlyQuota": 998,
            }
        },
    )


def clari_on_the_wire() -> Recorded:
    """Return audit events at Clari, in the bodies that production clients see."""
    job = {"id": "606e23c981a6da229d75b515", "createdAt": "2021-04-07T21:27:37Z"}
    words = ("SCHEDULED", "STARTED", "DONE", "FAILED", "CANCELLED")
    states = {word: {"job": {**job, "status": word}} for word in words}
    return Recorded(
        export=Clari(api_key=KEY, name="emea").audit_events(
            actor_id=7, date_from=datetime(2026, 8, 1, tzinfo=timezone(timedelta(hours=2)))
        ),
        accepted={"job": job},
        states=states,
        listing=[state["job"] for state in states.values()],
        cancelling=({"job": job}, states["CANCELLED"]),
        limits={"concurrentLimit": 3},
    )


def demandbase() -> Recorded:
    """Return accounts at Demandbase, by a client's id and secret, listed on two pages."""
    adapter = Demandbase(client_id=OTHER_KEY, client_secret=KEY)
    return _at_demandbase(adapter, {"accessToken": "t-11aa22", "expiresIn": 7200})


def demandbase_by_token() -> Recorded:
    """Return accounts at Demandbase, by a token that was issued elsewhere."""
    return _at_demandbase(Demandbase(token=KEY), ())


def _at_demandbase(adapter: Demandbase, sign_in: dict[str, object] | tuple[()]) -> Recorded:
    job: dict[str, object] = {
        "jobId": "f546c341-0d1e-4a6a-9d43-6f4f2ad8a7b3",
        "jobName": "exportjobs accounts",
        "entityType": "account",
        "createdAt": "2026-08-13T04:46:21.684Z",
        "updatedAt": "2026-08-13T04:58:03.112Z",
        "resultsUrl": "",
        "message": None,
    }
    link = "https://cdn.example/{}.csv?Expires=1786683483&Signature=s&Key-Pair-Id=k"
    links = {"resultsUrl": link.format("a"), "resultsUrls": [link.format("b"), link.format("c")]}
    accepted = {**job, "jobStatus": "accepted"}
    running = {**job, "jobId": "0b1f", "jobStatus": "processing"}
    return Recorded(
        export=adapter.accounts(
            fields=["{Account}.name", "{Account}.industry"],
            filters=[{"field": "{Account}.industry", "operator": "Equals", "values": ["Retail"]}],
            account_list_ids=[7, 8],
            from_date=date(2026, 7, 1),
            to_date=date(2026, 8, 1),
        ),
        accepted=accepted,
        states={
            "accepted": accepted,
            "processing": running,
            "finished": {**job, **links, "jobStatus": "finished"},
            "failed": {**job, "jobStatus": "failed", "message": "the filter matches no account"},
        },
        listing=(
            {"data": [accepted], "page": 1, "perPage": 100, "totalCount": 2},
            {"data": [running], "page": 2, "perPage": 100, "totalCount": 2},
        ),
        sign_in=sign_in,
    )


def demandbase_v1() -> Recorded:
    """Return accounts at the older Demandbase, whose finished job has three parts."""
    job: dict[str, object] = {
        "id": "exp_1",
        "entity_type": "accounts",
        "fields": ["name", "industry"],
        "filters": {"account_list_id": "42"},
        "created_at": "2026-03-01T10:00:00Z",
        "error_message": None,
    }
    result = {
        "record_count": 1200,
        "file_size_bytes": 48213,
        "file_parts": 3,
        "download_url": "https://files.example/exp_1.csv?X-Amz-Signature=s",
        "completed_at": "2026-03-01T10:05:00Z",
        "expires_at": "2026-03-02T10:05:00Z",
    }
    states = {word: {**job, "status": word} for word in ("pending", "processing", "cancelled")}
    states["completed"] = {**job, **result, "status": "completed"}
    states["failed"] = {**job, "status": "failed", "error_message": "the account list is gone"}
    return Recorded(
        export=DemandbaseV1(token=KEY).accounts(
            fields=["name", "industry"], filters={"account_list_id": "42"}
        ),
        accepted=Response(201, {}, b'{"id": "exp_1", "status": "pending"}'),
        states=states,
        listing={"jobs": list(states.values()), "total": len(states)},
        cancelling=states["cancelled"],
    )


def closient() -> Recorded:
    """Return an organization's data at Closient, with a section that failed."""
    job = {
        "job_id": "3VtQ8fXkq2ZyWmN5RbCdEg",
        "archive_format": "tar.gz",
        "format_version": "1",
        "file_size_bytes": 0,
        "output_filename": None,
        "download_url": None,
        "expires_at": None,
        "sections": [],
        "error": None,
    }
    counts = {"record_count": 12, "binary_count": 3}
    result = {
        "file_size_bytes": 48213,
        "output_filename": "org-export.tar.gz",
        "download_url": "https://files.example/3Vt.tar.gz?signature=s",
        "expires_at": "2026-08-13T10:00:00Z",
        "sections": [
            {"key": "products", "status": "ok", "error": None, **counts},
            {"key": "offers", "status": "error", "error": "timed out", **counts},
        ],
    }
    pending = {**job, "status": "pending"}
    return Recorded(
        export=Closient(api_key=KEY).organization(
            "vytxeTZskVKR7C7WgdSP3d", archive_format="tar.gz"
        ),
        accepted=pending,
        states={
            "pending": pending,
            "processing": {**job, "status": "processing"},
            "completed": {**job, **result, "status": "completed"},
            "failed": {**job, "status": "failed", "error": "the organization is being deleted"},
        },
    )


def csv() -> Recorded:
    """Return clients at the CSV-export API, whose submit is answered with the job."""
    return _at_csv(Response(202, {}, b'{"code": "exp_1", "status": "Queued"}'))


def csv_by_location() -> Recorded:
    """Return clients at the CSV-export API, whose submit is answered by a header alone."""
    where = "https://api.sodiumhq.com/tenants/ACME/clients/export/csv/exp_1"
    return _at_csv(Response(202, {"Location": where}))


def csv_at_once() -> Recorded:
    """Return clients at the CSV-export API, whose submit is answered with the finished job."""
    content = (
        b'{"code": "exp_1", "status": "Completed", "totalItems": 3, "processedItems": 3,'
        b' "downloadUrl": "https://acct.blob.example/c/exp_1.csv?sig=s"}'
    )
    return _at_csv(Response(201, {}, content))


def _at_csv(accepted: Response) -> Recorded:
    job = {
        "code": "exp_1",
        "totalItems": 150,
        "processedItems": 40,
        "createdDate": "2026-08-13T10:00:00",
        "startedDate": "2026-08-13T10:00:01",
    }
    link = "https://acct.blob.example/c/exp_1.csv?se=2026-08-14T10%3A00%3A00Z&sig=s"
    result = {"processedItems": 150, "completedDate": "2026-08-13T10:00:09.5", "downloadUrl": link}
    words = ("Queued", "InProgress", "Failed", "Cancelled")
    return Recorded(
        export=CsvExport(api_key=KEY, tenant="ACME").clients(
            filter={"statuses": ["Active"]},
            column_mappings=[{"csvHeader": "VAT", "targetField": "VatNumber"}],
            include_headers=False,
        ),
        accepted=accepted,
        states={
            **{word: {**job, "status": word} for word in words},
            "Completed": {**job, **result, "status": "Completed"},
        },
    )
