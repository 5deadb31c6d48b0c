"""Salesforce's bulk queries, as an example of a vendor whose results have several pages."""

from salesforce_bulk._salesforce import SalesforceBulk

__all__ = ["SalesforceBulk"]
