"""The pytest plugin: the four vendors on this machine as a fixture.

It is loaded wherever the library and pytest are both installed, so it imports nothing before the
fixture is used.
"""

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exportjobs.testing import ExportSandbox

_MARKER = "export_sandbox"
_HELP = (
    f"{_MARKER}(faults=(), speed=10, ...): options of the fixture {_MARKER}; faults is 'all', or "
    "names such as 'throttle' and 'reset'; the other options are those of exportjobs.sandbox."
)
_SPEED = 10.0


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", _HELP)


@pytest.fixture
def export_sandbox(request: pytest.FixtureRequest) -> "Iterator[ExportSandbox]":
    """Run the four vendors' APIs on this machine, with faults if the test's marker names them.

        @pytest.mark.export_sandbox(faults="all")
        def test_the_nightly_exports_land(export_sandbox, tmp_path):
            nightly.run([export_sandbox.clari.forecast("deal_owner")], into=tmp_path)

            assert {file.sha256 for file in export_sandbox.served} == digests(tmp_path)

    Jobs take about 60 ms. The marker takes the arguments of `exportjobs.sandbox.Sandbox`, and "all"
    for `faults`.
    """
    try:
        from exportjobs.sandbox import Fault  # noqa: PLC0415 - an extra, and not for every test
        from exportjobs.testing import ExportSandbox  # noqa: PLC0415 - as above
    except ImportError as missing:
        raise pytest.fail.Exception(str(missing), pytrace=False) from None
    options: dict[str, Any] = {"speed": _SPEED}
    for marker in reversed(list(request.node.iter_markers(_MARKER))):
        options |= marker.kwargs
    if options.get("faults") == "all":
        options["faults"] = Fault.all()
    with ExportSandbox(**options) as sandbox:
        yield sandbox
