"""Clari's bulk exports: forecasts, audit events and activities."""

from exportjobs_clari._clari import Clari

__all__ = ["Clari"]
