"""What a person may ask of a ledger, and say to it."""

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
    """Return what is to be done about an entry that is outstanding.

    Raises:
        InvalidArgument: If the adapter does not know what was asked for.
    """
    if entry.ref is not None:
        return adapter.resume(entry.ref)
    kind = adapter.kinds().get(entry.kind)
    if kind is None:
        reason = f"the adapter has no {entry.kind!r}, which export {entry.number} asks for"
        raise adapter.invalid("kind", reason, "install the version that it was asked of")
    return kind.bind(adapter, **_arguments(entry))


class Records:
    """What a poller's ledger knows of exports, each of which has a number there.

    An export is in doubt after a submit that no answer came to, where the vendor's list could not
    tell what became of it. Then somebody has to look: `adopt` its job, `resubmit` or `abandon` it.
    Each function raises `LedgerFailed` if the ledger cannot be read or written.
    """

    def __init__(self, ledger: Ledger, adapter_of: Callable[[str], type[Adapter]]) -> None:
        """Take the ledger, and what knows each vendor's adapter."""
        self._ledger = ledger
        self._adapter_of = adapter_of

    async def entries(self) -> tuple[LedgerEntry, ...]:
        """Return what is known of every export, oldest first."""
        return await self._ledger.read(Tables.entries)

    async def adopt(self, number: int, job_id: str) -> JobRef:
        """Let an export in doubt have a job that was found at its vendor, and return its ref.

        The next run with the export's run key goes on with it, as does `Poller.resume_all`.

        Args:
            number: The export's.
            job_id: The vendor's own.

        Raises:
            InvalidArgument: If the export is not in doubt, or the job is another's.
        """
        entry = await self._doubtful(number)
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
            reason = "is the job of another export" if is_id else "is no id"
            raise InvalidArgument("job_id", reason, vendor=entry.vendor)
        return ref

    async def resubmit(self, number: int) -> None:
        """Let an export in doubt be submitted once more, as there is no job of it.

        The next run with the export's run key does so, as does `Poller.resume_all`.

        Raises:
            InvalidArgument: If the export is not in doubt.
        """
        await self._doubtful(number)
        await self._ledger.write(Tables.resubmit, number)

    async def abandon(self, number: int) -> None:
        """Give an export in doubt up: runs with its run key say that it was cancelled.

        Raises:
            InvalidArgument: If the export is not in doubt.
        """
        await self._doubtful(number)
        await self._ledger.write(Tables.abandon, number)

    async def forget(self, number: int) -> LedgerEntry:
        """Remove an export from the ledger and return what was known of it.

        Its job, if it has one, goes on at its vendor; a run with its run key submits it anew.

        Raises:
            InvalidArgument: If there is none of that number, or a process is at work on it.
        """
        entry = await self._entry(number)
        await self._ledger.write(Tables.forget, number)
        return entry

    async def _entry(self, number: int) -> LedgerEntry:
        try:
            entry = await self._ledger.read(Tables.entry, number)
        except LookupError:
            remedy = "exportjobs jobs lists those that there are"
            reason = f"the ledger has no export {number}"
            raise InvalidArgument("number", reason, remedy=remedy) from None
        if entry.is_taken:
            reason = f"another process is at work on export {number}"
            raise InvalidArgument("number", reason, vendor=entry.vendor, remedy="wait for it")
        return entry

    async def _doubtful(self, number: int) -> LedgerEntry:
        entry = await self._entry(number)
        if not entry.is_doubtful:
            reason = f"export {number} is not in doubt, but {entry.state}"
            raise InvalidArgument("number", reason, vendor=entry.vendor)
        return entry

    def _scope(self, entry: LedgerEntry) -> Mapping[str, str]:
        """Return the arguments of an export that its job's ref holds too."""
        adapter = self._adapter_of(entry.vendor)
        kind = adapter.kinds().get(entry.kind)
        return kind.scope(adapter.scope, _arguments(entry)) if kind else {}


def _arguments(entry: LedgerEntry) -> dict[str, Any]:
    try:
        return dict(json.loads(entry.asked or "")["arguments"])
    except (ValueError, TypeError, LookupError):
        reason = f"what export {entry.number} asked for cannot be read from the ledger"
        raise LedgerFailed(reason, vendor=entry.vendor, remedy="let the ledger forget it") from None
