"""Connections of our own pool between two requests: which is used next, which are closed, and what reads answers."""

import asyncio
import gc
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from weakref import ref

import aiohttp
import pytest
from aiohttp.http import HttpResponseParser

from kajabi_async.exchange import Request
from kajabi_async.session import ClientCredentials, SessionManager, pool
from tests.session.serving import GET, POST, answer, read_request, serving, session

SMALL, LARGE = answer(b'"small"'), answer(b"x" * 200_000)
HEAD = Request("HEAD", "/v1/customers", authorized=False)


class Server:
    """A server that sends the *answers* in turn, each after *seconds*, and knows on which connections requests came."""

    def __init__(self, *answers: bytes, seconds: float = 0.0) -> None:
        self._answers = answers or (SMALL,)
        self._seconds = seconds
        self.used: list[int] = []
        """The number of the connection of each request."""
        self.opened = self.open = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number, self.opened = self.opened, self.opened + 1
        self.open += 1
        try:
            while True:
                await read_request(reader)
                sent = self._answers[len(self.used) % len(self._answers)]
                self.used.append(number)
                await asyncio.sleep(self._seconds)
                writer.write(sent)
        finally:
            self.open -= 1


def chunked(body: bytes, *, size: int, trailer: bytes = b"") -> bytes:
    """Return an answer whose *body* comes in chunks of this *size*, with a *trailer*."""
    pieces = [body[first : first + size] for first in range(0, len(body), size)]
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.api+json\r\nTransfer-Encoding: chunked\r\n\r\n"
    return b"%b%b0\r\n%b\r\n" % (head, chunks, trailer)


@asynccontextmanager
async def connected(server: Server) -> AsyncGenerator[SessionManager]:
    async with serving(server) as base_url, session(base_url) as manager:
        yield manager


async def at_once(manager: SessionManager, number: int) -> None:
    await asyncio.gather(*(manager.send(GET) for _ in range(number)))


async def until(happened: Any) -> None:
    async with asyncio.timeout(10):
        while not happened():
            await asyncio.sleep(0.005)


async def test_the_connection_of_the_latest_answer_is_used_next() -> None:
    """So the others are not needed any more, and can be closed."""
    server = Server(seconds=0.01)
    async with connected(server) as manager:
        await at_once(manager, 4)
        del server.used[:]
        for _ in range(4):
            await manager.send(GET)
        assert len(set(server.used)) == 1
        await at_once(manager, 4)
    assert server.opened == 4


async def test_connections_that_are_not_needed_any_more_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each some time after its last answer, while another one goes on."""
    monkeypatch.setattr(pool, "_KEEP_ALIVE_SECONDS", 0.2)
    server = Server()
    async with connected(server) as manager:
        await at_once(manager, 4)
        while server.open > 1:
            await manager.send(GET)
            await asyncio.sleep(0.01)
        assert set(server.used[-5:]) == {server.used[-1]}
        await until(lambda: not server.open)
        await manager.send(GET)
    assert server.opened == 5


async def test_the_timer_closes_what_was_idle_for_too_long_and_nothing_else() -> None:
    """And goes off again for the rest."""
    server = Server(seconds=0.01)
    async with connected(server) as manager:
        await at_once(manager, 3)
        transport: Any = manager._transport
        kept: pool.Pool = transport._connector
        for connection in list(kept._idle)[:2]:
            connection.idle_since -= pool._KEEP_ALIVE_SECONDS
        kept.close_idle()
        await until(lambda: server.open == 1)
        assert len(kept._idle) == 1
        assert kept._idle_timer is not None
        assert not kept._conns
        await manager.send(GET)
    assert server.opened == 3


async def test_a_connection_that_was_idle_for_too_long_is_not_used_though_the_timer_is_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As it is in a program that computes for a while."""
    server = Server()
    async with connected(server) as manager:
        await manager.send(GET)
        monkeypatch.setattr(pool, "_KEEP_ALIVE_SECONDS", -1.0)
        await manager.send(GET)
    assert (server.used, server.opened) == ([0, 1], 2)


async def test_closing_the_client_ends_idle_connections_and_their_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of them is left in the event loop."""
    calls: list[pool.Pool] = []
    monkeypatch.setattr(pool.Pool, "close_idle", calls.append)
    monkeypatch.setattr(pool, "_KEEP_ALIVE_SECONDS", 0.05)
    server = Server(seconds=0.01)
    async with connected(server) as manager:
        await at_once(manager, 3)
        assert server.open == 3
        await manager.aclose()
        await until(lambda: not server.open)
        await asyncio.sleep(0.1)
    assert not calls


async def test_a_connection_whose_answer_ends_after_the_client_was_closed_is_not_kept() -> None:
    """Nothing would close it, and its timer would be left."""
    server = Server()
    async with connected(server) as manager:
        await manager.send(GET)
        transport: Any = manager._transport
        kept: pool.Pool = transport._connector
        connection = kept._idle.pop()
        kept._idle_timer = None
        exchange = pool.Exchange(manager._deadlines.limit(None), None, connection=connection)
        # In the same iteration of the event loop, in which the connection does not know yet that it is lost.
        kept.close_at_once()
        kept._answered(exchange, 0)
        assert (len(kept._idle), kept._idle_timer, exchange.connection) == (0, None, None)


async def test_a_client_that_was_dropped_leaves_no_timer_that_does_something() -> None:
    """The timer of its idle connections does not keep it alive."""
    server = Server()
    async with serving(server) as base_url:
        manager = SessionManager(base_url=base_url, credentials=ClientCredentials("id", "secret"))
        await manager.send(GET)
        assert server.open == 1
        with pytest.warns(ResourceWarning, match="was dropped without being closed"):
            del manager
            gc.collect()
        await until(lambda: not server.open)


async def test_a_session_takes_over_idle_connections_and_leaves_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tracer that is turned on and off costs no connection."""
    server = Server(seconds=0.01)
    ask = aiohttp.ClientSession._request

    async def watched(*arguments: Any, **options: Any) -> aiohttp.ClientResponse:
        return await ask(*arguments, **options)

    async with connected(server) as manager:
        for _ in range(2):
            await at_once(manager, 3)
            monkeypatch.setattr(aiohttp.ClientSession, "_request", watched)
            await at_once(manager, 3)
            monkeypatch.undo()
        assert (await manager.send(GET)).body == b'"small"'
    assert server.opened == 3


