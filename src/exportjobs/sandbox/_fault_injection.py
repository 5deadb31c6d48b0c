"""What a fault does to a request: the error, the wait or the cut body that it gets."""

from collections.abc import Awaitable, Callable
from typing import Final, Protocol, TypeAlias

from attrs import evolve, frozen
from starlette.requests import Request
from starlette.responses import Response

from exportjobs.sandbox import _draw
from exportjobs.sandbox._faults import Fault, RequestKind, retry_after
from exportjobs.sandbox._http import gateway_page
from exportjobs.sandbox._wire import Cut, Reset
from exportjobs.sandbox._world import World

Answer: TypeAlias = Callable[[Request], Awaitable[Response]]

_SLOW_SECONDS: Final = 0.5
_MALFORMED_AT: Final = 0.6
_SERVER_ERRORS: Final = (500, 502, 503)


class ErrorResponses(Protocol):
    """The errors of a vendor that faults make it answer with."""

    def throttled(self) -> Response:
        """Return a 429, without Retry-After."""
        ...

    def broken(self) -> Response:
        """Return a 500."""
        ...

    def full(self) -> Response:
        """Return the refusal of a job because too many are running."""
        ...


@frozen
class Target:
    """What decides which fault a request gets: its account, its kind, and the job or file."""

    world: World
    label: str
    kind: RequestKind
    subject: str = ""

    def next_fault(self, request: Request) -> Fault | None:
        """Return the fault to inject into the request, if any, and note it in the log."""
        fault = self.world.plan.next_fault(self.label, kind=self.kind, subject=self.subject)
        self.world.log.mark(request, fault=fault)
        return fault

    async def delay(self) -> None:
        """Wait for half a second, divided by the sandbox's speed."""
        await self.world.clock.sleep(_SLOW_SECONDS / self.world.speed)


async def answer_request(
    request: Request, answer: Answer, *, target: Target, errors: ErrorResponses
) -> Response:
    """Answer an API request, with its fault if it gets one."""
    fault = target.next_fault(request)
    match fault:
        case Fault.throttle:
            throttled = errors.throttled()
            now = target.world.clock.now()
            throttled.headers["Retry-After"] = retry_after(target.kind, now=now)
            return throttled
        case Fault.concurrency_full:
            return errors.full()
        case Fault.server_error:
            return _server_error(request, errors)
        case Fault.reset:
            return Reset()
        case Fault.slow:
            await target.delay()
        case _:
            pass
    response = await answer(request)
    return _malformed(response) if fault is Fault.malformed_json else response


async def answer_download(request: Request, answer: Answer, *, target: Target) -> Response:
    """Answer the download of a file: reset once, slow once, and its body cut short once."""
    fault = target.next_fault(request)
    if fault is Fault.reset:
        return Reset()
    if fault is Fault.slow:
        await target.delay()
    response = await answer(request)
    if response.status_code not in {200, 206}:
        return response
    cut = evolve(target, kind=RequestKind.body).next_fault(request)
    return response if cut is None else Cut(response)


def _server_error(request: Request, errors: ErrorResponses) -> Response:
    turn = int(_draw.uniform(request.url.path) * len(_SERVER_ERRORS))
    status = _SERVER_ERRORS[turn]
    return errors.broken() if status == _SERVER_ERRORS[0] else gateway_page(status)


def _malformed(response: Response) -> Response:
    part = bytes(response.body[: int(len(response.body) * _MALFORMED_AT)])
    return Response(part, response.status_code, media_type="application/json")
