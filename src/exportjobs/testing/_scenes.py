"""Run each of an adapter's flows on the recorded answers."""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from traceback import walk_tb
from typing import Any, Self, TypeAlias, cast

from attrs import evolve, field, frozen

from exportjobs._http.answers import response_error
from exportjobs.adapter import Adapter
from exportjobs.adapter._adapter import Export
from exportjobs.adapter._errors import ExportJobsError, VendorUnavailable
from exportjobs.adapter._flow import Flow, Request, Response, Token
from exportjobs.adapter._job import ExportJob, JobRef, JobStatus
from exportjobs.adapter._terms import Limits
from exportjobs.testing._breach import Breach
from exportjobs.testing._modules import package_of
from exportjobs.testing._recorded import Recorded

Answered: TypeAlias = Response | ExportJobsError
"""The result of a request: an answer, or an error that is thrown into the flow."""

_LIST = "list_jobs"
_SIGN_IN = "sign_in"

RECORDINGS: Mapping[str, str] = {
    _LIST: "listing",
    "cancel": "cancelling",
    "limits": "limits",
    _SIGN_IN: "sign_in",
}
"""Which member of a recording holds the answers to which of the optional flows."""

_TOKEN = Token("t-9c41d7e2")
_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_MOST_REQUESTS = 300
_OTHER_RESULTS: Mapping[str, type] = {"limits": Limits, _SIGN_IN: Token}


@frozen
class Heard:
    """The outcome of a flow: its requests, and what it returned or raised."""

    requests: tuple[Request, ...]
    signed: tuple[Request, ...]
    """The same requests with the account's credentials or a token added."""
    outcome: Any

    @property
    def error(self) -> ExportJobsError | None:
        """The error that the flow raised, if it did."""
        return self.outcome if isinstance(self.outcome, ExportJobsError) else None


@frozen
class Scene:
    """One flow of a recording, and the vendor's answers to it."""

    name: str
    """Its name in a failure, such as "poll in state 'ready'"."""
    export: Export
    begin: Callable[[], object] = field(repr=False)
    answers: tuple[Response, ...] = field(repr=False)
    gives: type = ExportJob
    """The type that the flow returns, or a tuple of it."""
    gives_several: bool = False
    signs: bool = True
    """Whether its requests get the account's credentials."""

    @property
    def adapter(self) -> Adapter:
        """The adapter whose flow it is."""
        return self.export.adapter

    def play(self) -> Heard:
        """Return the outcome of the flow on the recorded answers.

        Raises:
            Breach: If the flow sends fewer or more requests, or cannot read an answer.
        """
        heard = self.hear(self.answers)
        self._check_count(heard)
        self.results(heard.outcome)
        return heard

    def results(self, outcome: object) -> tuple[object, ...]:
        """Return what the flow returned, one by one.

        Raises:
            Breach: If a part of it is not of the type that the flow is to return.
        """
        if not self.gives_several:
            results: tuple[object, ...] = (outcome,)
        elif isinstance(outcome, tuple):
            results = cast("tuple[object, ...]", outcome)
        else:
            raise self._returns(outcome)
        for one in results:
            if not isinstance(one, self.gives):
                raise self._returns(one)
            if isinstance(one, ExportJob):
                self._check_status(one.status)
            if self.gives_several:
                self._check_compared(cast("ExportJob", one))
        return results

    def _check_status(self, status: object) -> None:
        if not isinstance(status, JobStatus):
            remedy = f"read it with a StatusMap as one of {', '.join(JobStatus)}"
            raise Breach(f"{self.name} invents the status {status!r}", remedy)

    def _check_compared(self, job: ExportJob) -> None:
        try:
            made = self.adapter.matches_export(job, self.export)
        except Exception as error:
            raise self._raises(error) from error
        if made is not None and type(made) is not bool:
            raise Breach(f"matches_export returns {_named(type(made))}", "return a bool or None")

    def _returns(self, found: object) -> Breach:
        wanted = f"{'a tuple of ' if self.gives_several else ''}{self.gives.__name__}"
        return Breach(f"{self.name} returns {_named(type(found))}", f"return {wanted}")

    def hear(self, answers: Iterable[Answered]) -> Heard:
        """Return the outcome of the flow on some answers, followed by server errors.

        Raises:
            Breach: If the flow raises an exception that is not the library's, or does not end.
        """
        flow, requests, left = self._flow(), list[Request](), iter(answers)
        signed = list[Request]()
        try:
            request = next(flow)
            while True:
                requests.append(self._checked(request, len(requests)))
                signed.append(self._signed(request))
                answered = next(left, None) or VendorUnavailable("HTTP 503", http_status=503)
                answered = self._refused(answered) or answered
                if isinstance(answered, ExportJobsError):
                    request = flow.throw(answered)
                else:
                    request = flow.send(answered)
        except StopIteration as end:
            return Heard(tuple(requests), tuple(signed), end.value)
        except ExportJobsError as error:
            return Heard(tuple(requests), tuple(signed), error)
        except Breach:
            raise
        except Exception as error:
            raise self._raises(error) from error
        finally:
            flow.close()

    def where(self, index: int, answer: Response, what: str) -> Self:
        """Return the scene with the nth answer replaced, and what is special about it."""
        answers = (*self.answers[:index], answer, *self.answers[index + 1 :])
        return evolve(self, name=f"{self.name}, where {what},", answers=answers)

    def _check_count(self, heard: Heard) -> None:
        asked, recorded = len(heard.requests), len(self.answers)
        if asked > recorded and heard.requests[-2:-1] == heard.requests[-1:]:
            raise self.asks_again(heard.requests[-1], "an answer")
        if asked <= recorded and heard.error is not None:
            problem = f"{type(heard.error).__name__}: {heard.error.reason}"
            remedy = "correct the flow, or the recording"
            raise Breach(f"{self.name} ends with {problem}", remedy)
        if asked != recorded:
            remedy = "record one answer for each request of the flow, several as a tuple"
            raise Breach(f"{self.name} makes {asked} requests of {recorded} recorded", remedy)

    def asks_again(self, request: Request, after: str) -> Breach:
        """Return the breach of a flow that repeats a request."""
        remedy = "send it once and do not catch errors: the library repeats what is safe to repeat"
        return Breach(f"{self.name} repeats {line(request)} after {after}", remedy)

    def _raises(self, error: Exception) -> Breach:
        what = f"{type(error).__name__}: {error} ({_place_of(error, type(self.adapter))})"
        remedy = "read answers with Response.body() or structure(), which say what is wrong"
        return Breach(f"{self.name} raises {what}", remedy)

    def _flow(self) -> Flow[Any]:
        flow = self.begin()
        if not isinstance(flow, Generator):
            remedy = "make it a generator: `reply = yield Request.get(...)`, then return"
            raise Breach(f"{self.name} is not a flow: it returns {_named(type(flow))}", remedy)
        return cast("Flow[Any]", flow)

    def _checked(self, request: object, asked_before: int) -> Request:
        if not isinstance(request, Request):
            remedy = "yield requests: `reply = yield Request.get(...)`"
            raise Breach(f"{self.name} yields {_named(type(request))}", remedy)
        if asked_before >= _MOST_REQUESTS:
            remedy = "do not catch the error: the library repeats what is safe to repeat"
            raise Breach(f"{self.name} does not stop sending requests: {line(request)}", remedy)
        return request

    def _signed(self, request: Request) -> Request:
        if not self.signs:
            return request
        request = self.adapter.authenticate(request)
        signs_in = _SIGN_IN in self.adapter.capabilities()
        return self.adapter.apply_token(request, _TOKEN) if signs_in else request

    def _refused(self, answered: Answered) -> ExportJobsError | None:
        if isinstance(answered, ExportJobsError):
            return None
        return response_error(answered, self.adapter.error_codes, now=_NOW)


