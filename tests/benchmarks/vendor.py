"""The vendor of the benchmarks: an HTTP server that knows the truth and counts what it is asked.

It is a process of its own, so that no contender shares its time, and keeps as many runs apart as it
is asked to. It says on which port it listens in one line on its standard output, and it ends when
its standard input does: it cannot outlive whoever started it.

    POST /runs                        begins a run; the body holds its knobs
    GET  /runs/R/statistics           what is known of it
    POST /runs/R/jobs                 submits a job; the body names which: {"index": 7}
    GET  /runs/R/jobs                 all jobs, in full
    GET  /runs/R/jobs/J               one job
    GET  /runs/R/limits               slots, and how many of them are free
    GET  /runs/R/files/J              the file of a job that has ended
"""

import asyncio
import json
import math
import random
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import uvicorn

Scope = Mapping[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Json = dict[str, object]

_STEPS = 1000
_BEND = 0.15
_ROW = b"2026-01-31,ACME-0042,an opportunity with a name that fills a row to ninety bytes,1234.56\n"
_FILE = b"day,account,name,amount\n" + _ROW * (90_000 // len(_ROW))


@dataclass(frozen=True)
class Knobs:
    """How the vendor behaves in one run."""

    durations: tuple[float, ...]
    """Seconds from submitting each job to its end, by its index."""
    first_counted: int = 0
    """The index from which on jobs are measured; those before it are for practice."""
    progress: bool = False
    retry_after: int | None = None
    """What the header of that name says while a job has not ended."""
    slots: int | None = None
    in_turn: bool = False
    """Whether durations go to jobs by the order of their start, and not by their index: then the
    same schedule awaits whoever submits in another order."""
    refusal: int = HTTPStatus.TOO_MANY_REQUESTS
    """The HTTP status of the answer to a submit for which there is no slot."""

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> "Knobs":
        """Take them from JSON."""
        return cls(**{**body, "durations": tuple(body["durations"])})


@dataclass
class Job:
    """One job, as it is in truth."""

    index: int
    submitted: float
    duration: float
    status_requests: int = 0
    noticed: float | None = None
    """When an answer first said that it had ended."""
    fetched: float | None = None
    """When the last byte of its file was on its way."""

    @property
    def ends(self) -> float:
        """When it ends."""
        return self.submitted + self.duration

    def share(self, now: float) -> float:
        """Return how much of it is done, as the vendor sees it: not quite in step with time."""
        linear = min(1.0, (now - self.submitted) / self.duration)
        bend = math.exp(random.Random(self.index).gauss(0.0, _BEND))
        return float(linear**bend)


@dataclass
class Run:
    """One contender's jobs and what it asked about them."""

    knobs: Knobs
    jobs: list[Job] = field(default_factory=list)
    list_requests: int = 0
    limits_requests: int = 0
    submits: int = 0
    refused: int = 0
    answers: int = 0
    seconds: float = 0.0

    def submit(self, index: int, now: float) -> Job | None:
        """Begin a job, or return None if there is no slot for it."""
        counted = index >= self.knobs.first_counted
        self.submits += counted
        if self.free_slots(now) == 0:
            self.refused += counted
            return None
        turn = len(self.jobs) if self.knobs.in_turn else index
        job = Job(index, now, self.knobs.durations[turn])
        self.jobs.append(job)
        return job

    def free_slots(self, now: float) -> int | None:
        """Return how many more jobs may be submitted; None if there is no limit."""
        if self.knobs.slots is None:
            return None
        return self.knobs.slots - sum(job.ends > now for job in self.jobs)

    def describe(self, number: int, now: float, base: str) -> Json:
        """Return what the vendor tells of a job, and note if that tells of its end."""
        job = self.jobs[number]
        ended = now >= job.ends
        said: Json = {"id": str(number), "status": "succeeded" if ended else "running"}
        if ended:
            job.noticed = now if job.noticed is None else job.noticed
            said |= {"link": f"{base}/files/{number}", "size": len(_FILE)}
        if self.knobs.progress:
            said |= {"processed": int(_STEPS * job.share(now)), "total": _STEPS}
        return said

    @property
    def counted(self) -> list[Job]:
        """The jobs that are measured."""
        return [job for job in self.jobs if job.index >= self.knobs.first_counted]

    def statistics(self) -> Json:
        """Return what is known of the run, of the jobs that are measured alone."""
        jobs = self.counted
        fetched = [job.fetched for job in jobs if job.fetched is not None]
        late = [(job.noticed - job.ends, job) for job in jobs if job.noticed is not None]
        begun = min((job.submitted for job in jobs), default=0.0)
        return {
            "jobs": len(jobs),
            "fetched": len(fetched),
            "latencies": [seconds for seconds, _ in late],
            "relative_latencies": [seconds / job.duration for seconds, job in late],
            "makespan": max(fetched) - begun if fetched else None,
            "single_requests": sum(job.status_requests for job in jobs),
            "list_requests": self.list_requests,
            "limits_requests": self.limits_requests,
            "submits": self.submits,
            "refused": self.refused,
            "answers": self.answers,
            "seconds": self.seconds,
        }


@dataclass(frozen=True)
class Answer:
    """What goes back. Names of headers are in title case: one of the peers needs them so."""

    body: bytes
    status: int = HTTPStatus.OK
    media_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(
        cls,
        body: Json | list[Json],
        status: int = HTTPStatus.OK,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> "Answer":
        """Return JSON."""
        return cls(json.dumps(body).encode(), status, headers=headers)

    async def send(self, send: Send) -> None:
        """Put it on its way."""
        headers = (
            ("Content-Type", self.media_type),
            ("Content-Length", str(len(self.body))),
            *self.headers,
        )
        raw = [(name.encode(), value.encode()) for name, value in headers]
        await send({"type": "http.response.start", "status": self.status, "headers": raw})
        await send({"type": "http.response.body", "body": self.body})


class Vendor:
    """The server's application."""

    def __init__(self) -> None:
        """Begin without a run."""
        self._runs: list[Run] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        began = time.perf_counter()
        body = await _body(receive) if scope["method"] == "POST" else {}
        _, _, *where = scope["path"].split("/")
        if not where:
            self._runs.append(Run(Knobs.read(body)))
            await Answer.of({"run": len(self._runs) - 1}).send(send)
            return
        run, base = self._runs[int(where[0])], f"{_origin(scope)}/runs/{where[0]}"
        answer = _answer(run, base, (scope["method"], *where[1:]), body)
        await answer.send(send)
        if where[1] == "files":
            run.jobs[int(where[2])].fetched = time.monotonic()
        run.answers += 1
        run.seconds += time.perf_counter() - began


def _answer(run: Run, base: str, asked: tuple[str, ...], body: Mapping[str, Any]) -> Answer:
    now = time.monotonic()
    answer = Answer.of({"code": "NOT_FOUND"}, HTTPStatus.NOT_FOUND)
    match asked:
        case ("POST", "jobs"):
            answer = _submitted(run, base, run.submit(body["index"], now), now)
        case ("GET", "jobs", number):
            run.jobs[int(number)].status_requests += 1
            job = run.describe(int(number), now, base)
            answer = Answer.of(job, headers=_hints(run, int(number), now))
        case ("GET", "jobs"):
            run.list_requests += bool(run.counted)
            jobs = [run.describe(number, now, base) for number in range(len(run.jobs))]
            answer = Answer.of(jobs)
        case ("GET", "limits"):
            run.limits_requests += 1
            answer = Answer.of({"slots": run.knobs.slots, "free_slots": run.free_slots(now)})
        case ("GET", "files", number) if now >= run.jobs[int(number)].ends:
            answer = Answer(_FILE, media_type="text/csv")
        case ("GET", "statistics"):
            answer = Answer.of(run.statistics())
    return answer


def _submitted(run: Run, base: str, job: Job | None, now: float) -> Answer:
    if job is None:
        complaint: Json = {"code": "TOO_MANY_JOBS", "message": "wait for one of your jobs to end"}
        return Answer.of(complaint, run.knobs.refusal)
    number = len(run.jobs) - 1
    return Answer.of(
        run.describe(number, now, base),
        HTTPStatus.ACCEPTED,
        (("Operation-Location", f"{base}/jobs/{number}"), *_hints(run, number, now)),
    )


def _hints(run: Run, number: int, now: float) -> tuple[tuple[str, str], ...]:
    if run.knobs.retry_after is None or now >= run.jobs[number].ends:
        return ()
    return (("Retry-After", str(run.knobs.retry_after)),)


def _origin(scope: Scope) -> str:
    host, port = scope["server"]
    return f"http://{host}:{port}"


async def _body(receive: Receive) -> dict[str, Any]:
    content, more = b"", True
    while more:
        message = await receive()
        content += message.get("body", b"")
        more = message.get("more_body", False)
    return dict(json.loads(content))


async def main() -> None:
    """Serve until standard input ends."""
    config = uvicorn.Config(
        Vendor(), port=0, lifespan="off", access_log=False, log_level="warning", backlog=512
    )
    server = uvicorn.Server(config)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        (port,) = {sock.getsockname()[1] for one in server.servers for sock in one.sockets}
        print(json.dumps({"port": port}), flush=True)
        await asyncio.to_thread(sys.stdin.read)
        server.should_exit = server.force_exit = True


if __name__ == "__main__":
    asyncio.run(main())
