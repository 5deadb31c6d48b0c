"""Landing: finished jobs whose files are to be fetched, so many at once."""

from collections.abc import Callable

import anyio.abc

from exportjobs._agenda import Agenda
from exportjobs._decide import Step
from exportjobs._steps import Steps, guarded
from exportjobs._tracked import Phase, Tracked

_NEVER = float("inf")


class Landing:
    """Every job whose files wait, the one in front whose address stops working the soonest."""

    def __init__(
        self,
        steps: Steps,
        tasks: anyio.abc.TaskGroup,
        apply: Callable[[Tracked, Step], None],
        *,
        at_once: int,
    ) -> None:
        """Take what does the I/O, and whom to tell what came of it."""
        self._steps = steps
        self._tasks = tasks
        self._apply = apply
        self._free = at_once
        self._queue: Agenda[Tracked] = Agenda()

    def add(self, tracked: Tracked) -> None:
        """Let a job wait for its turn."""
        tracked.phase = Phase.BUSY
        ends_at = tracked.job.expires_at if tracked.job else None
        self._queue.add(ends_at.timestamp() if ends_at else _NEVER, tracked)

    def go_round(self) -> None:
        """Fetch the files of as many jobs as may be fetched at once."""
        while self._queue and self._free:
            self._free -= 1
            self._tasks.start_soon(self._land, self._queue.pop())

    async def _land(self, tracked: Tracked) -> None:
        step = await guarded(self._steps.land, tracked)
        self._free += 1
        self._apply(tracked, step)
