"""Nights on which anything may break: answers, processes, and the machine that they run on.

A machine is a folder. When it dies, the folder is what it was at that moment: it is copied there
and then, what the dying processes still write goes to one that nobody sees again, and nothing that
they say or hear gets through. A lock that one of them held is a file that nobody holds.
"""

import json
import shutil
import threading
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final, Literal, cast

import anyio
import httpx
from anyio import from_thread
from anyio.abc import TaskGroup
from attrs import Factory, define, field, frozen
from hypothesis import strategies as st

from exportjobs import Export, Poller
from exportjobs.adapter import ExportJob
from exportjobs.testing import ManualClock

from .acme import API, Acme, Listing, signed, status
from .acme_api import Vendor
from .draws import middle
from .worlds import Trouble

LEDGER: Final = "ledger.db"
LANDING: Final = "landing"
_KEY: Final = "key-of-"

Point = Literal["moment", "request", "answer", "write"]
Way = Literal["run", "resume"]
Lists = Literal["nothing", "ids", "names"]
Person = Literal["absent", "looks", "gives up"]


@frozen
class Naming(Listing):
    """Acme, where its list tells by a report's id what was asked for."""

    def matches_export(self, job: ExportJob, export: Export) -> bool:
        """Compare that."""
        return name_of(job.ref.id) == str(export.arguments["name"])


@frozen
class Mishap:
    """What happens to a submit."""

    trouble: Trouble | None = None
    """What is answered instead; None for nothing."""
    makes: bool = True
    """Whether there is a job where the answer leaves that open."""
    takes: float = 0.0
    """Seconds until it is carried out and answered."""

    @property
    def leaves_doubt(self) -> bool:
        """Whether the answer leaves open what came of the submit."""
        if self.trouble is None or self.trouble.code in {1, 200}:
            return self.trouble is not None
        return self.trouble.code >= 500 and self.trouble.retry_after is None

    @property
    def makes_job(self) -> bool:
        """Whether a job comes of it."""
        return self.trouble is None or (self.leaves_doubt and self.makes)


@frozen
class Errand:
    """How a report goes."""

    lasts: float | None
    """In seconds; None for one that fails soon."""
    files: int


@frozen
class Customer:
    """An account: what it asks for, and what happens to its requests, in order."""

    lists: Lists
    slots: int | None
    errands: list[Errand]
    submits: list[Mishap]
    others: list[Trouble | None]

    def adapter(self, name: str) -> Acme:
        """Return the adapter of this account."""
        base = {"nothing": Acme, "ids": Listing, "names": Naming}[self.lists]
        made = cast("type[Acme]", type("Made", (base,), {"slots": self.slots}))
        return made(f"{_KEY}{name}", name=name)


@frozen
class Death:
    """What a machine dies of: the nth request, answer or write of its processes, or its time."""

    at: Point
    count: int


@frozen
class Shift:
    """One or two processes on a machine, until they end or it dies, and what follows."""

    ways: tuple[Way, ...]
    death: Death | None = None
    leaves: float | None = None
    """When the first of them is told to leave."""
    pause: float = 0.0
    """Seconds before the next shift."""
    person: Person = "absent"
    """Who decides about what is in doubt; an hour later, when nothing is on its way any more."""


@frozen
class Night:
    """Some accounts, and the shifts of a machine before the last one, in which all goes well."""

    customers: list[Customer]
    shifts: list[Shift]


@frozen
class Made:
    """A job at the vendor."""

    id: str
    sent: float
    at: float


