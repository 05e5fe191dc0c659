"""Our own pool, and what does its work on a session that was handed in: connections, requests, and copies of them."""

import asyncio
import gc
import select
import socket
import ssl
import struct
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
import trustme

from kajabi_async import (
    ConnectionFailedError,
    KajabiError,
    RetryPolicy,
    ServerError,
    Timeouts,
    WrongLoopError,
)
from kajabi_async.exchange import Request
from kajabi_async.session.binding import Process
from tests.session.serving import GET, POST, answer, read_request, serving, session

MINE = answer(b'"mine"')
STRANGERS = answer(b'"a stranger\'s"')


class Server:
    """A server that answers all requests alike, and keeps its connections."""

    def __init__(self, sent: bytes = MINE) -> None:
        self.connections: list[asyncio.StreamWriter] = []
        self.requests = self.ended = 0
        self.sent = sent

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.append(writer)
        try:
            while True:
                await read_request(reader)
                self.requests += 1
                writer.write(self.sent)
        finally:
            self.ended += 1

    async def speak(self, surplus: bytes) -> None:
        """Send *surplus* on each connection, and wait until it has been read."""
        for connection in self.connections:
            connection.write(surplus)
        await asyncio.sleep(0.01)


@asynccontextmanager
async def _manager(base_url: str, *, handed_in: bool, connector: Any = None, **settings: Any) -> AsyncGenerator[Any]:
    async with (
        aiohttp.ClientSession(connector=connector) as theirs,
        session(base_url, http_session=theirs if handed_in else None, **settings) as manager,
    ):
        yield manager


either = pytest.mark.parametrize("handed_in", [False, True], ids=["our pool", "handed in"])


async def test_a_body_in_pieces_is_read_without_a_limit_on_silence() -> None:
    """The pieces come one by one, after the head."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        for piece in (MINE[:-6], MINE[-6:-3], MINE[-3:]):
            writer.write(piece)
            await asyncio.sleep(0.005)

    async with serving(handle) as base_url, session(base_url, timeouts=Timeouts(total=20.0, read=None)) as manager:
        assert (await manager.send(GET)).body == b'"mine"'


class _Polls:
    """The polls that are made, with their descriptors and how many milliseconds they were to wait."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.descriptors: list[int] = []
        self.waits: list[object] = []
        self._make = select.poll
        monkeypatch.setattr(select, "poll", lambda: _Poll(self, self._make()))


class _Poll:
    def __init__(self, record: _Polls, poll: Any) -> None:
        self._record, self._poll = record, poll

    def register(self, descriptor: int, events: int) -> None:
        self._record.descriptors.append(descriptor)
        self._poll.register(descriptor, events)

    def poll(self, milliseconds: object = None) -> Any:
        self._record.waits.append(milliseconds)
        return self._poll.poll(milliseconds)


@either
async def test_looking_for_surplus_does_not_hold_up_the_event_loop(
    monkeypatch: pytest.MonkeyPatch, *, handed_in: bool
) -> None:
    """Every request that uses a connection again looks, and everything else in the program would wait."""
    polls, server = _Polls(monkeypatch), Server()
    async with serving(server) as base_url, _manager(base_url, handed_in=handed_in) as manager:
        for _ in range(3):
            await manager.send(GET)
    assert polls.waits == [0, 0]


@either
async def test_connections_are_used_again_on_a_system_that_cannot_look_for_surplus(
    monkeypatch: pytest.MonkeyPatch, *, handed_in: bool
) -> None:
    """Windows has no such call; surplus that was read is noticed there too."""
    monkeypatch.delattr(select, "poll")
    server = Server()
    async with serving(server) as base_url, _manager(base_url, handed_in=handed_in) as manager:
        for _ in range(3):
            assert (await manager.send(GET)).body == b'"mine"'
        assert len(server.connections) == 1
        await server.speak(STRANGERS)
        assert (await manager.send(GET)).body == b'"mine"'
    assert len(server.connections) == 2