async def test_a_session_that_takes_over_an_idle_connection_knows_for_how_long_it_was_idle(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After too long it is not used, as anything on the way may have forgotten it."""
    monkeypatch.setattr(pool, "_KEEP_ALIVE_SECONDS", 0.2)
    ask = aiohttp.ClientSession._request

    async def watched(*arguments: Any, **options: Any) -> aiohttp.ClientResponse:
        return await ask(*arguments, **options)

    server = Server()
    async with connected(server) as manager:
        await manager.send(GET)
        time.sleep(0.3)  # noqa: ASYNC251 - no timer goes off meanwhile
        monkeypatch.setattr(aiohttp.ClientSession, "_request", watched)
        await manager.send(GET)
        await manager.send(GET)
    assert server.used == [0, 1, 1]


async def test_idle_connections_are_no_garbage_after_the_client_was_closed() -> None:
    """Nothing is left for the garbage collector."""
    server = Server(seconds=0.01)
    async with connected(server) as manager:
        await at_once(manager, 3)
        transport: Any = manager._transport
        connections = [ref(each) for each in transport._connector._idle]
        assert len(connections) == 3
        del transport
        gc.collect()
        gc.disable()
        try:
            await manager.aclose()
            await until(lambda: not server.open)
            assert [each() for each in connections] == [None] * 3
        finally:
            gc.enable()


class Parsers:
    """Counts the parsers that are made."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made = 0
        self._make: Any = HttpResponseParser
        monkeypatch.setattr("aiohttp.client_proto.HttpResponseParser", self)

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        self.made += 1
        return self._make(*arguments, **options)


@pytest.mark.skipif(not pool._PARSES_IN_C, reason="aiohttp parses in Python here, and each answer has its own parser")
@pytest.mark.parametrize(
    ("answers", "requests", "made"),
    [
        ((SMALL,), (GET, GET, POST, GET), 1),
        ((SMALL, answer(b"", status="204 No Content"), answer(b"no", status="404 Not Found"), SMALL), (GET,) * 4, 1),
        ((LARGE,), (GET, GET), 2),
        ((SMALL, answer(b"")[:-4] + b"\r\n\r\n", SMALL), (GET, HEAD, GET), 3),
        ((b"HTTP/1.1 103 Early Hints\r\n\r\n" + SMALL,), (GET, GET), 1),
        ((chunked(b"{}", size=2), SMALL), (GET, GET, GET, GET), 3),
    ],
    ids=["whole answers", "any status", "answers in pieces", "no body", "interim answers", "chunks"],
)
async def test_the_parser_of_a_whole_answer_reads_the_next_one(
    answers: tuple[bytes, ...], requests: tuple[Request, ...], made: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each answer has its own headers, status and body."""
    parsers, server = Parsers(monkeypatch), Server(*answers)
    async with connected(server) as manager:
        transport: Any = manager._transport
        for request, sent in zip(requests, (*answers, *answers, *answers), strict=False):
            found = await transport.send(request, None, manager._deadlines.limit(None))
            assert f"HTTP/1.1 {found.status} ".encode() in sent
            whole = b"{}" if b"chunked" in sent else sent.rpartition(b"\r\n\r\n")[2]
            assert found.body == (b"" if request is HEAD else whole)
    assert (parsers.made, server.opened) == (made, 1)


@pytest.mark.parametrize(
    "trailer",
    [
        b"X-Request-Id: first\r\n",
        b"Content-Type: text/html\r\n",
        b"Content-Encoding: gzip\r\n",
        b"Connection: close\r\n",
    ],
)
async def test_the_trailer_of_an_answer_is_no_header_of_the_next(trailer: bytes) -> None:
    """The parser would keep it for that."""
    server = Server(chunked(b"{}", size=2, trailer=trailer), SMALL, SMALL)
    async with connected(server) as manager:
        assert (await manager.send(GET)).body == b"{}"
        following, another = await manager.send(GET), await manager.send(GET)
    assert (following.body, dict(following.headers)) == (b'"small"', dict(another.headers))
    assert server.opened == 1


@pytest.mark.parametrize("chunks", [16_383, 16_384, 16_385, 16_386])
async def test_an_answer_in_very_many_chunks_does_not_hold_up_the_next(chunks: int) -> None:
    """aiohttp pauses the parser at some of these numbers, after the last chunk."""
    server = Server(chunked(b'"%b"' % (b"x" * (chunks - 2)), size=1), SMALL)
    async with connected(server) as manager:
        assert len((await manager.send(GET)).body) == chunks
        assert (await manager.send(GET)).body == b'"small"'


@pytest.mark.parametrize("surplus", [SMALL[:20], SMALL[:-9], b"H"])
async def test_a_part_of_an_answer_right_behind_another_is_not_the_beginning_of_the_next(surplus: bytes) -> None:
    """Both arrive in the same piece; the connection is closed, though the answer is good."""
    server = Server(answer(b'"first"') + surplus, SMALL)
    async with connected(server) as manager:
        assert (await manager.send(GET)).body == b'"first"'
        assert (await manager.send(GET)).body == b'"small"'
    assert server.opened == 2
