"""One account's API: its operations, with authentication and faults."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

from attrs import field, frozen
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import Receive, Scope, Send

from exportjobs.sandbox._content import HeldFile
from exportjobs.sandbox._fault_injection import Answer, Target, answer_download, answer_request
from exportjobs.sandbox._faults import UNKNOWN_STATUS, Fault, RequestKind
from exportjobs.sandbox._http import HttpError, fault_of
from exportjobs.sandbox._jobs import Job, JobBook, Snapshot
from exportjobs.sandbox._timeline import JobState
from exportjobs.sandbox._world import World


@frozen
class SandboxAccount:
    """What a client needs to use one of the sandbox's APIs.

    The names of the credentials are those of the adapter's own arguments, so that an adapter is
    made of an account by `Adapter(**account.credentials, base_url=account.base_url)`.
    """

    label: str
    vendor: str
    base_url: str
    credentials: Mapping[str, str] = field(repr=False)


@frozen
class Operation:
    """One method of one path, and what it is for."""

    method: str
    path: str
    answer: Answer
    kind: RequestKind = RequestKind.other
    is_public: bool = False


class Api(ABC):
    """What the vendors' APIs have in common; each vendor is a subclass."""

    vendor: ClassVar[str]
    root: ClassVar[str] = ""
    statuses: Mapping[JobState, str]

    def __init__(self, world: World, *, label: str, folder: str) -> None:
        """Serve one account under a folder of the API origin."""
        self.world = world
        self.label = label
        self.folder = folder
        self.book = JobBook(world, label=label, make_id=self.make_id)

    @property
    def account(self) -> SandboxAccount:
        """The account, as a client is to be given it."""
        base_url = f"{self.world.api_url}/{self.folder}{self.root}"
        return SandboxAccount(self.label, self.vendor, base_url, self.credentials)

    @property
    @abstractmethod
    def credentials(self) -> Mapping[str, str]:
        """The account's credentials."""

    @abstractmethod
    def make_id(self, key: str) -> str:
        """Return a job id of the vendor's form."""

    @abstractmethod
    def operations(self) -> Sequence[Operation]:
        """Return the operations of the API."""

    @abstractmethod
    def authorize(self, request: Request) -> None:
        """Check the credentials of a request.

        Raises:
            HttpError: Its credentials are missing or wrong.
        """

    @abstractmethod
    def files(self, job: Job) -> Sequence[HeldFile]:
        """Return the files of a job that is done."""

    @abstractmethod
    def throttled(self) -> Response:
        """Return the vendor's 429, without Retry-After."""

    @abstractmethod
    def broken(self) -> Response:
        """Return the vendor's 500."""

    @abstractmethod
    def unknown(self) -> Response:
        """Return the vendor's 404 for a path it does not know."""

    def full(self) -> Response:
        """Return the refusal of a job because too many run: a 429, if the vendor has no other."""
        return self.throttled()

    def held_files(self) -> list[HeldFile]:
        """Return the files of all jobs that are done."""
        done = (job for job in self.book.all() if self.book.state(job) is JobState.done)
        return [file for job in done for file in self.files(job)]

    def look(self, request: Request, *, job: Job) -> Snapshot:
        """Return a job as it is now, or running with an unknown status if that is the fault."""
        now = self.world.clock.now()
        if fault_of(request) is Fault.unknown_status:
            return Snapshot(job, now, JobState.running, UNKNOWN_STATUS)
        state = job.timeline.state(now)
        snapshot = Snapshot(job, now, state, self.statuses[state])
        if snapshot.has_ended:
            self.world.plan.note_end(self.label, subject=job.id)
        return snapshot

    def router(self) -> Router:
        """Return the account's API as an ASGI application."""
        routes = [
            Route(self.root + operation.path, self._endpoint(operation), methods=[operation.method])
            for operation in self.operations()
        ]
        return Router(routes, redirect_slashes=False, default=self._answer_unknown)

    def _endpoint(self, operation: Operation) -> Answer:
        async def endpoint(request: Request) -> Response:
            try:
                if not operation.is_public:
                    self.authorize(request)
                return await self._answer(operation, request)
            except HttpError as refusal:
                return refusal.response

        return endpoint

    async def _answer(self, operation: Operation, request: Request) -> Response:
        subject: str = request.path_params.get("job_id", "")
        target = Target(self.world, self.label, operation.kind, subject)
        if operation.kind is RequestKind.download:
            return await answer_download(request, operation.answer, target=target)
        return await answer_request(request, operation.answer, target=target, errors=self)

    async def _answer_unknown(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.unknown()(scope, receive, send)
