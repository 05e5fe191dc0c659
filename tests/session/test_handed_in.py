"""A session of the caller's own: each of its options is respected, or refused by name when the client is made."""

import asyncio
import gzip
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from multidict import CIMultiDict

from kajabi_async import (
    ConfigurationError,
    Kajabi,
    NotFoundError,
    RateLimitError,
    RetryPolicy,
    SessionManager,
    WrongLoopError,
)
from kajabi_async.exchange import Request
from kajabi_async.session import ClientCredentials
from kajabi_async.testing import FakeKajabi
from tests.session.serving import answer, read_request, serving

CREDENTIALS = ClientCredentials("id", "secret")
READ = Request("GET", "/v1/customers/1")
WRITE = Request("POST", "/v1/contacts", body=b"{}")


class Server:
    """A server that answers token requests, and others with prepared answers in order; records all requests."""

    def __init__(self, *answers: bytes) -> None:
        self.heads: list[str] = []
        self._answers = answers or (answer(b'{"a": 1}'),)

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = (await read_request(reader)).decode()
            if "/oauth/token" in head:
                writer.write(answer(b'{"access_token": "tok"}'))
                continue
            writer.write(self._answers[min(len(self.heads), len(self._answers) - 1)])
            self.heads.append(head)

    def values(self, name: str) -> list[str]:
        """Return the values of a header of the last request that was not for a token."""
        lines = [line.partition(": ") for line in self.heads[-1].partition("\r\n\r\n")[0].split("\r\n")[1:]]
        return [value for key, _, value in lines if key.lower() == name.lower()]


@asynccontextmanager
async def _sending(server: Any, **options: Any) -> AsyncGenerator[SessionManager]:
    """Serve with *server*, and yield a manager that sends through a session with *options*."""
    async with asyncio.timeout(10), serving(server) as base_url, aiohttp.ClientSession(**options) as theirs:
        manager = SessionManager(
            credentials=CREDENTIALS, base_url=base_url, http_session=theirs, retry=RetryPolicy(max_attempts=1)
        )
        try:
            yield manager
        finally:
            await manager.aclose()


async def _refusal(**options: Any) -> str:
    async with aiohttp.ClientSession(**options) as theirs:
        with pytest.raises(ConfigurationError) as caught:
            Kajabi(client_id="a", client_secret="b", http_session=theirs)
    return str(caught.value)


async def test_errors_are_those_of_the_package_though_the_session_raises_for_a_status() -> None:
    """404 is not found, 429 slows all requests, 401 fetches a new token: as without the option."""
    async with FakeKajabi() as fake, aiohttp.ClientSession(raise_for_status=True) as theirs:
        settings: Any = {"client_id": fake.client_id, "client_secret": fake.client_secret, "base_url": fake.base_url}
        async with Kajabi(**settings, http_session=theirs, retry=RetryPolicy(max_attempts=1)) as api:
            with pytest.raises(NotFoundError):
                await api.customers.get("999999")
            fake.expire_tokens()
            assert (await api.customers.get("1")).id == "1"
            fake.fail("customers.get", status=429)
            with pytest.raises(RateLimitError):
                await api.customers.get("1")
            assert api.stats.rate_limited == 1


