"""Runs the blocks of a page in order, as its reader would."""

import ast
import contextlib
import doctest
import inspect
import io
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import anyio

from .blocks import Block, commands

_END: Final = "-- the command has ended --"
_SANDBOX: Final = "exportjobs sandbox"
_SANDBOX_RUNS: Final = "# stop with Ctrl-C"
_TOLERANT: Final = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


class Reader:
    """Saves files, types commands into one shell and code into one interpreter."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        """Take an empty folder and the environment variables."""
        self._folder = folder
        self._namespace: dict[str, object] = {"__name__": "__main__"}
        # One for all blocks: a handler that one block installs may print in a later one.
        self._output = io.StringIO()
        self._environment = dict(environment)
        self._terminals: list[subprocess.Popen[str]] = []
        self._shell = self._open_terminal()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the terminals and end the processes that still run in them."""
        for terminal in self._terminals:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(terminal.pid, signal.SIGKILL)
            terminal.communicate()

    def follow(self, block: Block) -> None:
        """Save, execute or type one block."""
        if block.file is not None:
            self._save(self._folder / block.file, block.code)
        elif block.language == "python":
            self._execute(block)
        elif block.language == "console":
            self._type(block)

    def _open_terminal(self) -> subprocess.Popen[str]:
        terminal = subprocess.Popen(
            ["bash"],  # noqa: S607 - whichever the reader has
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._terminals.append(terminal)
        return terminal

    def _save(self, file: Path, text: str) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def _execute(self, block: Block) -> None:
        """Execute Python; a block with `await` at its top level gets an event loop."""
        at_its_line = "\n" * (block.line - 1) + block.code
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        code = compile(at_its_line, str(block.page), "exec", flags=flags, dont_inherit=True)
        before = self._output.tell()
        with contextlib.redirect_stdout(self._output):
            waiting = eval(code, self._namespace)  # noqa: S307 - our own pages
            if inspect.iscoroutine(waiting):
                anyio.run(lambda: waiting)
        if block.prints is not None:
            _compare(block.where, block.code, block.prints, self._output.getvalue()[before:])

    def _type(self, block: Block) -> None:
        for command in commands(block.code):
            if command.text.startswith(_SANDBOX):
                printed = self._start_sandbox(command.text)
            else:
                printed, code = self._answer(command.text)
                assert code == 0, f"{block.where}: {command.text} ended with {code}:\n{printed}"
            if command.prints is not None:
                _compare(block.where, command.text, command.prints, printed)

    def _start_sandbox(self, command: str) -> str:
        """Start the sandbox in a new terminal, and paste the lines it prints into the first."""
        terminal = self._open_terminal()
        lines = list(_printed(terminal, command, until=_SANDBOX_RUNS))
        self._answer("".join(line for line in lines if line.startswith("export ")))
        return "".join(lines)

    def _answer(self, command: str) -> tuple[str, int]:
        """Return the output of a command, and its exit code."""
        # A command must not read the lines that are typed after it.
        typed = f'{{ {command}\n}} </dev/null\necho "{_END}$?"'
        *lines, last = _printed(self._shell, typed, until=_END)
        rest, _, code = last.partition(_END)
        return "".join([*lines, rest]), int(code)


def _printed(terminal: subprocess.Popen[str], command: str, *, until: str) -> Iterator[str]:
    """Type a command, and yield its lines of output up to one that contains a text."""
    assert terminal.stdin is not None
    assert terminal.stdout is not None
    terminal.stdin.write(f"{command}\n")
    terminal.stdin.flush()
    for line in terminal.stdout:
        yield line
        if until in line:
            return
    raise AssertionError(f"{command} ended the shell")


def _compare(where: str, said: str, wanted: str, got: str) -> None:
    """Compare output with what the page shows, where three dots match anything."""
    fits = doctest.OutputChecker().check_output(wanted, got, _TOLERANT)
    assert fits, f"{where}: {said}\nshould print\n{wanted}\nand prints\n{got}"
