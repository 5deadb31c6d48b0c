"""Closient's organization data exports."""

from exportjobs_closient._closient import Closient

__all__ = ["Closient"]
