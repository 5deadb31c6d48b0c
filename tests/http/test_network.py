"""Connections of our own: bytes come as they were sent, and only from where they may."""

import fcntl
import gc
import gzip
import os
import random
import resource
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from ipaddress import ip_address
from typing import Any

import anyio
import anyio.abc
import httpcore
import pytest
from tests.support.wire import CERTIFICATE, encrypting, leaving, ok, playing, vendor

from exportjobs import ExportJobsError, NetworkError, Unreachable, UntrustedAddress
from exportjobs._http.connect import NetworkBackend, _Race
from exportjobs._http.connection import Connection
from exportjobs._http.network import Network, network, tls
from exportjobs._http.origins import everywhere, is_public
from exportjobs._http.stream import Stream
from exportjobs._http.transport import Transport
from exportjobs._landing.pipeline import Pipeline

KIBIBYTE = 1024
MEBIBYTE = 1024 * KIBIBYTE
CONTENT = random.Random(1).randbytes(5 * MEBIBYTE + 3)  # noqa: S311 - no secret
SIZES = [
    0,
    1,
    2,
    4095,
    65_535,
    65_536,
    65_537,
    MEBIBYTE - 1,
    MEBIBYTE,
    MEBIBYTE + 300,
    5 * MEBIBYTE,
]
START = b"HTTP/1.1 200 OK\r\n"
Frame = Callable[[bytes], bytes]


def with_length(content: bytes) -> bytes:
    """Return an answer that tells its length."""
    return ok(body=content)


def chunked(content: bytes, *, step: int = 100_003) -> bytes:
    """Return an answer in chunks."""
    chunks = [content[start : start + step] for start in range(0, len(content), step)]
    framed = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))
    return START + b"Transfer-Encoding: chunked\r\n\r\n" + framed


def until_closed(content: bytes) -> bytes:
    """Return an answer that ends with its connection."""
    return START + b"Connection: close\r\n\r\n" + content


async def read_all(stream: Stream, *, buffer: int = MEBIBYTE, inflate: bool = False) -> bytes:
    """Read a body to its end through a buffer."""
    content, view = bytearray(), memoryview(bytearray(buffer))
    while received := await stream.read_into(view, inflate=inflate):
        content += view[:received]
    return bytes(content)


async def fetch(transport: Transport, url: str, *, buffer: int = MEBIBYTE) -> bytes:
    """Return what a host sends."""
    async with transport.stream(url, {}, within=10) as stream:
        return await read_all(stream, buffer=buffer)


