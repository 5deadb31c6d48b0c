"""Check that flows leave retries and errors to the library."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from exportjobs.adapter._errors import (
    AuthenticationFailed,
    ExportJobsError,
    NetworkError,
    RateLimited,
    VendorUnavailable,
)
from exportjobs.adapter._flow import Request
from exportjobs.testing._breach import Breach
from exportjobs.testing._recorded import Recorded
from exportjobs.testing._scenes import Heard, Scene, line, scenes, submitting

_TROUBLES: Sequence[Callable[[], ExportJobsError]] = (
    lambda: VendorUnavailable("HTTP 503", http_status=503),
    lambda: RateLimited("HTTP 429", http_status=429, retry_after=timedelta(seconds=30)),
    lambda: AuthenticationFailed("HTTP 401", http_status=401),
    lambda: NetworkError("the connection broke"),
)


def check_no_repeating(recorded: Recorded) -> None:
    """Check that no flow repeats a request that has just failed."""
    for scene in scenes(recorded):
        for index in range(len(scene.answers)):
            for trouble in _TROUBLES:
                error = trouble()
                heard = scene.hear([*scene.answers[:index], error, *scene.answers[index:]])
                if heard.requests[index] in heard.requests[index + 1 :]:
                    raise scene.asks_again(heard.requests[index], error.reason)


def check_no_swallowing(recorded: Recorded) -> None:
    """Check that a flow whose first request fails ends with an error of the library."""
    for scene in scenes(recorded):
        for trouble in _TROUBLES if scene.answers else ():
            error = trouble()
            heard: Heard = scene.hear([error])
            if heard.error is None:
                remedy = "do not catch the error, or raise one that says more"
                raise Breach(f"{scene.name} ignores the error {error.reason}", remedy)


def check_submits_once(recorded: Recorded) -> None:
    """Check that a request that creates a job is not marked as repeatable."""
    scene: Scene = submitting(recorded)
    posts = [request for request in scene.play().requests if request.method == "POST"]
    if posts and all(request.idempotent and not _has_key(request) for request in posts):
        remedy = "make it with Request.post(...), without repeatable(): it may create a second job"
        raise Breach(f"submit marks {line(posts[-1])} as one that may be repeated", remedy)


def _has_key(request: Request) -> bool:
    """Return whether the vendor recognises a repeated request by an idempotency key."""
    return any("idempoten" in name for name in request.headers)
