"""Every error says whose fault it is, on one line, without a secret."""

import copy
import pickle
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.support.errors import assert_error

import exportjobs
from exportjobs.adapter import _errors
from exportjobs.adapter._errors import (
    AccountError,
    BudgetExhausted,
    DeadlineExceeded,
    ExportJobsError,
    InvalidArgument,
    InvalidRef,
    JobFailed,
    JobNotFound,
    MalformedResponse,
    NetworkError,
    QuotaExceeded,
    RateLimited,
    ResponseError,
    UnknownVendor,
    VendorUnavailable,
)
from exportjobs.adapter._job import JobRef

REF = JobRef("clari", "default", "r-1", kind="forecast")
OTHER = JobRef("clari", "default", "r-2", kind="forecast")
SIGNED = "https://files.example/deals.csv?X-Amz-Signature=SECRET"
_LINE = re.compile(r"^    (?P<rails>(?:│   |    )*)[├└]── (?P<name>\w+)(?: +\((?P<builtin>\w+)\))?")

any_text = st.text(st.characters(exclude_categories=()))


def drawn() -> Iterator[tuple[str, str, str | None]]:
    """Yield each class that the module's docstring draws: its name, its parent, its builtin."""
    above = ["ExportJobsError"]
    for line in (_errors.__doc__ or "").splitlines():
        if found := _LINE.match(line):
            depth = len(found["rails"]) // 4 + 1
            yield found["name"], above[depth - 1], found["builtin"]
            above[depth:] = [found["name"]]


def below(root: type[ExportJobsError]) -> Iterator[type[ExportJobsError]]:
    """Yield a class and all that derive from it in the module of the errors."""
    yield root
    for derived in root.__subclasses__():
        if derived.__module__ == _errors.__name__:
            yield from below(derived)


CLASSES = sorted(set(below(ExportJobsError)), key=lambda cls: cls.__name__)
TREE = {name: (parent, builtin) for name, parent, builtin in drawn()}
every_class = pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
drawn_classes = pytest.mark.parametrize("name", TREE)


def made(
    cls: type[ExportJobsError],
    reason: str = "it went wrong",
    *,
    vendor: str | None = None,
    ref: JobRef | None = None,
    remedy: str | None = None,
) -> ExportJobsError:
    """Return an error of a class with all that the class can carry."""
    if issubclass(cls, InvalidArgument):
        return cls("fields", reason, vendor=vendor, ref=ref, remedy=remedy)
    if issubclass(cls, ResponseError):
        wait = timedelta(seconds=9)
        return cls(
            reason,
            http_status=409,
            code="E7",
            retry_after=wait,
            vendor=vendor,
            ref=ref,
            remedy=remedy,
        )
    return cls(reason, vendor=vendor, ref=ref, remedy=remedy)


def test_the_drawn_tree_has_every_class_and_no_other() -> None:
    """The drawing is what a reader goes by; only the mixin of the refusals is left out."""
    names = {cls.__name__ for cls in CLASSES}

    assert {*TREE, "ExportJobsError"} == names - {"ResponseError"}


def test_the_drawn_tree_draws_no_class_twice() -> None:
    """A class has one place."""
    names = [name for name, _, _ in drawn()]

    assert len(names) == len(set(names))


@drawn_classes
def test_a_class_hangs_where_it_is_drawn(name: str) -> None:
    """Catching a branch catches what is drawn below it; the mixin stands between unseen."""
    parent, _ = TREE[name]
    bases = (base.__name__ for base in getattr(_errors, name).__mro__[1:])

    nearest = next(base for base in bases if base != "ResponseError")

    assert nearest == parent


@drawn_classes
def test_a_class_is_a_builtin_where_it_is_drawn_as_one(name: str) -> None:
    """`except OSError` around the library catches what the drawing says, and nothing else."""
    _, builtin = TREE[name]

    bases = [base for base in getattr(_errors, name).__bases__ if base.__module__ == "builtins"]

    assert [base.__name__ for base in bases] == ([builtin] if builtin else [])


@every_class
def test_every_class_is_exported_but_the_mixin(cls: type[ExportJobsError]) -> None:
    """What can be raised can be caught by its public name."""
    public = getattr(exportjobs, cls.__name__, None)

    assert (public is cls) == (cls is not ResponseError)
    assert (cls.__name__ in exportjobs.__all__) == (cls is not ResponseError)


@every_class
def test_every_class_has_one_root_and_a_first_line(cls: type[ExportJobsError]) -> None:
    """One `except` catches them all."""
    summary = (cls.__doc__ or "").partition("\n")[0]

    assert issubclass(cls, ExportJobsError)
    assert summary.endswith(".")


