"""Errors checked whole: what an error says is its type, reason and remedy, and whom it concerns."""

from collections.abc import Callable
from difflib import ndiff
from functools import partial
from types import TracebackType

import pytest

from exportjobs import ExportJobsError, JobRef


def assert_error(
    error: BaseException | None,
    kind: type[ExportJobsError],
    *,
    reason: str,
    remedy: str,
    vendor: str | None = None,
    account: str | None = None,
    ref: JobRef | None = None,
) -> None:
    """Check all that an error says: what is not named here is None in it."""
    __tracebackhide__ = True
    if not isinstance(error, ExportJobsError):
        pytest.fail(f"{error!r} is no error of the library's own")
    found = _lines(
        type(error),
        reason=error.reason,
        remedy=error.remedy,
        vendor=error.vendor,
        account=error.account,
        ref=error.ref,
    )
    expected = _lines(kind, reason=reason, remedy=remedy, vendor=vendor, account=account, ref=ref)
    if found != expected:
        told = "an error says (-) what it should not, and does not say (+) what it should:"
        pytest.fail("\n".join((told, *ndiff(found, expected))))


def raises_error(
    kind: type[ExportJobsError],
    *,
    reason: str,
    remedy: str,
    vendor: str | None = None,
    account: str | None = None,
    ref: JobRef | None = None,
) -> "Raising":
    """Check that a block raises an error that says all this."""
    check = partial(
        assert_error,
        kind=kind,
        reason=reason,
        remedy=remedy,
        vendor=vendor,
        account=account,
        ref=ref,
    )
    return Raising(kind, check)


class Raising:
    """A block that has to raise an error."""

    def __init__(
        self, kind: type[ExportJobsError], check: Callable[[ExportJobsError], None]
    ) -> None:
        """Take the error's type, and what checks the error."""
        self._raises = pytest.raises(kind)
        self._check = check

    def __enter__(self) -> pytest.ExceptionInfo[ExportJobsError]:
        """Begin the block."""
        self._caught = self._raises.__enter__()
        return self._caught

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        """Check what the block raised."""
        __tracebackhide__ = True
        swallowed = self._raises.__exit__(exc_type, exc, traceback)
        if swallowed:
            self._check(self._caught.value)
        return swallowed


def _lines(kind: type[BaseException], **parts: object) -> list[str]:
    return [f"type: {kind.__name__}", *(f"{name}: {part!r}" for name, part in parts.items())]
