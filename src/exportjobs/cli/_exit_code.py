"""The exit codes."""

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes of every command."""

    DONE = 0
    EXPORT_FAILED = 1
    BAD_INPUT = 2
    INTERRUPTED = 130
    TERMINATED = 143
