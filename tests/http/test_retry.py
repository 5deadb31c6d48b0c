"""What fails is tried again as often as is wanted, and what succeeds leaves nothing behind."""

import gc

import pytest

from exportjobs._http.retry import Attempts

ATTEMPTS = Attempts(attempts=3, timeout=30.0, first_pause=0.1, longest_pause=1.0, jitter=0.1)


class Work:
    """Fails so many times, then succeeds."""

    def __init__(self, failures: int, error: Exception) -> None:
        """Take how often, and how."""
        self.tries = 0
        self._failures = failures
        self._error = error

    async def __call__(self) -> str:
        """Fail or succeed."""
        self.tries += 1
        if self.tries <= self._failures:
            raise self._error
        return "done"


def may_pass(error: Exception) -> bool:
    """A broken connection may be whole another time."""
    return isinstance(error, ConnectionError)


@pytest.mark.parametrize("failures", range(3))
async def test_what_may_pass_is_tried_until_it_succeeds(failures: int) -> None:
    """Each failure leaves one attempt less."""
    work = Work(failures, ConnectionError())

    assert await ATTEMPTS.of(work, may_pass) == "done"
    assert work.tries == failures + 1


async def test_the_last_attempt_raises_what_went_wrong() -> None:
    """As it was, and not before every attempt was made."""
    error = ConnectionError("broken")
    work = Work(100, error)

    with pytest.raises(ConnectionError, match="broken") as raised:
        await ATTEMPTS.of(work, may_pass)

    assert raised.value is error
    assert work.tries == 3


@pytest.mark.parametrize("failures", [1, 3])
async def test_what_cannot_pass_is_not_tried_again(failures: int) -> None:
    """Nor after something else that might have."""
    errors = [ConnectionError(), ConnectionError(), ValueError("wrong")]
    tries = 0

    async def work() -> None:
        nonlocal tries
        tries += 1
        raise errors[-failures:][tries - 1]

    with pytest.raises(ValueError, match="wrong"):
        await ATTEMPTS.of(work, may_pass)

    assert tries == failures


async def test_after_its_time_nothing_is_tried_again() -> None:
    """The first attempt counts as well."""
    work = Work(100, ConnectionError())
    no_time = Attempts(attempts=3, timeout=0.0, first_pause=0.1, longest_pause=1.0, jitter=0.1)

    with pytest.raises(ConnectionError):
        await no_time.of(work, may_pass)

    assert work.tries == 1


async def test_what_succeeds_at_once_leaves_nothing_to_collect() -> None:
    """With many jobs, each object in a cycle has all of them gone through the sooner."""
    work = Work(0, ConnectionError())
    gc.collect()
    gc.disable()
    try:
        for _ in range(100):
            await ATTEMPTS.of(work, may_pass)
        left = gc.collect()
    finally:
        gc.enable()

    assert left < 100
