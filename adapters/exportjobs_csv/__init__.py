"""SodiumHQ's CSV exports of clients, and APIs of the same shape."""

from exportjobs_csv._csv import CsvExport

__all__ = ["CsvExport"]
