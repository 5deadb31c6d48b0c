"""The command line: `exportjobs demo`, `vendors`, `run` and `sandbox`.

Needs the extra `exportjobs[cli]`, and `demo` and `sandbox` the extra `exportjobs[sandbox]` too.
"""

import sys
from io import TextIOWrapper


def main() -> None:
    """Run the command that the process was started with, and exit with its code."""
    try:
        from exportjobs.cli._app import execute  # noqa: PLC0415 - the extra may not be installed
    except KeyboardInterrupt:
        sys.exit(130)
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.partition(".")[0] not in {"cyclopts", "rich"}:
            raise
        sys.stderr.write('exportjobs: the command line needs: pip install "exportjobs[all]"\n')
        sys.exit(2)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # What cannot be written in a terminal's encoding is not worth failing for.
            stream.reconfigure(errors="backslashreplace")
    sys.exit(execute(sys.argv[1:]))
