"""A clock that jumps by itself, Acme's API on it, and pollers that talk to nobody else."""

from tests.support.paths import file, landing
from tests.support.pollers import clock, make_poller, most, tokens, vendor
from tests.support.standing import events

__all__ = ["clock", "events", "file", "landing", "make_poller", "most", "tokens", "vendor"]
