"""The contract of an adapter whose vendor answers in headers alone."""

import pytest

from exportjobs.adapter import Response
from exportjobs.testing import AdapterContract, Recorded

from .terse import Terse


class TestTerse(AdapterContract):
    """A vendor of few words."""

    @pytest.fixture
    def recorded(self) -> Recorded:
        """Return a table."""
        link = "https://files.terse.example/7.csv?sig=x"
        return Recorded(
            export=Terse("k-7f3a91").table("accounts"),
            accepted=Response(202, {"Location": "https://api.terse.example/jobs/7"}),
            states={
                "busy": Response(200, {"X-State": "busy"}),
                "idle": Response(200, {"X-State": "idle", "X-File": link}),
            },
        )
