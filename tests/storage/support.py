"""A made-up vendor, Warehouse, whose finished exports are signed links to files in a store."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Final, TypeAlias

from attrs import field, frozen

from exportjobs import Export, Finished, Poller
from exportjobs.adapter import (
    Adapter,
    Artifact,
    ExportJob,
    Flow,
    JobRef,
    Request,
    Response,
    StatusMap,
    credential,
    export,
    path,
)

from .loopback import Handler, serving

KEY: Final = "warehouse-key-do-not-tell"
INTERVAL: Final = 0.01

_STATUSES = StatusMap(queued=("queued",), done=("done",))


@frozen
class Offer:
    """A file as the vendor describes it: a link of its own, or a signed one."""

    link: str = field(repr=False)
    good_until: datetime | None = None
    """When the link ends, where the vendor says so."""
    size: int | None = None


Offers: TypeAlias = Offer | tuple[Offer, ...] | Callable[[], Offer]
"""What the vendor offers once: a file, several, or one that is made up when it is asked for."""


@frozen
class TableBody:
    """An export as the vendor describes it."""

    id: str
    status: str
    files: tuple[Offer, ...] = ()


@frozen
class Warehouse(Adapter):
    """Warehouse's tables, under a key that goes along in a header of its own."""

    vendor: ClassVar[str] = "warehouse"
    base_url: str = field(kw_only=True)
    key: str = field(default=KEY, repr=False, validator=credential, kw_only=True)

    def authenticate(self, request: Request) -> Request:
        """Put the key on a request."""
        return request.with_header("X-API-Key", self.key)

    @export
    def table(self, name: str) -> Flow[ExportJob]:
        """Export one table."""
        reply = yield Request.post("/exports", json={"name": name})
        return self.job(reply)

    def poll(self, ref: JobRef) -> Flow[ExportJob]:
        """Ask for one export."""
        reply = yield Request.get(path("/exports/{}", ref.id))
        return self.job(reply)

    def job(self, reply: Response) -> ExportJob:
        """Return the job that an answer describes."""
        body = reply.body(TableBody)
        files = tuple(self.artifact(offer) for offer in body.files)
        return ExportJob(self.ref(body.id), _STATUSES.read(body.status), artifacts=files)

    def artifact(self, offer: Offer) -> Artifact:
        """Return what is at a link: a path is the vendor's own, anything else is signed."""
        return Artifact(
            offer.link,
            authenticated=offer.link.startswith("/"),
            size=offer.size,
            expires_at=offer.good_until,
        )


@frozen
class Asked:
    """A request that reached the vendor."""

    said: str
    """Such as `GET /exports/q3`."""
    headers: Mapping[str, str] = field(repr=False)
    """By names in lower case."""


class Vendor:
    """Warehouse's API: every time it is asked about an export, it offers the next links."""

    def __init__(self) -> None:
        """Begin with nothing to offer.

        What tests set: `redirects` says where a path of the vendor's own leads.
        """
        self.origin = ""
        self.asked: list[Asked] = []
        self.redirects: dict[str, str] = {}
        self._offers: dict[str, tuple[Offers, ...]] = {}

    def offers(self, name: str, *offers: Offers) -> None:
        """Say which files an export has, question by question, the last again and again."""
        self._offers[name] = offers

    def polls(self, name: str) -> int:
        """Return how many times an export was asked about."""
        return [asked.said for asked in self.asked].count(f"GET /exports/{name}")

    @property
    def warehouse(self) -> Warehouse:
        """An account at this vendor."""
        return Warehouse(base_url=self.origin)

    def tables(self, *names: str) -> list[Export]:
        """Return one export for each name."""
        return [self.warehouse.table(name) for name in names]

    @contextmanager
    def running(self) -> Iterator["Vendor"]:
        """Serve until the block is left."""
        with serving(self._answer) as self.origin:
            yield self

    def _answer(self, client: Handler) -> None:
        sent = client.rfile.read(int(client.headers.get("Content-Length", "0")))
        headers = {name.lower(): value for name, value in client.headers.items()}
        self.asked.append(Asked(f"{client.command} {client.path}", headers))
        if headers.get("x-api-key") != KEY:
            _reply(client, 401)
        elif client.command == "POST":
            _reply(client, 201, {"id": json.loads(sent)["name"], "status": "queued"})
        elif client.path in self.redirects:
            _reply(client, 302, location=self.redirects[client.path])
        else:
            _reply(client, 200, self._described(client.path.removeprefix("/exports/")))

    def _described(self, name: str) -> Mapping[str, object]:
        offers = self._offers[name]
        offered = offers[min(self.polls(name), len(offers)) - 1]
        if callable(offered):
            offered = offered()
        files = [
            {
                "link": offer.link,
                "good_until": offer.good_until and offer.good_until.isoformat(),
                "size": offer.size,
            }
            for offer in (offered if isinstance(offered, tuple) else (offered,))
        ]
        return {"id": name, "status": "done", "files": files}


def _reply(
    client: Handler, status: int, body: Mapping[str, object] | None = None, location: str = ""
) -> None:
    content = json.dumps(body or {}).encode()
    client.send_response(status)
    client.send_header("Content-Type", "application/json")
    client.send_header("Content-Length", str(len(content)))
    if location:
        client.send_header("Location", location)
    client.end_headers()
    client.wfile.write(content)


async def finish(exports: Iterable[Export], into: Path) -> list[Finished]:
    """Run exports to their end, in a poller of their own."""
    async with Poller(poll_interval=INTERVAL) as poller:
        return [finished async for finished in poller.run(exports, into=into)]
