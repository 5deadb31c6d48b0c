"""An answer whose body is still coming, read into a caller's buffers."""

from collections.abc import AsyncIterable, AsyncIterator, Mapping

import httpx
from attrs import define, field

from exportjobs._network import Straight, straight


@define(eq=False)
class Stream:
    """An answer, and its body as it comes."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    """Their names in lower case."""
    _reply: httpx.Response = field(repr=False)
    _within: float = field(repr=False)
    _rest: memoryview = field(factory=lambda: memoryview(b""), init=False, repr=False)
    _chunks: AsyncIterator[bytes] | None = field(default=None, init=False, repr=False)
    _straight: Straight | None = field(default=None, init=False, repr=False)

    async def peek(self, *, decode: bool = False) -> memoryview:
        """Return the first bytes of the body without taking them.

        Raises:
            NetworkError: If the connection broke, or nothing came in time.
        """
        if self._chunks is None:
            await self._next_chunk(decode=decode)
        return self._rest

    async def read_into(self, view: memoryview, *, decode: bool = False) -> int:
        """Fill a buffer with what is there, and return how much: 0 at the end of the body.

        Args:
            view: Where to.
            decode: Whether to undo the compression that `content-encoding` names.

        Raises:
            NetworkError: If the connection broke, or nothing more came in time.
        """
        if not self._rest:
            if self._straight is not None:
                return await self._straight.read_into(view)
            await self._next_chunk(decode=decode)
        taken = min(len(view), len(self._rest))
        view[:taken] = self._rest[:taken]
        self._rest = self._rest[taken:]
        return taken

    async def _next_chunk(self, *, decode: bool) -> None:
        is_first = self._chunks is None
        if self._chunks is None:
            self._chunks = aiter(self._reply.aiter_bytes() if decode else _raw(self._reply))
        self._rest = memoryview(await anext(self._chunks, b""))
        if is_first and not decode:
            self._straight = straight(self._reply, len(self._rest), self._within)


def _raw(reply: httpx.Response) -> AsyncIterable[bytes]:
    """Return the body as it comes; httpx's own way to it counts and checks what is known here."""
    stream = reply.stream
    return stream if isinstance(stream, httpx.AsyncByteStream) else reply.aiter_raw()