@define(eq=False)
class Office:
    """Acme as it is on a night: each submit makes a job of its own, whoever still listens."""

    vendor: Vendor
    clock: ManualClock
    tasks: TaskGroup
    errands: dict[str, Errand]
    submits: dict[str, list[Mishap]]
    others: dict[str, list[Trouble | None]]
    made: dict[str, list[Made]] = Factory(dict[str, list[Made]])
    """The jobs of each export."""
    lost: set[str] = Factory(set[str])
    """Exports of which an answer to a submit was of no use."""
    listed: list[float] = Factory(list[float])
    """When the vendor said which jobs there are."""

    async def serve(self, request: httpx.Request) -> httpx.Response | Exception:
        """Return what is answered; what was sent arrives, even if the sender dies meanwhile."""
        await request.aread()
        said: list[httpx.Response | Exception] = []
        done = anyio.Event()

        async def answer() -> None:
            said.append(await self._answer(request))
            done.set()

        self.tasks.start_soon(answer)
        await done.wait()
        return said[0]

    def calm_down(self) -> None:
        """Let nothing go wrong any more."""
        self.submits, self.others = {name: [] for name in self.submits}, {}

    def excused(self, name: str) -> int:
        """Return how many jobs of an export were made after a list had none of them."""
        made = self.made.get(name, [])
        return sum(any(one.sent < moment < one.at for moment in self.listed) for one in made)

    async def _answer(self, request: httpx.Request) -> httpx.Response | Exception:
        account = request.headers.get("X-Acme-Key", "").removeprefix(_KEY)
        if request.method == "POST":
            return await self._submit(request, account)
        others = self.others.get(account)
        trouble = others.pop(0) if others else None
        if trouble is not None:
            return trouble.answer()
        if request.url.path.endswith("/reports"):
            self.listed.append(self.clock.monotonic())
        return await self.vendor.transport.handle_async_request(request)

    async def _submit(self, request: httpx.Request, account: str) -> httpx.Response | Exception:
        sent, name = self.clock.monotonic(), json.loads(request.content)["name"]
        mishap = self.submits[account].pop(0) if self.submits[account] else Mishap()
        await self.clock.sleep(mishap.takes)
        answer = status(500)
        if mishap.makes_job:
            answer = await self._make(request, name, sent)
        if mishap.leaves_doubt:
            self.lost.add(name)
        return answer if mishap.trouble is None else mishap.trouble.answer()

    async def _make(self, request: httpx.Request, name: str, sent: float) -> httpx.Response:
        errand, made = self.errands[name], self.made.setdefault(name, [])
        job = f"{name}-{len(made) + 1}"
        files = [f"{job}-{n}.csv" for n in range(errand.files)]
        links = tuple(map(signed, files))
        polls = ("running", "failed") if errand.lasts is None else ()
        self.vendor.report(job, *polls, lasts=errand.lasts, links=links)
        self.vendor.files.update({one: [content_of(one)] for one in files})
        made.append(Made(job, sent, self.clock.monotonic()))
        key = {"X-Acme-Key": request.headers["X-Acme-Key"]}
        ordered = httpx.Request("POST", f"{API}/reports", headers=key, json={"name": job})
        return await self.vendor.transport.handle_async_request(ordered)


def content_of(file: str) -> bytes:
    """Return what is in a file."""
    return f"{file}\n".encode()


def name_of(job_id: str) -> str:
    """Return which export a job is of."""
    return job_id.rpartition("-")[0]


@define(eq=False)
class Machine:
    """A folder and its time, until it dies."""

    disk: Path
    clock: ManualClock
    death: Death | None
    died: anyio.Event = field(factory=anyio.Event)
    is_dead: bool = False
    _reached: Counter[Point] = Factory(Counter[Point])
    _turn: threading.Lock = Factory(threading.Lock)
    _home: int = Factory(threading.get_ident)

    def now(self) -> datetime:
        """Return the time: whoever asks for it in a thread is in the midst of a write."""
        if threading.get_ident() != self._home and self._dies_at("write"):
            from_thread.run_sync(self.died.set)
        return self.clock.now()

    def monotonic(self) -> float:
        """Return the seconds."""
        return self.clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self.clock.sleep(seconds)

    async def reach(self, point: Point) -> None:
        """Come to a point that the machine may die at; nobody comes beyond who is dead."""
        if self._dies_at(point):
            self.died.set()
        if self.is_dead:
            await anyio.sleep_forever()

    async def wait_for_death(self) -> None:
        """Wait for it, whatever it is that the machine dies of."""
        if self.death is not None and self.death.at == "moment":
            await self.clock.sleep(self.death.count)
            self._dies_at("moment")
        else:
            await self.died.wait()

    def bury(self) -> None:
        """Let the disk be what it was when the machine died."""
        if self.is_dead:
            shutil.rmtree(self.disk)
            self._grave.rename(self.disk)

    def _dies_at(self, point: Point) -> bool:
        with self._turn:
            if self.is_dead or self.death is None or self.death.at != point:
                return False
            self._reached[point] += 1
            if self._reached[point] < self.death.count and point != "moment":
                return False
            copy(self.disk, self._grave)
            self.is_dead = True
            return True

    @property
    def _grave(self) -> Path:
        return self.disk.with_name("grave")


