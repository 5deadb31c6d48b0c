"""The application: its commands, its errors in one line, and its exit codes."""

import sys
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Annotated

from cyclopts import (
    App,
    Argument,
    CycloptsError,
    MissingArgumentError,
    Parameter,
    UnknownCommandError,
    UnusedCliTokensError,
)
from rich.console import Console

from exportjobs.adapter._errors import ExportJobsError, NetworkError, ResponseError, VendorError
from exportjobs.cli._exit_code import ExitCode
from exportjobs.cli._remedies import message

_UNKNOWN = "\n\nFor an export whose submit outcome is unknown: a job may or may not exist."
_COMMANDS = {
    "Exports": {
        "run": ("_run:app", "Run one export, with credentials from the environment."),
        "resume": ("_resume:resume", "Wait for jobs submitted earlier and download them."),
        "cancel": ("_resume:cancel", "Cancel a job at its vendor."),
        "demo": ("_demo:demo", "Export every kind of every vendor from a local sandbox."),
    },
    "Ledger": {
        "jobs": ("_ledger:jobs", "List the exports in a ledger."),
        "adopt": (
            "_ledger:adopt",
            f"Attach a job id that you found at the vendor.{_UNKNOWN}",
        ),
        "resubmit": ("_ledger:resubmit", f"Mark an export to be submitted again.{_UNKNOWN}"),
        "abandon": ("_ledger:abandon", f"Mark an export as abandoned.{_UNKNOWN}"),
        "forget": ("_ledger:forget", "Remove exports from a ledger."),
    },
    "Vendors": {
        "vendors": ("_vendors:vendors", "List the installed adapters."),
        "sandbox": ("_sandbox:sandbox", "Serve the vendors' APIs on this machine."),
    },
    "Options": {
        "--install-completion": (
            "_completion:install_completion",
            "Install a script that completes commands and options in your shell.",
        ),
    },
}
_COMPLETE = "__complete"
"""What a shell's completion script runs for values that only the program knows. There are none:
the script holds all commands, options and choices, and so no vendor is loaded while you type."""
_NO_CANDIDATES = "\n\x1fbegin\n"
_FLAGS = (
    ("--help, -h", "Show the help of a command."),
    ("--version", "Show the version of exportjobs."),
)


class _Program(App):
    """The application, with help that is quick to show."""

    def help_print(
        self,
        tokens: Annotated[str | Iterable[str] | None, Parameter(show=False)] = None,
        *,
        console: Annotated[Console | None, Parameter(parse=False)] = None,
    ) -> None:
        """Print the help of the application, or of the command that is typed."""
        from exportjobs.cli._help import print_help  # noqa: PLC0415 - needed for nothing else

        words, apps, _ = self.parse_commands(tokens)
        summaries = None if words else _summaries()
        with self.app_stack(list(words)):
            print_help((self.name[0], *words), apps[-1], summaries, console or Console())


def _summaries() -> dict[str, list[tuple[str, str]]]:
    """Return what the commands do, by their groups, without importing them."""
    found = {
        group: [(name, text.partition("\n")[0]) for name, (_, text) in commands.items()]
        for group, commands in _COMMANDS.items()
    }
    found["Options"].extend(_FLAGS)
    return found


def _version() -> str:
    from importlib.metadata import version  # noqa: PLC0415 - takes long to import

    return version("exportjobs")


def _application() -> App:
    program = _Program(
        name="exportjobs",
        help="Submit, poll and download bulk exports of any vendor in one loop.",
        help_format="plaintext",
        version=_version,
        suppress_keyboard_interrupt=False,
    )
    for commands in _COMMANDS.values():
        for name, (where, text) in commands.items():
            program.command(f"exportjobs.cli.{where}", name=name, help=text)
    return program


app = _application()


def execute(arguments: Sequence[str]) -> int:
    """Run a command and return the exit code; an error is printed on one line."""
    try:
        if _shown_at_once(arguments):
            return ExitCode.DONE
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


def _shown_at_once(arguments: Sequence[str]) -> bool:
    """Show what needs nothing else, if it is that which is asked for: help, and no candidates."""
    if list(arguments[:1]) == [_COMPLETE]:
        sys.stdout.write(_NO_CANDIDATES)
        return True
    if _asks_for_help(arguments):
        app.help_print([one for one in arguments if one not in app.help_flags])
        return True
    return False


def _called(arguments: Sequence[str]) -> int:
    outcome = app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
    return outcome if isinstance(outcome, int) else ExitCode.DONE


def _asks_for_help(arguments: Sequence[str]) -> bool:
    """Return whether help is all that is wanted, which need not be found out by parsing the rest.

    A word that is no command is left to be complained about.
    """
    words = [one for one in arguments if one not in app.help_flags]
    if len(words) == len(arguments):
        return False
    _, apps, rest = app.parse_commands(words)
    return not rest or apps[-1].default_command is not None


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
    match error:
        case MissingArgumentError(keyword=str(option)):
            return f"{option} needs a value"
        case MissingArgumentError(argument=Argument() as argument):
            _, similar, hint = _text(error).partition(" Did you mean")
            return f"{argument.name} is missing{similar and '.'}{similar}{hint}"
        case UnknownCommandError(unused_tokens=[str(word), *_], app=App() as asked):
            return _unknown(word, [name for name in asked if not name.startswith("-")], error)
        case UnusedCliTokensError(unused_tokens=list(unused)):
            return f"did not expect {' '.join(unused)}"
        case _:
            return _text(error)


def _text(error: CycloptsError) -> str:
    return " ".join(str(error).split())


def _unknown(word: str, known: Sequence[str], error: CycloptsError) -> str:
    """Return what is wrong with a command, a vendor or a kind of export that there is not."""
    from difflib import get_close_matches  # noqa: PLC0415 - not needed but here

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
    import signal  # noqa: PLC0415 - not needed for help

    def terminate(_: int, __: FrameType | None) -> None:
        raise _Terminated

    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
