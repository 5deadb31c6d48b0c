"""How many jobs an account may have: decisions only, no clock and no waiting."""

from attrs import evolve, frozen

from exportjobs.adapter._terms import Limits

_LONG_AGO = float("-inf")


@frozen
class Allowance:
    """An account's room for jobs, and its pauses. Moments are monotonic seconds.

    It knows a limit on jobs where the adapter declares one or the vendor tells it, and learns one
    from a refusal: when the vendor says that it is full, as many jobs as are then outstanding are
    held for the limit until some time has passed.
    """

    slots: int | None = None
    outstanding: int = 0
    paused_until: float = _LONG_AGO
    learned_slots: int = 0
    full_until: float = _LONG_AGO

    @property
    def slots_are_taken(self) -> bool:
        """Whether there are as many jobs as may be, as far as is known."""
        limits = [slots for slots in (self.slots, self.learned_slots) if slots]
        return bool(limits) and self.outstanding >= min(limits)

    def may_submit(self, now: float) -> bool:
        """Return whether another job may be submitted."""
        chance = self.next_chance(now)
        return chance is not None and chance <= now

    def next_chance(self, now: float) -> float | None:
        """Return when submitting is worth trying, or None if only the end of a job can tell."""
        if self.slots is not None and self.outstanding >= self.slots:
            return None
        room = self.outstanding < self.learned_slots
        return max(now, self.paused_until, _LONG_AGO if room else self.full_until)

    def taken(self) -> "Allowance":
        """Return the allowance after a slot was taken."""
        return evolve(self, outstanding=self.outstanding + 1)

    def freed(self) -> "Allowance":
        """Return the allowance after a slot fell free."""
        return evolve(self, outstanding=self.outstanding - 1)

    def full(self, until: float) -> "Allowance":
        """Return the allowance after the vendor refused a job for want of a slot."""
        return evolve(self, learned_slots=self.outstanding, full_until=until)

    def paused(self, until: float) -> "Allowance":
        """Return the allowance after the vendor asked the account to wait."""
        return evolve(self, paused_until=max(self.paused_until, until))

    def told(self, limits: Limits, until: float) -> "Allowance":
        """Return the allowance after the vendor told its limits.

        Slots that jobs of others hold may fall free unseen: from `until` on it is worth a try.
        """
        known = [slots for slots in (self.slots, limits.slots) if slots]
        allowance = evolve(self, slots=min(known, default=None))
        if limits.free_slots is None:
            return allowance
        room = self.outstanding + max(0, limits.free_slots)
        return evolve(allowance, learned_slots=room, full_until=until)


WIDEST = 4
"""Requests that fly at once when all is well: small pools cost the least."""
MOST = 16
"""Requests that fly at once when others hang."""
_PATIENCE = 0.25
_REST = 1.0
_NEVER = float("inf")


@frozen
class ConcurrencyWindow:
    """The requests that are under way, by when they started, and how many may be."""

    width: int = 1
    flights: tuple[float, ...] = ()
    started_at: float = _LONG_AGO

    def next_start(self) -> float:
        """Return from when on the next request may start."""
        if len(self.flights) < self.width:
            return _LONG_AGO
        return self.flights[-self.width] + _PATIENCE if len(self.flights) < MOST else _NEVER

    def started(self, now: float) -> "ConcurrencyWindow":
        """Return the lane after a request has started."""
        rested = not self.flights and now - self.started_at > _REST
        return ConcurrencyWindow(1 if rested else self.width, (*self.flights, now), now)

    def answered(self, started_at: float, *, ok: bool) -> "ConcurrencyWindow":
        """Return the lane after the request that started at a moment has got its answer."""
        width = min(WIDEST, self.width + 1) if ok else self.width
        gone = self.flights.index(started_at)
        return evolve(self, width=width, flights=self.flights[:gone] + self.flights[gone + 1 :])
