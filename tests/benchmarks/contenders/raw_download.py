"""No library at all: `recv_into` a buffer and `write` it, hashing on the way if that is wanted."""

import hashlib
import socket
import ssl
from pathlib import Path
from urllib.parse import urlsplit

from _fetch import CHUNK, Wanted, fetch


def main(wanted: Wanted) -> None:
    """Fetch the files one after the other over one connection."""
    buffer = memoryview(bytearray(CHUNK))
    with connected(wanted.base_url) as connection:
        for url, target in wanted.files:
            _receive(connection, url, target, buffer, wanted.options.get("digest"))


def connected(base_url: str) -> socket.socket:
    """Return a connection to a server, encrypted if its address says so."""
    parts = urlsplit(base_url)
    connection = socket.create_connection((parts.hostname, parts.port))
    if parts.scheme == "https":
        context = ssl.create_default_context()
        connection = context.wrap_socket(connection, server_hostname=parts.hostname)
    return connection


def begun(connection: socket.socket, url: str, buffer: memoryview) -> tuple[memoryview, int]:
    """Ask for a file and return how its body begins, and how many bytes it has."""
    parts = urlsplit(url)
    connection.sendall(f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
    filled = 0
    while (end := bytes(buffer[:filled]).find(b"\r\n\r\n")) < 0:
        filled += connection.recv_into(buffer[filled:])
    status, *lines = bytes(buffer[:end]).decode().split("\r\n")
    if status.split()[1] != "200":
        raise RuntimeError(status)
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return buffer[end + 4 : filled], int(headers["content-length"])


def _receive(
    connection: socket.socket, url: str, target: Path, buffer: memoryview, digest: str | None
) -> None:
    algorithm = hashlib.new(digest) if digest else None
    piece, left = begun(connection, url, buffer)
    with target.open("wb", buffering=0) as file:
        while True:
            file.write(piece)
            if algorithm:
                algorithm.update(piece)
            left -= len(piece)
            if not left:
                return
            piece = buffer[: connection.recv_into(buffer)]


if __name__ == "__main__":
    fetch(main)
