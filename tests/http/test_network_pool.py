"""Connections to hosts: kept for the next request, never more than wanted, and none left behind."""

from contextlib import AsyncExitStack

import anyio
import httpcore
import pytest
from tests.support.wire import OK, Vendor, playing, vendor

from exportjobs._http import network
from exportjobs._http.connect import NetworkBackend
from exportjobs._http.network import Pool, tls
from exportjobs._http.origins import everywhere
from exportjobs._http.transport import Transport
from exportjobs.adapter._flow import Request


async def ask(transport: Transport, seen: Vendor) -> None:
    """Send a request, and take the whole answer in."""
    await transport.send(Request.get("/"), base_url=seen.base)


async def test_many_requests_share_as_few_connections_as_are_wanted() -> None:
    """Thirty requests, of which three may be under way, take three connections at the most."""
    async with (
        vendor(OK) as seen,
        Transport(connections=3) as transport,
        anyio.create_task_group() as tasks,
    ):
        for _ in range(30):
            tasks.start_soon(ask, transport, seen)

    assert len(seen.requests) == 30
    assert seen.connections <= 3


async def test_the_connection_that_was_idle_longest_gives_way_to_another_host() -> None:
    """Of three hosts asked in turn with two connections to have, the first is hung up on."""
    async with AsyncExitStack() as stack:
        first, second, third = [await stack.enter_async_context(vendor(OK)) for _ in range(3)]
        transport = await stack.enter_async_context(Transport(connections=2))

        for seen in (first, second, third):
            await ask(transport, seen)
        await first.hung_up()
        for seen in (second, third):
            await ask(transport, seen)

    assert [seen.connections for seen in (first, second, third)] == [1, 1, 1]


async def test_a_connection_that_was_idle_for_long_is_not_used_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its host may be about to close it."""
    monkeypatch.setattr(network, "_KEPT_ALIVE", -1.0)

    async with vendor(OK) as seen, Transport() as transport:
        await ask(transport, seen)
        await ask(transport, seen)

    assert seen.connections == 2


async def test_a_connection_that_was_idle_for_long_is_hung_up_when_another_is_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also where its host is never asked again."""
    monkeypatch.setattr(network, "_KEPT_ALIVE", -1.0)

    async with vendor(OK) as first, vendor(OK) as second, Transport() as transport:
        await ask(transport, first)
        await ask(transport, second)
        with anyio.fail_after(5):
            await first.hung_up()


async def test_a_request_that_is_cancelled_at_once_leaves_no_line_open() -> None:
    """Neither is the line that it had taken for itself used for another."""
    pool = Pool(1, NetworkBackend(everywhere), tls)

    async with vendor(OK) as seen:
        request = httpcore.Request("GET", seen.base, headers={"Host": "vendor"})
        answer, line = await pool.send(request)
        await answer.aread()
        await answer.aclose()
        await pool.take_back(line)
        with anyio.CancelScope() as scope:
            scope.cancel()
            await pool.send(request)
        with anyio.fail_after(5):
            await seen.hung_up()

    assert scope.cancelled_caught
    assert len(seen.requests) == 1


async def test_a_body_that_outlasts_its_transport_is_hung_up_on() -> None:
    """What is in use when the transport is closed is not kept afterwards."""
    async with vendor(playing(OK, then="keep")) as seen:
        async with Transport() as transport:
            opened = transport.stream(seen.base, {})
            await opened.__aenter__()
        await opened.__aexit__(None, None, None)
        with anyio.fail_after(5):
            await seen.hung_up()
