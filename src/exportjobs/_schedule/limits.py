"""How many jobs and how many requests an account may have at once: decisions only, no clock."""

from attrs import evolve, frozen

from exportjobs.adapter._terms import Limits

_LONG_AGO = float("-inf")


@frozen
class Allowance:
    """An account's concurrency slots for jobs, and its pauses. Moments are monotonic seconds.

    The limit is known where the adapter declares it or the vendor reports it. Otherwise it is
    learned from a refusal: when the vendor says that the account has too many jobs, the number of
    jobs that it then has is taken for the limit, until it is time to try again.
    """

    slots: int | None = None
    """The known limit; None if there is none."""
    outstanding: int = 0
    """Jobs that the account has now."""
    paused_until: float = _LONG_AGO
    """Until when the vendor asked the whole account to wait."""
    learned_slots: int = 0
    """The limit that was learned from a refusal, …"""
    full_until: float = _LONG_AGO
    """… and until when it is believed."""

    @property
    def slots_are_taken(self) -> bool:
        """Whether the account has as many jobs as it may have, as far as is known."""
        limits = [slots for slots in (self.slots, self.learned_slots) if slots]
        return bool(limits) and self.outstanding >= min(limits)

    def may_submit(self, now: float) -> bool:
        """Return whether another job may be submitted."""
        earliest = self.next_chance(now)
        return earliest is not None and earliest <= now

    def next_chance(self, now: float) -> float | None:
        """Return when a submit may be tried; None if a job has to end first."""
        if self.slots is not None and self.outstanding >= self.slots:
            return None
        is_free = self.outstanding < self.learned_slots
        return max(now, self.paused_until, _LONG_AGO if is_free else self.full_until)

    def taken(self) -> "Allowance":
        """Return the allowance after a slot was taken."""
        return evolve(self, outstanding=self.outstanding + 1)

    def freed(self) -> "Allowance":
        """Return the allowance after a slot was released."""
        return evolve(self, outstanding=self.outstanding - 1)

    def full(self, until: float) -> "Allowance":
        """Return the allowance after the vendor refused a job because no slot was free."""
        return evolve(self, learned_slots=self.outstanding, full_until=until)

    def paused(self, until: float) -> "Allowance":
        """Return the allowance after the vendor asked the account to wait."""
        return evolve(self, paused_until=max(self.paused_until, until))

    def with_reported(self, limits: Limits, until: float) -> "Allowance":
        """Return the allowance after the vendor reported its limits.

        Other clients' jobs may take slots too, and release them without our knowing: from `until`
        on a submit is tried again.
        """
        known = [slots for slots in (self.slots, limits.slots) if slots]
        allowance = evolve(self, slots=min(known, default=None))
        if limits.free_slots is None:
            return allowance
        slots = self.outstanding + max(0, limits.free_slots)
        return evolve(allowance, learned_slots=slots, full_until=until)


MAX_WIDTH = 4
"""Requests at once to a vendor that answers in time: a few connections cost the least."""
MAX_IN_FLIGHT = 16
"""Requests at once when those sent before get no answer."""
_SLOW_AFTER = 0.25
"""Seconds after which a request that has no answer yet lets another one start."""
_IDLE_AFTER = 1.0
"""Seconds without a request after which the next one is sent alone again."""
_NEVER = float("inf")


@frozen
class ConcurrencyWindow:
    """How many requests of an account may be in flight at once: a window as TCP has one.

    Two things can go wrong when many requests start together. If the key was revoked or the account
    is throttled, every one of them is refused, where one would have told as much. So the window
    starts at one request and grows by one with each good answer up to `MAX_WIDTH`; after a pause it
    starts at one again, as the key may have been revoked meanwhile. An error does not make it
    narrower: what to do about it is decided elsewhere, for the whole account.

    And a vendor may be slow, or never answer some requests. With a window of N, N such requests
    would then stop the whole account. So a request that has been in flight for `_SLOW_AFTER` no
    longer counts against the width: at most `width` requests *start* within that time, and
    `MAX_IN_FLIGHT` bounds all that have no answer.
    """

    width: int = 1
    in_flight: tuple[float, ...] = ()
    """When each request without an answer was started, oldest first."""
    started_at: float = _LONG_AGO
    """When the latest request was started."""

    def next_start(self) -> float:
        """Return from when on the next request may start.

        Of the requests in flight only the latest `width` matter: the oldest of these has to be
        answered or slow.
        """
        if len(self.in_flight) < self.width:
            return _LONG_AGO
        if len(self.in_flight) >= MAX_IN_FLIGHT:
            return _NEVER
        return self.in_flight[-self.width] + _SLOW_AFTER

    def started(self, now: float) -> "ConcurrencyWindow":
        """Return the window after a request was started."""
        was_idle = not self.in_flight and now - self.started_at > _IDLE_AFTER
        return ConcurrencyWindow(1 if was_idle else self.width, (*self.in_flight, now), now)

    def answered(self, started_at: float, *, ok: bool) -> "ConcurrencyWindow":
        """Return the window after the request that was started at a moment got its answer."""
        width = min(MAX_WIDTH, self.width + 1) if ok else self.width
        place = self.in_flight.index(started_at)
        others = self.in_flight[:place] + self.in_flight[place + 1 :]
        return evolve(self, width=width, in_flight=others)
