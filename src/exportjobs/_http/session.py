"""An account's session with its vendor: runs flows, signs in, and retries requests."""

from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Generic, TypeAlias, TypeVar, cast

import anyio
from attrs import define, frozen

from exportjobs._http.answers import rate_limit, response_error, retry_after
from exportjobs._http.retry import Attempts, quiet
from exportjobs._http.transport import Transport
from exportjobs._schedule.budgets import Budgets
from exportjobs._schedule.clock import Clock
from exportjobs.adapter import Adapter
from exportjobs.adapter._errors import (
    AuthenticationFailed,
    BrokenAdapter,
    BudgetExhausted,
    ExportJobsError,
    NetworkError,
    ResponseError,
    SubmitOutcomeUnknown,
    Unreachable,
    VendorUnavailable,
    mistaken,
    retold,
)
from exportjobs.adapter._flow import Flow, Request, Response, Token
from exportjobs.adapter._job import JobRef
from exportjobs.adapter._redact import hiding, unprinted
from exportjobs.adapter._terms import Operation

T = TypeVar("T")
_ATTEMPTS = Attempts(attempts=4, timeout=30.0, first_pause=0.2, longest_pause=5.0, jitter=0.2)
_LONGEST_MARGIN = timedelta(minutes=1)
_MARGIN_SHARE = 0.1
_LONG_AGO = float("-inf")


@frozen
class Answer(Generic[T]):
    """What a flow returned, and how long its server asks to be left alone from then on."""

    value: T
    server_wait: timedelta | None = None


OnAnswer: TypeAlias = Callable[[float], None]
"""Called for each answer with `not_before`: when, in monotonic seconds, to ask the server again.

That is infinitely long ago if no answer so far has asked to wait.
"""


def ignore_answer(_: float) -> None:
    """Do nothing about an answer."""


@define
class _ServerWaits:
    """The waits that a server asked for in its answers to one flow, of which the longest counts."""

    clock: Clock
    on_answer: OnAnswer
    not_before: float = _LONG_AGO

    def note(self, answer: Response | ExportJobsError) -> None:
        """Note the wait that an answer asks for; an error may have come without an answer."""
        match answer:
            case Response():
                wait = retry_after(answer.headers, now=self.clock.now())
            case ResponseError():
                wait = answer.retry_after
            case _:
                return
        if wait is not None:
            self.not_before = max(self.not_before, self.clock.monotonic() + wait.total_seconds())
        self.on_answer(self.not_before)

    @property
    def left(self) -> timedelta | None:
        """How much of the wait is left; None if there was none."""
        if self.not_before == _LONG_AGO:
            return None
        return timedelta(seconds=max(0.0, self.not_before - self.clock.monotonic()))


