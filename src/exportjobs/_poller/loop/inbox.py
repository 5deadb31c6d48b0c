"""Where the tasks of all stages post what comes next; the loop reads it in one place."""

from collections import deque
from collections.abc import Awaitable, Callable

import anyio

from exportjobs._poller.loop.tracked import Tracked
from exportjobs._schedule.decide import End, Step
from exportjobs.adapter._errors import InternalError, retold


class Inbox:
    """What comes next for exports, in the order in which it was decided.

    A stage posts here and knows neither the loop nor the other stages.
    """

    def __init__(self) -> None:
        """Begin empty."""
        self._posts: deque[tuple[Tracked, Step]] = deque()
        self._changed = anyio.Event()

    def post(self, tracked: Tracked, step: Step) -> None:
        """Post what comes next for an export."""
        self._posts.append((tracked, step))
        self._changed.set()

    def wake(self) -> None:
        """Have the loop look what may begin: something changed that is not about one export."""
        self._changed.set()

    def take(self) -> tuple[Tracked, Step] | None:
        """Take off and return the oldest post, if there is one."""
        return self._posts.popleft() if self._posts else None

    async def wait(self) -> None:
        """Wait until something was posted, or something changed, since the last time."""
        await self._changed.wait()
        self._changed = anyio.Event()


async def guarded(work: Callable[[Tracked], Awaitable[Step]], tracked: Tracked) -> Step:
    """Do a stage's work on an export; a mistake of ours ends that export and no other."""
    try:
        return await work(tracked)
    except Exception as error:  # noqa: BLE001 - it is not to end all the others
        return End(internal(error))


def internal(error: Exception) -> InternalError:
    """Return the error that stands for a mistake of this library's own."""
    mistake = InternalError(f"the library made a mistake ({type(error).__name__})")
    mistake.__cause__ = retold(error)
    return mistake
