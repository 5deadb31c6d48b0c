"""What tests of exports need: for this library, for adapters and for ETL code that uses them."""

from exportjobs.testing._manual_clock import ManualClock

__all__ = ["ManualClock"]