@every_class
def test_an_error_is_pickled_whole(cls: type[ExportJobsError]) -> None:
    """A worker process hands its error to the process that waits for it."""
    error = made(cls, vendor="clari", remedy="try")

    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - what was just written

    assert type(again) is cls
    assert vars(again) == vars(error)
    assert str(again) == str(error)


def test_an_error_is_pickled_with_its_job() -> None:
    """The ref is what the other process resumes by."""
    error = JobFailed("no", ref=REF)

    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - what was just written

    assert again.ref == REF
    assert str(again) == str(error)


@every_class
def test_a_copy_is_told_of_another_job_and_leaves_the_first_alone(
    cls: type[ExportJobsError],
) -> None:
    """One refused request ends many jobs, each under its own name."""
    error = made(cls, vendor="clari", ref=REF)

    other = error.copy_for(OTHER)

    assert type(other) is cls
    assert vars(other) == {**vars(error), "ref": OTHER}
    assert error.ref == REF


def test_a_shallow_copy_keeps_all() -> None:
    """`copy.copy` goes the same way as a pickle."""
    error = made(QuotaExceeded, vendor="clari", ref=REF)

    again = copy.copy(error)

    assert vars(again) == vars(error)


def test_an_error_learns_whom_it_concerns_where_it_did_not_know() -> None:
    """What it was raised with stays; what was missing is filled in."""
    knowing = JobFailed("no", vendor="clari", ref=REF)
    ignorant = JobFailed("no")

    knowing.about(vendor="acme", ref=OTHER)
    ignorant.about(vendor="acme", ref=OTHER)

    assert (knowing.vendor, knowing.ref) == ("clari", REF)
    assert (ignorant.vendor, ignorant.ref) == ("acme", OTHER)


@every_class
def test_an_error_names_the_job_the_cause_and_the_remedy(cls: type[ExportJobsError]) -> None:
    """One line is enough to know where, what, and what next."""
    text = str(made(cls, "it went wrong", vendor="clari", ref=REF, remedy="try again"))

    where, cause, remedy = (
        text.index(part)
        for part in ("clari/default/forecast/r-1: ", "it went wrong", "; try again")
    )
    assert where == 0
    assert where < cause < remedy


@every_class
def test_an_error_without_a_job_names_the_vendor(cls: type[ExportJobsError]) -> None:
    """Before there is a job, there is a vendor at least."""
    text = str(made(cls, vendor="clari"))

    assert text.startswith("clari: ")


def test_an_error_names_an_account_that_has_a_name_of_its_own() -> None:
    """Of several accounts at one vendor, one is told from another."""
    shown = [
        str(JobFailed("no", vendor="clari", account=account, remedy=""))
        for account in ("eu", "default", None)
    ]

    assert shown == ["clari/eu: no", "clari: no", "clari: no"]


@every_class
def test_an_error_gives_its_own_remedy_unless_it_is_told_one(cls: type[ExportJobsError]) -> None:
    """An empty remedy is one too: nothing is appended."""
    usual, told, none = (str(made(cls, remedy=remedy)) for remedy in (None, "ask Bo", ""))

    assert usual == (f"{none}; {cls.default_remedy}" if cls.default_remedy else none)
    assert told == f"{none}; ask Bo"


@every_class
def test_an_error_never_shows_a_signed_url(cls: type[ExportJobsError]) -> None:
    """Neither its text nor its repr nor what it keeps opens the file."""
    error = made(cls, f"could not fetch {SIGNED} today", vendor="clari", ref=REF)

    shown = f"{error} {error!r} {vars(error)}"

    assert "SECRET" not in shown
    assert "deals.csv" not in shown
    assert "files.example" in shown


def test_an_errors_arguments_hold_no_signed_url() -> None:
    """A reporter that prints an exception's `args` prints no secret either."""
    error = JobFailed(f"could not fetch {SIGNED}")

    assert "SECRET" not in repr(error.args)


@every_class
def test_an_error_is_one_line_whatever_the_vendor_said(cls: type[ExportJobsError]) -> None:
    """A vendor's stack trace does not forge lines of a log."""
    error = made(cls, "first\nsecond\r\n\x1b[31mthird\u2028fourth", vendor="clari", ref=REF)

    assert str(error).isprintable()
    assert repr(error).isprintable()


def test_a_remedy_is_one_line_without_a_signed_url() -> None:
    """A remedy that an adapter takes from the vendor's words is as hostile as the cause."""
    text = str(JobFailed("no", remedy=f"open {SIGNED}\nand look"))

    assert "SECRET" not in text
    assert text.isprintable()


@given(reason=any_text)
@example(reason="x" * 100_000)
def test_any_words_make_a_bounded_line(reason: str) -> None:
    """A vendor may say anything at any length."""
    text = str(JobFailed(reason, vendor="clari", ref=REF))

    assert text.isprintable()
    assert len(text) < 500


