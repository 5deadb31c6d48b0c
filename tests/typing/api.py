"""How the library is used, as type checkers see it. Checked, never executed.

A line that is wrong on purpose carries an ignore for each of mypy, pyright and ty; a checker that no
longer finds it wrong complains of an ignore without use.
"""

from datetime import date
from typing import assert_type

import exportjobs
from exportjobs import Export, ExportJob, Finished, JobRef, LandedFile
from exportjobs_clari import Clari
from exportjobs_closient import Closient
from exportjobs_csv import CsvExport
from exportjobs_demandbase import Demandbase, DemandbaseV1

clari = Clari(api_key="key", name="sales", base_url="https://api.clari.com/v4")
demandbase = Demandbase(client_id="id", client_secret="secret")  # noqa: S106 - an example's
exports = [
    clari.forecast("tab", time_period="2024_Q3", types_to_export=["forecast"], format="CSV"),
    clari.audit_events(),
    clari.activity(activity_types=["MEETING"]),
    demandbase.accounts(fields=["{Account}.name"], from_date=date(2026, 1, 1)),
    DemandbaseV1(token="token").people(),  # noqa: S106 - an example's
    Closient(api_key="key").organization("id", archive_format="tar.gz"),
    CsvExport(api_key="key", tenant="acme").clients(filter={"statuses": ["Active"]}),
]
assert_type(exports, list[Export])

for finished in exportjobs.run(exports, into="landing", poll_interval=5, on_exit="cancel"):
    assert_type(finished, Finished)
    assert_type(finished.job, ExportJob)
    assert_type(finished.files, tuple[LandedFile, ...])
    open(finished.files[0]).close()  # noqa: PTH123 - it is to be accepted by open


async def asynchronously(ref: JobRef) -> None:
    """Take the poller in hand."""
    async with exportjobs.Poller(accounts=[clari], deadline=None) as poller:
        async for finished in poller.run(exports, into=None):
            assert_type(finished, Finished)
        assert_type(await poller.submit(clari.activity()), ExportJob)
        assert_type(await poller.resume(ref, into="landing"), Finished)
        assert_type(await poller.cancel(ref), ExportJob)


exportjobs.run(exports)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # ty: ignore[missing-argument]
exportjobs.run(exports, into=".", on_exit="leave")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # ty: ignore[invalid-argument-type]
exportjobs.nothing  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]  # ty: ignore[missing-attribute]
