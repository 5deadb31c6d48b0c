"""Whether flows leave to the library what is the library's: repeating, waiting, telling errors."""

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
from exportjobs.testing._scenes import Heard, Scene, scenes, submitting, told

_TROUBLES: Sequence[Callable[[], ExportJobsError]] = (
    lambda: VendorUnavailable("HTTP 503", http_status=503),
    lambda: RateLimited("HTTP 429", http_status=429, retry_after=timedelta(seconds=30)),
    lambda: AuthenticationFailed("HTTP 401", http_status=401),
    lambda: NetworkError("the connection broke"),
)


def check_no_repeating(recorded: Recorded) -> None:
    """Check that no flow sends a request again that has just failed."""
    for scene in scenes(recorded):
        for index in range(len(scene.answers)):
            for trouble in _TROUBLES:
                error = trouble()
                heard = scene.hear([*scene.answers[:index], error, *scene.answers[index:]])
                if heard.requests[index] in heard.requests[index + 1 :]:
                    raise scene.asks_again(heard.requests[index], error.reason)


def check_no_swallowing(recorded: Recorded) -> None:
    """Check that a first request that fails is told as the library's own error."""
    for scene in scenes(recorded):
        for trouble in _TROUBLES if scene.answers else ():
            error = trouble()
            heard: Heard = scene.hear([error])
            if heard.error is None:
                remedy = "let the error out of the flow, or raise one that says more"
                raise Breach(f"{scene.name} takes {error.reason} for an answer", remedy)


def check_submits_once(recorded: Recorded) -> None:
    """Check that what creates a job is not marked as something that may be repeated."""
    scene: Scene = submitting(recorded)
    posts = [request for request in scene.play().requests if request.method == "POST"]
    if posts and all(request.idempotent and not _has_key(request) for request in posts):
        remedy = "make it with Request.post(...), without repeatable(): it may be a second job"
        raise Breach(f"submit marks {told(posts[-1])} as one that may be repeated", remedy)


def _has_key(request: Request) -> bool:
    """Return whether the vendor would know a repeated request by its key."""
    return any("idempoten" in name for name in request.headers)
