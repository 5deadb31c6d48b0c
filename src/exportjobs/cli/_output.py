"""Standard output, when whoever reads it may leave before the end, as `head` does."""

import os
import sys

from rich.console import Console


class Output(Console):
    """A console on standard output that goes on in silence once nobody reads it any more."""

    def on_broken_pipe(self) -> None:
        """Send what is still to come nowhere: exports are not given up for want of a reader."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