def line(request: Request) -> str:
    """Return a request's method and path, such as "GET /reports/7"."""
    return f"{request.method} {request.path}"


def _place_of(error: Exception, adapter: type[Adapter]) -> str:
    """Return where an error was raised: the innermost line of the adapter's package."""
    lines, package = list(walk_tb(error.__traceback__)), package_of(adapter)
    own = [one for one in lines if package_of(one[0].f_globals["__name__"]) == package]
    frame, number = (own or lines)[-1]
    return f"{Path(frame.f_code.co_filename).name}:{number}"


def _named(kind: type) -> str:
    return f"{'an' if kind.__name__[0] in 'AEIOUaeiou' else 'a'} {kind.__name__}"


def submitting(recorded: Recorded) -> Scene:
    """Return the scene of the submit."""
    return Scene("submit", recorded.export, recorded.export.submit, recorded.accepted)


def submitted(recorded: Recorded) -> JobRef:
    """Return the ref of the job that the submit creates, as the library completes it."""
    job: ExportJob = submitting(recorded).play().outcome
    return evolve(job.ref, kind=recorded.export.kind)


def polls(recorded: Recorded) -> Mapping[str, Scene]:
    """Return the scene of each recorded state, by the vendor's word for it."""
    export, ref = recorded.export, submitted(recorded)
    return {
        word: Scene(f"poll in state {word!r}", export, lambda: export.adapter.poll(ref), answers)
        for word, answers in recorded.states.items()
    }


def jobs(recorded: Recorded) -> Mapping[str, ExportJob]:
    """Return the job of each recorded state, by the vendor's word for it."""
    return {word: scene.play().outcome for word, scene in polls(recorded).items()}


def scenes(recorded: Recorded) -> tuple[Scene, ...]:
    """Return every flow of a recording that can be run."""
    optional = _optional_scenes(recorded, submitted(recorded))
    return (submitting(recorded), *polls(recorded).values(), *optional)


def _optional_scenes(recorded: Recorded, ref: JobRef) -> Iterator[Scene]:
    adapter = recorded.adapter
    begins: Mapping[str, Callable[[], object]] = {
        _LIST: lambda: adapter.list_jobs(frozenset()),
        "cancel": lambda: adapter.cancel(ref),
        "limits": adapter.limits,
        _SIGN_IN: adapter.sign_in,
    }
    for name, recording in RECORDINGS.items():
        answers = getattr(recorded, recording)
        if name in adapter.capabilities() and answers is not None:
            yield Scene(
                name,
                recorded.export,
                begins[name],
                answers,
                gives=_OTHER_RESULTS.get(name, ExportJob),
                gives_several=name == _LIST,
                signs=name != _SIGN_IN,
            )
