"""Where our own code stands at a moment: the line that runs, and those at which tasks wait."""

import gc
import inspect
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any, Final

_MOST: Final = 20
_ROOT: Final = Path(__file__).parents[2]
_OURS: Final = tuple(str(_ROOT / folder) for folder in ("src", "adapters", "tests"))
_AWAITED: Final = ("cr_await", "ag_await", "gi_yieldfrom")


def places(frame: FrameType | None) -> list[str]:
    """Return where our own code stands when a frame runs, whichever event loop it waits for."""
    waiting = Counter(_place(one) for one in _waiting())
    found = [f"waits at {place} (x {count})" for place, count in waiting.most_common(_MOST)]
    while frame is not None and not _is_ours(frame):
        frame = frame.f_back
    return [f"runs at {_place(frame)}", *found] if frame else found


def _waiting() -> Iterator[FrameType]:
    for one in gc.get_objects():
        frame = _suspended(one)
        if frame is not None and _is_ours(frame) and not _is_waited_for_by_ours(one):
            yield frame


def _is_waited_for_by_ours(one: object) -> bool:
    """Return whether something waits for what is ours as well, and so stands deeper."""
    while one := next((found for name in _AWAITED if (found := getattr(one, name, None))), None):
        frame = _suspended(one)
        if frame is not None and _is_ours(frame):
            return True
    return False


def _suspended(one: Any) -> FrameType | None:  # noqa: ANN401 - whatever there is
    frame: FrameType | None = None
    if inspect.iscoroutine(one) and one.cr_suspended:
        frame = one.cr_frame
    elif inspect.isasyncgen(one) and one.ag_await is not None:
        frame = one.ag_frame
    return frame


def _is_ours(frame: FrameType) -> bool:
    return frame.f_code.co_filename.startswith(_OURS) and frame.f_globals is not globals()


def _place(frame: FrameType) -> str:
    path = Path(frame.f_code.co_filename).relative_to(_ROOT)
    return f"{path}:{frame.f_lineno} in {frame.f_code.co_qualname}"
