"""The servers for the pages' code: the vendors on loopback, and a bucket."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Final

import pytest
from attrs import frozen

from exportjobs import load_adapter
from exportjobs.adapter import PollPolicy
from exportjobs.testing import ExportSandbox

VENDORS: Final = ("clari", "closient", "csv", "demandbase", "demandbase-v1")

_BRISK: Final = PollPolicy(
    typical_duration=timedelta(seconds=1), min_interval=timedelta(seconds=0.1)
)


def lead_to(sandbox: ExportSandbox, patch: pytest.MonkeyPatch) -> None:
    """Set the adapters' default base URLs to the sandbox, and poll as fast as its jobs run.

    Nothing else differs from what the code does for a reader with real accounts.
    """
    for vendor in VENDORS:
        adapter = load_adapter(vendor)
        defaults = adapter.__init__.__kwdefaults__ or {}
        patch.setitem(defaults, "base_url", sandbox.account(vendor).base_url)
        patch.setattr(adapter, "polling", _BRISK)


@frozen
class BucketServer:
    """An object store that accepts every upload."""

    origin: str
    objects: dict[str, bytes]

    @property
    def environment(self) -> Mapping[str, str]:
        """Variables that make an S3 client connect to this server."""
        return {
            "AWS_ENDPOINT_URL": self.origin,
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": "eu-west-1",
        }


@contextmanager
def bucket() -> Iterator[BucketServer]:
    """Serve an object store on loopback."""
    objects: dict[str, bytes] = {}

    class Taking(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            objects[self.path] = self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("ETag", '"1"')
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Taking) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield BucketServer(f"http://127.0.0.1:{server.server_port}", objects)
        finally:
            server.shutdown()
