"""Acme, where importing the module waits for something."""

import time

from exportjobs.adapter import field, frozen

from .sound import Acme

time.sleep(0.01)
_WAITED = True


@frozen
class Slow(Acme):
    """One account at Acme."""

    waited: bool = field(default=_WAITED, kw_only=True)
