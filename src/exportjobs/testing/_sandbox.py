"""The sandbox for tests of ETL code: with an adapter for each vendor.

Needs the extra `exportjobs[sandbox]`.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import TypeVar, cast

from exportjobs.adapter import Adapter
from exportjobs.adapter._terms import PollPolicy
from exportjobs.cli._credentials import variables
from exportjobs.sandbox import Sandbox
from exportjobs_clari import Clari
from exportjobs_closient import Closient
from exportjobs_csv import CsvExport
from exportjobs_demandbase import Demandbase, DemandbaseV1

A = TypeVar("A", bound=Adapter)

_VENDORS: Mapping[str, type[Adapter]] = {
    one.vendor: one for one in (Clari, Demandbase, DemandbaseV1, Closient, CsvExport)
}
_FAST = PollPolicy(
    typical_duration=timedelta(milliseconds=100),
    min_interval=timedelta(milliseconds=20),
    max_interval=timedelta(milliseconds=200),
    unknown_status_interval=timedelta(milliseconds=500),
)


class ExportSandbox(Sandbox):
    """The sandbox, with an adapter for each of its vendors.

    The adapters are those of the vendors with another poll policy: the sandbox's jobs take a
    fraction of a second, so they are polled every 20 to 200 ms.
    """

    @property
    def clari(self) -> Clari:
        """An account at Clari."""
        return self._adapter(Clari)

    @property
    def demandbase(self) -> Demandbase:
        """An account at Demandbase, with a client's id and secret."""
        return self._adapter(Demandbase)

    @property
    def demandbase_v1(self) -> DemandbaseV1:
        """An account at Demandbase's older API."""
        return self._adapter(DemandbaseV1)

    @property
    def closient(self) -> Closient:
        """An account at Closient."""
        return self._adapter(Closient)

    @property
    def csv(self) -> CsvExport:
        """An account at the CSV-export API."""
        return self._adapter(CsvExport)

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment variables for the same accounts, such as CLARI_API_KEY.

        Adapters made from them have the vendor's own poll policy: have the program pass a short
        `poll_interval`.
        """
        given: dict[str, str] = {}
        for vendor, adapter in _VENDORS.items():
            arguments = self._arguments(vendor)
            for variable in variables(vendor, adapter):
                if variable.argument in arguments:
                    given[variable.name] = arguments[variable.argument]
        return given

    def _arguments(self, vendor: str) -> Mapping[str, str]:
        account = self.account(vendor)
        return {**account.credentials, "base_url": account.base_url}

    def _adapter(self, vendor: type[A]) -> A:
        adapter = type(vendor.__name__, (vendor,), {"polling": _FAST, "__doc__": vendor.__doc__})
        return cast("A", adapter(**self._arguments(vendor.vendor)))
