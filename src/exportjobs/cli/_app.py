"""The application: its commands, its errors in one line, and its exit codes."""

import signal
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from importlib.metadata import version
from types import FrameType

from cyclopts import (
    App,
    Argument,
    CycloptsError,
    Group,
    MissingArgumentError,
    UnknownCommandError,
    UnusedCliTokensError,
)

from exportjobs.adapter._errors import ExportJobsError, NetworkError, ResponseError, VendorError
from exportjobs.cli._exit_code import ExitCode
from exportjobs.cli._remedies import message

app = App(
    name="exportjobs",
    help="Submit, poll and download bulk exports of any vendor in one loop.",
    # Markdown would take as long to import as all the rest.
    help_format="plaintext",
    version=lambda: version("exportjobs"),
    suppress_keyboard_interrupt=False,
)
_EXPORTS, _LEDGER, _VENDORS, _OPTIONS = (
    Group(title, sort_key=place)
    for place, title in enumerate(("Exports", "Ledger", "Vendors", "Options"))
)
_UNKNOWN = "\n\nFor an export whose submit outcome is unknown: a job may or may not exist."
for _place, (_group, _name, _where, _help) in enumerate(
    (
        (_EXPORTS, "run", "_run:app", "Run one export, with credentials from the environment."),
        (
            _EXPORTS,
            "resume",
            "_resume:resume",
            "Wait for jobs submitted earlier and download them.",
        ),
        (_EXPORTS, "cancel", "_resume:cancel", "Cancel a job at its vendor."),
        (_EXPORTS, "demo", "_demo:demo", "Export every kind of every vendor from a local sandbox."),
        (_LEDGER, "jobs", "_ledger:jobs", "List the exports in a ledger."),
        (
            _LEDGER,
            "adopt",
            "_ledger:adopt",
            f"Attach a job id that you found at the vendor.{_UNKNOWN}",
        ),
        (
            _LEDGER,
            "resubmit",
            "_ledger:resubmit",
            f"Mark an export to be submitted again.{_UNKNOWN}",
        ),
        (_LEDGER, "abandon", "_ledger:abandon", f"Mark an export as abandoned.{_UNKNOWN}"),
        (_LEDGER, "forget", "_ledger:forget", "Remove exports from a ledger."),
        (_VENDORS, "vendors", "_vendors:vendors", "List the installed adapters."),
        (_VENDORS, "sandbox", "_sandbox:sandbox", "Serve the vendors' APIs on this machine."),
    )
):
    app.command(f"exportjobs.cli.{_where}", name=_name, help=_help, group=_group, sort_key=_place)
app.command(
    "exportjobs.cli._completion:install_completion",
    name="--install-completion",
    help="Install a script that completes commands and options in your shell.",
    group=_OPTIONS,
)
for _flag in ("--help", "--version"):
    app[_flag].group = _OPTIONS


def execute(arguments: Sequence[str]) -> int:
    """Run a command and return the exit code; an error is printed on one line."""
    try:
        with _terminated_like_interrupted():
            return _called(arguments)
    except (ExportJobsError, ImportError) as error:
        return _complain(_one_line(error), _code(error))
    except CycloptsError as error:
        return _complain(_said(error))
    except OSError as error:
        return _complain(f"cannot write ({error.strerror})", ExitCode.EXPORT_FAILED)
    except (KeyboardInterrupt, _Terminated) as left:
        return ExitCode.TERMINATED if isinstance(left, _Terminated) else ExitCode.INTERRUPTED


def _called(arguments: Sequence[str]) -> int:
    if _lists_vendors(arguments):
        run = app["run"]
        for vendor in run:
            _ = run[vendor]  # builds it, so that the list says what it is
    outcome = app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
    return outcome if isinstance(outcome, int) else ExitCode.DONE


def _lists_vendors(arguments: Sequence[str]) -> bool:
    """Return whether it is the vendors that can be run, not a vendor's exports, that is shown."""
    first, *others = arguments or [""]
    return first == "run" and all(one.startswith("-") for one in others)


def _complain(what: str, code: ExitCode = ExitCode.BAD_INPUT) -> ExitCode:
    sys.stderr.write(f"exportjobs: {what}\n")
    return code


def _code(error: Exception) -> ExitCode:
    """Return whether something was sent before it went wrong."""
    is_answer = isinstance(error, ResponseError | VendorError | NetworkError)
    return ExitCode.EXPORT_FAILED if is_answer else ExitCode.BAD_INPUT


def _said(error: CycloptsError) -> str:
    command = " ".join(error.command_chain or ())
    return f"{command}: {_reason(error)}" if command else _reason(error)


def _reason(error: CycloptsError) -> str:
    text = " ".join(str(error).split())
    match error:
        case MissingArgumentError(keyword=str(option)):
            return f"{option} needs a value"
        case MissingArgumentError(argument=Argument() as argument):
            _, similar, hint = text.partition(" Did you mean")
            return f"{argument.name} is missing{similar and '.'}{similar}{hint}"
        case UnknownCommandError(unused_tokens=[str(word), *_], app=App() as asked):
            return _unknown(word, [name for name in asked if not name.startswith("-")], error)
        case UnusedCliTokensError(unused_tokens=list(unused)):
            return f"did not expect {' '.join(unused)}"
        case _:
            return text


def _unknown(word: str, known: Sequence[str], error: CycloptsError) -> str:
    """Return what is wrong with a command, a vendor or a kind of export that there is not."""
    what = ("command", "vendor", "kind of export")[len(error.command_chain or ())]
    similar = get_close_matches(word, known, n=1)
    hint = f"; did you mean {similar[0]!r}?" if similar else ";"
    return f"unknown {what} {word!r}{hint} known: {', '.join(known)}"


def _one_line(error: Exception) -> str:
    return message(error) if isinstance(error, ExportJobsError) else str(error)


class _Terminated(BaseException):
    """SIGTERM arrived; it unwinds as an interrupt does, so that nothing half done stays."""


@contextmanager
def _terminated_like_interrupted() -> Generator[None]:
    def terminate(_: int, __: FrameType | None) -> None:
        raise _Terminated

    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
