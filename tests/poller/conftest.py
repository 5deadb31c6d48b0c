"""A clock that jumps by itself, Acme's API on it, and pollers that talk to nobody else."""

from tests.support.pollers import clock, events, make_poller, tokens, vendor

__all__ = ["clock", "events", "make_poller", "tokens", "vendor"]
