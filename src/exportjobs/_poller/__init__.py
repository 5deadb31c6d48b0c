"""The entry points, `run` for plain code and `Poller` for an event loop, and what they accept."""
