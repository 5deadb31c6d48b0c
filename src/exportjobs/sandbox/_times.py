"""The ways vendors write an instant, from one aware datetime."""

from datetime import UTC, datetime


def zulu(moment: datetime) -> str:
    """Return ISO 8601 in UTC with milliseconds and a Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def naive(moment: datetime) -> str:
    """Return ISO 8601 in UTC without saying so, as .NET does for an unspecified kind."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds")


def epoch_milliseconds(moment: datetime) -> int:
    """Return whole milliseconds since 1970."""
    return int(moment.timestamp() * 1000)
