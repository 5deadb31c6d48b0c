"""Clari's errors, in the several shapes its OpenAPI (seed 002) gives them."""

from starlette.responses import JSONResponse, Response

from exportjobs.sandbox import _draw
from exportjobs.sandbox._clari_dialects import ORGANIZATION


def error(
    code: str, *, message: str, namespace: str = "exports", status: int = 400, source: str = ""
) -> Response:
    """Return the application's error object."""
    body = {
        "code": code,
        "namespace": namespace,
        "errorId": _draw.uuid(f"clari/{code}/{message}"),
        "message": message,
        "orgId": ORGANIZATION,
    }
    return JSONResponse({**body, "source": source} if source else body, status)


def activity_error(message: str) -> Response:
    """Return the activity API's own error object, whose orgId is a string."""
    body = {
        "code": "Bad request",
        "namespace": "activity",
        "errorId": _draw.hexadecimal(f"clari/{message}", length=32),
        "message": message,
        "orgId": str(ORGANIZATION),
    }
    return JSONResponse(body, 400)


def audit_error(message: str, *, target: str) -> Response:
    """Return the audit API's list of errors."""
    return JSONResponse(
        {
            "errors": [
                {"status": "400", "code": "bad_request", "message": message, "target": target}
            ]
        },
        400,
    )


def gateway_error(message: str, *, status: int) -> Response:
    """Return an error of the Kong gateway before the application."""
    return JSONResponse({"message": message}, status)
