"""The application: its commands, its errors in one line, and its exit codes."""

import signal
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from types import FrameType

from cyclopts import (
    App,
    Argument,
    CycloptsError,
    Group,
    MissingArgumentError,
    UnusedCliTokensError,
)

from exportjobs.adapter._errors import ExportJobsError, NetworkError, ResponseError, VendorError
from exportjobs.cli._exit_code import ExitCode

app = App(
    name="exportjobs",
    help="Submit, poll and download bulk exports of any vendor in one loop.",
    version=lambda: version("exportjobs"),
    suppress_keyboard_interrupt=False,
)
_EXPORTS, _LEDGER, _VENDORS = (
    Group(title, sort_key=place)
    for place, title in enumerate(("Exports", "What a ledger remembers", "Vendors"))
)
for _group, _name, _where, _help in (
    (_EXPORTS, "run", "_run:app", "Run one export, with credentials from the environment."),
    (_EXPORTS, "resume", "_resume:resume", "See jobs that were submitted before to their end."),
    (_EXPORTS, "cancel", "_resume:cancel", "Cancel a job at its vendor."),
    (_EXPORTS, "demo", "_demo:demo", "Export every kind of every vendor from a sandbox here."),
    (_LEDGER, "jobs", "_ledger:jobs", "List what a ledger knows."),
    (_LEDGER, "adopt", "_ledger:adopt", "Let an export in doubt have a job that you found."),
    (_LEDGER, "resubmit", "_ledger:resubmit", "Let an export in doubt be submitted once more."),
    (_LEDGER, "abandon", "_ledger:abandon", "Give an export in doubt up."),
    (_LEDGER, "forget", "_ledger:forget", "Remove exports from a ledger."),
    (_VENDORS, "vendors", "_vendors:vendors", "List the installed adapters."),
    (_VENDORS, "sandbox", "_sandbox:sandbox", "Serve the vendors' APIs on loopback until Ctrl-C."),
):
    app.command(f"exportjobs.cli.{_where}", name=_name, help=_help, group=_group)
app.register_install_completion_command()  # pyright: ignore[reportUnknownMemberType]


def execute(arguments: Sequence[str]) -> int:
    """Run a command and return the exit code; whatever is wrong is said in one line."""
    try:
        with _terminated_like_interrupted():
            return _called(arguments)
    except (ExportJobsError, ImportError) as error:
        return _complain(str(error), _code(error))
    except CycloptsError as error:
        return _complain(_said(error))
    except OSError as error:
        return _complain(f"cannot write ({error.strerror})", ExitCode.EXPORT_FAILED)
    except (KeyboardInterrupt, _Terminated) as left:
        return ExitCode.TERMINATED if isinstance(left, _Terminated) else ExitCode.INTERRUPTED


def _called(arguments: Sequence[str]) -> int:
    outcome = app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
    return outcome if isinstance(outcome, int) else ExitCode.DONE


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
        case UnusedCliTokensError(unused_tokens=list(unused)):
            return f"did not expect {' '.join(unused)}"
        case _:
            return text


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
