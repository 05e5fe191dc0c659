import asyncio
from collections.abc import Callable

import aiohttp
import psutil
import pytest

from kajabi_async.testing import FakeKajabi
from tests.examples.serving import APPS, SECRET, Served, ended, serve, settings_for

# Each test starts a process or two.
pytestmark = pytest.mark.thorough

VISITORS = 20
UNTIL_RELEASED = 25.0
"""A latency in seconds that ends when ``fake.closing`` is set."""


@pytest.mark.parametrize("name", APPS)
async def test_requests_under_way_are_answered_before_the_client_is_closed(name: str) -> None:
    """After SIGTERM accepted requests get their pages, new ones are refused, and then the process exits."""
    async with (
        FakeKajabi(customers=VISITORS) as fake,
        serve(name, fake) as served,
        aiohttp.ClientSession(served.base_url) as session,
    ):
        await _status(session, "1")
        fake.latency = UNTIL_RELEASED
        visits = [asyncio.create_task(_status(session, str(number + 1))) for number in range(VISITORS)]
        await _until(lambda: fake.counts["customers.get"] == 1 + VISITORS)
        served.process.terminate()
        await _refused(served)
        assert not any(visit.done() for visit in visits)
        fake.closing.set()
        assert await asyncio.gather(*visits) == [200] * VISITORS
        await served.ended_in_order()


@pytest.mark.parametrize("name", APPS)
async def test_an_idle_connection_does_not_keep_the_process(name: str) -> None:
    """The shutdown does not wait for a browser's open connection."""
    async with (
        FakeKajabi(customers=1) as fake,
        serve(name, fake) as served,
        aiohttp.ClientSession(served.base_url) as session,
    ):
        assert await _status(session, "1") == 200
        await served.stopped()


@pytest.mark.parametrize("name", APPS)
async def test_visitors_who_hang_up_do_no_harm(name: str) -> None:
    """In the middle of their request or before their answer: no error is logged, and others are served."""
    async with FakeKajabi(customers=1) as fake, serve(name, fake) as served:
        await _hang_up(served, f"POST /webhooks/{SECRET} HTTP/1.1\r\nHost: x\r\nContent-Length: 999\r\n\r\n{{".encode())
        fake.latency = UNTIL_RELEASED
        request = b"GET /members/1/profile HTTP/1.1\r\nHost: x\r\n\r\n"
        connections = [await _connect(served, request) for _ in range(10)]
        await _until(lambda: fake.counts["oauth.token"] == 1)
        for connection in connections:
            connection.transport.abort()
        fake.closing.set()
        async with aiohttp.ClientSession(served.base_url) as session:
            assert await _status(session, "1") == 200
        await served.stopped()
        assert "ERROR" not in served.log


@pytest.mark.parametrize("name", APPS)
@pytest.mark.parametrize(
    "missing",
    [
        "KAJABI_CLIENT_SECRET",
        pytest.param("KAJABI_CLIENT_ID", marks=pytest.mark.thorough),
        pytest.param("WEBHOOK_SECRET", marks=pytest.mark.thorough),
    ],
)
async def test_it_does_not_start_without_a_setting(name: str, missing: str) -> None:
    """The log names the missing setting, and shows no other."""
    async with FakeKajabi(customers=1) as fake:
        settings = {key: value for key, value in settings_for(fake).items() if key != missing}
        code, log = await ended(name, settings)
    assert code != 0
    assert missing in log
    assert fake.client_secret not in log
    assert SECRET not in log


@pytest.mark.parametrize("name", APPS)
async def test_it_does_not_start_with_a_secret_that_can_be_guessed(name: str) -> None:
    """The log says how to make one, and does not show the secret."""
    async with FakeKajabi(customers=1) as fake:
        code, log = await ended(name, {**settings_for(fake), "WEBHOOK_SECRET": "password1234"})
    assert code != 0
    assert "secrets.token_urlsafe" in log
    assert "password1234" not in log


async def _status(session: aiohttp.ClientSession, customer_id: str) -> int:
    async with session.get(f"/members/{customer_id}/profile") as answer:
        await answer.read()
        return answer.status


async def _until(is_so: Callable[[], bool]) -> None:
    while not is_so():
        await asyncio.sleep(0.01)


async def _refused(served: Served) -> None:
    """Wait until no new connection is accepted.

    The test inspects the sockets instead of connecting: asyncio of Python 3.11 leaves open what it accepts while it
    closes.
    """
    server = psutil.Process(served.process.pid)
    await _until(lambda: not any(_listens(each) for each in (server, *server.children(recursive=True))))
    with pytest.raises(ConnectionRefusedError):
        await _connect(served, b"")


def _listens(process: psutil.Process) -> bool:
    return any(each.status == psutil.CONN_LISTEN for each in process.net_connections(kind="tcp"))


async def _connect(served: Served, sent: bytes) -> asyncio.StreamWriter:
    host, _, port = served.base_url.removeprefix("http://").partition(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(sent)
    await writer.drain()
    return writer


async def _hang_up(served: Served, sent: bytes) -> None:
    connection = await _connect(served, sent)
    connection.close()
    await connection.wait_closed()
