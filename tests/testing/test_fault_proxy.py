"""A proxy in front of a server passes everything on, modified by its toxics."""

import asyncio
import random
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import Random

import pytest
import pytest_asyncio
import redis.asyncio

from kajabi_async import Kajabi
from kajabi_async.testing import FakeKajabi, FaultProxy, Toxic, toxics
from kajabi_async.testing.network.connection import Direction
from kajabi_async.testing.network.resets import reset
from kajabi_async.testing.toxics import AppliedToxic, PassOn
from tests.redis_server import free_port
from tests.testing.raw import Line, line_to

_LARGE = random.Random(1).randbytes(1_000_000)


class _Echo:
    """A server that echoes what it receives, and records how its connections ended."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.ends: list[str] = []
        self.ended = asyncio.Event()
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while piece := await reader.read(65536):
                self.received += piece
                writer.write(piece)
                await writer.drain()
            self.ends.append("closed")
        except ConnectionError:
            self.ends.append("reset")
        finally:
            self.ended.set()
            writer.close()


@pytest_asyncio.fixture
async def echo() -> AsyncIterator[_Echo]:
    echo = _Echo()
    server = await asyncio.start_server(echo.serve, "127.0.0.1", 0)
    echo.port = server.sockets[0].getsockname()[1]
    yield echo
    server.close()


@pytest_asyncio.fixture
async def proxy(echo: _Echo) -> AsyncIterator[FaultProxy]:
    async with FaultProxy(f"127.0.0.1:{echo.port}") as proxy:
        yield proxy


@asynccontextmanager
async def _line(proxy: FaultProxy) -> AsyncGenerator[Line]:
    """Yield a connection that the proxy has joined with the server."""
    async with line_to(proxy.port) as line:
        await _until(lambda: proxy.open_connections > 0)
        yield line


async def _until(is_so: Callable[[], bool]) -> None:
    for _ in range(20_000):
        if is_so():
            return
        await asyncio.sleep(0.001)
    raise AssertionError


async def _echoed(line: Line, sent: bytes) -> bytes:
    line.writer.write(sent)
    return await line.reader.readexactly(len(sent))


async def test_without_toxics_everything_passes(echo: _Echo, proxy: FaultProxy) -> None:
    """Bytes pass both ways unchanged until the end, and are counted."""
    async with _line(proxy) as line:
        assert await _echoed(line, _LARGE) == _LARGE
        line.writer.write_eof()
        assert await line.rest() == (b"", "closed")
    await _until(lambda: proxy.open_connections == 0)
    assert echo.ends == ["closed"]
    assert proxy.counts == {"accepted": 1, "closed": 1, "bytes_upstream": len(_LARGE), "bytes_downstream": len(_LARGE)}


async def test_a_client_that_is_done_sending_still_gets_its_answer(echo: _Echo, proxy: FaultProxy) -> None:
    """The end of one direction does not end the other."""
    async with _line(proxy) as line:
        line.writer.write(b"last words")
        line.writer.write_eof()
        assert await line.rest() == (b"last words", "closed")
    assert echo.ends == ["closed"]


@pytest.mark.parametrize("toxic", [toxics.Latency(0.001, 0.001), toxics.Slicer(1000, 500), toxics.Bandwidth(1e8)])
@pytest.mark.parametrize("direction", ["upstream", "downstream"])
async def test_a_toxic_that_only_delays_loses_nothing(proxy: FaultProxy, toxic: Toxic, direction: Direction) -> None:
    """The bytes arrive in order."""
    proxy.add(toxic, direction)
    async with _line(proxy) as line:
        reading = asyncio.create_task(line.reader.readexactly(len(_LARGE)))
        await line.send(_LARGE)
        assert await reading == _LARGE


@pytest.mark.parametrize("toxic", [toxics.Latency(600.0), toxics.Bandwidth(0.001), toxics.Slicer(1, 0, 600.0)])
async def test_a_toxic_that_is_removed_stops_at_once(proxy: FaultProxy, toxic: Toxic) -> None:
    """Delayed bytes arrive, on connections that were already open."""
    active = proxy.add(toxic)
    async with _line(proxy) as line:
        line.writer.write(b"hello")
        await _until(lambda: proxy.counts["bytes_upstream"] == 5)
        assert proxy.counts["bytes_downstream"] < 5
        proxy.remove(active)
        assert await line.reader.readexactly(5) == b"hello"


async def test_latency_holds_one_direction_up(echo: _Echo, proxy: FaultProxy) -> None:
    """Upstream the request is late, downstream the answer."""
    proxy.add(toxics.Latency(600.0), "upstream")
    async with _line(proxy) as line:
        line.writer.write(b"hello")
        await line.writer.drain()
        await asyncio.sleep(0.01)
        assert not echo.received


async def test_many_pieces_are_late_together_and_not_one_after_another() -> None:
    """Each piece is delayed from its own arrival."""
    loop = asyncio.get_running_loop()
    passed: list[bytes] = []
    applied = AppliedToxic(toxics.Latency(1000.0), 1, _Untouched(), Random(1))

    async def pass_on(piece: bytes) -> None:
        passed.append(piece)

    for piece in (b"a", b"b", b"c"):
        await applied.toxic.passing(piece, loop.time() - 1000.0, applied, pass_on)
    assert passed == [b"a", b"b", b"c"]


class _Untouched:
    def close(self) -> None:
        raise AssertionError

    def reset(self) -> None:
        raise AssertionError


def test_slices_are_as_large_as_was_ordered_and_drawn_from_the_seed() -> None:
    """Joined, the slices are the whole."""
    slicer = toxics.Slicer(100, 30)
    slices = list(slicer.slices(_LARGE, Random(5)))
    assert b"".join(slices) == _LARGE
    assert {len(part) for part in slices[:-1]} <= set(range(70, 131))
    assert slices == list(slicer.slices(_LARGE, Random(5)))
    assert slices != list(slicer.slices(_LARGE, Random(6)))


async def test_bandwidth_passes_what_a_twentieth_of_a_second_allows() -> None:
    """It passes piece by piece."""
    pieces: list[bytes] = []
    applied = AppliedToxic(toxics.Bandwidth(1000.0), 1, _Untouched(), Random(1))
    applied.removed.set()

    async def pass_on(piece: bytes) -> None:
        pieces.append(piece)

    await applied.toxic.passing(b"x" * 120, 0.0, applied, pass_on)
    assert [len(piece) for piece in pieces] == [50, 50, 20]


@pytest.mark.parametrize("limit", [0, 1, 1000, 700_000])
async def test_limit_data_closes_after_its_limit(proxy: FaultProxy, limit: int) -> None:
    """Exactly that number of bytes arrives, then the end in order."""
    proxy.add(toxics.LimitData(limit))
    async with _line(proxy) as line:
        reading = asyncio.create_task(line.rest())
        line.writer.write(_LARGE)
        got, ended = await reading
    assert (got, ended) == (_LARGE[:limit], "closed")
    assert proxy.counts["bytes_downstream"] == limit


async def test_limit_data_counts_upstream_too(echo: _Echo, proxy: FaultProxy) -> None:
    """The server receives no more than the limit."""
    proxy.add(toxics.LimitData(10), "upstream")
    async with _line(proxy) as line:
        line.writer.write(b"0123456789abcdef")
        await line.rest()
    await echo.ended.wait()
    assert bytes(echo.received) == b"0123456789"


async def test_a_reset_reaches_both_ends(echo: _Echo, proxy: FaultProxy) -> None:
    """Open connections get an RST when it is added, new ones when they are made."""
    async with _line(proxy) as line:
        assert await _echoed(line, b"fine") == b"fine"
        active = proxy.add(toxics.ResetPeer())
        assert await line.rest() == (b"", "reset")
        await echo.ended.wait()
    async with line_to(proxy.port) as line:
        assert await line.rest() == (b"", "reset")
    assert proxy.counts["reset"] == 2
    assert echo.ends[0] == "reset"
    proxy.remove(active)
    async with _line(proxy) as line:
        assert await _echoed(line, b"fine") == b"fine"


async def test_a_reset_that_is_to_come_can_be_called_off(proxy: FaultProxy) -> None:
    """Until then everything passes."""
    active = proxy.add(toxics.ResetPeer(600.0))
    async with _line(proxy) as line:
        assert await _echoed(line, b"fine") == b"fine"
        proxy.remove(active)
        assert await _echoed(line, b"fine") == b"fine"


async def test_a_timeout_swallows_everything_and_then_closes(echo: _Echo, proxy: FaultProxy) -> None:
    """The connection closes in order, after the timeout."""
    proxy.add(toxics.Timeout(0.02), "upstream")
    async with _line(proxy) as line:
        line.writer.write(b"hello")
        assert await line.rest() == (b"", "closed")
    assert not echo.received


async def test_a_timeout_of_zero_closes_when_it_is_removed(echo: _Echo, proxy: FaultProxy) -> None:
    """Lost bytes cannot be recovered, so the connection must not continue."""
    active = proxy.add(toxics.Timeout(), "upstream")
    async with _line(proxy) as line:
        await line.send(b"hello")
        await asyncio.sleep(0.01)
        assert proxy.open_connections == 1
        proxy.remove(active)
        assert await line.rest() == (b"", "closed")
    assert not echo.received


async def test_a_slow_close_holds_the_end_and_not_the_bytes(echo: _Echo, proxy: FaultProxy) -> None:
    """Removing it passes the end on."""
    active = proxy.add(toxics.SlowClose(600.0), "upstream")
    async with _line(proxy) as line:
        assert await _echoed(line, b"hello") == b"hello"
        line.writer.write_eof()
        await asyncio.sleep(0.01)
        assert not echo.ends
        proxy.remove(active)
        assert await line.rest() == (b"", "closed")
    assert echo.ends == ["closed"]


async def test_down_is_refused_connections_and_cut_ones(echo: _Echo, proxy: FaultProxy) -> None:
    """Afterwards the proxy listens on the same port."""
    port = proxy.port
    async with _line(proxy) as line:
        first, second = proxy.add(toxics.Down()), proxy.add(toxics.Down())
        assert (await line.rest())[0] == b""
    for active in (first, second):
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
        proxy.remove(active)
    async with _line(proxy) as line:
        assert await _echoed(line, b"back") == b"back"
    assert proxy.port == port
    assert proxy.toxics == ()
    assert echo.received == b"back"


async def test_a_proxy_can_start_down(echo: _Echo) -> None:
    """It has a port of its own."""
    proxy = FaultProxy(f"127.0.0.1:{echo.port}")
    proxy.add(toxics.Down())
    async with proxy:
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", proxy.port)
        proxy.clear()
        async with _line(proxy) as line:
            assert await _echoed(line, b"up") == b"up"


async def test_a_port_that_was_taken_meanwhile_is_reported(proxy: FaultProxy) -> None:
    """The proxy listens again when the port is free."""
    active = proxy.add(toxics.Down())
    with socket.socket() as taker:
        taker.bind(("127.0.0.1", proxy.port))
        taker.listen()
        with pytest.raises(OSError, match="in use"):
            proxy.remove(active)
    proxy.remove(proxy.add(toxics.Down()))
    async with _line(proxy) as line:
        assert await _echoed(line, b"back") == b"back"


async def test_a_client_that_breaks_off_leaves_nothing_open(echo: _Echo, proxy: FaultProxy) -> None:
    """The server sees the end, and the proxy closes the connection."""
    async with _line(proxy) as line:
        reset(line.writer.transport)
        await echo.ended.wait()
    await _until(lambda: proxy.open_connections == 0)
    assert (proxy.counts["closed"], proxy.counts["reset"]) == (1, 0)


async def test_a_target_that_is_not_there_closes_the_connection() -> None:
    """A proxy cannot refuse an accepted connection."""
    async with FaultProxy(f"127.0.0.1:{free_port()}") as proxy, line_to(proxy.port) as line:
        assert await line.rest() == (b"", "closed")
        assert proxy.counts["unreachable"] == 1


async def _fates(target: str, seed: int) -> list[bool]:
    """Return which of 30 connections were reset."""
    fates: list[bool] = []
    async with FaultProxy(target, seed=seed) as proxy:
        proxy.add(toxics.ResetPeer(), toxicity=0.5)
        for _ in range(30):
            async with line_to(proxy.port) as line:
                line.writer.write(b"x")
                line.writer.write_eof()
                fates.append((await line.rest())[1] == "reset")
    return fates


async def test_a_toxicity_hits_a_share_of_the_connections_the_same_each_time(echo: _Echo) -> None:
    """The share depends on the seed and the number of the connection."""
    target = f"127.0.0.1:{echo.port}"
    first, again, other = await _fates(target, 1), await _fates(target, 1), await _fates(target, 2)
    assert first == again != other
    assert 5 < sum(first) < 25


async def test_toxics_work_in_the_order_they_were_added(echo: _Echo, proxy: FaultProxy) -> None:
    """Each works on the output of the one before; a custom toxic is a small class."""

    class Marking(Toxic):
        kind = "marking"

        def __init__(self, mark: bytes) -> None:
            self.mark = mark

        async def passing(self, piece: bytes, arrived_at: float, applied: AppliedToxic, pass_on: PassOn) -> None:
            del arrived_at, applied
            await pass_on(piece + self.mark)

    proxy.add(Marking(b"1"), "upstream")
    proxy.add(Marking(b"2"), "upstream")
    async with _line(proxy) as line:
        line.writer.write(b"x")
        assert await line.reader.readexactly(3) == b"x12"
    assert echo.received == b"x12"


async def test_closing_the_proxy_breaks_what_is_open(echo: _Echo) -> None:
    """Bytes delayed in a toxic do not block it; a second close does nothing."""
    proxy = FaultProxy(f"127.0.0.1:{echo.port}")
    await proxy.start()
    proxy.add(toxics.Latency(600.0))
    async with _line(proxy) as line:
        line.writer.write(b"hello")
        await proxy.aclose()
        assert (await line.rest())[0] == b""
    await proxy.aclose()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", proxy.port)


@pytest.mark.parametrize(
    ("target", "url"),
    [
        ("redis://:pw@127.0.0.1:6379/2", "redis://:pw@127.0.0.1:{port}/2"),
        ("redis://localhost", "redis://127.0.0.1:{port}"),
        ("http://127.0.0.1:8900", "http://127.0.0.1:{port}"),
        ("localhost:5432", "tcp://127.0.0.1:{port}"),
    ],
)
async def test_the_url_of_a_proxy_is_the_target_s_with_its_own_port(target: str, url: str) -> None:
    """It can be used wherever the target's URL can."""
    async with FaultProxy(target) as proxy:
        assert proxy.url == url.format(port=proxy.port)


