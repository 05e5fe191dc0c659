"""Every way in which the HTTP library can fail, and the error that the caller gets."""

import os
import ssl
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from typing import Any, cast

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey
from aiohttp.http_exceptions import ContentEncodingError

from kajabi_async import (
    AnswerTooLargeError,
    ClientCredentials,
    ConfigurationError,
    ConnectionFailedError,
    DecodeError,
    KajabiError,
    RequestTimeoutError,
    RetryPolicy,
    SessionManager,
    Timeouts,
)
from kajabi_async.exchange import Request
from kajabi_async.session.sharing import SharingSession
from tests.session.aioresponses_adapter import answering
from tests.session.watching import wrapped

BASE = "https://api.kajabi.com"
GET = Request("GET", "/v1/customers/1", authorized=False)
POST = Request("POST", "/v1/contacts", body=b"{}", authorized=False)
KEY = ConnectionKey("api.kajabi.com", 443, True, True, None, None, None)
HEAD = "GET /v1/customers/1: "


def _refused() -> Exception:
    return aiohttp.ClientConnectorError(KEY, OSError(111, "Connection refused"))


def _not_trusted() -> Exception:
    return aiohttp.ClientConnectorCertificateError(KEY, ssl.SSLCertVerificationError("self-signed"))


def _cut_while_unpacking() -> Exception:
    error = aiohttp.ClientPayloadError("400")
    error.__cause__ = ContentEncodingError("damaged")
    return error


def _no_answer() -> Exception:
    return aiohttp.ClientResponseError(cast("Any", None), ())


@pytest.fixture
def http() -> Generator[Any]:
    with answering() as mocked:
        yield mocked


@asynccontextmanager
async def _session(**settings: Any) -> AsyncGenerator[SessionManager]:
    settings.setdefault("retry", RetryPolicy(max_attempts=1))
    settings.setdefault("base_url", BASE)
    manager = SessionManager(credentials=ClientCredentials("id", "secret"), **settings)
    try:
        yield manager
    finally:
        await manager.aclose()


def _answered_by_a_proxy(message: str) -> Exception:
    return aiohttp.ClientHttpProxyError(cast("Any", None), (), status=407, message=message)


async def _failure(http: Any, error: Exception, request: Request = GET) -> KajabiError:
    http.add(f"{BASE}{request.path}", request.method, exception=error)
    async with _session() as manager:
        with pytest.raises(KajabiError) as caught:
            await manager.send(request)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    return caught.value


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (_refused, "Connection refused"),
        (_not_trusted, "ClientConnectorCertificateError"),
        (
            lambda: aiohttp.ClientConnectorDNSError(KEY, OSError(-2, "Name or service not known")),
            "Name or service not known",
        ),
        (lambda: aiohttp.ClientConnectorSSLError(KEY, OSError(1, "wrong version number")), "wrong version number"),
        (
            lambda: aiohttp.ClientConnectorSSLError(KEY, OSError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version")),
            "[SSL: WRONG_VERSION_NUMBER] wrong version; the server does not speak TLS at this port",
        ),
        (
            lambda: aiohttp.ClientConnectorSSLError(
                KEY, OSError(1, "[SSL: RECORD_LAYER_FAILURE] record layer failure")
            ),
            "[SSL: RECORD_LAYER_FAILURE] record layer failure; the server does not speak TLS at this port",
        ),
        (lambda: aiohttp.ClientConnectorError(KEY, OSError()), "ClientConnectorError"),
        (
            lambda: aiohttp.ClientConnectorError(KEY, OSError(111, "Connect call failed ('127.0.0.1', 9)")),
            os.strerror(111),
        ),
        (
            lambda: aiohttp.ClientConnectorError(
                KEY, OSError(111, "Multiple exceptions: [Errno 111] Connect call failed ('::1', 9), ...")
            ),
            os.strerror(111),
        ),
    ],
)
async def test_what_could_not_connect_says_why_and_was_never_sent(make: Any, reason: str, http: Any) -> None:
    """To which host and port, and why: in the words of the system, or by the name of the exception."""
    error = await _failure(http, make())
    assert isinstance(error, ConnectionFailedError)
    assert str(error) == f"{HEAD}could not connect to api.kajabi.com:443: {reason}"
    assert (error.method, error.path, error.never_sent) == ("GET", "/v1/customers/1", True)
    write = await _failure(http, make(), POST)
    assert (str(write), write.maybe_applied) == (
        f"POST /v1/contacts: could not connect to api.kajabi.com:443: {reason}",
        False,
    )


async def test_a_failed_connection_without_an_address_names_the_api(http: Any) -> None:
    """A test that stands in for the network makes the error without a key of a connection, as none is at hand."""
    error = await _failure(http, aiohttp.ClientConnectorError(cast("Any", None), OSError(111, "Connection refused")))
    assert str(error) == f"{HEAD}could not connect to api.kajabi.com: Connection refused"


