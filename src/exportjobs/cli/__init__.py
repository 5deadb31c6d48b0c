"""The command line: `exportjobs demo`, `vendors`, `run` and `sandbox`.

Needs the extra `exportjobs[cli]`, and `demo` and `sandbox` the extra `exportjobs[sandbox]` too.
"""

import sys


def main() -> None:
    """Run the command that the process was started with, and exit with its code."""
    try:
        from exportjobs.cli._app import execute  # noqa: PLC0415 - the extra may not be installed
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.partition(".")[0] not in {"cyclopts", "rich"}:
            raise
        sys.stderr.write('exportjobs: the command line needs: pip install "exportjobs[all]"\n')
        sys.exit(2)
    sys.exit(execute(sys.argv[1:]))
