"""How many requests an account may still send: decisions only. Moments are Unix seconds.

There are two counts. What is sent out of the vendor's published budgets is counted here, so that
they are never exceeded. What the vendor reports of its own count, in its answers' headers, is a
second bound on top of that.

Once a budget is used up, the account gets no answer until it is renewed. So requests are spaced
out before that. With a share s of the budget sent and T seconds until it is renewed, an even pace
for the rest is one request every `T / remaining` seconds, and `spacing` is `s**2` of that: almost
nothing at first, the even pace at the end. It is the square, so that accounts that never come near
the limit are hardly slowed down.
"""

import math

from attrs import evolve, frozen

from exportjobs.adapter._terms import Budget, Operation

_SLICES = 60
"""Parts of a moving window that are counted: a minute's requests are counted by the second."""
_ROUNDING = 1.0
"""Seconds by which the reported end of one window may vary: vendors round it to whole ones."""


@frozen
class Meter:
    """What was sent out of one budget, counted by slices of its window, oldest first.

    Each slice is its number since 1970 and the requests that were sent in it. All of them count
    until the whole slice has left the window, so a request may count a little too long but never
    too short. A calendar budget's window is a single slice.
    """

    budget: Budget
    slices: tuple[tuple[int, int], ...] = ()

    def counts(self, operation: Operation) -> bool:
        """Return whether a request for an operation comes out of the budget."""
        return self.budget.operation in (None, operation)

    def remaining(self, now: float) -> int:
        """Return how many requests may still be sent."""
        return self.budget.requests - sum(count for _, count in self._current(now))

    def wait(self, now: float) -> float:
        """Return the seconds until a request may be sent; 0 if it may be now."""
        slices = self._current(now)
        if sum(count for _, count in slices) < self.budget.requests:
            return 0.0
        return self._expires_at(slices[0][0]) - now

    def sent(self, now: float) -> "Meter":
        """Return the meter after a request was sent."""
        slices = self._current(now)
        last, count = slices[-1] if slices else (-1, 0)
        # If the clock was set back, the request is counted in the latest slice all the same.
        number = max(last, math.floor(now / self._slice_length))
        if number == last:
            return Meter(self.budget, (*slices[:-1], (last, count + 1)))
        return Meter(self.budget, (*slices, (number, 1)))

    def spacing(self, now: float) -> float:
        """Return the seconds to leave between requests, so that what remains lasts.

        They grow from 0, with nothing sent yet, to the even pace over what is left of the window.
        """
        remaining = self.remaining(now)
        if remaining <= 0:
            return self.wait(now)
        spent = 1 - remaining / self.budget.requests
        return self._time_left(now) / remaining * spent**2

    @property
    def _window(self) -> float:
        return self.budget.per.total_seconds()

    @property
    def _slice_length(self) -> float:
        return self._window if self.budget.calendar else self._window / _SLICES

    def _time_left(self, now: float) -> float:
        return self._window - now % self._window if self.budget.calendar else self._window

    def _expires_at(self, number: int) -> float:
        """Return when a slice has left the window and its requests can be sent again."""
        end = (number + 1) * self._slice_length
        return end if self.budget.calendar else end + self._window

    def _current(self, now: float) -> tuple[tuple[int, int], ...]:
        if not self.slices or self._expires_at(self.slices[0][0]) > now:
            return self.slices
        return tuple(one for one in self.slices if self._expires_at(one[0]) > now)


@frozen
class RateLimitState:
    """The count that a vendor reported, less what was sent since."""

    remaining: int
    until: float
    """When the vendor renews the count."""
    limit: int | None = None

    def spacing(self, now: float) -> float:
        """Return the seconds to leave between requests, so that what remains lasts."""
        time_left = max(0.0, self.until - now)
        if self.remaining <= 0:
            return time_left
        if not self.limit or self.remaining >= self.limit:
            return 0.0
        return time_left / self.remaining * (1 - self.remaining / self.limit) ** 2


@frozen
class Budgets:
    """Everything that limits how many requests an account may send."""

    meters: tuple[Meter, ...] = ()
    reported: RateLimitState | None = None
    """What the vendor reported last."""
    exhausted_until: float = -math.inf
    """The latest moment up to which the vendor reported that nothing remains, in any window."""

    @classmethod
    def of(cls, budgets: tuple[Budget, ...]) -> "Budgets":
        """Return the budgets that a vendor publishes, with nothing sent yet."""
        return cls(tuple(Meter(budget) for budget in budgets))

    def wait(self, operation: Operation, now: float) -> float:
        """Return the seconds until a request may be sent; 0 if it may be now."""
        waits = [meter.wait(now) for meter in self._meters(operation)]
        if self.reported is not None and self.reported.remaining <= 0:
            waits.append(self.reported.until - now)
        return max(0.0, self.exhausted_until - now, *waits)

    def spacing(self, operation: Operation, now: float) -> float:
        """Return the seconds to leave between requests, so that what remains lasts."""
        waits = [meter.spacing(now) for meter in self._meters(operation)]
        if self.reported is not None:
            waits.append(self.reported.spacing(now))
        return max(waits, default=0.0)

    def remaining(self, operation: Operation, now: float) -> float:
        """Return how many requests may still be sent; infinity where nothing bounds them."""
        return min((m.remaining(now) for m in self._meters(operation)), default=math.inf)

    def spent(self, operation: Operation, now: float) -> Budget | None:
        """Return the budget that is used up; of several, the one that is renewed last."""
        used_up = [meter for meter in self._meters(operation) if meter.wait(now) > 0]
        latest = max(used_up, key=lambda meter: meter.wait(now), default=None)
        return latest.budget if latest else None

    def sent(self, operation: Operation, now: float) -> "Budgets":
        """Return what is left after a request was sent."""
        if not self.meters and self.reported is None:
            return self
        meters = tuple(m.sent(now) if m.counts(operation) else m for m in self.meters)
        reported = self.reported and evolve(self.reported, remaining=self.reported.remaining - 1)
        return evolve(self, meters=meters, reported=reported)

    def with_reported(self, state: RateLimitState | None) -> "Budgets":
        """Return what is left after an answer reported the vendor's own count, if it did.

        Two reports are of the same window if it ends at the same time. Then the lower number is
        taken, because the vendor has not counted requests that are still on their way. Otherwise
        the new report replaces the old one; only that a window is used up is kept until its end,
        as the new report may be of another, longer or shorter window.
        """
        if state is None:
            return self
        exhausted_until = self.exhausted_until
        if state.remaining <= 0:
            exhausted_until = max(exhausted_until, state.until)
        known = self.reported
        if known is not None and abs(state.until - known.until) <= _ROUNDING:
            remaining = min(state.remaining, known.remaining)
            state = evolve(known, remaining=remaining, limit=state.limit)
        return evolve(self, reported=state, exhausted_until=exhausted_until)

    def _meters(self, operation: Operation) -> list[Meter]:
        return [meter for meter in self.meters if meter.counts(operation)]
