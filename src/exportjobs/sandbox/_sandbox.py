"""The sandbox: its parts put together, started and stopped."""

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from typing import Final, Self

from attrs import frozen
from starlette.routing import Mount, Router
from starlette.types import ASGIApp

from exportjobs._schedule.clock import Clock, SystemClock
from exportjobs.sandbox import _clari_dialects as dialects
from exportjobs.sandbox import _draw
from exportjobs.sandbox._api import Api, SandboxAccount
from exportjobs.sandbox._blobs import BlobStore
from exportjobs.sandbox._clari import Clari
from exportjobs.sandbox._closient import Closient
from exportjobs.sandbox._csv import CsvExport
from exportjobs.sandbox._demandbase import Demandbase
from exportjobs.sandbox._demandbase_v1 import DemandbaseV1
from exportjobs.sandbox._faults import Fault, FaultPlan
from exportjobs.sandbox._http import Received, RequestLog
from exportjobs.sandbox._server import Site, bind, serve, url_of
from exportjobs.sandbox._timeline import JobState
from exportjobs.sandbox._world import World

_CONCURRENCY: Final = 3
_MONTHLY_QUOTA: Final = 1000


@frozen
class Served:
    """One complete file of the sandbox, to compare with what a client has landed."""

    vendor: str
    job_id: str
    name: str
    size: int
    """Bytes."""
    sha256: str
    """In hexadecimal."""


class Sandbox:
    """The vendors' APIs on one loopback origin, and the blob store of their files on another.

    A job takes about 0.6 s divided by `speed`; the same `seed` gives the same jobs and files. To
    let a job fail, call `fail_next` with the account's label before submitting it; to let the
    vendor cancel it, `cancel_next`.

        with Sandbox(Fault.all()) as sandbox:
            account = sandbox.account("clari")

    What it served and received can still be read after it was stopped.
    """

    def __init__(
        self,
        faults: Iterable[Fault | str] = (),
        *,
        speed: float = 1.0,
        seed: int = 0,
        concurrency: int = _CONCURRENCY,
        monthly_quota: int = _MONTHLY_QUOTA,
        api_port: int = 0,
        blob_port: int = 0,
        clock: Clock | None = None,
    ) -> None:
        """Prepare a sandbox; nothing listens until it is started.

        Args:
            faults: The faults to inject; none by default.
            speed: How many times faster than usual jobs, waits and delays are.
            seed: The number that jobs, files and credentials are generated from.
            concurrency: How many jobs each Clari organization may have running.
            monthly_quota: How many jobs each Clari organization may submit in 30 days.
            api_port: The port of the APIs, 0 for a free one.
            blob_port: The port of the blob store, 0 for a free one.
            clock: The clock to use; the machine's by default.

        Raises:
            ValueError: A fault is unknown, or speed is not positive.
        """
        if speed <= 0:
            raise ValueError(f"speed must be positive, not {speed!r}")
        self._plan = FaultPlan(Fault(fault) for fault in faults)
        self._speed = speed
        self._seed = seed
        self._limits = {"concurrency": concurrency, "monthly_quota": monthly_quota}
        self._ports = (api_port, blob_port)
        self._clock = clock or SystemClock()
        self._log = RequestLog()
        self._world: World | None = None
        self._apis: dict[str, Api] = {}
        self._running = ExitStack()

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        """Stop."""
        self.stop()

    def start(self) -> None:
        """Listen on both ports and answer requests in a thread.

        Raises:
            OSError: A port is taken.
            RuntimeError: It was started before; a sandbox can be started once only.
        """
        if self._world is not None:
            raise RuntimeError("this sandbox was started before: make a new one")
        with ExitStack() as stack:
            api_socket, blob_socket = [stack.enter_context(bind(port)) for port in self._ports]
            self._world = self._make_world(api_url=url_of(api_socket), blob_url=url_of(blob_socket))
            self._apis = {api.label: api for api in self._make_apis(self._world)}
            sites = [Site(api_socket, self._front()), Site(blob_socket, self._store(self._world))]
            stack.enter_context(serve(sites))
            self._running = stack.pop_all()

    def stop(self) -> None:
        """Close all connections and both ports and end the thread; it may be called again."""
        self._running.close()

    @property
    def accounts(self) -> tuple[SandboxAccount, ...]:
        """One account for each API."""
        self._started()
        return tuple(api.account for api in self._apis.values())

    def account(self, label: str) -> SandboxAccount:
        """Return the account of a label.

        Raises:
            KeyError: There is none.
        """
        return self._api(label).account

    @property
    def served(self) -> tuple[Served, ...]:
        """All complete files of the jobs that are done."""
        return tuple(
            Served(api.vendor, file.job_id, file.name, file.facts.size, file.facts.sha256)
            for api in self._apis.values()
            for file in api.held_files()
        )

    @property
    def requests(self) -> tuple[Received, ...]:
        """All requests received, in the order of arrival."""
        return self._log.entries

    @property
    def api_url(self) -> str:
        """The origin of the APIs."""
        return self._started().api_url

    @property
    def blob_url(self) -> str:
        """The origin of the blob store."""
        return self._started().blob_url

    def fail_next(self, label: str) -> None:
        """Make the next job submitted to an account end as failed.

        Raises:
            KeyError: There is no account of this label.
        """
        self._api(label).book.end_next(JobState.failed)

    def cancel_next(self, label: str) -> None:
        """Make the next job submitted to an account end as cancelled by the vendor.

        Raises:
            KeyError: There is no account of this label.
            ValueError: The vendor has no such state, as Demandbase and Closient do not.
        """
        api = self._api(label)
        if JobState.cancelled not in api.statuses:
            raise ValueError(f"{label} has no cancelled state")
        api.book.end_next(JobState.cancelled)

    def _started(self) -> World:
        if self._world is None:
            raise RuntimeError("the sandbox has no base URL before it is started")
        return self._world

    def _api(self, label: str) -> Api:
        self._started()
        return self._apis[label]

    def _make_world(self, *, api_url: str, blob_url: str) -> World:
        return World(
            clock=self._clock,
            seed=self._seed,
            speed=self._speed,
            plan=self._plan,
            log=self._log,
            api_url=api_url,
            blob_url=blob_url,
            secret=_draw.draw_bytes(f"{self._seed}/secret", size=32),
        )

    def _make_apis(self, world: World) -> Sequence[Api]:
        return (
            Clari(world, label="clari", dialect=dialects.OPENAPI, **self._limits),
            Clari(world, label="clari-wire", dialect=dialects.WIRE, **self._limits),
            Clari(world, label="clari-schema", dialect=dialects.SCHEMA, **self._limits),
            Demandbase(world),
            DemandbaseV1(world),
            Closient(world),
            CsvExport(world),
        )

    def _front(self) -> ASGIApp:
        """Return the API origin: every account's API under its folder."""
        apis = self._apis.values()
        router = Router([Mount(f"/{api.folder}", app=api.router()) for api in apis])
        return self._log.wrap(router, origin="api", labels={api.folder: api.label for api in apis})

    def _store(self, world: World) -> ASGIApp:
        """Return the blob origin: every account's files under its label."""
        router = BlobStore(world, apis=self._apis).router()
        return self._log.wrap(router, origin="blob", labels={label: label for label in self._apis})
