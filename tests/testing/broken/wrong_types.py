"""Acme, where a job holds what the vendor sent as it came."""

from typing import Any

from exportjobs.adapter import ExportJob, evolve, frozen

from .sound import Acme


@frozen
class Loose(Acme):
    """One account at Acme."""

    def described(self, raw: Any) -> ExportJob:  # noqa: ANN401 - whatever came
        """Return the job that a body describes."""
        as_it_came: dict[str, Any] = {"size": str(raw.get("size")), "artifacts": []}
        return evolve(super().described(raw), **as_it_came)
