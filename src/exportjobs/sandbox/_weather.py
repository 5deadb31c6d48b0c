"""Faults at work: the answers a request gets when one strikes."""

from collections.abc import Awaitable, Callable
from typing import Final, Protocol, TypeAlias

from attrs import evolve, frozen
from starlette.requests import Request
from starlette.responses import Response

from exportjobs.sandbox import _draw
from exportjobs.sandbox._faults import Fault, Moment, retry_after
from exportjobs.sandbox._http import gateway_page
from exportjobs.sandbox._wire import Cut, Reset
from exportjobs.sandbox._world import World

Answer: TypeAlias = Callable[[Request], Awaitable[Response]]

_SLOW_SECONDS: Final = 0.5
_MALFORMED_AT: Final = 0.6
_SERVER_ERRORS: Final = (500, 502, 503)


class Excuses(Protocol):
    """How a vendor words the refusals that faults bring about."""

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
class Occasion:
    """A request as far as faults are concerned: whose it is, what for, and about what."""

    world: World
    label: str
    moment: Moment
    subject: str = ""

    def strike(self, request: Request) -> Fault | None:
        """Return the fault that strikes the request, and note it in the log."""
        fault = self.world.plan.strike(self.label, moment=self.moment, subject=self.subject)
        self.world.log.mark(request, fault=fault)
        return fault

    async def dawdle(self) -> None:
        """Let half a second pass, divided by the sandbox's speed."""
        await self.world.clock.sleep(_SLOW_SECONDS / self.world.speed)


async def converse(
    request: Request, answer: Answer, *, occasion: Occasion, excuses: Excuses
) -> Response:
    """Answer an API request, struck by a fault or not."""
    fault = occasion.strike(request)
    match fault:
        case Fault.throttle:
            refused = excuses.throttled()
            now = occasion.world.clock.now()
            refused.headers["Retry-After"] = retry_after(occasion.moment, now=now)
            return refused
        case Fault.concurrency_full:
            return excuses.full()
        case Fault.server_error:
            return _server_error(request, excuses)
        case Fault.reset:
            return Reset()
        case Fault.slow:
            await occasion.dawdle()
        case _:
            pass
    response = await answer(request)
    return _malformed(response) if fault is Fault.malformed_json else response


async def deliver(request: Request, answer: Answer, *, occasion: Occasion) -> Response:
    """Answer the download of a file: reset once, slow once, and its body cut short once."""
    fault = occasion.strike(request)
    if fault is Fault.reset:
        return Reset()
    if fault is Fault.slow:
        await occasion.dawdle()
    response = await answer(request)
    if response.status_code not in {200, 206}:
        return response
    cut = evolve(occasion, moment=Moment.body).strike(request)
    return response if cut is None else Cut(response)


def _server_error(request: Request, excuses: Excuses) -> Response:
    turn = int(_draw.uniform(request.url.path) * len(_SERVER_ERRORS))
    status = _SERVER_ERRORS[turn]
    return excuses.broken() if status == _SERVER_ERRORS[0] else gateway_page(status)


def _malformed(response: Response) -> Response:
    part = bytes(response.body[: int(len(response.body) * _MALFORMED_AT)])
    return Response(part, response.status_code, media_type="application/json")