async def test_mistakes_are_reported(proxy: FaultProxy) -> None:
    """A toxic that never acts would make a test pass for nothing."""
    for target in ("localhost", "tcp://127.0.0.1", "http://"):
        with pytest.raises(ValueError, match="host and a port"):
            FaultProxy(target)
    with pytest.raises(ValueError, match="upstream and downstream"):
        proxy.add(toxics.Down(), "sideways")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="between 0 and 1"):
        proxy.add(toxics.Down(), toxicity=2.0)
    with pytest.raises(ValueError, match="bandwidth: bytes_per_second is more than 0"):
        toxics.Bandwidth(0)
    with pytest.raises(ValueError, match="latency: seconds is at least 0"):
        toxics.Latency(-1)
    active = proxy.add(toxics.Latency(0))
    proxy.remove(active)
    with pytest.raises(ValueError, match="no such toxic"):
        proxy.remove(active)
    with pytest.raises(RuntimeError, match="started once"):
        await proxy.start()
    with pytest.raises(RuntimeError, match="not listening"):
        _ = FaultProxy("localhost:1").port


async def test_a_client_of_the_fake_works_through_a_proxy() -> None:
    """It works with small pieces, and after a reset of its connection."""
    async with FakeKajabi(customers=5) as fake, FaultProxy(fake.base_url) as proxy:
        proxy.add(toxics.Slicer(7, 3))
        async with Kajabi(client_id=fake.client_id, client_secret=fake.client_secret, base_url=proxy.url) as api:
            assert (await api.customers.get("1")).id == "1"
            proxy.remove(proxy.add(toxics.ResetPeer()))
            proxy.clear()
            assert (await api.customers.get("2")).id == "2"


async def test_redis_works_through_a_proxy_and_breaks_when_it_is_down(redis_url: str) -> None:
    """A proxy does not depend on HTTP."""
    async with FaultProxy(redis_url) as proxy:
        client = redis.asyncio.Redis.from_url(proxy.url, socket_timeout=20)  # pyright: ignore[reportUnknownMemberType]
        try:
            await client.set("key", b"value")
            assert await client.get("key") == b"value"
            proxy.add(toxics.Down())
            with pytest.raises(redis.asyncio.ConnectionError):
                await client.get("key")
            proxy.clear()
            assert await client.get("key") == b"value"
        finally:
            await client.aclose()
