"""How many requests of an account fly at once: decisions only. Moments are monotonic seconds.

After a rest one request goes ahead of the others: what is wrong with the account - a key that is
revoked, a limit that is reached - is told once, not once for every job. Each good answer lets one
more fly. A request that takes long is not counted any more: it holds nobody back for long.
"""

from attrs import evolve, frozen

WIDEST = 4
"""Requests that fly at once when all is well: small pools cost the least."""
MOST = 16
"""Requests that fly at once when others hang."""
_PATIENCE = 0.25
_REST = 1.0
_LONG_AGO = float("-inf")
_NEVER = float("inf")


@frozen
class Lane:
    """The requests that are under way, by when they started, and how many may be."""

    width: int = 1
    flights: tuple[float, ...] = ()
    started_at: float = _LONG_AGO

    def next_start(self) -> float:
        """Return from when on the next request may start."""
        if len(self.flights) < self.width:
            return _LONG_AGO
        return self.flights[-self.width] + _PATIENCE if len(self.flights) < MOST else _NEVER

    def started(self, now: float) -> "Lane":
        """Return the lane after a request has started."""
        rested = not self.flights and now - self.started_at > _REST
        return Lane(1 if rested else self.width, (*self.flights, now), now)

    def answered(self, started_at: float, *, well: bool) -> "Lane":
        """Return the lane after the request that started at a moment has got its answer."""
        width = min(WIDEST, self.width + 1) if well else self.width
        gone = self.flights.index(started_at)
        return evolve(self, width=width, flights=self.flights[:gone] + self.flights[gone + 1 :])