@pytest.fixture
def _trust(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the vendor's certificate be one of those that are trusted."""
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    tls.cache_clear()
    yield
    tls.cache_clear()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize("frame", [with_length, chunked, until_closed])
@pytest.mark.parametrize("size", SIZES)
async def test_a_body_of_any_size_comes_as_it_was_sent(frame: Frame, size: int) -> None:
    """However its end is told."""
    answer = playing(frame(CONTENT[:size]))

    async with vendor(answer) as seen, Transport() as transport:
        content = await fetch(transport, seen.base)

    assert content == CONTENT[:size]


@pytest.mark.parametrize("buffer", [1, 7, 65_536, 2 * MEBIBYTE])
@pytest.mark.parametrize("size", [1000, 2 * MEBIBYTE])
async def test_a_buffer_may_have_any_size(buffer: int, size: int) -> None:
    """Bytes that do not fit wait for the next."""
    size = min(size, buffer * 3000)
    async with vendor(playing(with_length(CONTENT[:size]))) as seen, Transport() as transport:
        content = await fetch(transport, seen.base, buffer=buffer)

    assert content == CONTENT[:size]


@pytest.mark.parametrize("first", [0, 1, 100, 65_536])
@pytest.mark.parametrize("frame", [with_length, chunked, until_closed])
async def test_a_body_may_come_in_pieces(frame: Frame, first: int) -> None:
    """The head alone, or with the first bytes; the rest in time."""
    answer = frame(CONTENT[: 2 * MEBIBYTE])
    end = answer.index(b"\r\n\r\n") + 4 + first
    pieces = playing(answer[:10], answer[10:end], answer[end : end + 1], answer[end + 1 :])

    async with vendor(pieces) as seen, Transport() as transport:
        content = await fetch(transport, seen.base)

    assert content == CONTENT[: 2 * MEBIBYTE]


@pytest.mark.parametrize("least", [0, 1, 100, 200_000, 2 * MEBIBYTE])
async def test_a_look_at_the_first_bytes_takes_none(least: int) -> None:
    """What was looked at is still read, and the look may be repeated."""
    async with (
        vendor(with_length(CONTENT)) as seen,
        Transport() as transport,
        transport.stream(seen.base, {}) as stream,
    ):
        looks = [bytes(await stream.peek(least)) for _ in range(2)]
        content = await read_all(stream)

    assert looks == [CONTENT[:least]] * 2
    assert content == CONTENT


async def test_a_look_beyond_the_end_shows_all_there_is() -> None:
    """A short body is no error."""
    async with (
        vendor(with_length(b"abc")) as seen,
        Transport() as transport,
        transport.stream(seen.base, {}) as stream,
    ):
        looks = [bytes(await stream.peek(100)) for _ in range(2)]
        content = await read_all(stream)

    assert (looks, content) == ([b"abc", b"abc"], b"abc")


PLAIN = CONTENT[: MEBIBYTE + 5] + bytes(3 * MEBIBYTE)
PACKED = gzip.compress(PLAIN, 1)


@pytest.mark.parametrize(
    ("packed", "plain"),
    [
        pytest.param(PACKED, PLAIN, id="one"),
        pytest.param(PACKED + gzip.compress(b"more"), PLAIN + b"more", id="two"),
        pytest.param(gzip.compress(b""), b"", id="empty"),
        pytest.param(gzip.compress(b"") * 3, b"", id="empty-ones"),
        pytest.param(gzip.compress(bytes(20 * MEBIBYTE)), bytes(20 * MEBIBYTE), id="dense"),
    ],
)
@pytest.mark.parametrize("frame", [with_length, chunked, partial(chunked, step=1009), until_closed])
async def test_a_compression_for_the_way_is_undone(
    frame: Frame, packed: bytes, plain: bytes
) -> None:
    """In pieces of any size, and for as many members as there are."""
    async with (
        vendor(playing(frame(packed))) as seen,
        Transport() as transport,
        transport.stream(seen.base, {}) as stream,
    ):
        content = await read_all(stream, inflate=True)

    assert content == plain


@pytest.mark.parametrize(
    "packed",
    [
        pytest.param(PACKED[:-1], id="cut-at-the-end"),
        pytest.param(PACKED[:-8], id="no-checksum"),
        pytest.param(PACKED[:500_000], id="cut-in-the-middle"),
        pytest.param(PACKED[:5], id="cut-in-its-head"),
        pytest.param(PACKED[:-8] + bytes(8), id="other-checksum"),
        pytest.param(PACKED[:1000] + b"x" * 100 + PACKED[1100:], id="spoilt"),
        pytest.param(PACKED + b"more", id="something-behind"),
        pytest.param(b"a,b\n1,2\n" * 100, id="none"),
    ],
)
async def test_what_is_no_whole_gzip_is_an_error(packed: bytes) -> None:
    """A file that is cut is not taken for a shorter one."""
    async with vendor(playing(until_closed(packed))) as seen, Transport() as transport:
        with pytest.raises(ExportJobsError):
            async with transport.stream(seen.base, {}) as stream:
                await read_all(stream, inflate=True)


@pytest.mark.parametrize("announced", [True, False])
async def test_a_body_is_poured_whole(*, announced: bool) -> None:
    """One buffer fills while the other is kept, and nothing changes places."""
    kept = bytearray()

    async def keep(view: memoryview) -> None:
        before = bytes(view)
        await anyio.lowlevel.checkpoint()
        await anyio.lowlevel.checkpoint()
        assert bytes(view) == before
        kept.extend(view)

    async with (
        vendor(with_length(CONTENT)) as seen,
        Transport() as transport,
        transport.stream(seen.base, {}) as stream,
    ):
        await Pipeline([keep], len(CONTENT) if announced else None).run(partial(stream.read_into))

    assert bytes(kept) == CONTENT


@pytest.mark.parametrize("size", [0, 1, 999, 1000, 1001, 10**12])
async def test_a_size_that_is_wrong_does_not_change_what_is_poured(size: int) -> None:
    """It is a hint for how much room to make."""
    kept: list[bytes] = []

    async def keep(view: memoryview) -> None:
        kept.append(bytes(view))

    async with (
        vendor(with_length(CONTENT[:1000])) as seen,
        Transport() as transport,
        transport.stream(seen.base, {}) as stream,
    ):
        await Pipeline([keep], size).run(partial(stream.read_into))

    assert b"".join(kept) == CONTENT[:1000]


@pytest.mark.parametrize("size", [0, 10, 500 * KIBIBYTE])
@pytest.mark.parametrize("frame", [with_length, chunked])
async def test_a_connection_serves_again_after_a_small_body(frame: Frame, size: int) -> None:
    """Many small files cost one connection."""
    async with vendor(frame(CONTENT[:size])) as seen, Transport() as transport:
        bodies = [await fetch(transport, seen.base) for _ in range(3)]

    assert bodies == [CONTENT[:size]] * 3
    assert seen.connections == 1


async def test_what_follows_a_large_body_is_not_taken_for_a_part_of_it() -> None:
    """Each of several files is its own, large or small."""
    answers = [CONTENT, b"small", CONTENT[::-1], b"", CONTENT[: 2 * MEBIBYTE]]

    async with vendor(*map(with_length, answers)) as seen, Transport() as transport:
        bodies = [await fetch(transport, seen.base) for _ in answers]

    assert bodies == answers


@pytest.mark.parametrize("size", [0, 1, 2 * MEBIBYTE])
async def test_a_body_that_is_left_in_the_middle_does_not_harm_the_next(size: int) -> None:
    """Whether the beginning was looked at, or much of it was read."""
    async with vendor(with_length(CONTENT)) as seen, Transport(connections=1) as transport:
        async with transport.stream(seen.base, {}) as stream:
            left = size
            while left > 0:
                left -= await stream.read_into(memoryview(bytearray(left)))
        content = await fetch(transport, seen.base)

    assert content == CONTENT


async def test_a_connection_that_the_vendor_closed_meanwhile_is_not_used_again() -> None:
    """A new one is made, and the caller does not notice."""
    async with vendor(playing(with_length(b"a"))) as seen, Transport() as transport:
        first = await fetch(transport, seen.base)
        await seen.hung_up()
        second = await fetch(transport, seen.base)

    assert (first, second) == (b"a", b"a")
    assert seen.connections == 2


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize("came", [0, 1, 65_536, MEBIBYTE, 3 * MEBIBYTE, len(CONTENT) - 1], ids=str)
async def test_a_body_that_is_cut_is_a_broken_connection(came: int, *, reset: bool) -> None:
    """What came until then is handed out, and the end is not taken for the end."""
    answer = with_length(CONTENT)
    content = bytearray()

    async def read(url: str) -> None:
        async with Transport() as transport, transport.stream(url, {}, within=10) as stream:
            view = memoryview(bytearray(65_536))
            while received := await stream.read_into(view):
                content.extend(view[:received])

    sent = answer[: len(answer) - len(CONTENT) + came]
    with leaving(sent, reset=reset) as url, pytest.raises(NetworkError, match="broke"):
        await read(url)

    assert bytes(content) == CONTENT[: len(content)]
    assert reset or len(content) == came


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(chunked(CONTENT)[:-5], id="chunked"),
        pytest.param(chunked(CONTENT)[: 3 * MEBIBYTE], id="chunked-in-the-middle"),
        pytest.param(START + b"Content-Length: x\r\n\r\n{}", id="no-length"),
        pytest.param(START + b"Content-Length: -1\r\n\r\n{}", id="negative"),
        pytest.param(START + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", id="two"),
        pytest.param(START + b"Content-Length: " + b"9" * 19 + b"\r\n\r\n{}", id="huge"),
        pytest.param(START + b"Content-Length: " + b"9" * 400 + b"\r\n\r\n{}", id="beyond"),
        pytest.param(START + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", id="no-chunk"),
        pytest.param(b"SSH-2.0-OpenSSH_9.6\r\n", id="another-protocol"),
        pytest.param(b"", id="nothing"),
    ],
)
async def test_an_answer_that_is_none_is_a_broken_connection(answer: bytes) -> None:
    """Whatever a host sends, it is told as the network's fault."""
    async with vendor(playing(answer)) as seen, Transport() as transport:
        with pytest.raises(NetworkError):
            await fetch(transport, seen.base)


@pytest.mark.usefixtures("_trust")
@pytest.mark.parametrize("frame", [with_length, chunked, until_closed])
@pytest.mark.parametrize("size", [0, 1, 16_384, 65_537, MEBIBYTE + 300, 5 * MEBIBYTE])
async def test_an_encrypted_body_comes_as_it_was_sent(frame: Frame, size: int) -> None:
    """Record by record, and none is lost between them."""
    answer = playing(frame(CONTENT[:size]))

    async with vendor(answer, tls=encrypting()) as seen, Transport() as transport:
        content = await fetch(transport, seen.base)

    assert content == CONTENT[:size]


@pytest.mark.usefixtures("_trust")
async def test_an_encrypted_connection_serves_again() -> None:
    """A handshake is paid for once."""
    async with vendor(with_length(b"a"), tls=encrypting()) as seen, Transport() as transport:
        bodies = [await fetch(transport, seen.base) for _ in range(3)]

    assert bodies == [b"a"] * 3
    assert seen.connections == 1


@pytest.mark.usefixtures("_trust")
@pytest.mark.parametrize("came", [1, 3 * MEBIBYTE])
async def test_an_encrypted_body_that_is_cut_is_a_broken_connection(came: int) -> None:
    """Nobody on the way can end a file early."""
    answer = with_length(CONTENT)[: len(with_length(CONTENT)) - len(CONTENT) + came]
    with leaving(answer, tls=encrypting()) as url:
        async with Transport() as transport:
            with pytest.raises(NetworkError, match="broke"):
                await fetch(transport, url)


@pytest.mark.usefixtures("_trust")
async def test_a_certificate_for_another_name_is_refused() -> None:
    """A certificate is good for the host that it names, and nothing is sent to another."""
    async with vendor(with_length(b"a"), tls=encrypting()) as seen, Transport() as transport:
        with pytest.raises(Unreachable, match="ConnectError"):
            await fetch(transport, seen.base.replace("127.0.0.1", "localhost"))

    assert seen.requests == []


async def test_a_certificate_that_nobody_vouches_for_is_refused() -> None:
    """A certificate that is not trusted is as good as none, and nothing is sent."""
    async with vendor(with_length(b"a"), tls=encrypting()) as seen, Transport() as transport:
        with pytest.raises(Unreachable, match="ConnectError"):
            await fetch(transport, seen.base)

    assert seen.requests == []


async def test_a_host_that_speaks_no_tls_is_no_connection() -> None:
    """Plain HTTP where encryption is wanted is not understood as anything else."""
    with leaving(with_length(b"a")) as url:
        async with Transport() as transport:
            with pytest.raises(Unreachable, match="ConnectError"):
                await fetch(transport, url.replace("http:", "https:"))


async def test_a_connection_that_is_refused_says_so() -> None:
    """Nothing was sent, so it may be tried again."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    async with Transport() as transport:
        with pytest.raises(Unreachable, match=rf"127\.0\.0\.1:{port}.*Connection refused"):
            await fetch(transport, f"http://127.0.0.1:{port}/x?sig=SECRET")


@pytest.mark.parametrize(
    "host",
    ["nowhere.invalid", "a" * 64 + ".invalid", "a..invalid", "xn--zz.invalid", "\u00e9.invalid"],
)
async def test_a_name_that_nobody_has_is_no_connection(host: str) -> None:
    """However the name is written, it is told as the network's fault or the vendor's."""
    async with Transport() as transport:
        with pytest.raises((Unreachable, UntrustedAddress)):
            await fetch(transport, f"https://{host}/x")


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0.0.0.0",  # noqa: S104 - it is refused
        "[::ffff:127.0.0.1]",
        "[::1]",
    ],
)
async def test_a_private_address_is_not_connected_to(host: str) -> None:
    """However it is written, and whatever name leads to it."""
    async with vendor(with_length(b"a")) as seen, Transport(admits=is_public) as transport:
        with pytest.raises((UntrustedAddress, Unreachable)) as caught:
            await fetch(transport, seen.base.replace("127.0.0.1", host))

    assert seen.connections == 0
    is_known = host in {"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"}
    assert isinstance(caught.value, UntrustedAddress) or not is_known


async def test_a_name_is_connected_to_at_admitted_addresses_alone() -> None:
    """Each address that a name leads to is looked at."""
    asked: list[str] = []

    def admits(address: object) -> bool:
        asked.append(str(address))
        return True

    async with vendor(with_length(b"a")) as seen, Transport(admits=admits) as transport:
        content = await fetch(transport, seen.base.replace("127.0.0.1", "localhost"))

    assert content == b"a"
    assert all(ip_address(address).is_loopback for address in asked)
    assert asked


@asynccontextmanager
async def listening(host: str, *, backlog: int = 5) -> AsyncIterator[socket.socket]:
    """Listen at an address of this machine, without ever answering."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, 0), family=family, backlog=backlog)
    except OSError:
        pytest.skip("this machine has no such address")
    with listener:
        yield listener


@contextmanager
def silent(listener: socket.socket) -> Iterator[None]:
    """Let a listener take no connection any more: whoever connects to it waits."""
    address = listener.getsockname()
    waiting: list[socket.socket] = []
    try:
        for _ in range(8):
            one = socket.socket(listener.family)
            one.settimeout(0)
            waiting.append(one)
            one.connect_ex(address)
        yield
    finally:
        for one in waiting:
            one.close()


async def addresses(*places: tuple[str, int]) -> list[Any]:
    """Return what a name that leads to these places would be looked up as."""
    found = [await anyio.getaddrinfo(*place, type=socket.SOCK_STREAM) for place in places]
    return [one for several in found for one in several]


def free_port(host: str = "127.0.0.1") -> int:
    """Return a port that nobody listens at."""
    with socket.create_server((host, 0)) as listener:
        return int(listener.getsockname()[1])


async def test_an_address_that_refuses_gives_way_to_the_next_at_once() -> None:
    """A host whose first address is dead is connected to all the same."""
    dead = free_port()
    async with listening("127.0.0.1") as alive:
        port = alive.getsockname()[1]
        with anyio.fail_after(5):
            won = await _Race().winner(await addresses(("127.0.0.1", dead), ("127.0.0.1", port)))

        with won:
            assert won.getpeername() == ("127.0.0.1", port)
            assert not won.getblocking()


async def test_an_address_that_is_silent_gives_way_to_the_next_soon() -> None:
    """Nobody waits for a timeout, and the one that lost is let go of."""
    async with listening("127.0.0.1", backlog=0) as dead, listening("127.0.0.1") as alive:
        with silent(dead), anyio.fail_after(5):
            found = await addresses(dead.getsockname(), alive.getsockname())
            won = await _Race().winner(found)

        with won:
            assert won.getpeername() == alive.getsockname()
    gc.collect()


async def test_the_other_family_is_tried_as_well() -> None:
    """A host that has both kinds of addresses and listens at one is connected to."""
    async with listening("::1") as alive:
        port = alive.getsockname()[1]
        won = await _Race().winner(await addresses(("127.0.0.1", free_port()), ("::1", port)))

        with won:
            assert won.getpeername()[:2] == ("::1", port)


async def test_addresses_that_all_refuse_are_told_as_the_first_was() -> None:
    """The error is the network's, and no connection is left open."""
    found = await addresses(*[("127.0.0.1", free_port()) for _ in range(3)])

    with pytest.raises(ConnectionRefusedError):
        await _Race().winner(found)
    gc.collect()


async def test_a_host_that_does_not_answer_in_time_is_given_up() -> None:
    """The time for a connection is bounded, whatever the system's own patience."""
    async with listening("127.0.0.1", backlog=0) as dead:
        with silent(dead), pytest.raises(httpcore.ConnectTimeout):
            await NetworkBackend(everywhere).connect_tcp("127.0.0.1", dead.getsockname()[1], 0.05)
    gc.collect()


async def test_a_connecting_that_is_cancelled_leaves_nothing_open() -> None:
    """Whoever is in a hurry is let go at once."""
    async with listening("127.0.0.1", backlog=0) as dead:
        with silent(dead), anyio.move_on_after(0.05) as scope:
            await NetworkBackend(everywhere).connect_tcp("127.0.0.1", dead.getsockname()[1])

    assert scope.cancelled_caught
    gc.collect()


@pytest.fixture
def line() -> Iterator[tuple[Connection, socket.socket]]:
    """Return a connection, and its other end."""
    ours, theirs = socket.socketpair()
    ours.settimeout(0)
    with ours, theirs:
        yield Connection(ours), theirs


async def test_a_connection_tells_whether_there_is_something_to_read(
    line: tuple[Connection, socket.socket],
) -> None:
    """That is how a pool finds out that the other side has hung up."""
    connection, theirs = line

    before = connection.get_extra_info("is_readable")
    theirs.close()
    after = connection.get_extra_info("is_readable")
    await connection.aclose()

    assert (before, after) == (False, True)
    assert connection.get_extra_info("is_readable")
    assert connection.get_extra_info("ssl_object") is None
    assert connection.get_extra_info("weather") is None


async def test_a_process_with_many_files_open_is_served_as_any_other() -> None:
    """`select` knows no descriptor beyond 1,024."""
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] <= 1500:
        pytest.skip("this process may not have so many")
    ours, theirs = socket.socketpair()
    high = socket.socket(fileno=fcntl.fcntl(ours.fileno(), fcntl.F_DUPFD, 1500))
    high.settimeout(0)
    with ours, theirs, high:
        connection = Connection(high)

        before = connection.get_extra_info("is_readable")
        theirs.sendall(b"x")
        after = connection.get_extra_info("is_readable")
        read = await connection.read(10, 1)

    assert (before, after, read) == (False, True, b"x")


