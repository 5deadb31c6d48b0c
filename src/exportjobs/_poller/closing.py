"""What a poller does between being left and being closed."""

import logging
from collections.abc import Iterable

import anyio
from attrs import define, field

from exportjobs._poller.loop.loop import Loop
from exportjobs.adapter._errors import ExportJobsError
from exportjobs.adapter._job import JobRef

_CANCEL_TIMEOUT = 5.0
"""Seconds that vendors may take to cancel what is outstanding."""

_logger = logging.getLogger("exportjobs")


@define(eq=False)
class Closing:
    """Lets files that are on their way land, and cancels jobs; neither takes for ever."""

    cancels_jobs: bool
    """Whether jobs are cancelled at their vendors; they are left running otherwise."""
    grace: float
    """Seconds that files may take."""
    _scope: anyio.CancelScope | None = field(default=None, init=False)

    async def run(self, loop: Loop, outstanding: Iterable[JobRef]) -> None:
        """Do so, also where the task is being cancelled; only `stop_now` ends it."""
        with anyio.CancelScope(shield=True) as self._scope:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._finish_files, loop)
                for ref in outstanding if self.cancels_jobs else ():
                    tasks.start_soon(self._try_to_cancel, loop, ref)

    def stop_now(self) -> None:
        """Close at once: files are resumed from where they stand another time."""
        if self._scope is not None:
            self._scope.cancel()

    async def _finish_files(self, loop: Loop) -> None:
        with anyio.move_on_after(self.grace):
            await loop.drained()

    async def _try_to_cancel(self, loop: Loop, ref: JobRef) -> None:
        try:
            with anyio.move_on_after(_CANCEL_TIMEOUT):
                await loop.cancel(ref)
        except ExportJobsError as error:
            _logger.warning("job not cancelled", extra={"exportjobs": {"error": str(error)}})
