"""Processes that begin at once: what takes long is to import everything, and that is done by then.

For each line on standard input one is forked, and its id printed; at the next line it is killed,
and its exit code printed: that of the signal, or of an earlier end.
"""

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from functools import partial
from typing import NoReturn


def fork_for_each_line(run: Callable[..., None]) -> None:
    """Run something in a process for each line, which names its arguments in JSON."""
    while line := sys.stdin.readline():
        told = json.loads(line)
        process = os.fork()
        if process == 0:
            _end_with(partial(run, **told))
        _say(process)
        sys.stdin.readline()
        os.kill(process, signal.SIGKILL)
        _say(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))


def _say(number: int) -> None:
    """Print a number at once."""
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def _end_with(run: Callable[[], None]) -> NoReturn:
    """Do what is wanted, and end without a word to what is the parent's."""
    try:
        run()
    except BaseException:  # noqa: BLE001 - its parent is to see nothing but its code
        traceback.print_exc()
        os._exit(1)
    os._exit(0)