@pytest.mark.parametrize(("message", "answered"), [("No", "407 No"), ("", "407")])
async def test_a_proxy_that_is_not_known_is_named_without_an_address(message: str, answered: str, http: Any) -> None:
    """A session of another make may go through one; the text ends with the status if the proxy gives no reason."""
    error = await _failure(http, _answered_by_a_proxy(message))
    assert str(error) == f"{HEAD}the proxy made no connection to api.kajabi.com, but answered {answered}"


@pytest.mark.parametrize(
    "make",
    [
        aiohttp.ServerDisconnectedError,
        lambda: aiohttp.ClientOSError(104, "Connection reset by peer"),
        lambda: aiohttp.ClientPayloadError("not all of it came"),
        lambda: aiohttp.ClientError("anything else"),
        lambda: OSError("gone"),
        ConnectionResetError,
        ZeroDivisionError,
    ],
)
async def test_what_broke_says_so_by_name_and_may_have_been_sent(make: Any, http: Any) -> None:
    """Also for exceptions that the package does not know."""
    name = type(make()).__name__
    expected = f"the connection to api.kajabi.com broke before the whole answer had come ({name})"
    error = await _failure(http, make())
    assert isinstance(error, ConnectionFailedError)
    assert str(error) == f"{HEAD}{expected}"
    assert (error.method, error.path) == ("GET", "/v1/customers/1")
    assert (error.never_sent, error.on_reused_connection) == (False, False)
    write = await _failure(http, make(), POST)
    assert (str(write), write.maybe_applied) == (f"POST /v1/contacts: {expected}", True)


@pytest.mark.parametrize("make", [_no_answer, lambda: ValueError("Header too long")])
async def test_what_is_no_http_says_so(make: Any, http: Any) -> None:
    """Another service listens at that address."""
    error = await _failure(http, make())
    assert isinstance(error, ConnectionFailedError)
    assert str(error) == f"{HEAD}the answer of api.kajabi.com was not HTTP"
    assert (error.method, error.path, error.never_sent) == ("GET", "/v1/customers/1", False)


@pytest.mark.parametrize("make", [_cut_while_unpacking, lambda: ContentEncodingError("damaged")])
async def test_what_cannot_be_decompressed_says_so(make: Any, http: Any) -> None:
    """It was damaged on its way."""
    error = await _failure(http, make())
    assert type(error) is DecodeError
    assert str(error) == f"{HEAD}the compressed body cannot be decompressed"
    assert (error.problem, error.context) == ("the compressed body cannot be decompressed", "GET /v1/customers/1")


@pytest.mark.parametrize(
    ("make", "expected", "phase", "seconds"),
    [
        (aiohttp.ConnectionTimeoutError, "no connection to api.kajabi.com within 10.0 s", "connect", 10.0),
        (aiohttp.SocketTimeoutError, "nothing came from api.kajabi.com for 30.0 s", "read", 30.0),
        (TimeoutError, "nothing came from api.kajabi.com for 30.0 s", "read", 30.0),
    ],
)
async def test_what_took_too_long_says_which_limit_it_was(
    make: Any, expected: str, phase: str, seconds: float, http: Any
) -> None:
    """It also says how long it waited."""
    error = await _failure(http, make())
    assert isinstance(error, RequestTimeoutError)
    assert str(error) == f"{HEAD}{expected}"
    assert (error.phase, error.seconds, error.method, error.path) == (phase, seconds, "GET", "/v1/customers/1")
    write = await _failure(http, make(), POST)
    assert write.maybe_applied is (phase == "read")


@pytest.mark.parametrize("make", [lambda: RuntimeError("Session is closed"), lambda: aiohttp.InvalidURL("no", "why")])
async def test_a_session_that_cannot_be_used_says_so(make: Any, http: Any) -> None:
    """In the words of the library, as the session is the caller's own."""
    error = await _failure(http, make())
    assert type(error) is ConfigurationError
    assert str(error) == f"the HTTP session cannot be used: {make()}"


@pytest.mark.parametrize("media_type", ["text/html", "TEXT/HTML; charset=utf-8", "application/xhtml+xml"])
async def test_a_page_in_place_of_an_answer_is_refused_by_its_type(media_type: str, http: Any) -> None:
    """A proxy or a login page may answer in place of the API."""
    http.get(f"{BASE}/v1/customers/1", body=b"<html>", headers={"Content-Type": media_type})
    async with _session() as manager:
        with pytest.raises(DecodeError) as caught:
            await manager.send(GET)
    assert str(caught.value) == f"GET /v1/customers/1: the answer is '{media_type}', not JSON:API"
    assert caught.value.context == "GET /v1/customers/1"