async def test_middlewares_see_every_request_and_what_they_add_arrives() -> None:
    """They do not see the token, which is added after them."""
    seen: list[str | None] = []

    async def tag(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        seen.append(request.headers.get("Authorization"))
        request.headers["X-Corporate"] = "yes"
        return await handler(request)

    async def other(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        request.headers["X-Corporate"] += ", both"
        return await handler(request)

    server = Server()
    async with _sending(server, middlewares=(tag, other)) as manager:
        await manager.send(READ)
        await manager.send(WRITE)
    assert server.values("X-Corporate") == ["yes, both"]
    assert server.values("Authorization") == ["Bearer tok"]
    assert seen == [None, None, None]


async def test_a_middleware_may_send_again_what_aiohttp_may_not() -> None:
    """The caller decides that; a write that aiohttp would resend by itself is sent once."""

    async def again(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        response = await handler(request)
        if response.status != 503:
            return response
        response.close()
        return await handler(request)

    server = Server(answer(status="503 No"), answer(b'"second"'))
    async with _sending(server, middlewares=[again]) as manager:
        assert (await manager.send(READ)).body == b'"second"'
    assert len(server.heads) == 2


async def test_compressed_answers_are_read_though_the_session_leaves_them_packed() -> None:
    """They are limited after decompression."""
    packed = answer(gzip.compress(b'{"a": 1}'), headers="Content-Encoding: gzip\r\n")
    async with _sending(Server(packed), auto_decompress=False) as manager:
        assert (await manager.send(READ)).body == b'{"a": 1}'


async def test_default_headers_and_cookies_are_sent_along() -> None:
    """Its user agent replaces the client's own."""
    server = Server()
    headers = {"X-Team": "blue", "User-Agent": "theirs"}
    async with _sending(server, headers=headers, cookies={"a": "b"}, cookie_jar=aiohttp.CookieJar(unsafe=True)) as it:
        await it.send(READ)
    values = [server.values(name) for name in ("X-Team", "User-Agent", "Cookie", "Accept")]
    assert values == [["blue"], ["theirs"], ["a=b"], ["application/vnd.api+json"]]


@pytest.mark.parametrize("left_out", [["User-Agent", "Accept-Encoding"], ["user-agent", "ACCEPT-ENCODING"]])
async def test_headers_that_it_leaves_out_stay_out(left_out: list[str]) -> None:
    """Unless the API needs them; however their names are written."""
    server = Server()
    async with _sending(server, skip_auto_headers=left_out) as manager:
        await manager.send(READ)
    assert (server.values("User-Agent"), server.values("Accept-Encoding")) == ([], [])
    assert server.values("Accept") == ["application/vnd.api+json"]


async def test_a_netrc_that_the_session_reads_does_not_replace_the_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is it sent with the token request."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login mallory password canary\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    server, asked = Server(), list[str]()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await read_request(reader)).decode()
        asked.append(head)
        writer.write(answer(b'{"access_token": "tok"}', headers="Connection: close\r\n"))

    async with _sending(handle, trust_env=True) as manager:
        await manager.send(READ)
    assert ["authorization" in head.lower() for head in asked] == [False, True]
    assert "Authorization: Bearer tok" in asked[1]
    assert server.heads == []


@asynccontextmanager
async def _proxy() -> AsyncGenerator[tuple[str, list[str]]]:
    lines: list[str] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = (await read_request(reader)).decode()
            lines.append(head.partition("\r\n")[0])
            writer.write(answer(b'{"access_token": "tok"}'))

    async with serving(handle) as url:
        yield url, lines


@pytest.mark.parametrize("from_environment", [False, True])
async def test_its_proxy_is_used(monkeypatch: pytest.MonkeyPatch, *, from_environment: bool) -> None:
    """Whether it is passed, or found in the environment that the session trusts."""
    async with _proxy() as (url, lines):
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        if from_environment:
            monkeypatch.setenv("http_proxy", url)
        options = {"trust_env": True} if from_environment else {"proxy": url}
        server = Server()
        async with _sending(server, **options) as manager:
            await manager.send(READ)
            assert lines == [
                f"POST {manager.base_url}/v1/oauth/token HTTP/1.1",
                f"GET {manager.base_url}/v1/customers/1 HTTP/1.1",
            ]
    assert server.heads == []


async def test_its_trace_configs_are_called() -> None:
    """For each request."""
    began: list[str] = []
    trace = aiohttp.TraceConfig()

    async def note(_session: object, _context: object, params: aiohttp.TraceRequestStartParams) -> None:
        began.append(f"{params.method} {params.url.path} {'Authorization' in params.headers}")

    trace.on_request_start.append(note)
    async with _sending(Server(), trace_configs=[trace]) as manager:
        await manager.send(READ)
    assert began == ["POST /v1/oauth/token False", "GET /v1/customers/1 False"]


_SAME: list[dict[str, Any]] = [
    {"read_bufsize": 1},
    {"json_serialize": str},
    {"requote_redirect_url": False},
    {"version": aiohttp.HttpVersion10},
    {"max_line_size": 16384, "max_field_size": 16384},
    {"timeout": aiohttp.ClientTimeout(total=None)},
    {"timeout": aiohttp.ClientTimeout()},
    {"headers": CIMultiDict({"x-one": "1"})},
    {"raise_for_status": False},
]


@pytest.mark.parametrize("options", _SAME, ids="-".join)
async def test_what_is_the_same_to_us_is_taken(options: Any) -> None:
    """Small buffers, an old HTTP version, and how bodies are written that the client never passes."""
    server = Server(answer(b'"' + b"x" * 5000 + b'"'))
    async with _sending(server, **options) as manager:
        assert len((await manager.send(READ)).body) == 5002
        assert len((await manager.send(WRITE)).body) == 5002


async def test_a_connector_with_a_limit_queues_without_a_time_limit_for_connecting() -> None:
    """The queue of the connector belongs to its owner."""
    server = Server()
    async with _sending(server, connector=aiohttp.TCPConnector(limit=1)) as manager:
        answers = await asyncio.gather(*(manager.send(READ) for _ in range(8)))
    assert [each.status for each in answers] == [200] * 8


async def _raise(_: aiohttp.ClientResponse) -> None:
    raise AssertionError


@pytest.mark.parametrize(
    ("options", "named"),
    [
        pytest.param({"raise_for_status": _raise}, "raise_for_status=", id="a function for statuses"),
        pytest.param({"headers": {"authorization": "Basic x"}}, "Authorization in headers=", id="a token of its own"),
        pytest.param({"headers": {"Accept": "text/html"}}, "Accept in headers=", id="another media type"),
        pytest.param({"headers": {"Content-Type": "text/html"}}, "Content-Type in headers=", id="another body"),
        pytest.param({"headers": {"Content-Length": "0"}}, "Content-Length in headers=", id="a length"),
        pytest.param({"base_url": "https://api.example.com/"}, "base_url=", id="another host"),
        pytest.param({"base_url": "http://api.kajabi.com/"}, "base_url=", id="another scheme"),
        pytest.param({"timeout": aiohttp.ClientTimeout(total=5)}, "total in timeout=", id="a total"),
        pytest.param({"timeout": aiohttp.ClientTimeout(connect=5)}, "connect in timeout=", id="connecting"),
        pytest.param({"timeout": aiohttp.ClientTimeout(sock_read=5)}, "sock_read in timeout=", id="reading"),
        pytest.param({"timeout": aiohttp.ClientTimeout(sock_connect=5)}, "sock_connect in timeout=", id="a socket"),
    ],
)
async def test_what_cannot_be_kept_to_is_refused_by_name(options: Any, named: str) -> None:
    """When the client is made; the message says what to do."""
    message = await _refusal(**options)
    assert message.startswith("http_session has ")
    assert named in message
    assert "hand in a session without it" in message


@pytest.mark.filterwarnings("ignore:BasicAuth is deprecated", "ignore:The 'auth' parameter is deprecated")
async def test_a_user_and_password_of_the_session_are_refused() -> None:
    """The API takes a token; user and password are not shown."""
    message = await _refusal(auth=aiohttp.BasicAuth("mallory", "canary"))
    assert message == (
        "http_session has auth=, but the API takes a token, which the client gets by itself: "
        "hand in a session without it"
    )


async def test_a_base_url_that_leads_where_the_client_sends_is_taken() -> None:
    """It names the same address, and requests arrive there."""
    async with aiohttp.ClientSession(base_url="http://127.0.0.1") as theirs:
        manager = SessionManager(credentials=CREDENTIALS, base_url="http://127.0.0.1:80", http_session=theirs)
        await manager.aclose()
    async with aiohttp.ClientSession(base_url="https://api.kajabi.com:443/v1/") as theirs:
        api = Kajabi(client_id="a", client_secret="b", base_url="https://api.kajabi.com", http_session=theirs)
        assert api.session.base_url == "https://api.kajabi.com"
    async with aiohttp.ClientSession(base_url="https://api.kajabi.com") as theirs:
        api = Kajabi(client_id="a", client_secret="b", base_url="https://api.kajabi.com:443", http_session=theirs)
        assert api.session.base_url == "https://api.kajabi.com:443"
    server = Server()
    async with serving(server) as base_url, aiohttp.ClientSession(base_url=f"{base_url}/") as theirs:
        manager = SessionManager(credentials=CREDENTIALS, base_url=base_url, http_session=theirs)
        assert (await manager.send(READ)).body == b'{"a": 1}'
        await manager.aclose()
    assert [head.partition("\r\n")[0] for head in server.heads] == ["GET /v1/customers/1 HTTP/1.1"]


async def test_a_session_that_is_closed_is_refused() -> None:
    """At once, and not at the first request."""
    theirs = aiohttp.ClientSession()
    await theirs.close()
    with pytest.raises(ConfigurationError, match=r"^http_session is closed: hand in one that is open"):
        Kajabi(client_id="a", client_secret="b", http_session=theirs)


@pytest.mark.parametrize("given", ["https://api.kajabi.com", 5, aiohttp.ClientSession, object()])
def test_what_is_no_session_is_refused(given: Any) -> None:
    """The error names its type."""
    with pytest.raises(ConfigurationError, match=r"^http_session must be an aiohttp.ClientSession, got \w+$"):
        Kajabi(client_id="a", client_secret="b", http_session=given)


def _on_a_loop_of_its_own() -> tuple[asyncio.AbstractEventLoop, aiohttp.ClientSession]:
    loop = asyncio.new_event_loop()

    async def made() -> aiohttp.ClientSession:
        return aiohttp.ClientSession()

    return loop, loop.run_until_complete(made())


def test_a_session_of_an_event_loop_that_is_closed_is_refused() -> None:
    """It cannot send any more."""
    loop, theirs = _on_a_loop_of_its_own()
    loop.close()
    with pytest.raises(ConfigurationError, match=r"^http_session belongs to an event loop that is closed"):
        Kajabi(client_id="a", client_secret="b", http_session=theirs)
    theirs.detach()


def test_a_session_of_another_event_loop_is_refused_before_anything_is_sent() -> None:
    """Its connections would never wake a waiter on this loop."""
    loop, theirs = _on_a_loop_of_its_own()

    async def use() -> None:
        async with Kajabi(client_id="a", client_secret="b", base_url="http://127.0.0.1:1", http_session=theirs) as api:
            with pytest.raises(WrongLoopError, match="http_session belongs to another event loop"):
                await api.customers.get("1")

    asyncio.run(use())
    loop.run_until_complete(theirs.close())
    loop.close()
