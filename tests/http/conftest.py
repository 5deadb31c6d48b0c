"""A clock that stands still, an observer's notes, and Acme with vendors that answer in turn."""

from tests.support.standing import clock, events, open_session, seen

__all__ = ["clock", "events", "open_session", "seen"]