class _Sealed:
    """A transport that does not show its socket."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default if name == "socket" else self._transport.get_extra_info(name, default)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class _Hiding(aiohttp.TCPConnector):
    """A connector whose connections have such transports."""

    async def connect(self, *arguments: Any, **keywords: Any) -> Any:
        connection = await super().connect(*arguments, **keywords)
        protocol: Any = connection.protocol
        protocol.transport = _Sealed(protocol.transport)
        return connection


async def test_connections_that_do_not_show_their_socket_are_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is nothing to look at, and no other descriptor of the process is looked at in its place."""
    polls, server = _Polls(monkeypatch), Server()
    async with (
        serving(server) as base_url,
        _manager(base_url, handed_in=True, connector=_Hiding()) as manager,
    ):
        for _ in range(3):
            assert (await manager.send(GET)).body == b'"mine"'
    assert (len(server.connections), polls.descriptors) == (1, [])


class _Foreign:
    """A connector of another making: it has what a session needs, and keeps its idle connections elsewhere."""

    def __init__(self) -> None:
        self._made = aiohttp.TCPConnector()

    def __getattr__(self, name: str) -> Any:
        if name == "_conns":
            raise AttributeError(name)
        return getattr(self._made, name)


async def test_a_connector_that_keeps_its_connections_elsewhere_is_used_as_it_is() -> None:
    """Nothing of it but what a session needs has to be there."""
    server = Server()
    async with serving(server) as base_url, _manager(base_url, handed_in=True, connector=_Foreign()) as manager:
        for _ in range(2):
            assert (await manager.send(GET)).body == b'"mine"'
    assert (len(server.connections), server.requests) == (1, 2)


async def test_surplus_of_each_server_is_noticed_on_a_session_for_two_clients() -> None:
    """Whichever of the two had a connection first."""
    one, two = Server(), Server()
    async with (
        serving(one) as first,
        serving(two) as second,
        aiohttp.ClientSession() as theirs,
        session(first, http_session=theirs) as client,
        session(second, http_session=theirs) as other,
    ):
        await client.send(GET)
        await other.send(GET)
        for server in (one, two):
            await server.speak(STRANGERS[:20])
        for each in (client, other):
            assert (await each.send(GET)).body == b'"mine"'
    assert [len(server.connections) for server in (one, two)] == [2, 2]


async def test_an_answer_that_the_owner_of_the_session_has_not_read_yet_stays_readable() -> None:
    """It has come; meanwhile the client uses the session, and the server closes the connection of that answer."""
    release, connections = asyncio.Event(), list[asyncio.StreamWriter]()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        if b"/owners" not in await read_request(reader):
            await release.wait()
        writer.write(MINE)
        await reader.read()

    async with (
        serving(handle) as base_url,
        aiohttp.ClientSession() as theirs,
        session(base_url, http_session=theirs) as manager,
    ):
        under_way = asyncio.create_task(manager.send(GET))
        while not connections:
            await asyncio.sleep(0)
        async with theirs.get(f"{base_url}/owners") as response:
            release.set()
            await under_way
            connections[1].close()
            await asyncio.sleep(0.01)
            assert await response.read() == b'"mine"'


class _Queueing(aiohttp.TCPConnector):
    """A connector that lets others go on before it connects."""

    async def connect(self, *arguments: Any, **keywords: Any) -> Any:
        await asyncio.sleep(0)
        return await super().connect(*arguments, **keywords)


async def test_a_connection_that_one_request_closes_for_its_surplus_is_left_alone_by_the_next() -> None:
    """Both are sent in the same moment, and the connector has not dropped that connection yet."""
    server = Server()
    async with (
        serving(server) as base_url,
        _manager(base_url, handed_in=True, connector=_Queueing()) as manager,
    ):
        await manager.send(GET)
        server.connections[0].write(STRANGERS)
        time.sleep(0.01)  # noqa: ASYNC251 - it has come, and the event loop has not read it
        answers = await asyncio.gather(*(manager.send(GET) for _ in range(2)))
    assert [each.body for each in answers] == [b'"mine"'] * 2
    assert len(server.connections) == 3


