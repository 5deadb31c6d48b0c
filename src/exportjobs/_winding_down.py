"""Winding down: what a poller does between being left and being gone."""

import logging
from collections.abc import Awaitable, Callable, Iterable

import anyio
from attrs import define, field

from exportjobs._errors import ExportJobsError
from exportjobs._job import ExportJob, JobRef
from exportjobs._landing import Landing

_CANCELLING = 5.0
"""Seconds that vendors may take to cancel what is outstanding."""

_logger = logging.getLogger("exportjobs")


@define(eq=False)
class WindingDown:
    """Lets files that are on their way land, and cancels jobs; neither takes for ever."""

    cancel: Callable[[JobRef], Awaitable[ExportJob]] | None
    """Cancels a job; None where jobs are left running."""
    grace: float
    """Seconds that files may take."""
    _scope: anyio.CancelScope | None = field(default=None, init=False)

    async def run(self, outstanding: Iterable[JobRef], landing: Landing) -> None:
        """Do so, whoever is in a hurry; but `hurry` ends it."""
        with anyio.CancelScope(shield=True) as self._scope:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._finish_files, landing)
                for ref in outstanding if self.cancel else ():
                    tasks.start_soon(self._try_to_cancel, ref)

    def hurry(self) -> None:
        """Leave at once: files go on from where they stand another time."""
        if self._scope is not None:
            self._scope.cancel()

    async def _finish_files(self, landing: Landing) -> None:
        with anyio.move_on_after(self.grace):
            await landing.drained()

    async def _try_to_cancel(self, ref: JobRef) -> None:
        if self.cancel is None:
            return
        try:
            with anyio.move_on_after(_CANCELLING):
                await self.cancel(ref)
        except ExportJobsError as error:
            _logger.warning("job not cancelled", extra={"exportjobs": {"error": str(error)}})
