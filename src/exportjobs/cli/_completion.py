"""`exportjobs --install-completion`: a script that completes commands and options in a shell."""

import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from exportjobs.adapter._errors import InvalidArgument
from exportjobs.cli._app import app


def install_completion(
    *,
    shell: Literal["zsh", "bash", "fish", "powershell"] | None = None,
    output: Annotated[Path | None, Parameter(name=("--output", "-o"))] = None,
) -> None:
    """Install a script that completes commands and options in your shell.

    Args:
        shell: The shell; the one that this runs in if not given.
        output: The file to write the script to; where the shell looks for it if not given.
    """
    from cyclopts.completion import ShellDetectionError  # noqa: PLC0415 - not needed for help

    try:
        written = app.install_completion(shell=shell, output=output)
    except ShellDetectionError:
        raise InvalidArgument("shell", "cannot be detected", remedy="pass --shell") from None
    sys.stdout.write(f"completion script written to {written}\nrestart your shell to use it\n")