async def test_no_more_than_sixty_letters_of_a_media_type_are_shown(http: Any) -> None:
    """A media type may hold anything."""
    media_type = "text/html; " + "x" * 100
    http.get(f"{BASE}/v1/customers/1", body=b"", headers={"Content-Type": media_type})
    async with _session() as manager:
        with pytest.raises(DecodeError, match=f"the answer is '{media_type[:60]}', not"):
            await manager.send(GET)


async def test_an_error_of_the_package_is_left_as_it_is(http: Any) -> None:
    """A wrapper of the session may raise one."""
    ours = AnswerTooLargeError("too large", context="here")
    assert str(await _failure(http, ours)) == "here: too large"


async def test_a_session_that_was_handed_in_gets_the_client_limits_and_sends_once(http: Any) -> None:
    """It follows no redirect, and aiohttp resends nothing; the client's limits apply."""
    http.get(f"{BASE}/v1/customers/1", payload={})
    async with aiohttp.ClientSession() as theirs, _session(http_session=theirs) as manager:
        await manager.send(GET)
    ((call,),) = http.requests.values()
    assert call.kwargs["timeout"] == aiohttp.ClientTimeout(total=None, connect=None, sock_connect=10.0, sock_read=30.0)
    assert call.kwargs["allow_redirects"] is False
    assert (call.kwargs["raise_for_status"], call.kwargs["auto_decompress"]) == (False, True)
    assert len(call.kwargs["middlewares"]) == 2


def _made(kind: type, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Return the list to which the arguments of each *kind* are added that is made from now on."""
    made: list[dict[str, Any]] = []
    make = cast("Any", kind).__init__

    def note(self: Any, *arguments: Any, **keywords: Any) -> None:
        made.append(keywords)
        make(self, *arguments, **keywords)

    monkeypatch.setattr(kind, "__init__", note)
    return made


async def test_the_clients_pool_is_made_for_many_short_requests(http: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has no queue, and no cookies; addresses are cached for a while."""
    sessions, pools = _made(aiohttp.ClientSession, monkeypatch), _made(aiohttp.TCPConnector, monkeypatch)
    http.get(f"{BASE}/v1/customers/1", payload={}, repeat=True)
    async with _session() as manager:
        for _ in range(3):
            await manager.send(GET)
    (made,) = sessions
    assert pools == [{"limit": 0, "ttl_dns_cache": 300, "keepalive_timeout": 15.0}]
    assert isinstance(made["cookie_jar"], aiohttp.DummyCookieJar)


@pytest.mark.parametrize(
    ("base_url", "host"),
    [
        ("https://api.example", "api.example"),
        ("https://api.example:443", "api.example"),
        ("https://api.example:8443", "api.example:8443"),
        ("http://127.0.0.1:80", "127.0.0.1"),
        ("http://[::1]:8080", "[::1]:8080"),
    ],
)
async def test_the_host_is_sent_with_its_port_unless_that_is_the_default(base_url: str, host: str) -> None:
    """A server of several names may know itself without the port alone."""
    async with _session(base_url=base_url) as manager:
        head: bytes = cast("Any", manager)._transport._head(GET, GET.path, None)
    assert head.startswith(f"GET /v1/customers/1 HTTP/1.1\r\nHost: {host}\r\n".encode())


@pytest.mark.parametrize("seconds", [0.5, None, 10.0])
@pytest.mark.parametrize("mocked", [False, True])
async def test_a_client_that_shares_a_pool_connects_within_its_own_limit(
    *, seconds: float | None, mocked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether its requests go the direct way or are watched by something."""
    limits: list[float | None] = []

    async def connect(_: object, __: object, ___: object, timeout: aiohttp.ClientTimeout) -> None:
        limits.append(timeout.sock_connect)
        raise aiohttp.ClientOSError

    monkeypatch.setattr(aiohttp.TCPConnector, "_create_connection", connect)
    if mocked:
        monkeypatch.setattr(aiohttp.ClientSession, "request", wrapped(aiohttp.ClientSession.request))
    async with _session() as manager:
        sharing = SharingSession(manager, timeouts=Timeouts(connect=seconds), retry=None)
        for each, expected in ((sharing, seconds), (manager, 10.0)):
            limits.clear()
            with pytest.raises(ConnectionFailedError):
                await each.send(GET)
            assert {*limits} == {expected}


async def test_a_call_may_go_without_a_limit(http: Any) -> None:
    """If the client has none either."""
    http.get(f"{BASE}/v1/customers/1", payload={})
    async with _session(timeouts=Timeouts(total=None, queue=None, connect=None, read=None)) as manager:
        assert (await manager.send(GET)).status == 200
