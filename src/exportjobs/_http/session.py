"""An account's conversation with its vendor: signs in, repairs an exchange, drives a flow."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Generic, TypeAlias, TypeVar

import anyio
from attrs import define, frozen

from exportjobs._http.answers import rate_limit, refusal, retry_after
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


Heard: TypeAlias = Callable[[float], None]
"""Who is told of each answer: from when on, in monotonic seconds, the server may be asked again.

The time is infinitely long ago if no answer so far has asked to wait.
"""


def tell_nobody(_: float) -> None:
    """Stand for whoever would like to know, where nobody does."""


@define
class _Wish:
    """A server's wish to be left alone: the longest in all its answers to one flow."""

    clock: Clock
    heard: Heard
    until: float = _LONG_AGO

    def note(self, asked: timedelta | None) -> None:
        """Take in what one answer asks for, and tell of it."""
        if asked is not None:
            self.until = max(self.until, self.clock.monotonic() + asked.total_seconds())
        self.heard(self.until)

    @property
    def left(self) -> timedelta | None:
        """How much of it is left; None if there was none."""
        if self.until == _LONG_AGO:
            return None
        return timedelta(seconds=max(0.0, self.until - self.clock.monotonic()))


class Session:
    """One account at one vendor, with the token it has been given, if any."""

    def __init__(self, adapter: Adapter, transport: Transport, clock: Clock) -> None:
        """Take the account and the way to its vendor; nothing is sent yet."""
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
        heard: Heard = tell_nobody,
    ) -> Answer[T]:
        """Drive a flow to its end: send what it yields, hand it the answers.

        `heard` is told of each answer.

        Raises:
            BrokenAdapter: If the flow made a mistake, or did not return what is wanted.
            ExportJobsError: What the flow let pass, told which vendor and job it concerns.
        """
        try:
            with hiding(self.secrets):
                return await self._conversed(begin, wanted, operation, heard)
        except ExportJobsError as error:
            vendor, account = self.adapter.account
            raise error.about(vendor=vendor, account=account, ref=ref) from error.__cause__

    async def _conversed(
        self,
        begin: Callable[[], Flow[T]],
        wanted: type[T],
        operation: Operation,
        heard: Heard,
    ) -> Answer[T]:
        try:
            answer = await self._drive(begin(), partial(self._exchange, operation), heard)
        except ExportJobsError:
            raise
        except Exception as error:  # noqa: BLE001 - it is raised again, as the library's own
            # A mistake in one vendor's adapter is not to end the loop of all the others.
            raise mistaken(error) from retold(error)
        if not isinstance(answer.value, wanted):
            raise BrokenAdapter(f"the adapter returned no {wanted.__name__}")
        return answer

    async def signed(self, request: Request) -> tuple[Request, Token | None]:
        """Return a request with the account's credentials on it, and the token among them."""
        request = self.adapter.authenticate(request)
        if not self._signs_in:
            return request, None
        token = await self._current_token()
        return self.adapter.apply_token(request, token), token

    async def _drive(
        self,
        flow: Flow[T],
        exchange: Callable[[Request], Awaitable[Response]],
        heard: Heard = tell_nobody,
    ) -> Answer[T]:
        wish = _Wish(self._clock, heard)
        try:
            request = next(flow)
            while True:
                try:
                    response = await exchange(request)
                except ExportJobsError as error:
                    if isinstance(error, ResponseError):
                        wish.note(error.retry_after)
                    request = flow.throw(error)
                else:
                    wish.note(retry_after(response.headers, now=self._clock.now()))
                    request = flow.send(response)
        except StopIteration as end:
            return Answer(end.value, wish.left)
        finally:
            flow.close()

    async def _exchange(self, operation: Operation, request: Request) -> Response:
        """Return the 2xx answer to a request, with one more try under a fresh token after a 401."""
        ready, token = await self.signed(request)
        try:
            return await self._repaired(operation, self.adapter.base_url, ready)
        except AuthenticationFailed:
            if token is None or await self._current_token(refused=token) == token:
                raise
            ready, _ = await self.signed(request)
            return await self._repaired(operation, self.adapter.base_url, ready)

    async def _repaired(self, operation: Operation, base_url: str, request: Request) -> Response:
        """Send a request below a base URL, again where that is safe and promises to help.

        A request that is not idempotent is repeated only if nothing had been sent: no vendor knows
        an idempotency key, and a second job costs a second time.
        """
        repairable = _can_repair if request.idempotent else _was_not_sent
        try:
            with quiet():
                asking = partial(self._answered, operation, base_url, request)
                return await _ATTEMPTS.of(asking, repairable)
        except (NetworkError, VendorUnavailable) as error:
            if request.idempotent or not _leaves_doubt(error):
                raise
            raise SubmitOutcomeUnknown(f"no clear answer to a submit: {error.reason}") from error

    async def _answered(self, operation: Operation, base_url: str, request: Request) -> Response:
        self._charge(operation)
        response = await self._transport.send(request, base_url=base_url)
        now = self._clock.now()
        self.budgets = self.budgets.heard(rate_limit(response.headers, now=now))
        error = refusal(response, self.adapter.error_codes, now=now)
        if error is not None:
            raise error
        return response

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

    async def _current_token(self, refused: Token | None = None) -> Token:
        """Return the account's token, a new one where the old one is due or was refused."""
        async with self._signing_in:
            due = self._clock.monotonic() >= self._renew_at
            if self._token is None or due or self._token == refused:
                if self._token is not None:
                    self.secrets.discard(str(self._token.value))
                office = self.adapter.sign_in_url or self.adapter.base_url
                signing_in = partial(self._repaired, Operation.OTHER, office)
                self._token = (await self._drive(self.adapter.sign_in(), signing_in)).value
                self.secrets.add(str(self._token.value))
                self._renew_at = self._clock.monotonic() + _worth(self._token)
            return self._token


def _was_not_sent(error: Exception) -> bool:
    return isinstance(error, Unreachable)


def _can_repair(error: Exception) -> bool:
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


def _worth(token: Token) -> float:
    """Return for how many seconds a token is used, a margin before its end."""
    if token.lifetime is None:
        return float("inf")
    margin = min(_LONGEST_MARGIN, token.lifetime * _MARGIN_SHARE)
    return (token.lifetime - margin).total_seconds()