@given(problems=st.lists(any_text, max_size=5))
def test_a_malformed_response_keeps_a_printable_line_for_each_problem(problems: list[str]) -> None:
    """The lines are there for programs, the text for people."""
    error = MalformedResponse(*problems)

    assert len(error.problems) == len(problems)
    assert all(problem.isprintable() for problem in error.problems)
    assert str(error).isprintable()


def test_an_error_shows_its_name_in_its_repr() -> None:
    """A result that is printed tells the kind of error too."""
    error = DeadlineExceeded("an hour has passed", ref=REF, remedy="")

    shown = repr(error)

    assert shown == "DeadlineExceeded('clari/default/forecast/r-1: an hour has passed')"


def test_an_invalid_argument_names_the_argument() -> None:
    """The name is there for programs and stands in the text."""
    error = InvalidArgument("time_period", "expected a quarter", vendor="clari", remedy="")

    assert error.field == "time_period"
    assert str(error) == "clari: time_period: expected a quarter"


@pytest.mark.parametrize(
    "cls",
    [RateLimited, BudgetExhausted, JobNotFound, VendorUnavailable],
    ids=lambda cls: cls.__name__,
)
def test_a_refusal_carries_what_the_vendor_said(cls: type[ResponseError]) -> None:
    """Status, code and the wait that the vendor asks for decide what the loop does."""
    error = cls("no", http_status=429, code="E7", retry_after=timedelta(seconds=9))

    assert (error.http_status, error.code, error.retry_after) == (429, "E7", timedelta(seconds=9))


@pytest.mark.parametrize(
    ("cls", "builtin"),
    [
        pytest.param(InvalidRef, ValueError, id="ref"),
        pytest.param(UnknownVendor, LookupError, id="vendor"),
        pytest.param(NetworkError, ConnectionError, id="network"),
        pytest.param(DeadlineExceeded, TimeoutError, id="deadline"),
        pytest.param(QuotaExceeded, AccountError, id="quota"),
        pytest.param(BudgetExhausted, RateLimited, id="budget"),
    ],
)
def test_an_error_is_caught_as_what_plain_python_calls_it(
    cls: type[ExportJobsError], builtin: type[Exception]
) -> None:
    """Code that knows nothing of the library catches it as well."""
    with pytest.raises(builtin):
        raise made(cls)


REMEDIES = {
    "AuthenticationFailed": "check the account's credentials and that they have not expired",
    "BudgetExhausted": "try again when the budget resets",
    "ConcurrencyLimitReached": "wait until one of the account's jobs has ended",
    "Corrupted": "resume the job by its ref to download again; if it persists, ask the vendor",
    "DeadlineExceeded": "resume the job by its ref, with a later deadline",
    "DestinationFailed": "free some space or choose another folder, then resume the job by its ref",
    "DownloadFailed": "resume the job by its ref to download again",
    "InternalError": "report it, with the traceback",
    "InvalidRef": "pass a ref as JobRef.to_json() wrote it",
    "JobCancelled": "submit it again if it is still wanted",
    "JobFailed": "submit it again, or ask the vendor",
    "JobNotFound": "check the job's id and account, or submit it again",
    "LedgerFailed": "check the ledger's path and the free space, or choose another file",
    "MalformedResponse": "if it persists, the vendor's API may have changed: report it",
    "NetworkError": "check the network and try again",
    "PermissionDenied": "ask the vendor's administrator for access",
    "PollerClosed": "resume the job by its ref",
    "QuotaExceeded": "wait until the quota resets, or ask the vendor to raise it",
    "RateLimited": "try again after the pause",
    "Rejected": "correct the request",
    "SignedUrlRejected": "resume the job by its ref to download again",
    "SubmitOutcomeUnknown": "look for the job at the vendor before you submit it again",
    "UnknownAccount": "pass its adapter: Poller(accounts=[...])",
    "Unreachable": "check the network and try again",
    "VendorUnavailable": "try again later",
}
"""What each class says to do where whoever raises it says nothing else; the others say nothing."""


@every_class
def test_a_class_says_what_to_do_where_nothing_else_is_said(cls: type[ExportJobsError]) -> None:
    """Of an account with a name of its own, that name is told as well."""
    error = made(cls, "it went wrong").about(vendor="clari", account="north")
    before = {
        "InvalidArgument": "fields: ",
        "InvalidRef": "job ref: ",
        "MalformedResponse": "cannot read the answer: ",
    }

    assert_error(
        error,
        cls,
        reason=f"{before.get(cls.__name__, '')}it went wrong",
        remedy=REMEDIES.get(cls.__name__, ""),
        vendor="clari",
        account="north",
    )
    assert str(error).startswith("clari/north: ")