async def test_a_large_request_is_sent_whole(line: tuple[Connection, socket.socket]) -> None:
    """What does not fit into the line at once follows as there is room."""
    connection, theirs = line
    received = bytearray()
    theirs.settimeout(0)

    async def receive() -> None:
        while len(received) < len(CONTENT):
            await anyio.wait_readable(theirs)
            received.extend(theirs.recv(65_536))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(receive)
        await connection.write(CONTENT, 10)

    assert bytes(received) == CONTENT


async def test_a_line_that_nobody_reads_is_given_up(
    line: tuple[Connection, socket.socket],
) -> None:
    """A request is not written for ever."""
    connection, _ = line

    with pytest.raises(httpcore.WriteTimeout):
        await connection.write(CONTENT, 0.05)


async def test_a_line_that_nothing_comes_on_is_given_up(
    line: tuple[Connection, socket.socket],
) -> None:
    """Neither way of reading waits for ever."""
    connection, _ = line

    with pytest.raises(httpcore.ReadTimeout):
        await connection.read(1, 0.02)
    with pytest.raises(httpcore.ReadTimeout):
        await connection.read_into(memoryview(bytearray(1)), 0.02)


async def test_whoever_waits_on_a_line_is_told_when_it_is_closed(
    line: tuple[Connection, socket.socket],
) -> None:
    """A reader does not wait for what cannot come."""
    connection, _ = line
    told: list[Exception] = []

    async def read() -> None:
        try:
            await connection.read(1)
        except httpcore.ReadError as error:
            told.append(error)

    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(read)
            await anyio.wait_all_tasks_blocked()
            await connection.aclose()

    assert len(told) == 1