class Session:
    """One account at one vendor, with the token it has been given, if any.

    `converse` runs a flow, `_exchange` answers one of its requests under the account's credentials,
    and `_send` is what goes over the network for it, budgeted and retried.
    """

    def __init__(self, adapter: Adapter, transport: Transport, clock: Clock) -> None:
        """Take the account and the connections to its vendor; nothing is sent yet."""
        self.adapter = adapter
        self.budgets = Budgets.of(adapter.budgets)
        self.secrets: set[str] = unprinted(adapter)
        """What opens the account, so far."""
        self._transport = transport
        self._clock = clock
        self._signs_in = "sign_in" in adapter.capabilities()
        self._signing_in = anyio.Lock()
        self._token: Token | None = None
        self._renew_at = float("inf")

    async def converse(
        self,
        begin: Callable[[], Flow[T]],
        wanted: type[T],
        ref: JobRef | None = None,
        *,
        operation: Operation = Operation.OTHER,
        on_answer: OnAnswer = ignore_answer,
    ) -> Answer[T]:
        """Run a flow to its end: send the requests that it yields, and give it the answers.

        Args:
            begin: Begins the flow.
            wanted: The type of what the flow has to return.
            ref: The job that errors are about.
            operation: What its requests count as in the vendor's budgets.
            on_answer: Called for each answer as it comes.

        Raises:
            BrokenAdapter: If the flow made a mistake, or did not return what is wanted.
            ExportJobsError: What the flow let pass, with the vendor and the job it is about.
        """
        waits = _ServerWaits(self._clock, on_answer)
        try:
            with hiding(self.secrets), _mistakes_as_broken_adapter():
                value = await _run(begin(), partial(self._exchange, operation), waits)
                if not isinstance(value, wanted):
                    raise BrokenAdapter(f"the adapter returned no {wanted.__name__}")
        except ExportJobsError as error:
            vendor, account = self.adapter.account
            raise error.about(vendor=vendor, account=account, ref=ref) from error.__cause__
        return Answer(value, waits.left)

    async def _exchange(self, operation: Operation, request: Request) -> Response:
        """Return the 2xx answer to a request, sent once more under a fresh token after a 401."""
        base_url = self.adapter.base_url
        ready, token = await self.signed(request)
        try:
            return await self._send(operation, base_url, ready)
        except AuthenticationFailed:
            if token is None or await self._current_token(refused=token) == token:
                raise
            ready, _ = await self.signed(request)
            return await self._send(operation, base_url, ready)

    async def _send(self, operation: Operation, base_url: str, request: Request) -> Response:
        """Send a request below a base URL, again where that is safe and may help.

        A request that is not idempotent is repeated only if nothing had been sent: no vendor knows
        an idempotency key, and a second job costs a second time.
        """

        async def attempt() -> Response:
            self._charge(operation)
            response = await self._transport.send(request, base_url=base_url)
            now = self._clock.now()
            self.budgets = self.budgets.with_reported(rate_limit(response.headers, now=now))
            error = response_error(response, self.adapter.error_codes, now=now)
            if error is not None:
                raise error
            return response

        may_retry = _can_retry if request.idempotent else _was_not_sent
        try:
            with quiet():
                return await _ATTEMPTS.of(attempt, may_retry)
        except (NetworkError, VendorUnavailable) as error:
            if request.idempotent or not _leaves_doubt(error):
                raise
            raise SubmitOutcomeUnknown(f"no clear answer to a submit: {error.reason}") from error

    def _charge(self, operation: Operation) -> None:
        """Count a request that is about to be sent, or refuse to send it."""
        now = self._clock.now().timestamp()
        wait = timedelta(seconds=self.budgets.wait(operation, now))
        if wait:
            budget = self.budgets.spent(operation, now) or "requests"
            until = f"{self._clock.now() + wait:%Y-%m-%d %H:%M:%S} UTC"
            reason = f"the {budget} that the vendor allows are used up until {until}"
            raise BudgetExhausted(reason, retry_after=wait)
        self.budgets = self.budgets.sent(operation, now)

    async def signed(self, request: Request) -> tuple[Request, Token | None]:
        """Return a request with the account's credentials on it, and the token among them."""
        request = self.adapter.authenticate(request)
        if not self._signs_in:
            return request, None
        token = await self._current_token()
        return self.adapter.apply_token(request, token), token

    async def _current_token(self, refused: Token | None = None) -> Token:
        """Return the account's token, a new one where the old one is due or was refused."""
        # One sign-in for all that wait for it: requests that begin together, or get a 401 together.
        async with self._signing_in:
            due = self._clock.monotonic() >= self._renew_at
            if self._token is None or due or self._token == refused:
                if self._token is not None:
                    self.secrets.discard(str(self._token.value))
                self._token = await self._sign_in()
                self.secrets.add(str(self._token.value))
                self._renew_at = self._clock.monotonic() + _useful_seconds(self._token)
            return self._token

    async def _sign_in(self) -> Token:
        url = self.adapter.sign_in_url or self.adapter.base_url
        waits = _ServerWaits(self._clock, ignore_answer)
        return await _run(self.adapter.sign_in(), partial(self._send, Operation.OTHER, url), waits)


async def _run(
    flow: Flow[T], exchange: Callable[[Request], Awaitable[Response]], waits: _ServerWaits
) -> T:
    """Exchange each request that a flow yields for its answer, and return what the flow returns."""
    try:
        request = next(flow)
        while True:
            try:
                response = await exchange(request)
            except ExportJobsError as error:
                waits.note(error)
                request = flow.throw(error)
            else:
                waits.note(response)
                request = flow.send(response)
    except StopIteration as end:
        return cast("T", end.value)
    finally:
        flow.close()


@contextmanager
def _mistakes_as_broken_adapter() -> Generator[None]:
    """Raise what an adapter did not foresee as the library's own error.

    A mistake in one vendor's adapter must not end the loop of all the others.
    """
    try:
        yield
    except ExportJobsError:
        raise
    except Exception as error:  # noqa: BLE001 - it is raised again, as the library's own
        raise mistaken(error) from retold(error)


def _was_not_sent(error: Exception) -> bool:
    return isinstance(error, Unreachable)


def _can_retry(error: Exception) -> bool:
    """Whether trying again at once may help; a server that says when to come back is obeyed."""
    match error:
        case VendorUnavailable():
            return error.retry_after is None
        case _:
            return isinstance(error, NetworkError)


def _leaves_doubt(error: NetworkError | VendorUnavailable) -> bool:
    """Whether the request may have been carried out although it failed."""
    match error:
        case VendorUnavailable():
            return error.retry_after is None
        case _:
            return not isinstance(error, Unreachable)


def _useful_seconds(token: Token) -> float:
    """Return for how many seconds a token is used, a margin before its end."""
    if token.lifetime is None:
        return float("inf")
    margin = min(_LONGEST_MARGIN, token.lifetime * _MARGIN_SHARE)
    return (token.lifetime - margin).total_seconds()
