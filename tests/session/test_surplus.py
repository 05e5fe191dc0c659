"""Bytes that a server sends unasked: they answer no request, least of all the next one."""

import asyncio
import os
import socket
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from kajabi_async import KajabiError, RetryPolicy
from kajabi_async.exchange import Request
from tests.session.serving import GET, POST, answer, read_request, serving, session

MINE = answer(b'"mine"')
STRANGERS = answer(b'"a stranger\'s"')


class Chatty:
    """A server that sends *surplus* some time after its first answer, and counts connections."""

    def __init__(self, surplus: bytes, *, after: float | None = 0.0, first: bytes = MINE) -> None:
        self.connections = self.requests = 0
        self.has_sent = asyncio.Event()
        self._surplus = surplus
        self._after = after
        self._first = first

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while True:
            await read_request(reader)
            self.requests += 1
            if self.requests > 1:
                writer.write(MINE)
                continue
            if self._after is None:
                writer.write(self._first + self._surplus)
            else:
                writer.write(self._first)
                await asyncio.sleep(self._after)
                writer.write(self._surplus)
            await writer.drain()
            self.has_sent.set()


SURPLUS = {
    "a whole answer": STRANGERS,
    "two answers": STRANGERS * 2,
    "the beginning of an answer": STRANGERS[:20],
    "an answer without its body": answer(b"x" * 100)[:-100],
    "a line end": b"\r\n",
    "rubbish": b"\x00\xff",
    "a request timeout": answer(b"", status="408 Request Timeout", headers="Connection: close\r\n"),
    "an early hint": b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n",
}


@asynccontextmanager
async def _manager(base_url: str, *, handed_in: bool) -> AsyncGenerator[Any]:
    async with aiohttp.ClientSession() as theirs:
        settings: dict[str, Any] = {"http_session": theirs} if handed_in else {}
        async with session(base_url, retry=RetryPolicy(max_attempts=2, base_seconds=0.0), **settings) as manager:
            yield manager


@pytest.mark.parametrize("handed_in", [False, True], ids=["our pool", "handed in"])
@pytest.mark.parametrize("request_", [GET, POST], ids=["read", "write"])
@pytest.mark.parametrize("surplus", SURPLUS.values(), ids=SURPLUS)
async def test_what_comes_on_an_idle_connection_is_not_the_next_answer(
    surplus: bytes, request_: Request, *, handed_in: bool
) -> None:
    """The connection is closed and replaced."""
    server = Chatty(surplus, after=0.01)
    async with serving(server) as base_url, _manager(base_url, handed_in=handed_in) as manager:
        assert (await manager.send(GET)).body == b'"mine"'
        await server.has_sent.wait()
        await asyncio.sleep(0.02)
        for _ in range(3):
            assert (await manager.send(request_)).body == b'"mine"'
    assert (server.connections, server.requests) == (2, 4)


@pytest.mark.parametrize("handed_in", [False, True], ids=["our pool", "handed in"])
@pytest.mark.parametrize("surplus", SURPLUS.values(), ids=SURPLUS)
async def test_what_has_come_but_was_not_read_yet_is_not_the_next_answer_either(
    surplus: bytes, *, handed_in: bool
) -> None:
    """For example while the program computes, and the event loop has not read."""
    ready = asyncio.Event()
    held: list[asyncio.StreamWriter] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)
        while True:
            await read_request(reader)
            writer.write(MINE)
            ready.set()

    async with serving(handle) as base_url, _manager(base_url, handed_in=handed_in) as manager:
        assert (await manager.send(GET)).body == b'"mine"'
        # It reaches the system at once; the client's event loop, which is this one, reads it later.
        held[0].write(surplus)
        time.sleep(0.01)  # noqa: ASYNC251 - this is the point
        for _ in range(3):
            assert (await manager.send(GET)).body == b'"mine"'
    assert len(held) == 2


