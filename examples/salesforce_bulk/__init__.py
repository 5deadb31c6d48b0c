"""Salesforce's bulk queries, as an example of a vendor whose results come page by page."""

from salesforce_bulk._salesforce import SalesforceBulk

__all__ = ["SalesforceBulk"]
