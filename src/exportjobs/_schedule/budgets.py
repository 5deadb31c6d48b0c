"""What an account may still send: decisions only. Moments are Unix seconds.

Two counts stand side by side. The vendor's published budgets are counted here, so that they are
never exceeded; what a vendor says of its own count in its answers is believed on top of that.
"""

import math

from attrs import evolve, frozen

from exportjobs.adapter._terms import Budget, Operation

_SLICES = 60
_ROUNDING = 1.0
"""Seconds by which the end of one window may seem to move: vendors tell it in whole ones."""


@frozen
class Meter:
    """What was sent out of one budget, in slices of its window, oldest first.

    A slice counts until the last of its moments has left the window: too long rather than too
    short.
    """

    budget: Budget
    slices: tuple[tuple[int, int], ...] = ()

    def counts(self, operation: Operation) -> bool:
        """Return whether a request of a sort comes out of the budget."""
        return self.budget.operation in (None, operation)

    def remaining(self, now: float) -> int:
        """Return how many requests may still be sent."""
        return self.budget.requests - sum(count for _, count in self._alive(now))

    def wait(self, now: float) -> float:
        """Return the seconds until a request may be sent; 0 if it may be now."""
        alive = self._alive(now)
        if sum(count for _, count in alive) < self.budget.requests:
            return 0.0
        return self._leaves(alive[0][0]) - now

    def sent(self, now: float) -> "Meter":
        """Return the meter after a request was sent."""
        alive = self._alive(now)
        last, count = alive[-1] if alive else (-1, 0)
        # A clock that was put back does not open a slice that was closed.
        current = max(last, math.floor(now / self._slice))
        if current == last:
            return Meter(self.budget, (*alive[:-1], (last, count + 1)))
        return Meter(self.budget, (*alive, (current, 1)))

    def spacing(self, now: float) -> float:
        """Return the seconds to leave between requests, so that what remains lasts.

        Nothing as long as much remains; then more and more, up to an even spread over what is left
        of the window.
        """
        remaining = self.remaining(now)
        if remaining <= 0:
            return self.wait(now)
        spent = 1 - remaining / self.budget.requests
        return self._left(now) / remaining * spent**2

    @property
    def _window(self) -> float:
        return self.budget.per.total_seconds()

    @property
    def _slice(self) -> float:
        return self._window if self.budget.calendar else self._window / _SLICES

    def _left(self, now: float) -> float:
        return self._window - now % self._window if self.budget.calendar else self._window

    def _leaves(self, number: int) -> float:
        """Return when a slice has left the window."""
        end = (number + 1) * self._slice
        return end if self.budget.calendar else end + self._window

    def _alive(self, now: float) -> tuple[tuple[int, int], ...]:
        if not self.slices or self._leaves(self.slices[0][0]) > now:
            return self.slices
        return tuple(one for one in self.slices if self._leaves(one[0]) > now)


@frozen
class RateLimitState:
    """What a vendor said of its own count, less what was sent since."""

    remaining: int
    until: float
    limit: int | None = None

    def spacing(self, now: float) -> float:
        """Return the seconds to leave between requests, so that what remains lasts."""
        left = max(0.0, self.until - now)
        if self.remaining <= 0:
            return left
        if not self.limit or self.remaining >= self.limit:
            return 0.0
        return left / self.remaining * (1 - self.remaining / self.limit) ** 2


@frozen
class Budgets:
    """All that bounds an account's requests."""

    meters: tuple[Meter, ...] = ()
    told: RateLimitState | None = None
    closed_until: float = -math.inf
    """Until when the vendor said that nothing remains, of whatever window."""

    @classmethod
    def of(cls, budgets: tuple[Budget, ...]) -> "Budgets":
        """Return what a vendor publishes, with nothing spent yet."""
        return cls(tuple(Meter(budget) for budget in budgets))

    def wait(self, operation: Operation, now: float) -> float:
        """Return the seconds until a request may be sent; 0 if it may be now."""
        waits = [meter.wait(now) for meter in self._meters(operation)]
        if self.told is not None and self.told.remaining <= 0:
            waits.append(self.told.until - now)
        return max(0.0, self.closed_until - now, *waits)

    def spacing(self, operation: Operation, now: float) -> float:
        """Return the seconds to leave between requests, so that what remains lasts."""
        waits = [meter.spacing(now) for meter in self._meters(operation)]
        if self.told is not None:
            waits.append(self.told.spacing(now))
        return max(waits, default=0.0)

    def remaining(self, operation: Operation, now: float) -> float:
        """Return how many requests may still be sent; infinity where nothing bounds them."""
        return min((m.remaining(now) for m in self._meters(operation)), default=math.inf)

    def spent(self, operation: Operation, now: float) -> Budget | None:
        """Return the budget that is used up and is renewed last, if one is used up."""
        used_up = [meter for meter in self._meters(operation) if meter.wait(now) > 0]
        latest = max(used_up, key=lambda meter: meter.wait(now), default=None)
        return latest.budget if latest else None

    def sent(self, operation: Operation, now: float) -> "Budgets":
        """Return what is left after a request was sent."""
        if not self.meters and self.told is None:
            return self
        meters = tuple(m.sent(now) if m.counts(operation) else m for m in self.meters)
        told = self.told and evolve(self.told, remaining=self.told.remaining - 1)
        return evolve(self, meters=meters, told=told)

    def heard(self, told: RateLimitState | None) -> "Budgets":
        """Return what is left after the vendor told its own count, if it did.

        Within one window the lower number counts: what is under way is not in the vendor's yet.
        A window that moves along with the time is another one as soon as it has moved. What is
        said to be used up stays so until its time, whatever is said of another window.
        """
        if told is None:
            return self
        closed_until = self.closed_until
        if told.remaining <= 0:
            closed_until = max(closed_until, told.until)
        if self.told is not None and abs(told.until - self.told.until) <= _ROUNDING:
            remaining = min(told.remaining, self.told.remaining)
            told = evolve(self.told, remaining=remaining, limit=told.limit)
        return evolve(self, told=told, closed_until=closed_until)

    def _meters(self, operation: Operation) -> list[Meter]:
        return [meter for meter in self.meters if meter.counts(operation)]
