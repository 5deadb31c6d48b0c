"""Acme's adapter passes the library's contract, and lands a report."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from exportjobs_acme import Acme

import exportjobs
from exportjobs.adapter import InvalidArgument
from exportjobs.testing import AdapterContract, Recorded, Reply, ScriptedVendor

KEY = "k-7f3a91"


def report(state: str, **more: object) -> dict[str, Any]:
    """Return Acme's description of a report in a state."""
    return {"id": "R-7", "state": state, **more}


class TestAcme(AdapterContract):
    """What the library expects of every adapter."""

    @pytest.fixture
    def recorded(self) -> Recorded:
        """Return an export and Acme's answers: record them from the real API."""
        return Recorded(
            export=Acme(KEY).report("q3", since=date(2026, 7, 1)),
            accepted=report("new"),
            states={
                "new": report("new"),
                "working": report("working"),
                "ready": report("ready", url="https://files.acme.example/q3.csv?sig=1"),
                "error": report("error", reason="out of paper"),
            },
        )


def test_a_report_lands(tmp_path: Path) -> None:
    """From the first request to the file, over real HTTP."""
    with ScriptedVendor(
        Reply("POST /reports", report("new")),
        Reply("GET /reports/R-7", report("working")),
        Reply("GET /reports/R-7", report("ready", url="{url}/q3.csv")),
        Reply("GET /q3.csv", b"name,amount\nnuts,7\n"),
    ) as vendor:
        acme = Acme(KEY, base_url=vendor.url)
        (finished,) = exportjobs.run([acme.report("q3")], into=tmp_path, poll_interval=0.01)

    finished.raise_for_status()
    (file,) = finished.files
    assert file.path.read_bytes() == b"name,amount\nnuts,7\n"
    assert vendor.requests[0].headers["authorization"] == f"Bearer {KEY}"


def test_a_report_without_a_name_is_refused_before_anything_is_sent() -> None:
    """The error names the argument and the remedy."""
    with pytest.raises(InvalidArgument, match=r"^acme: name: is empty; pass the name"):
        Acme(KEY).report(" ")
