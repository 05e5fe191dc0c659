"""What holds by whichever way a request goes: the pool's own, a session that is watched, and one that was handed in."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import aiohttp
import pytest

from kajabi_async import ConnectionFailedError, InvalidArgumentError, SessionManager
from kajabi_async.exchange import Request
from tests.session.serving import DELETE, GET, RecordingServer, answer, read_request, serving, session
from tests.session.watching import wrapped

Open = Callable[..., AbstractAsyncContextManager[SessionManager]]


@pytest.fixture(params=["the pool", "watched", "handed in"])
def route(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def opened(route: str, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Return what opens a session manager whose requests go by the route."""
    if route == "watched":
        monkeypatch.setattr(aiohttp.ClientSession, "_request", wrapped(aiohttp.ClientSession._request))

    @asynccontextmanager
    async def opened(base_url: str, **settings: Any) -> AsyncGenerator[SessionManager]:
        async with aiohttp.ClientSession() as theirs:
            handed_in = theirs if route == "handed in" else None
            async with session(base_url, http_session=handed_in, **settings) as manager:
                yield manager

    return opened


async def test_a_write_on_a_stale_connection_is_sent_once(route: str, opened: Open) -> None:
    """aiohttp would send some of them again by itself."""
    seen: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await read_request(reader))
        writer.write(answer())
        seen.append(await read_request(reader))

    async with serving(handle) as base_url, opened(base_url) as manager:
        await manager.send(GET)
        with pytest.raises(ConnectionFailedError) as caught:
            await manager.send(DELETE)
    assert [text.split()[0] for text in seen] == [b"GET", b"DELETE"]
    host = base_url.removeprefix("http://")
    assert str(caught.value) == (
        f"DELETE /v1/contacts/1: the connection to {host} broke before the whole answer had come "
        "(ServerDisconnectedError)"
    )
    assert caught.value.maybe_applied
    assert caught.value.on_reused_connection is (route != "handed in")


@pytest.mark.parametrize(
    "request_",
    [
        Request("GET", "/v1/a\r\nX: y", authorized=False),
        Request("GET", "/v1/a\0", authorized=False),
        Request("GET", "/v1/a b", authorized=False),
        Request("GET", "v1/a", authorized=False),
        Request("GET", "", authorized=False),
        Request("GET", "/v1/a", "b\nX: y", authorized=False),
    ],
    ids=["line break", "null", "blank", "no slash", "no path", "line break in the query"],
)
async def test_nothing_is_sent_of_a_path_that_would_become_something_else(request_: Request, opened: Open) -> None:
    """Such as another header, or another path; they are encoded where they are made."""
    server = RecordingServer(answer(b'"mine"'))
    async with serving(server) as base_url, opened(base_url) as manager:
        with pytest.raises(InvalidArgumentError, match="the path of a request must start with a slash"):
            await manager.send(request_)
    assert (server.connections, server.seen) == (0, [])


@pytest.mark.parametrize(
    ("request_", "problem"),
    [
        (Request("GET\r\nX", "/v1/a", authorized=False), "the method of a request must be one of GET, POST, "),
        (Request("get", "/v1/a", authorized=False), "the method of a request must be one of GET, POST, "),
        (
            Request("POST", "/v1/a", body=b"{}", content_type="a/b\r\nX: y", authorized=False),
            "the media type of a request may not hold control characters",
        ),
    ],
    ids=["line break", "small letters", "line break in the media type"],
)
async def test_nothing_is_sent_of_a_method_or_a_media_type_that_would_become_a_header(
    request_: Request, problem: str, opened: Open
) -> None:
    """They are constants of the package; a caller who makes requests may have others."""
    server = RecordingServer(answer(b'"mine"'))
    async with serving(server) as base_url, opened(base_url) as manager:
        with pytest.raises(InvalidArgumentError, match=problem) as caught:
            await manager.send(request_)
    assert (server.connections, server.seen, caught.value.maybe_applied) == (0, [], False)


async def test_the_answer_to_a_request_for_the_head_alone_has_no_body(opened: Open) -> None:
    """Though it says how long the body would be."""
    server = RecordingServer(answer(b'"mine"').removesuffix(b'"mine"'))
    async with serving(server) as base_url, opened(base_url) as manager:
        for _ in range(2):
            assert (await manager.send(Request("HEAD", "/v1/a", authorized=False))).body == b""
    assert server.connections == 1


async def test_a_host_beyond_ascii_is_looked_up_and_sent_in_its_encoded_form(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another spelling of it may be another host."""
    looked_up: list[str] = []

    async def resolve(_: object, host: str, port: int = 0, **__: Any) -> list[dict[str, Any]]:
        looked_up.append(host)
        return [{"hostname": host, "host": "127.0.0.1", "port": port, "family": 2, "proto": 0, "flags": 0}]

    monkeypatch.setattr(aiohttp.DefaultResolver, "resolve", resolve)
    server = RecordingServer(answer(b'"mine"'))
    async with serving(server) as base_url:
        strasse = base_url.replace("127.0.0.1", "Stra\N{LATIN SMALL LETTER SHARP S}e.test")
        async with opened(strasse, allow_insecure=True) as manager:
            await manager.send(GET)
            await manager.send(Request("GET", "/v1/a", "b=c", authorized=False))
    assert {*looked_up} == {"xn--strae-oqa.test"}
    assert all(f"Host: xn--strae-oqa.test:{base_url.rpartition(':')[2]}\r\n" in text for text in server.seen)
