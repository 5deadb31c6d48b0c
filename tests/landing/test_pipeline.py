"""Bytes on their way from a host to where they are kept: in order, whole and not held back."""

import random
from functools import partial

import anyio
import anyio.lowlevel
import pytest

from exportjobs._landing.pipeline import Pipeline

KIBIBYTE = 1024
PIECE = random.Random(7).randbytes(64 * KIBIBYTE)  # noqa: S311 - no secret
MUCH = 21 * 1024 * KIBIBYTE + 5


async def test_what_came_is_kept_while_the_host_lets_wait_for_more() -> None:
    """A host that stalls keeps nothing in memory that could be on disk."""
    kept = bytearray()
    pieces = [PIECE, PIECE[::-1]]
    is_first_being_kept, may_go_on, is_all_kept = anyio.Event(), anyio.Event(), anyio.Event()

    async def read(view: memoryview) -> int:
        if not pieces:
            may_go_on.set()
            await is_all_kept.wait()
            return 0
        if len(pieces) == 1:
            await is_first_being_kept.wait()
        piece = pieces.pop(0)
        view[: len(piece)] = piece
        return len(piece)

    async def keep(view: memoryview) -> None:
        is_first_being_kept.set()
        await may_go_on.wait()
        kept.extend(view)
        if len(kept) == 2 * len(PIECE):
            is_all_kept.set()

    with anyio.fail_after(5):
        await Pipeline([keep], None).run(read)

    assert kept == PIECE + PIECE[::-1]


@pytest.mark.parametrize("takers", [1, 3])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("size", "sent"), [(MUCH, MUCH), (MUCH - 1, MUCH), (5000, 5000), (100, 5000), (None, MUCH)]
)
async def test_every_byte_is_taken_once_and_in_order(
    seed: int, size: int | None, sent: int, takers: int
) -> None:
    """By each that takes them, however fast anyone is, and whatever size was announced."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    content = chance.randbytes(sent)
    most, came = chance.choice([1, 10, 1000]) * 64 * KIBIBYTE, 0
    taken = [bytearray() for _ in range(takers)]

    async def read(view: memoryview) -> int:
        nonlocal came
        if chance.random() < 0.3:
            await anyio.lowlevel.checkpoint()
        piece = content[came : came + min(len(view), chance.randint(1, most))]
        view[: len(piece)] = piece
        came += len(piece)
        return len(piece)

    async def take(into: bytearray, view: memoryview) -> None:
        while chance.random() < 0.5:
            await anyio.lowlevel.checkpoint()
        into.extend(view)

    await Pipeline([partial(take, into) for into in taken], size).run(read)

    assert taken == [content] * takers


async def test_who_is_slow_keeps_no_one_waiting_while_there_is_room() -> None:
    """Storing and hashing each go at their own pace, and come to the same end."""
    content, came = PIECE * 64, 0
    swift, slow, is_swift_done = bytearray(), bytearray(), anyio.Event()

    async def read(view: memoryview) -> int:
        nonlocal came
        piece = content[came : came + min(len(view), len(PIECE))]
        view[: len(piece)] = piece
        came += len(piece)
        await anyio.lowlevel.checkpoint()
        return len(piece)

    async def take_swiftly(view: memoryview) -> None:
        swift.extend(view)
        if swift == content:
            is_swift_done.set()

    async def take_slowly(view: memoryview) -> None:
        await is_swift_done.wait()
        slow.extend(view)

    with anyio.fail_after(5):
        await Pipeline([take_swiftly, take_slowly], None).run(read)

    assert swift == slow == content


@pytest.mark.parametrize("size", [MUCH, 100, None], ids=str)
async def test_what_cannot_be_kept_ends_the_reading(size: int | None) -> None:
    """Whatever the host would still send; and nothing is kept behind what is missing."""
    tries = 0

    async def read(view: memoryview) -> int:
        await anyio.lowlevel.checkpoint()
        return len(view)

    async def store(_: memoryview) -> None:
        nonlocal tries
        tries += 1
        raise OSError("full")

    async def hash_(_: memoryview) -> None:
        await anyio.lowlevel.checkpoint()

    with anyio.fail_after(5), pytest.raises(OSError, match="full"):
        await Pipeline([store, hash_], size).run(read)

    assert tries == 1


async def test_what_came_before_a_break_is_kept() -> None:
    """It need not be fetched again."""
    kept, pieces = bytearray(), [PIECE[:100]]

    async def read(view: memoryview) -> int:
        if not pieces:
            raise ConnectionError
        view[:100] = pieces.pop()
        return 100

    async def keep(view: memoryview) -> None:
        kept.extend(view)

    with pytest.raises(ConnectionError):
        await Pipeline([keep], None).run(read)

    assert kept == PIECE[:100]
