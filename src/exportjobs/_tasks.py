"""Task groups: left as one pleases, and with plain errors where a single one came up."""

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from types import TracebackType
from typing import cast

import anyio
import anyio.abc


@asynccontextmanager
async def together() -> AsyncGenerator[anyio.abc.TaskGroup]:
    """Open a task group; an error that is alone is raised without a group around it."""
    with _plain():
        async with anyio.create_task_group() as tasks:
            yield tasks


async def leave(
    tasks: anyio.abc.TaskGroup,
    exc_type: type[BaseException] | None,
    exc: BaseException | None,
    traceback: TracebackType | None,
) -> bool | None:
    """Cancel the tasks of a group that was entered by hand, and wait for them.

    What the block itself raised goes its own way; what a task raised is raised here, without a
    group around it if it is alone. Only a cancellation is handed to the group: it may be its own.
    """
    tasks.cancel_scope.cancel()
    cancelled = isinstance(exc, anyio.get_cancelled_exc_class())
    told = (exc_type, exc, traceback) if cancelled else (None, None, None)
    with _plain():
        swallow = await tasks.__aexit__(*told)
        return swallow if cancelled else None


@contextmanager
def _plain() -> Generator[None]:
    """Let an error that is alone out without a group around it."""
    try:
        yield
    except BaseExceptionGroup as group:
        alone = _alone(group)
        raise alone from alone.__cause__


def _alone(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return an error without the groups around it, if it is the only one in them."""
    only, *others = group.exceptions
    if others:
        return group
    if not isinstance(only, BaseExceptionGroup):
        return only
    return _alone(cast("BaseExceptionGroup[BaseException]", only))
