"""No library at all: one thread does `recv_into` and `write`, and each digest has its own.

What a machine's cores can do at best with bytes that are to be hashed on their way.
"""

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor

from _fetch import CHUNK, Wanted, fetch
from raw_download import begun, connected

_RING = 8 * CHUNK
_WORTH_HASHING = CHUNK // 4


class _Ring:
    """Bytes that one thread brings and others hash; none waits for another without need."""

    def __init__(self, total: int, digests: int) -> None:
        self._buffer = memoryview(bytearray(_RING))
        self._total = total
        self._came = 0
        self._taken = [0] * digests
        self._moved = threading.Condition()

    def free(self) -> memoryview:
        """Return where the next bytes may go, when there is room for some."""
        with self._moved:
            self._moved.wait_for(lambda: self._came - min(self._taken) <= _RING - CHUNK)
        return self._piece(self._came, CHUNK)

    def bring(self, count: int) -> None:
        """Let so many more bytes be hashed."""
        with self._moved:
            self._came += count
            self._moved.notify_all()

    def hash(self, number: int, name: str) -> None:
        """Hash all that is brought, from the first byte to the last."""
        algorithm = hashlib.new(name)
        while self._taken[number] < self._total:
            piece = self._next(number)
            algorithm.update(piece)
            with self._moved:
                self._taken[number] += len(piece)
                self._moved.notify_all()

    def _next(self, number: int) -> memoryview:
        taken = self._taken[number]
        worth = min(_WORTH_HASHING, self._total - taken)
        with self._moved:
            self._moved.wait_for(lambda: self._came - taken >= worth)
            return self._piece(taken, min(self._came - taken, CHUNK))

    def _piece(self, start: int, length: int) -> memoryview:
        start %= _RING
        return self._buffer[start : start + length]


def main(wanted: Wanted) -> None:
    """Fetch a file."""
    ((url, target),) = wanted.files
    digests = wanted.options["digests"]
    with (
        connected(url) as connection,
        target.open("wb", buffering=0) as file,
        ThreadPoolExecutor(len(digests)) as threads,
    ):
        piece, left = begun(connection, url, memoryview(bytearray(CHUNK)))
        ring = _Ring(left, len(digests))
        hashing = [threads.submit(ring.hash, number, name) for number, name in enumerate(digests)]
        free = ring.free()
        free[: len(piece)] = piece
        received = len(piece)
        while True:
            file.write(free[:received])
            ring.bring(received)
            left -= received
            if not left:
                break
            free = ring.free()
            received = connection.recv_into(free)
        for one in hashing:
            one.result()


if __name__ == "__main__":
    fetch(main)
