"""The vendors on loopback, and one export of everything they offer."""

from tests.support.sandboxes import adapters, everything, sandbox, troubled_sandbox

__all__ = ["adapters", "everything", "sandbox", "troubled_sandbox"]
