"""What a log holds, as somebody might read it who should not."""

import logging
import traceback


def everything_in(record: logging.LogRecord) -> str:
    """Write out a log record with all that was attached to it."""
    trace = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""
    return f"{record.getMessage()} {vars(record)!r} {trace}"
