"""Every failure to reach the API names the host, on real sockets: which of several servers it was is in the text."""

import asyncio
import socket
import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
import trustme

from kajabi_async import ConnectionFailedError, RequestTimeoutError, RetryPolicy, Timeouts, TransportError
from kajabi_async.exchange import Request
from kajabi_async.session import SessionManager
from kajabi_async.session.failures import Place
from tests.session.serving import GET, answer, read_request, serving, session

Write = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]
SECRET = "canary"


async def _silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


async def _closing(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await read_request(reader)


async def _cutting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.write(answer(b"12345678")[:-3])
    await writer.drain()


async def _resetting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


async def _no_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.write(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")
    await writer.drain()


def _unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def _failure(base_url: str, **settings: Any) -> TransportError:
    async with session(base_url, **settings) as manager:
        return await _failure_of(manager)


async def _failure_of(manager: SessionManager, **options: Any) -> TransportError:
    with pytest.raises(TransportError) as caught:
        await manager.send(GET, **options)
    assert SECRET not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("handler", "text"),
    [
        (_closing, "the connection to {} broke before the whole answer had come (ServerDisconnectedError)"),
        (_cutting, "the connection to {} broke before the whole answer had come (ClientPayloadError)"),
        (_resetting, "the connection to {} broke before the whole answer had come ("),
        (_no_http, "the answer of {} was not HTTP"),
    ],
)
@pytest.mark.parametrize("handed_in", [False, True])
async def test_what_broke_names_the_host(handler: Write, text: str, handed_in: bool) -> None:
    """With its port, as it is not the default; through our own pool and through a session that was handed in."""
    async with serving(handler) as base_url, aiohttp.ClientSession() as theirs:
        error = await _failure(base_url, **({"http_session": theirs} if handed_in else {}))
    assert isinstance(error, ConnectionFailedError)
    assert str(error).startswith(f"GET /v1/customers/1: {text.format(base_url.removeprefix('http://'))}")


async def test_a_silent_server_is_named() -> None:
    """By the limit on its silence, and by the limit on the whole operation."""
    async with serving(_silent) as base_url:
        host = base_url.removeprefix("http://")
        error = await _failure(base_url, timeouts=Timeouts(read=0.1))
        assert str(error) == f"GET /v1/customers/1: nothing came from {host} for 0.1 s"
        error = await _failure(base_url, timeouts=Timeouts(total=0.1))
        assert isinstance(error, RequestTimeoutError)
        assert str(error).endswith(f"within 0.1 s (host {host})")
        async with session(base_url, concurrency=1) as manager:
            first = asyncio.create_task(manager.send(GET))
            await asyncio.sleep(0.05)
            error = await _failure_of(manager, timeout=0.1)
            assert str(error).startswith(f"GET /v1/customers/1: not sent within 0.1 s to {host}, as it stood in")
            first.cancel()


async def test_a_host_that_nothing_listens_at_is_named() -> None:
    """With the reason."""
    port = _unused_port()
    error = await _failure(f"http://127.0.0.1:{port}")
    assert str(error).startswith(f"GET /v1/customers/1: could not connect to 127.0.0.1:{port}: Connection refused")


async def test_an_address_with_colons_is_put_in_brackets() -> None:
    """Otherwise its port could not be told from it."""
    port = _unused_port()
    error = await _failure(f"http://[::1]:{port}")
    assert str(error).startswith(f"GET /v1/customers/1: could not connect to [::1]:{port}: ")


async def test_a_host_without_an_address_is_named() -> None:
    """A misspelt one, most likely."""
    error = await _failure("https://no-such-host.invalid")
    assert str(error).startswith("GET /v1/customers/1: could not connect to no-such-host.invalid:443: ")


async def test_a_connection_that_is_never_accepted_names_the_host() -> None:
    """The queue of the socket is full."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        port = listening.getsockname()[1]
        others = [socket.socket() for _ in range(4)]
        try:
            for each in others:
                each.setblocking(False)
                each.connect_ex(("127.0.0.1", port))
            error = await _failure(f"http://127.0.0.1:{port}", timeouts=Timeouts(connect=0.1))
        finally:
            for each in others:
                each.close()
    assert str(error) == f"GET /v1/customers/1: no connection to 127.0.0.1:{port} within 0.1 s"


@asynccontextmanager
async def _tls(names: str) -> AsyncGenerator[tuple[str, trustme.CA]]:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(names).configure_cert(context)  # pyright: ignore[reportUnknownMemberType]
    server = await asyncio.start_server(_silent, "127.0.0.1", 0, ssl=context)
    try:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}", authority
    finally:
        server.close()


async def test_a_certificate_that_is_not_trusted_names_the_host() -> None:
    """And says what is wrong with it."""
    async with _tls("127.0.0.1") as (base_url, _):
        error = await _failure(base_url)
    assert str(error).startswith(f"GET /v1/customers/1: could not connect to {base_url.removeprefix('https://')}: ")
    assert "certificate" in str(error).lower()
    assert getattr(error, "never_sent", False)


async def test_a_certificate_of_another_host_names_the_host() -> None:
    """As with a proxy that opens TLS."""
    async with _tls("other.example") as (base_url, authority):
        context = ssl.create_default_context()
        authority.configure_trust(context)  # pyright: ignore[reportUnknownMemberType]
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as theirs:
            error = await _failure(base_url, http_session=theirs)
    assert f"could not connect to {base_url.removeprefix('https://')}: " in str(error)


async def test_a_certificate_with_another_fingerprint_names_the_host() -> None:
    """Nothing was sent."""
    async with _tls("127.0.0.1") as (base_url, _):
        pinned = aiohttp.TCPConnector(ssl=aiohttp.Fingerprint(b"x" * 32))
        async with aiohttp.ClientSession(connector=pinned) as theirs:
            error = await _failure(base_url, http_session=theirs)
    assert f"could not connect to {base_url.removeprefix('https://')}: ServerFingerprintMismatch" in str(error)
    assert getattr(error, "never_sent", False)


@pytest.mark.parametrize("handler", [_no_http, _silent])
async def test_a_server_without_tls_is_named(handler: Write) -> None:
    """It answers the greeting with something else, or not at all."""
    async with serving(handler) as base_url:
        host = base_url.removeprefix("http://")
        error = await _failure(f"https://{host}", timeouts=Timeouts(connect=0.2, read=0.5))
    assert host in str(error)
    assert getattr(error, "never_sent", False)


async def test_a_server_that_speaks_plain_http_is_named_so() -> None:
    """The reason of OpenSSL, a wrong version number, is of a wrong scheme."""

    async def handle(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    async with serving(handle) as base_url:
        error = await _failure(base_url.replace("http://", "https://"))
    assert "the server does not speak TLS at this port" in str(error)
    assert getattr(error, "never_sent", False)


@asynccontextmanager
async def _through(proxy: str) -> AsyncGenerator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(proxy=proxy.replace("://", f"://user:{SECRET}@")) as theirs:
        yield theirs


async def test_a_proxy_that_nothing_listens_at_is_named_apart() -> None:
    """With the host that was to be reached."""
    proxy = f"127.0.0.1:{_unused_port()}"
    async with _through(f"http://{proxy}") as theirs:
        error = await _failure("https://api.example", http_session=theirs)
        assert f"could not connect to the proxy {proxy} on the way to api.example: " in str(error)
        error = await _failure("https://api.example:8443", http_session=theirs)
    assert f"could not connect to the proxy {proxy} on the way to api.example:8443: " in str(error)


async def test_a_server_that_speaks_no_tls_behind_a_proxy_is_named_with_it() -> None:
    """The proxy made a connection, and it may be the one that reads along."""

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()

    async with serving(connect) as proxy, _through(proxy) as theirs:
        error = await _failure("https://api.example:8443", http_session=theirs)
    expected = f"could not connect to api.example:8443 through the proxy {proxy.removeprefix('http://')}: "
    assert expected in str(error)
    assert getattr(error, "never_sent", False)


async def test_a_proxy_that_refuses_is_named_apart() -> None:
    """With its status; nothing was sent to the API."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    async with serving(refuse) as proxy, _through(proxy) as theirs:
        error = await _failure("https://api.example:8443", http_session=theirs)
    assert str(error) == (
        f"GET /v1/customers/1: the proxy {proxy.removeprefix('http://')} made no connection to api.example:8443, but "
        "answered 407 Proxy Authentication Required"
    )
    assert getattr(error, "never_sent", False)


async def test_a_connection_that_breaks_behind_a_proxy_names_both() -> None:
    """Either may be the cause."""
    async with serving(_closing) as proxy, _through(proxy) as theirs:
        error = await _failure("http://127.0.0.1:9", http_session=theirs)
    assert f"the connection to 127.0.0.1:9 through the proxy {proxy.removeprefix('http://')} broke" in str(error)


async def test_the_error_of_a_request_for_a_token_names_the_host() -> None:
    """As that of any other request."""
    async with serving(_silent) as base_url:
        limits: dict[str, Any] = {"timeouts": Timeouts(read=0.1), "retry": RetryPolicy(max_attempts=1)}
        async with session(base_url, **limits) as manager:
            with pytest.raises(TransportError, match=f"nothing came from {base_url.removeprefix('http://')}") as caught:
                await manager.send(Request("GET", "/v1/customers/1"))
    assert caught.value.at_token_endpoint


@pytest.mark.parametrize(
    ("base_url", "named"),
    [
        ("https://api.example:443", "api.example"),
        ("http://api.example:80", "api.example"),
        ("https://api.example:80", "api.example:80"),
        ("http://api.example:443", "api.example:443"),
    ],
)
def test_a_port_is_named_unless_it_is_that_of_the_scheme(base_url: str, named: str) -> None:
    """However the base URL was written."""
    assert str(Place.of(base_url)) == named
