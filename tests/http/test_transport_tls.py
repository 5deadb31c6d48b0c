"""Encryption: certificates are checked, and what is offered is what will be spoken."""

import anyio
import anyio.abc
import pytest
from tests.support.wire import CERTIFICATE, OK, encrypting, trust, vendor

from exportjobs import Unreachable
from exportjobs._http.network import tls
from exportjobs._http.transport import Transport
from exportjobs.adapter._flow import Request


@pytest.fixture
def _trust(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let transports have a context of their own, which trusts the vendor's certificate, too."""
    context = tls.__wrapped__()  # one of its own, as it is changed
    context.load_verify_locations(CERTIFICATE)
    trust(context, monkeypatch)


@pytest.mark.usefixtures("_trust")
async def test_a_vendor_with_a_trusted_certificate_is_asked() -> None:
    """The certificates are those that the library's own context trusts."""
    async with vendor(OK, tls=encrypting()) as seen, Transport() as transport:
        answer = await transport.send(Request.get("/"), base_url=seen.base)

    assert answer.json() == {}


@pytest.mark.usefixtures("_trust")
async def test_a_certificate_for_another_name_is_refused() -> None:
    """A certificate is good for the host that it names, and nothing is sent to another."""
    async with vendor(OK, tls=encrypting()) as seen, Transport() as transport:
        base = seen.base.replace("127.0.0.1", "localhost")
        with pytest.raises(Unreachable, match="ConnectError"):
            await transport.send(Request.get("/"), base_url=base)

    assert seen.requests == []


async def test_a_certificate_that_nobody_vouches_for_is_refused() -> None:
    """A certificate that is not trusted is as good as none, and nothing is sent."""
    async with vendor(OK, tls=encrypting()) as seen, Transport() as transport:
        with pytest.raises(Unreachable, match="ConnectError"):
            await transport.send(Request.get("/"), base_url=seen.base)

    assert seen.requests == []


@pytest.mark.usefixtures("_trust")
async def test_a_handshake_names_the_host_and_one_protocol() -> None:
    """The vendor is told which host is wanted, and that HTTP/1.1 is all that will be spoken."""
    greetings: list[bytes] = []

    async def overhear(line: anyio.abc.SocketStream) -> None:
        async with line:
            greetings.append(await line.receive())

    async with (
        await anyio.create_tcp_listener(local_host="127.0.0.1") as listener,
        anyio.create_task_group() as tasks,
        Transport() as transport,
    ):
        tasks.start_soon(listener.serve, overhear)
        port = listener.extra(anyio.abc.SocketAttribute.local_port)  # noqa: S610 - not Django's
        with pytest.raises(Unreachable):
            await transport.send(Request.get("/"), base_url=f"https://localhost:{port}")
        tasks.cancel_scope.cancel()

    assert b"localhost" in greetings[0]
    assert b"\x08http/1.1" in greetings[0]
    assert b"\x02h2" not in greetings[0]
