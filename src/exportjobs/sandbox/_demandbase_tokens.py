"""Demandbase's token exchange (VENDORS.md section 1.4)."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import parse_qsl

from attrs import evolve, frozen
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from exportjobs.sandbox import _draw
from exportjobs.sandbox._demandbase_requests import error
from exportjobs.sandbox._faults import Fault
from exportjobs.sandbox._http import json_object
from exportjobs.sandbox._world import World

_LIFETIME: Final = timedelta(seconds=28_800)
# The OpenAPI posts JSON in camelCase, the official SDK a form in snake_case: both are served.
_JSON_NAMES: Final = ("grantType", "clientId", "clientSecret")
_FORM_NAMES: Final = ("grant_type", "client_id", "client_secret")


@frozen
class _Token:
    end: datetime
    uses_left: int | None


class TokenService:
    """Issues access tokens, and checks them."""

    def __init__(self, world: World, *, credentials: Mapping[str, str]) -> None:
        """Issue tokens for one API key set."""
        self._world = world
        self._expected = ("client_credentials", *credentials.values())
        self._tokens: dict[str, _Token] = {}

    async def issue(self, request: Request) -> Response:
        """Answer a token exchange."""
        grant, *given = await _parameters(request)
        if grant != self._expected[0] or not all(given):
            return error("400-103", message="Required parameters are missing or invalid.")
        if (grant, *given) != self._expected:
            return error("401-100", message="Invalid client credentials.")
        number = len(self._tokens)
        token = _draw.alphanumeric(f"{self._world.seed}/demandbase/token/{number}", length=64)
        end = self._world.clock.now() + _LIFETIME
        self._tokens[token] = _Token(end, self._world.plan.uses(number))
        seconds = int(_LIFETIME.total_seconds())
        return JSONResponse({"accessToken": token, "tokenType": "bearer", "expiresIn": seconds})

    def accepts(self, request: Request) -> bool:
        """Count one use of a request's token and return whether the token is valid."""
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        token = self._tokens.get(value)
        if scheme.lower() != "bearer" or token is None or self._world.clock.now() >= token.end:
            return False
        if token.uses_left == 0:
            self._world.log.mark(request, fault=Fault.token_expiry)
            return False
        if token.uses_left is not None:
            self._tokens[value] = evolve(token, uses_left=token.uses_left - 1)
        return True


async def _parameters(request: Request) -> tuple[str, ...]:
    if request.headers.get("content-type", "").startswith("application/json"):
        body = await json_object(request) or {}
        return tuple(str(body.get(name, "")) for name in _JSON_NAMES)
    form = dict(parse_qsl((await request.body()).decode()))
    return tuple(form.get(name, "") for name in _FORM_NAMES)
