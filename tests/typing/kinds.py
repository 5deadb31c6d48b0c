"""Wrong calls of export kinds, as type checkers see them. Checked, never executed.

Each line is wrong on purpose and carries an ignore for each of mypy, pyright and ty; a checker that
no longer finds it wrong complains of an ignore without use.
"""

from collections.abc import Callable, Sequence
from datetime import date
from typing import ClassVar, assert_type

from exportjobs.adapter import Adapter, Export, ExportJob, Flow, JobRef, Request, export, frozen
from exportjobs_clari import Clari
from exportjobs_closient import Closient
from exportjobs_csv import CsvExport
from exportjobs_demandbase import Demandbase, DemandbaseV1

clari = Clari(api_key="key")
demandbase = Demandbase(token="token")  # noqa: S106 - an example's
demandbase_v1 = DemandbaseV1(token="token")  # noqa: S106 - an example's
closient = Closient(api_key="key")
csv = CsvExport(api_key="key", tenant="acme")


@frozen
class Acme(Adapter):
    """What a third party writes."""

    vendor: ClassVar[str] = "acme"

    def authenticate(self, request: Request) -> Request:
        """Send the request as it is."""
        return request

    @export
    def report(
        self, name: str, *, since: date | None = None, columns: Sequence[str] = ()
    ) -> Flow[ExportJob]:
        """Export one report."""
        yield Request.post("/reports", json={"name": name, "since": since, "columns": columns})
        return (yield from self.poll(self.ref(name)))

    def poll(self, ref: JobRef) -> Flow[ExportJob]:
        """Ask for one job's status."""
        yield Request.get(f"/reports/{ref.id}")
        raise self.unsupported("telling")


acme = Acme()
assert_type(acme.report("q3", since=date(2026, 1, 1), columns=["a"]), Export)
one_that_fits: Callable[[str], Export] = acme.report

# What a third party's kind does not take.
acme.report()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # ty: ignore[missing-argument]
acme.report("q3", until=None)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # ty: ignore[unknown-argument]
acme.report("q3", None)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # ty: ignore[too-many-positional-arguments]
acme.report(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # ty: ignore[invalid-argument-type]
acme.report("q3", since="2026")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # ty: ignore[invalid-argument-type]
acme.report("q3", columns=[1])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]  # ty: ignore[invalid-argument-type]
acme.report("q3").submit().json  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]  # ty: ignore[missing-attribute]
acme.reports("q3")  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]  # ty: ignore[missing-attribute]

# Names that a vendor's kind does not have.
clari.forecast("tab", quarter="2024_Q3")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # ty: ignore[unknown-argument]
clari.audit_events(since=None)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # ty: ignore[unknown-argument]
demandbase.accounts(columns=["a"])  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # ty: ignore[unknown-argument]
demandbase_v1.people(job_name="x")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # ty: ignore[unknown-argument]
closient.organization("id", format="zip")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # ty: ignore[unknown-argument]
csv.clients(filters={})  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # ty: ignore[unknown-argument]

# Types that it does not take.
clari.forecast(b"tab")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # ty: ignore[invalid-argument-type]
clari.forecast("tab", format="XML")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # ty: ignore[invalid-argument-type]
clari.audit_events(actor_id="7")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # ty: ignore[invalid-argument-type]
clari.activity(activity_types=[1])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]  # ty: ignore[invalid-argument-type]
demandbase.accounts(from_date="2026-01-01")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # ty: ignore[invalid-argument-type]
demandbase_v1.people(fields=[None])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]  # ty: ignore[invalid-argument-type]
closient.organization("id", archive_format="rar")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # ty: ignore[invalid-argument-type]
csv.clients(include_headers="yes")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # ty: ignore[invalid-argument-type]

# Arguments left out, and one too many.
clari.forecast()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # ty: ignore[missing-argument]
closient.organization()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # ty: ignore[missing-argument]
csv.clients({"statuses": ["Active"]})  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # ty: ignore[too-many-positional-arguments]
