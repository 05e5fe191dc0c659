"""Requests of our own pool while something watches aiohttp's sessions: they go by a session, and keep to every rule."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any
from unittest.mock import AsyncMock, MagicMock, create_autospec

import aiohttp
import pytest

from kajabi_async import ApiError, ConnectionFailedError, NotFoundError, RequestTimeoutError, RetryPolicy, Timeouts
from kajabi_async.exchange import Request
from tests.session.aioresponses_adapter import answering
from tests.session.serving import DELETE, GET, POST, RecordingServer, answer, read_request, serving, session
from tests.session.watching import Proxy, wrapped

ISSUED = answer(b'{"access_token": "tok"}')
METHODS = pytest.mark.parametrize("method", ["request", "_request"])


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wrap the method by which every aiohttp session sends."""
    monkeypatch.setattr(aiohttp.ClientSession, "_request", wrapped(aiohttp.ClientSession._request))


@METHODS
@pytest.mark.parametrize("wrap", [wrapped, Proxy])
async def test_what_wraps_a_method_of_aiohttps_sessions_sees_each_request_while_it_does(
    method: str, wrap: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before and after, requests take the direct way; all on one connection."""
    seen: list[Any] = []
    server = RecordingServer(ISSUED)
    async with serving(server) as base_url, session(base_url) as manager:
        first = await manager.send(GET)
        with monkeypatch.context() as patch:
            patch.setattr(aiohttp.ClientSession, method, wrap(getattr(aiohttp.ClientSession, method), seen))
            second = await manager.send(Request("GET", "/v1/a%20b", "filter%5Bx%5D=1,2"))
        third = await manager.send(GET)
    assert first == second == third
    asked, sent = seen
    assert [str(arguments[-1]) for arguments, _ in seen] == [
        f"{base_url}/v1/oauth/token",
        f"{base_url}/v1/a%20b?filter%5Bx%5D=1,2",
    ]
    assert sent[1]["headers"]["Authorization"] == "Bearer tok"
    assert "Authorization" not in asked[1]["headers"]
    assert (server.connections, len(server.seen)) == (1, 4)


@METHODS
async def test_a_mock_that_replaces_a_method_of_aiohttps_sessions_answers(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one with the signature of the method."""
    mock = create_autospec(getattr(aiohttp.ClientSession, method), side_effect=aiohttp.ServerDisconnectedError)
    server = RecordingServer(ISSUED)
    async with serving(server) as base_url, session(base_url) as manager:
        await manager.send(GET)
        monkeypatch.setattr(aiohttp.ClientSession, method, mock)
        with pytest.raises(ConnectionFailedError):
            await manager.send(GET)
    assert len(server.seen) == 1


async def test_a_session_class_in_the_place_of_aiohttps_sees_each_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """As tools install that measure every session of a program."""
    seen: list[str] = []
    with pytest.warns(DeprecationWarning, match="Inheritance"):

        class Measured(aiohttp.ClientSession):
            async def _request(self, method: str, *arguments: Any, **keywords: Any) -> aiohttp.ClientResponse:
                seen.append(method)
                return await super()._request(method, *arguments, **keywords)

    monkeypatch.setattr(aiohttp, "ClientSession", Measured)
    async with serving(RecordingServer(ISSUED)) as base_url, session(base_url) as manager:
        await manager.send(GET)
        await manager.send(POST)
    assert seen == ["GET", "POST"]


async def _mark(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    request.headers["X-Trace"] = "1"
    return await handler(request)


@pytest.mark.parametrize(
    "added",
    [{"middlewares": (_mark,)}, {"headers": {"X-Trace": "1"}, "trust_env": True, "raise_for_status": True}],
    ids=["middlewares", "headers"],
)
async def test_what_a_tool_adds_to_every_session_applies_to_each_request(
    added: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with a proxy that all requests of a program have to take; not what the client decides for itself."""
    make: Any = aiohttp.ClientSession.__init__

    def changed(self: Any, *arguments: Any, **keywords: Any) -> None:
        make(self, *arguments, **{**added, **keywords})

    monkeypatch.setattr(aiohttp.ClientSession, "__init__", changed)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    server = RecordingServer(answer(status="404 Not Found"))
    async with serving(server) as base_url, session(base_url) as manager:
        with pytest.raises(NotFoundError):
            await manager.send(GET)
    assert "\r\nX-Trace: 1\r\n" in server.seen[0]


class _Answers:
    """A stand-in for a session and its answer at once, with no more than the client needs of them."""

    status = 200
    headers: Mapping[str, str] = {"content-type": "application/vnd.api+json"}

    def __init__(self, **_: Any) -> None:
        self.content = self

    async def request(self, *_: Any, **__: Any) -> Any:
        return self

    def is_eof(self) -> bool:
        return True

    def read_nowait(self) -> bytes:
        return b'"mocked"'

    def detach(self) -> None:
        """Do nothing."""


def _mocked(kind: Any) -> Any:
    kind.return_value.request = AsyncMock(return_value=_Answers())
    return kind


@pytest.mark.parametrize(
    "kind",
    [_Answers, _mocked(MagicMock()), _mocked(create_autospec(aiohttp.ClientSession))],
    ids=["a class", "a mock", "a mock with its signature"],
)
async def test_a_mock_in_the_place_of_the_session_class_answers(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may have none of the attributes that aiohttp's has."""
    monkeypatch.setattr(aiohttp, "ClientSession", kind)
    async with session("http://127.0.0.1:1") as manager:
        assert (await manager.send(GET)).body == b'"mocked"'


async def test_aioresponses_answers_as_long_as_it_is_on() -> None:
    """A client that is open already notices it too."""
    server = RecordingServer(answer(b'"served"'))
    async with serving(server) as base_url, session(base_url) as manager:
        bodies = [(await manager.send(GET)).body]
        with answering() as http:
            http.get(f"{base_url}{GET.path}", body=b'"mocked"', headers={"Content-Type": "application/vnd.api+json"})
            bodies.append((await manager.send(GET)).body)
        bodies.append((await manager.send(GET)).body)
    assert bodies == [b'"served"', b'"mocked"', b'"served"']


@pytest.mark.parametrize(
    "request_",
    [GET, POST, DELETE, Request("POST", "/v1/hooks", authorized=False)],
    ids=["GET", "POST", "DELETE", "POST without a body"],
)
async def test_the_same_is_sent_either_way(request_: Request, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether something watches must not change what the API gets."""
    server = RecordingServer(ISSUED)
    async with serving(server) as base_url, session(base_url) as manager:
        await manager.send(request_)
        monkeypatch.setattr(aiohttp.ClientSession, "_request", wrapped(aiohttp.ClientSession._request))
        await manager.send(request_)
    direct, watched = (sorted(text.lower().split("\r\n")) for text in server.seen)
    assert watched == direct


@pytest.mark.usefixtures("watched")
async def test_a_watched_read_on_a_stale_connection_is_sent_again_at_once() -> None:
    """As it is on the direct way: the server has closed an idle connection, which is no failure of the call."""
    connections = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        for _ in range(2 - connections % 2):
            await read_request(reader)
            writer.write(answer())
        await read_request(reader)

    retry = RetryPolicy(max_attempts=2, base_seconds=600.0)
    async with serving(handle) as base_url, session(base_url, retry=retry) as manager:
        for _ in range(2):
            await manager.send(GET)
        assert (manager.stats.resent, manager.stats.attempts, connections) == (1, 3, 2)


@pytest.mark.usefixtures("watched")
async def test_a_watched_write_that_found_no_connection_was_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """So it cannot have been applied when its time runs out."""

    async def connect(*_: Any) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(aiohttp.TCPConnector, "_create_connection", connect)
    async with session("http://127.0.0.1:1", timeouts=Timeouts(total=0.05)) as manager:
        with pytest.raises(RequestTimeoutError) as caught:
            await manager.send(POST)
    assert (caught.value.phase, caught.value.maybe_applied) == ("total", False)


@pytest.mark.usefixtures("watched")
async def test_no_watched_redirect_is_followed() -> None:
    """The token must not reach another host."""
    server = RecordingServer(answer(status="302 Found", headers="Location: /v1/elsewhere\r\nSet-Cookie: a=b\r\n"))
    async with serving(server) as base_url, session(base_url) as manager:
        for _ in range(2):
            with pytest.raises(ApiError, match="never followed"):
                await manager.send(GET)
    assert [text.split()[1] for text in server.seen] == [GET.path] * 2
    assert "cookie" not in server.seen[1].lower()


@pytest.mark.usefixtures("watched")
@pytest.mark.parametrize(
    "pieces",
    [(), (answer(b"x" * 10)[:-5],), (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n", b"\r\n{}")],
    ids=["no answer", "a part of it", "a head in pieces"],
)
async def test_the_silence_of_the_server_is_limited_for_watched_requests_too(pieces: tuple[bytes, ...]) -> None:
    """Before the whole head as within the body."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(0.03)
        await reader.read()

    async with serving(handle) as base_url, session(base_url, timeouts=Timeouts(read=0.05)) as manager:
        with pytest.raises(RequestTimeoutError) as caught:
            await manager.send(GET)
    assert (caught.value.phase, caught.value.seconds) == ("read", 0.05)


@pytest.mark.usefixtures("watched")
async def test_surplus_bytes_are_never_the_answer_to_a_watched_request() -> None:
    """A connection that has them is closed."""
    server = RecordingServer(answer(b'"mine"') + answer(b'"a stranger\'s"'))
    async with serving(server) as base_url, session(base_url, retry=RetryPolicy(max_attempts=2)) as manager:
        bodies = [(await manager.send(GET)).body for _ in range(3)]
    assert bodies == [b'"mine"'] * 3
    assert server.connections == 3


async def test_surplus_bytes_are_noticed_when_nothing_watches_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a connection that only a watched request has used."""
    server = RecordingServer(answer(b'"mine"') + answer(b'"a stranger\'s"'))
    async with serving(server) as base_url, session(base_url) as manager:
        with monkeypatch.context() as patch:
            patch.setattr(aiohttp.ClientSession, "_request", wrapped(aiohttp.ClientSession._request))
            await manager.send(GET)
        assert (await manager.send(GET)).body == b'"mine"'
    assert server.connections == 2
