"""One sleeper for a whole loop, however many jobs wait."""

from collections.abc import Callable

import anyio
import anyio.abc

from exportjobs._clock import Clock

_NEVER = float("inf")


class Alarm:
    """Rings at a moment, which may be moved as often as need be. Moments are monotonic seconds."""

    def __init__(self, clock: Clock, tasks: anyio.abc.TaskGroup, ring: Callable[[], None]) -> None:
        """Stand still until it is set; the sleeper will have a task of the group."""
        self._clock = clock
        self._tasks = tasks
        self._ring = ring
        self._moment = _NEVER
        self._sleeping = anyio.CancelScope()

    def set(self, moment: float) -> None:
        """Ring at a moment and at no other; never, if it is infinite."""
        if moment == self._moment:
            return
        self._sleeping.cancel()
        self._moment, self._sleeping = moment, anyio.CancelScope()
        if moment < _NEVER:
            self._tasks.start_soon(self._sleep, moment, self._sleeping)

    async def _sleep(self, moment: float, sleeping: anyio.CancelScope) -> None:
        with sleeping:
            await self._clock.sleep(moment - self._clock.monotonic())
            self._moment = _NEVER
            self._ring()
