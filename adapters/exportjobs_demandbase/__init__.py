"""Demandbase's data exports: the vendor's published API, and an older description of it."""

from exportjobs_demandbase._demandbase import Demandbase
from exportjobs_demandbase._v1 import DemandbaseV1

__all__ = ["Demandbase", "DemandbaseV1"]