async def test_a_proxy_that_the_environment_names_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the proxy that is asked, for the whole address."""
    async with vendor(with_length(CONTENT)) as seen:
        monkeypatch.setenv("HTTP_PROXY", seen.base)
        monkeypatch.setenv("http_proxy", seen.base)
        async with Transport(admits=is_public) as transport:
            content = await fetch(transport, "http://files.invalid/x?y=1")

    assert content == CONTENT
    assert seen.requests[0].startswith(b"GET http://files.invalid/x?y=1 HTTP/1.1\r\n")


async def test_a_cookie_from_behind_a_proxy_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that a host sends goes along with the next request."""
    async with vendor(ok(b"Set-Cookie: a=b; Path=/", body=b"a")) as seen:
        monkeypatch.setenv("HTTP_PROXY", seen.base)
        monkeypatch.setenv("http_proxy", seen.base)
        async with Transport() as transport:
            await fetch(transport, "http://files.invalid/x")
            await fetch(transport, "http://files.invalid/x")

    assert len(seen.requests) == 2
    assert b"ookie" not in seen.requests[1]


async def test_without_a_proxy_the_way_is_our_own() -> None:
    """No environment, no detour."""
    way = network(4, everywhere)
    await way.aclose()

    assert isinstance(way, Network)


def test_only_one_protocol_is_offered() -> None:
    """HTTP/1.1 is all that is spoken, and certificates are checked."""
    context = tls()

    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert os.environ.get("SSLKEYLOGFILE") or context.keylog_filename is None
