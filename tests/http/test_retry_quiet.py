"""The libraries below are silent while this one talks, and at no other time."""

import logging

import anyio
import httpx
import pytest
from tests.support.hosts import always, serving

from exportjobs._http.retry import quiet
from exportjobs._http.transport import Transport
from exportjobs.adapter._flow import Request

BELOW = [
    "httpx",
    "httpcore.connection",
    "httpcore.http11",
    "httpcore.http2",
    "httpcore.proxy",
    "httpcore.socks",
    "stamina",
]


def of_requests(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged of requests; that TLS is set up, older versions of httpx log as well."""
    return [
        record.getMessage()
        for record in caplog.records
        if record.name.startswith(("httpx", "httpcore")) and "load_" not in record.getMessage()
    ]


@pytest.fixture(autouse=True)
def _everything_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)


@pytest.mark.parametrize("name", BELOW)
def test_a_library_below_is_silent_inside_and_heard_outside(
    caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """What a library logs while we talk is dropped, before and after it is not."""
    logger = logging.getLogger(name)

    logger.warning("before")
    with quiet():
        logger.warning("inside")
    logger.warning("after")

    assert caplog.messages == ["before", "after"]


def test_others_are_heard_all_the_time(caplog: pytest.LogCaptureFixture) -> None:
    """A logger of the application is not touched."""
    with quiet():
        logging.getLogger("application").debug("inside")

    assert caplog.messages == ["inside"]


def test_an_error_ends_the_silence(caplog: pytest.LogCaptureFixture) -> None:
    """Silence ends with the block, however it is left."""
    with pytest.raises(ZeroDivisionError), quiet():
        raise ZeroDivisionError

    logging.getLogger("httpx").info("after")

    assert caplog.messages == ["after"]


async def test_a_request_of_ours_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Neither a request nor a stream of ours is written to httpx's log."""
    transport = Transport(always(httpx.Response(200)))

    await transport.send(Request.get("/x"), base_url="https://api.acme.test")
    async with transport.stream("https://files.test/x?sig=s", {}):
        pass

    assert of_requests(caplog) == []


async def test_a_request_of_the_application_is_logged_meanwhile(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """While a request of ours is under way, another task's own httpx logs as ever."""
    asked, go_on = anyio.Event(), anyio.Event()

    async def answer(_: httpx.Request) -> httpx.Response:
        asked.set()
        await go_on.wait()
        return httpx.Response(200)

    transport = Transport(httpx.MockTransport(answer))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: transport.send(Request.get("/ours"), base_url="https://a.test"))
        await asked.wait()
        async with httpx.AsyncClient(transport=always(httpx.Response(204))) as client:
            await client.get("https://theirs.test/")
        go_on.set()

    (message,) = of_requests(caplog)
    assert "theirs.test" in message


async def test_the_connections_of_the_application_are_logged_afterwards(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Having talked ourselves does not silence httpcore for the rest of the process."""
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

    async with serving(raw) as base:
        async with Transport() as transport:
            await transport.send(Request.get("/ours"), base_url=base)
        ours = [record.name for record in caplog.records if "request" in record.getMessage()]
        async with httpx.AsyncClient() as client:
            await client.get(f"{base}/theirs")

    assert ours == []
    assert "httpcore.http11" in {record.name for record in caplog.records}
