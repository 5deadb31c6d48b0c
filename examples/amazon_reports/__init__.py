"""Amazon's seller reports, as an example of a vendor whose files are a second hop away."""

from amazon_reports._amazon import AmazonReports

__all__ = ["AmazonReports"]