def _trusting(monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """Return the TLS context of a server that clients made from now on trust."""
    authority = trustme.CA()
    ours, theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(ours)  # pyright: ignore[reportUnknownMemberType]
    authority.configure_trust(theirs)  # pyright: ignore[reportUnknownMemberType]
    monkeypatch.setattr(aiohttp.connector, "_SSL_CONTEXT_VERIFIED", theirs)
    return ours


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
async def test_a_connection_on_which_a_body_was_not_sent_whole_is_not_used_again(
    *, tls: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server has answered early, and reads no further: it would take the rest for a request."""
    server = Server()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if server.connections:
            await server(reader, writer)
        server.connections.append(writer)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(MINE)
        await asyncio.Event().wait()

    async with serving(handle, tls=_trusting(monkeypatch) if tls else None) as base_url, session(base_url) as manager:
        sent = await manager.send(Request("POST", "/v1/contacts", body=b"x" * 30_000_000, authorized=False))
        read = await asyncio.wait_for(manager.send(GET), 5)
        for connection in server.connections:
            connection.transport.abort()
    assert (sent.body, read.body) == (b'"mine"', b'"mine"')
    assert len(server.connections) == 2


@pytest.mark.parametrize(("size", "tls", "connections"), [(16_384, True, 1), (16_385, True, 2), (16_385, False, 1)])
async def test_a_connection_is_used_again_after_a_body_that_was_surely_sent(
    size: int, tls: bool, connections: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over TLS it is not known of a larger one."""
    server = Server()
    async with serving(server, tls=_trusting(monkeypatch) if tls else None) as base_url, session(base_url) as manager:
        await manager.send(Request("POST", "/v1/contacts", body=b"x" * size, authorized=False))
        await manager.send(GET)
    assert len(server.connections) == connections


@pytest.mark.parametrize("request_", [GET, POST], ids=["read", "write"])
async def test_a_connection_that_is_lost_before_it_is_used_has_carried_nothing(
    request_: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server may hang up at once; nothing was sent, so that even a write is sent again."""
    connect: Any = aiohttp.TCPConnector._create_connection
    lost: list[Any] = []

    async def connected(*arguments: Any) -> Any:
        protocol = await connect(*arguments)
        if not lost:
            lost.append(protocol)
            protocol.transport.abort()
            await asyncio.sleep(0)
        return protocol

    monkeypatch.setattr(aiohttp.TCPConnector, "_create_connection", connected)
    server = Server()
    async with serving(server) as base_url:
        async with session(base_url) as manager:
            with pytest.raises(
                ConnectionFailedError, match=r"could not connect to .*: Connection reset by peer"
            ) as caught:
                await manager.send(request_)
            assert (caught.value.never_sent, caught.value.maybe_applied) == (True, False)
        lost.clear()
        async with session(base_url, retry=RetryPolicy(max_attempts=2), jitter=lambda: 0.0) as manager:
            assert (await manager.send(request_)).body == b'"mine"'
    assert server.requests == 1


def _trace_all_sessions(monkeypatch: pytest.MonkeyPatch, trace: aiohttp.TraceConfig) -> None:
    """Add *trace* to every session that is made, as tools do that observe a whole program."""
    make: Any = aiohttp.ClientSession.__init__

    def traced(self: Any, *arguments: Any, **keywords: Any) -> None:
        make(self, *arguments, **keywords, trace_configs=[trace])

    monkeypatch.setattr(aiohttp.ClientSession, "__init__", traced)


async def test_tools_that_trace_all_sessions_see_each_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """For our requests, and for those of others on our session."""
    seen: list[str] = []
    trace = aiohttp.TraceConfig()

    async def made(*_: Any) -> None:
        seen.append("made")

    async def again(*_: Any) -> None:
        seen.append("used again")

    trace.on_connection_create_end.append(made)
    trace.on_connection_reuseconn.append(again)
    _trace_all_sessions(monkeypatch, trace)
    async with serving(Server()) as base_url, session(base_url) as manager:
        await manager.send(GET)
        await manager.send(GET)
        assert seen == ["made", "used again"]
        ours: Any = manager._transport._session
        async with ours.get(f"{base_url}/elsewhere") as response:
            await response.read()
        assert seen == ["made", "used again", "used again"]


async def test_a_request_of_others_on_our_session_may_be_its_first() -> None:
    """It gets a connection, within the session's own limit on connecting."""
    server = Server()
    async with serving(server) as base_url, session(base_url) as manager:
        ours = manager._transport._open()
        async with ours.get(f"{base_url}/elsewhere") as response:
            assert await response.read() == b'"mine"'
        assert (await manager.send(GET)).body == b'"mine"'
    assert (len(server.connections), server.requests) == (1, 2)


@asynccontextmanager
async def _no_report() -> AsyncGenerator[None]:
    """Fail if the event loop reports anything in the block, or of what the block leaves behind."""
    # What other tests left is reported before.
    gc.collect()
    reports: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reports.append(context))
    yield
    for _ in range(5):
        await asyncio.sleep(0)
    gc.collect()
    assert reports == []


async def _used_and_reset(turns: int) -> None:
    """Use a connection that the server resets, and close the client *turns* of the event loop later."""
    server = Server()
    async with serving(server) as base_url, session(base_url) as manager:
        await manager.send(GET)
        connection = server.connections[0]
        connection.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.transport.abort()
        for _ in range(turns):
            await asyncio.sleep(0)
        await manager.aclose()


@pytest.mark.parametrize("turns", range(6))
async def test_a_connection_that_breaks_while_the_client_closes_is_not_reported(turns: int) -> None:
    """In whatever moment the server resets it: no caller waits for the error."""
    async with _no_report():
        await _used_and_reset(turns)


async def test_a_lookup_of_the_host_that_closing_ends_is_not_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is cancelled with the client."""
    looking_up = asyncio.Event()

    async def resolve(*_: Any, **__: Any) -> Any:
        looking_up.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(aiohttp.DefaultResolver, "resolve", resolve)
    async with _no_report(), session("https://slow.test") as manager:
        under_way = asyncio.create_task(manager.send(GET))
        await looking_up.wait()
        await manager.aclose()
        with pytest.raises(KajabiError, match="was not sent: the client was closed meanwhile"):
            await under_way


def _forked(monkeypatch: pytest.MonkeyPatch, pools: list[Any]) -> Callable[..., Awaitable[None]]:
    """Return what makes the test go on as a child forked of it, once there are *pools*."""

    async def fork(*_: Any) -> None:
        # What the hooks do. A real child would share the sockets of the test, and end with it.
        for pool in pools:
            monkeypatch.setattr(Process, "number", -1)
            pool.belongs_to_parent()

    return fork


async def test_the_copy_of_a_pool_neither_hands_out_nor_closes_the_connections_of_the_parent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The fork comes in the middle of a request, while a tool that traces it waits, and the child runs on."""
    trace, pools, server = aiohttp.TraceConfig(), list[Any](), Server()
    trace.on_request_start.append(_forked(monkeypatch, pools))
    _trace_all_sessions(monkeypatch, trace)
    async with serving(server) as base_url:
        async with session(base_url) as manager:
            await manager.send(GET)
            transport: Any = manager._transport
            pools.append(transport._connector)
            with pytest.raises(WrongLoopError, match="made before a fork"):
                await manager.send(GET)
            assert not transport.is_open
        await asyncio.sleep(0.01)
        assert (len(server.connections), server.requests, server.ended) == (1, 1, 0)
        server.connections[0].close()
        await asyncio.sleep(0.01)


async def test_a_retry_in_a_forked_child_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fork comes after an answer that says to try again."""
    trace, pools, server = aiohttp.TraceConfig(), list[Any](), Server(answer(b"", status="503 Service Unavailable"))
    trace.on_request_end.append(_forked(monkeypatch, pools))
    _trace_all_sessions(monkeypatch, trace)
    retry = RetryPolicy(max_attempts=2)
    async with serving(server) as base_url, session(base_url, retry=retry, jitter=lambda: 0.0) as manager:
        with pytest.raises(ServerError):
            await manager.send(GET)
        pools.append(manager._transport._connector)
        with pytest.raises(WrongLoopError, match="made before a fork"):
            await manager.send(GET)
        assert server.requests == 3
        server.connections[0].close()
        await asyncio.sleep(0.01)