@pytest.mark.parametrize("handed_in", [False, True], ids=["our pool", "handed in"])
@pytest.mark.parametrize("first", [MINE, answer(b"x" * 200_000)], ids=["small", "large"])
@pytest.mark.parametrize("surplus", [STRANGERS, answer(b"y" * 200_000)], ids=["and little", "and much"])
async def test_what_comes_right_behind_an_answer_is_dropped_with_its_connection(
    first: bytes, surplus: bytes, *, handed_in: bool
) -> None:
    """Both arrive in the same piece."""
    server = Chatty(surplus, after=None, first=first)
    async with serving(server) as base_url, _manager(base_url, handed_in=handed_in) as manager:
        assert (await manager.send(GET)).body == first.partition(b"\r\n\r\n")[2]
        for _ in range(3):
            assert (await manager.send(GET)).body == b'"mine"'
    assert (server.connections, server.requests) == (2, 4)


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(b"HTTP/1.1 204 No Content\r\n\r\nbody", id="204 with a body"),
        pytest.param(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\nbody", id="304 with a body"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}body", id="more than its length"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nbody", id="after the last chunk"),
    ],
)
@pytest.mark.parametrize("handed_in", [False, True], ids=["our pool", "handed in"])
async def test_a_body_that_is_longer_than_it_may_be_spoils_no_other_answer(first: bytes, *, handed_in: bool) -> None:
    """The long body itself becomes an answer or an error of the package."""
    server = Chatty(b"", after=None, first=first)
    async with serving(server) as base_url, _manager(base_url, handed_in=handed_in) as manager:
        try:
            await manager.send(GET)
        except KajabiError as error:
            text = str(error)
            assert "stranger" not in text
        await asyncio.sleep(0.01)
        for _ in range(3):
            assert (await manager.send(GET)).body == b'"mine"'
    assert server.connections == 2


@pytest.mark.parametrize("handed_in", [False, True], ids=["our pool", "handed in"])
async def test_a_connection_on_which_nothing_came_is_used_again(*, handed_in: bool) -> None:
    """Otherwise each request would cost a connection."""
    server = Chatty(b"", after=0.0)
    async with serving(server) as base_url, _manager(base_url, handed_in=handed_in) as manager:
        for _ in range(10):
            await manager.send(GET)
            await asyncio.sleep(0.005)
    assert (server.connections, server.requests) == (1, 10)


async def test_a_server_that_speaks_out_of_turn_each_time_costs_a_connection_each_time() -> None:
    """It never costs an answer."""
    connections = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while True:
            await read_request(reader)
            writer.write(MINE)
            await asyncio.sleep(0.005)
            writer.write(STRANGERS)

    async with serving(handle) as base_url, session(base_url) as manager:
        for _ in range(5):
            assert (await manager.send(GET)).body == b'"mine"'
            await asyncio.sleep(0.02)
    assert connections == 5


async def test_an_early_hint_before_the_answer_is_passed_over() -> None:
    """HTTP allows any number of them."""
    hints = b"HTTP/1.1 103 Early Hints\r\n\r\n" * 3

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await read_request(reader)
            writer.write(hints + MINE)

    async with serving(handle) as base_url, session(base_url) as manager:
        for _ in range(3):
            assert (await manager.send(GET)).body == b'"mine"'


async def test_a_connection_that_the_server_has_closed_meanwhile_is_noticed_before_a_write() -> None:
    """So the write leaves by another connection, and there is no doubt whether it was applied."""
    connections: list[asyncio.StreamWriter] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        while True:
            await read_request(reader)
            writer.write(MINE)

    async with serving(handle) as base_url, session(base_url) as manager:
        await manager.send(GET)
        # Without the knowledge of the event loop, of any kind.
        with socket.socket(fileno=os.dup(connections[0].get_extra_info("socket").fileno())) as connection:
            connection.shutdown(socket.SHUT_RDWR)
        time.sleep(0.01)  # noqa: ASYNC251 - the event loop shall not have seen it
        assert (await manager.send(POST)).body == b'"mine"'
    assert len(connections) == 2
