"""Acme's reports."""

from exportjobs_acme._acme import Acme

__all__ = ["Acme"]