def copy(disk: Path, place: Path) -> None:
    """Copy a disk that is being written to: the ledger first, which says what else there is."""
    found = (one for one in disk.rglob("*") if one.is_file())
    for file in sorted(found, key=lambda one: (one.parent != disk, one)):
        target = place / file.relative_to(disk)
        target.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            shutil.copyfile(file, target)


@frozen
class Line(httpx.AsyncBaseTransport):
    """The network between a machine and Acme."""

    machine: Machine
    office: Office

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Carry a request there and its answer back, if the machine lives so long."""
        await self.machine.reach("request")
        answer = await self.office.serve(request)
        await self.machine.reach("answer")
        if isinstance(answer, Exception):
            raise answer
        return answer


def poller(machine: Machine, office: Office, accounts: Sequence[Acme]) -> Poller:
    """Return the poller of a process on a machine."""
    return Poller(
        accounts=accounts,
        poll_interval=20,
        ledger=machine.disk / LEDGER,
        clock=machine,
        jitter=middle,
        transport=Line(machine, office),
    )


_LATE = 20.0
"""Seconds after which even a list could have told that there is no job, and then there is one."""
_retry_after = st.sampled_from([None, None, 7, 45])
_refusals = st.builds(
    Trouble, st.sampled_from([1, 1, 1, 0, 200, 400, 401, 429, 500, 503]), retry_after=_retry_after
)
_troubles = st.builds(
    Trouble, st.sampled_from([0, 1, 200, 400, 401, 429, 500, 503]), retry_after=_retry_after
)
_errands = st.builds(
    Errand, lasts=st.sampled_from([60.0, 60.0, 20.0, 0.0, None]), files=st.integers(0, 2)
)


def _mishaps(takes: list[float]) -> st.SearchStrategy[Mishap]:
    return st.builds(
        Mishap,
        trouble=st.none() | _refusals,
        makes=st.booleans(),
        takes=st.sampled_from(takes),
    )


def _customers(most: int) -> st.SearchStrategy[Customer]:
    def those(lists: Lists) -> st.SearchStrategy[Customer]:
        # Whose a late job is can only be told where it has its export's name.
        late = [_LATE] if lists == "names" else []
        return st.builds(
            Customer,
            lists=st.just(lists),
            slots=st.sampled_from([None, 1, 2]),
            errands=st.lists(_errands, min_size=1, max_size=most),
            submits=st.lists(_mishaps([0.0, 0.0, 1.0, 4.0, *late]), max_size=4),
            others=st.lists(st.none() | _troubles, max_size=6),
        )

    kinds: list[Lists] = ["ids", "ids", "names", "nothing"]
    return st.sampled_from(kinds).flatmap(those)


_deaths = st.builds(Death, st.sampled_from(["request", "answer"]), st.integers(1, 8)) | st.builds(
    Death, st.just("write"), st.integers(1, 12)
)
_moments = st.builds(Death, st.just("moment"), st.sampled_from([1, 3, 12, 30]))
_ways = st.sampled_from(["run", "run", "run", "resume"])
_shifts = st.builds(
    Shift,
    ways=st.lists(_ways, min_size=1, max_size=2).map(tuple),
    death=_deaths | _deaths | _moments | st.none(),
    leaves=st.none() | st.sampled_from([1.0, 5.0, 20.0]),
    pause=st.sampled_from([0.0, 5.0, 60.0]),
    person=st.sampled_from(["absent", "absent", "looks", "gives up"]),
)
nights = st.builds(
    Night,
    customers=st.lists(_customers(4), min_size=1, max_size=1)
    | st.lists(_customers(2), min_size=2, max_size=2),
    shifts=st.lists(_shifts, min_size=1, max_size=3),
)
