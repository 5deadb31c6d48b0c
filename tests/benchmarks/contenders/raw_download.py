"""No library at all: `recv_into` a buffer and `write` it, hashing on the way if that is wanted."""

import hashlib
import socket
import ssl
from pathlib import Path
from urllib.parse import urlsplit

from _fetch import CHUNK, Wanted, fetch


def main(wanted: Wanted) -> None:
    """Fetch the files one after the other over one connection."""
    parts = urlsplit(wanted.base_url)
    connection = socket.create_connection((parts.hostname, parts.port))
    if parts.scheme == "https":
        context = ssl.create_default_context()
        connection = context.wrap_socket(connection, server_hostname=parts.hostname)
    buffer = memoryview(bytearray(CHUNK))
    with connection:
        for url, target in wanted.files:
            request = f"GET {urlsplit(url).path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n"
            connection.sendall(request.encode())
            _receive(connection, target, buffer, wanted.options.get("digest"))


def _receive(
    connection: socket.socket, target: Path, buffer: memoryview, digest: str | None
) -> None:
    algorithm = hashlib.new(digest) if digest else None
    filled, length, begin = _head(connection, buffer)
    with target.open("wb", buffering=0) as file:
        piece = buffer[begin:filled]
        while True:
            file.write(piece)
            if algorithm:
                algorithm.update(piece)
            length -= len(piece)
            if not length:
                return
            piece = buffer[: connection.recv_into(buffer)]


def _head(connection: socket.socket, buffer: memoryview) -> tuple[int, int, int]:
    """Return how much of the buffer is filled, the body's length, and where the body begins."""
    filled = 0
    while (end := bytes(buffer[:filled]).find(b"\r\n\r\n")) < 0:
        filled += connection.recv_into(buffer[filled:])
    status, *lines = bytes(buffer[:end]).decode().split("\r\n")
    if status.split()[1] != "200":
        raise RuntimeError(status)
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return filled, int(headers["content-length"]), end + 4


if __name__ == "__main__":
    fetch(main)
