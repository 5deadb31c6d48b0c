"""Below HTTP: connections that are reset or closed too early, which no HTTP answer can be."""

import asyncio
import struct
from socket import SO_LINGER, SOL_SOCKET
from typing import Any, Final, cast

from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

_CUT_AT: Final = 0.4
# On, for zero seconds: the system sends RST in place of FIN and forgets what was not sent yet.
_NO_LINGER: Final = struct.pack("ii", 1, 0)


class Connection(H11Protocol):
    """An HTTP connection that hands its transport to the application, in the scope's state."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's signature, passed on
        """Serve without an access log, whatever the process logs elsewhere."""
        super().__init__(*args, **kwargs)
        self.access_log = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Make the transport part of every request's state."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}

    def shutdown(self) -> None:
        """Close the connection at once, even in the middle of a body: the sandbox is stopped."""
        self.transport.abort()


class Reset(Response):
    """No answer: the connection is reset before any byte is sent."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - an ASGI application has three parameters
        """Reset the connection."""
        transport = _transport(scope)
        transport.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, _NO_LINGER)
        transport.abort()
        await _disconnected(receive)


class Cut(Response):
    """Another answer whose body ends too early: its Content-Length promises all of it."""

    def __init__(self, whole: Response) -> None:
        """Send the same status and headers as the whole answer."""
        super().__init__(whole.body, whole.status_code, dict(whole.headers))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send two fifths of the body and close the connection."""
        await send(
            {
                "type": "http.response.start",
                "status": self.status_code,
                "headers": self.raw_headers,
            }
        )
        part = bytes(self.body[: int(len(self.body) * _CUT_AT)])
        await send({"type": "http.response.body", "body": part, "more_body": True})
        _transport(scope).close()
        await _disconnected(receive)


def _transport(scope: Scope) -> asyncio.Transport:
    return cast("asyncio.Transport", scope["state"]["transport"])


async def _disconnected(receive: Receive) -> None:
    # Returning earlier would make uvicorn answer 500 for an application that forgot to answer.
    while (await receive())["type"] != "http.disconnect":
        pass
