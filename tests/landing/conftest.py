"""A clock that stands still, an observer's notes, and Acme with vendors that answer in turn."""

from tests.support.standing import begin, clock, events, open_session, seen

__all__ = ["begin", "clock", "events", "open_session", "seen"]
