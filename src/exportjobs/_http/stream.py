"""An answer whose body is still coming, read into a caller's buffers."""

import zlib
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from typing import Self

import httpx
from attrs import define, field

from exportjobs._http.network import Straight, straight

_GZIP = 16 + zlib.MAX_WBITS
_PIECE = 1024 * 1024


@define(eq=False)
class Stream:
    """An answer, and its body as it comes."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    """Their names in lower case."""
    _reply: httpx.Response = field(repr=False)
    _within: float = field(repr=False)
    _rest: memoryview = field(factory=lambda: memoryview(b""), init=False, repr=False)
    _taken: int = field(default=0, init=False, repr=False)
    """Bytes of the body so far."""
    _chunks: AsyncIterator[bytes] | None = field(default=None, init=False, repr=False)
    _straight: Straight | None = field(default=None, init=False, repr=False)

    async def peek(self, least: int, *, inflate: bool = False) -> bytes:
        """Return the first bytes of the body without taking them; fewer only where it is shorter.

        Raises:
            NetworkError: If the connection broke, or nothing came in time.
        """
        while len(self._rest) < least and (chunk := await self._next_chunk(inflate=inflate)):
            self._rest = memoryview(bytes(self._rest) + chunk)
        return bytes(self._rest[:least])

    async def read_into(self, view: memoryview, *, inflate: bool = False) -> int:
        """Fill a buffer with what is there, and return how much: 0 at the end of the body.

        Args:
            view: Where to.
            inflate: Whether to undo a gzip that is a content coding, not part of the file.

        Raises:
            NetworkError: If the connection broke, or nothing more came in time.
            MalformedResponse: If it is not a complete gzip.
        """
        if not self._rest:
            if self._straight is not None:
                return await self._straight.read_into(view)
            self._rest = memoryview(await self._next_chunk(inflate=inflate))
            if not inflate:
                self._straight = straight(self._reply, self._taken, self._within)
        taken = min(len(view), len(self._rest))
        view[:taken] = self._rest[:taken]
        self._rest = self._rest[taken:]
        return taken

    async def _next_chunk(self, *, inflate: bool) -> bytes:
        """Return some more bytes, none at the end."""
        if self._chunks is None:
            sent = aiter(raw(self._reply))
            self._chunks = _Inflating(sent) if inflate else sent
        chunk = await anext(self._chunks, b"")
        self._taken += len(chunk)
        return chunk


class _Inflating:
    """A body with its compression undone; one that is cut off is an error, as without compression.

    It is not a generator, which would have to be closed if it is left early.
    """

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self._gzip = zlib.decompressobj(_GZIP)
        self._waiting = b""

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        while True:
            if not self._waiting:
                self._waiting = await self._compressed()
            piece = self._inflated()
            if piece:
                return piece

    async def _compressed(self) -> bytes:
        try:
            return await anext(self._chunks)
        except StopAsyncIteration:
            if not self._gzip.eof:
                raise httpx.DecodingError("the end is missing") from None
            raise

    def _inflated(self) -> bytes:
        if self._gzip.eof:
            self._gzip = zlib.decompressobj(_GZIP)
        try:
            piece = self._gzip.decompress(self._waiting, _PIECE)
        except zlib.error as error:
            raise httpx.DecodingError(str(error)) from error
        self._waiting = self._gzip.unused_data if self._gzip.eof else self._gzip.unconsumed_tail
        return piece


def raw(reply: httpx.Response) -> AsyncIterable[bytes]:
    """Return a body as it comes; httpx's own iterator costs more, for checks that are made here."""
    stream = reply.stream
    return stream if isinstance(stream, httpx.AsyncByteStream) else reply.aiter_raw()
