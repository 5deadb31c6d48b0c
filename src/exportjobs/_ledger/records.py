"""The ledger as a person uses it: look at exports, and decide about those that need a decision."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from exportjobs._ledger.entry import LedgerEntry
from exportjobs._ledger.ledger import Ledger
from exportjobs._ledger.tables import Tables
from exportjobs.adapter import Adapter
from exportjobs.adapter._adapter import Work
from exportjobs.adapter._errors import InvalidArgument, LedgerFailed
from exportjobs.adapter._job import ExportJob, JobRef, JobStatus, Reading


def work_of(entry: LedgerEntry, adapter: Adapter) -> Work:
    """Return the export or the existing job of an entry, to be worked on again.

    Raises:
        InvalidArgument: If the adapter has no such kind of export.
    """
    if entry.ref is not None:
        return adapter.resume(entry.ref)
    kind = adapter.kinds().get(entry.kind)
    if kind is None:
        reason = f"export {entry.number} is of kind {entry.kind!r}, which the adapter does not have"
        raise adapter.invalid(
            "kind", reason, "install the version of the adapter that submitted it"
        )
    return kind.bind(adapter, **_arguments(entry))


class Records:
    """The exports in a poller's ledger, each under its number.

    The state of an export is "submit outcome unknown" after a submit without an answer, until the
    vendor's list of jobs shows what became of it. Where that list does not, a person has to look at
    the vendor and decide: `adopt` the job, `resubmit` the export or `abandon` it. Each function
    raises `LedgerFailed` if the ledger cannot be read or written.
    """

    def __init__(self, ledger: Ledger, adapter_of: Callable[[str], type[Adapter]]) -> None:
        """Take the ledger, and a function that returns the adapter of a vendor's name."""
        self._ledger = ledger
        self._adapter_of = adapter_of

    async def entries(self) -> tuple[LedgerEntry, ...]:
        """Return the entries of all exports, oldest first."""
        return await self._ledger.read(Tables.entries)

    async def adopt(self, number: int, job_id: str) -> JobRef:
        """Attach a job id that was found at the vendor to an export, and return the job's ref.

        The next run with the export's run key waits for that job, as does `Poller.resume_all`.

        Args:
            number: The export's number in the ledger.
            job_id: The job's id at the vendor.

        Raises:
            InvalidArgument: If the export is in another state than "submit outcome unknown", the id
                is not valid, or the job belongs to another export.
        """
        entry = await self._undecided(number)
        ref = JobRef(
            *entry.account_key,
            job_id,
            kind=entry.kind,
            scope=self._scope(entry),
            submitted_at=entry.sent_at,
        )
        job = ExportJob(ref, Reading(JobStatus.QUEUED, "adopted"))
        is_id = bool(job_id.strip()) and job_id.isprintable()
        if not is_id or not await self._ledger.write(Tables.assign, number, job):
            reason = "belongs to another export" if is_id else "is not a valid id"
            raise InvalidArgument("job_id", reason, vendor=entry.vendor)
        return ref

    async def resubmit(self, number: int) -> None:
        """Let an export be submitted again, because the vendor has no job of it.

        The next run with the export's run key submits it, as does `Poller.resume_all`.

        Raises:
            InvalidArgument: If the export is in another state than "submit outcome unknown".
        """
        await self._undecided(number)
        await self._ledger.write(Tables.resubmit, number)

    async def abandon(self, number: int) -> None:
        """Mark an export as abandoned: runs with its run key report that it was cancelled.

        Raises:
            InvalidArgument: If the export is in another state than "submit outcome unknown".
        """
        await self._undecided(number)
        await self._ledger.write(Tables.abandon, number)

    async def forget(self, number: int) -> LedgerEntry:
        """Remove an export from the ledger and return its entry.

        Its job, if it has one, keeps running at the vendor; a run with its run key submits it
        again.

        Raises:
            InvalidArgument: If there is none of that number, or another process works on it.
        """
        entry = await self._entry(number)
        await self._ledger.write(Tables.forget, number)
        return entry

    async def _entry(self, number: int) -> LedgerEntry:
        try:
            entry = await self._ledger.read(Tables.entry, number)
        except LookupError:
            remedy = "poller.records.entries() lists those that it has"
            reason = f"the ledger has no export {number}"
            raise InvalidArgument("number", reason, remedy=remedy) from None
        if entry.is_taken:
            reason = f"another process is at work on export {number}"
            raise InvalidArgument(
                "number", reason, vendor=entry.vendor, remedy="wait until it has ended"
            )
        return entry

    async def _undecided(self, number: int) -> LedgerEntry:
        entry = await self._entry(number)
        if not entry.is_outcome_unknown:
            reason = f"export {number} is {entry.state!r}, not 'submit outcome unknown'"
            raise InvalidArgument("number", reason, vendor=entry.vendor)
        return entry

    def _scope(self, entry: LedgerEntry) -> Mapping[str, str]:
        """Return the arguments of an export that are part of its job's ref."""
        adapter = self._adapter_of(entry.vendor)
        kind = adapter.kinds().get(entry.kind)
        return kind.scope(adapter.scope, _arguments(entry)) if kind else {}


def _arguments(entry: LedgerEntry) -> dict[str, Any]:
    try:
        return dict(json.loads(entry.export_json or "")["arguments"])
    except (ValueError, TypeError, LookupError):
        reason = f"the arguments of export {entry.number} cannot be read from the ledger"
        raise LedgerFailed(
            reason, vendor=entry.vendor, remedy="remove the export from the ledger"
        ) from None
