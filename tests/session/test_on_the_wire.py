"""What the pool does and does not do, as the server sees it: on real sockets."""

import asyncio
import gzip
import random
from typing import Any

import aiohttp
import pytest

from kajabi_async import AnswerTooLargeError, ApiError, ConnectionFailedError, RequestTimeoutError, Timeouts
from kajabi_async.exchange import FORM, Request
from kajabi_async.session import ClientCredentials
from tests.decoding.largest import largest_page
from tests.session.serving import GET, answer, read_request, serving, session

FORM_REQUEST = Request("POST", "/v1/oauth/token", body=b"a=b", content_type=FORM, authorized=False)


class Server:
    """A server that answers every request alike and records it."""

    def __init__(self, *pieces: bytes) -> None:
        self.seen: list[str] = []
        self._pieces = pieces or (answer(),)

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            self.seen.append((await read_request(reader)).decode())
            for piece in self._pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.01)


def _headers(text: str) -> dict[str, str]:
    lines = text.partition("\r\n\r\n")[0].split("\r\n")[1:]
    return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}


@pytest.mark.parametrize(
    ("request_", "line", "accept", "content_type"),
    [
        (GET, "GET /v1/customers/1 HTTP/1.1", "application/vnd.api+json", None),
        (
            Request("GET", "/v1/customers/a%2Fb", "page%5Bnumber%5D=2", authorized=False),
            "GET /v1/customers/a%2Fb?page%5Bnumber%5D=2 HTTP/1.1",
            "application/vnd.api+json",
            None,
        ),
        (
            Request("PATCH", "/v1/contacts/1", body=b"{}", authorized=False),
            "PATCH /v1/contacts/1 HTTP/1.1",
            "application/vnd.api+json",
            "application/vnd.api+json",
        ),
        (
            Request("GET", "/v1/oauth/token", content_type=FORM, authorized=False),
            "GET /v1/oauth/token HTTP/1.1",
            "application/json",
            None,
        ),
        (FORM_REQUEST, "POST /v1/oauth/token HTTP/1.1", "application/json", "application/x-www-form-urlencoded"),
    ],
)
@pytest.mark.parametrize("prefix", ["", "/proxied%20there"])
async def test_a_request_is_sent_as_it_was_built(
    request_: Request, line: str, accept: str, content_type: str | None, prefix: str
) -> None:
    """Nothing quoted is decoded, it stays below the path of the base URL, and each media type is in its header."""
    server = Server()
    async with serving(server) as base_url, session(f"{base_url}{prefix}", user_agent="made by tests") as manager:
        assert manager.base_url == f"{base_url}{prefix}"
        await manager.send(request_)
    (text,) = server.seen
    method, rest = line.split(" ", 1)
    headers = _headers(text)
    assert text.startswith(f"{method} {prefix}{rest}\r\n")
    assert (headers["accept"], headers.get("content-type")) == (accept, content_type)
    assert (headers["user-agent"], "authorization" in headers) == ("made by tests", False)
    assert text.endswith("\r\n\r\n" + (request_.body or b"").decode())


@pytest.mark.parametrize(
    ("request_", "own"),
    [
        (Request("GET", "/v1/customers/1", authorized=False), []),
        (Request("GET", "/v1/customers/1", "include=offers"), ["authorization"]),
        (Request("POST", "/v1/contacts", body=b"{}"), ["authorization", "content-type", "content-length"]),
        (FORM_REQUEST, ["content-type", "content-length"]),
    ],
)
async def test_each_header_is_sent_once_and_the_host_first(request_: Request, own: list[str]) -> None:
    """On a new connection as on one that is used again, on which what all requests share is not worked out again."""
    server = Server(answer(b'{"access_token": "tok", "expires_in": 1000}'))
    async with serving(server) as base_url, session(base_url) as manager:
        await manager.send(request_)
        await manager.send(request_)
    sent = [text for text in server.seen if text.startswith(f"{request_.method} {request_.path}")]
    assert len(sent) == 2
    for text in sent:
        names = [line.partition(":")[0].lower() for line in text.partition("\r\n\r\n")[0].split("\r\n")[1:]]
        assert names[0] == "host"
        assert sorted(names) == sorted(["host", "accept", "accept-encoding", "user-agent", *own])
        assert _headers(text)["host"] == base_url.removeprefix("http://")
        assert _headers(text)["accept-encoding"] == aiohttp.ClientRequest.DEFAULT_HEADERS[aiohttp.hdrs.ACCEPT_ENCODING]


async def test_each_client_sends_to_its_own_server() -> None:
    """Also after both have connections: what the requests of one client share is nothing to the other."""
    servers = [Server(answer(name)) for name in (b"one", b"two")]
    async with (
        serving(servers[0]) as first,
        serving(servers[1]) as second,
        session(first, user_agent="of one") as one,
        session(second, user_agent="of two") as two,
    ):
        answers = [await each.send(Request("GET", "/v1/x", authorized=False)) for each in (one, two) * 2]
    assert [each.body for each in answers] == [b"one", b"two"] * 2
    for server, base_url, name in zip(servers, (first, second), ("of one", "of two"), strict=True):
        headers = [_headers(text) for text in server.seen]
        assert [(each["host"], each["user-agent"]) for each in headers] == [
            (base_url.removeprefix("http://"), name)
        ] * 2


async def test_an_authorized_request_bears_the_token() -> None:
    """The request for the token has none."""
    server = Server(answer(b'{"access_token": "tok", "expires_in": 1000}'))
    async with serving(server) as base_url, session(base_url, credentials=ClientCredentials("a", "b")) as manager:
        await manager.send(Request("GET", "/v1/customers/1"))
    asked, sent = map(_headers, server.seen)
    assert (asked.get("authorization"), sent["authorization"]) == (None, "Bearer tok")
    assert asked["accept"] == "application/json"


@pytest.mark.parametrize("is_handed_in", [False, True])
async def test_each_token_is_on_the_requests_that_it_was_asked_for(is_handed_in: bool) -> None:
    """Reads and writes, with one token, the next, and none; what asks for a token never has one.

    A session that was handed in does not keep it.
    """
    seen: list[tuple[str, str | None]] = []
    asked_with: list[str | None] = []
    issued = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal issued
        while True:
            text = (await read_request(reader)).decode()
            line = text.partition(" HTTP/1.1")[0]
            if line == "POST /v1/oauth/token":
                issued += 1
                asked_with.append(_headers(text).get("authorization"))
                writer.write(answer(b'{"access_token": "tok-%d"}' % issued))
                continue
            seen.append((line, _headers(text).get("authorization")))
            refused = line == "GET /v1/customers/2" and issued == 1
            writer.write(answer(status="401 Unauthorized" if refused else "200 OK"))

    async with (
        serving(handle) as base_url,
        aiohttp.ClientSession() as theirs,
        session(base_url, http_session=theirs if is_handed_in else None) as manager,
    ):
        for number in (1, 1, 2, 1):
            await manager.send(Request("GET", f"/v1/customers/{number}"))
        await manager.send(GET)
        await manager.send(Request("DELETE", "/v1/contacts/1"))
        await manager.send(Request("GET", "/v1/customers/1"))
        assert not theirs.headers
    one, other = "Bearer tok-1", "Bearer tok-2"
    assert seen == [
        ("GET /v1/customers/1", one),
        ("GET /v1/customers/1", one),
        ("GET /v1/customers/2", one),
        ("GET /v1/customers/2", other),
        ("GET /v1/customers/1", other),
        ("GET /v1/customers/1", None),
        ("DELETE /v1/contacts/1", other),
        ("GET /v1/customers/1", other),
    ]
    assert asked_with == [None, None]


async def test_fifty_requests_are_under_way_at_once_by_default() -> None:
    """The others wait for a slot; all have the user agent of the client."""
    everyone, agents = asyncio.Event(), list[str]()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            agents.append(_headers((await read_request(reader)).decode())["user-agent"])
            await everyone.wait()
            writer.write(answer())

    async with serving(handle) as base_url, session(base_url) as manager:
        calls = [asyncio.create_task(manager.send(GET)) for _ in range(60)]
        while len(agents) < 50:
            await asyncio.sleep(0.001)
        assert manager.stats.queued == 10
        everyone.set()
        await asyncio.gather(*calls)
    assert agents == ["kajabi_async"] * 60


async def test_no_cookie_is_kept() -> None:
    """Of no host; a host that is an IP address never has one."""
    server = Server(answer(headers="Set-Cookie: a=b; Path=/\r\n"))
    async with serving(server) as base_url, session(base_url.replace("127.0.0.1", "localhost")) as manager:
        for _ in range(2):
            await manager.send(GET)
    assert len(server.seen) == 2
    assert all("cookie" not in _headers(text) for text in server.seen)


async def test_no_proxy_of_the_surroundings_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment may be under other control."""
    server, elsewhere = Server(), Server()
    async with serving(elsewhere) as proxy, serving(server) as base_url, session(base_url) as manager:
        for name in ("HTTP_PROXY", "http_proxy"):
            monkeypatch.setenv(name, proxy)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        await manager.send(GET)
    assert (len(server.seen), len(elsewhere.seen)) == (1, 0)


async def test_a_session_that_was_handed_in_follows_no_redirect_either() -> None:
    """The redirect would get the token."""
    server = Server(answer(b"", status="302 Found", headers="Location: /v1/customers/2\r\n"))
    async with (
        serving(server) as base_url,
        aiohttp.ClientSession() as theirs,
        session(base_url, http_session=theirs) as manager,
    ):
        with pytest.raises(ApiError, match="never followed"):
            await manager.send(GET)
    assert len(server.seen) == 1


async def test_as_many_connections_are_made_as_requests_are_under_way() -> None:
    """The pool never queues: only the number of slots limits it."""
    everyone = asyncio.Event()
    under_way = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal under_way
        await read_request(reader)
        under_way += 1
        if under_way == 120:
            everyone.set()
        await everyone.wait()
        writer.write(answer())

    async with asyncio.timeout(10), serving(handle) as base_url, session(base_url, concurrency=120) as manager:
        answers = await asyncio.gather(*(manager.send(GET) for _ in range(120)))
    assert [each.status for each in answers] == [200] * 120


async def test_a_new_connection_that_breaks_is_no_stale_one() -> None:
    """Nor is one that breaks within the answer."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer())
        await read_request(reader)
        writer.write(answer(b"x" * 10)[:-5])

    async with serving(handle) as base_url, session(base_url) as manager:
        await manager.send(GET)
        with pytest.raises(ConnectionFailedError) as caught:
            await manager.send(GET)
        assert caught.value.on_reused_connection is False
    async with serving(lambda reader, _: read_request(reader)) as base_url, session(base_url) as manager:  # type: ignore[arg-type, return-value]
        with pytest.raises(ConnectionFailedError) as caught:
            await manager.send(GET)
        assert caught.value.on_reused_connection is False


async def test_the_pool_serves_other_requests_too() -> None:
    """Only the requests of the session are supervised."""
    server = Server()
    async with serving(server) as base_url, session(base_url) as manager:
        await manager.send(GET)
        pool: Any = manager._transport._session
        async with pool.get(f"{base_url}/elsewhere") as response:
            assert (response.status, await response.read()) == (200, b"{}")
    assert [text.split()[1] for text in server.seen] == ["/v1/customers/1", "/elsewhere"]


@pytest.mark.parametrize("handed_in", [False, True])
async def test_silence_is_limited_for_any_session(*, handed_in: bool) -> None:
    """Before the answer and within it; each piece restarts the limit."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while b"/silent" not in await read_request(reader):
            for piece in (answer(b"12345678")[:-8], b"12", b"34", b"56", b"78"):
                writer.write(piece)
                await asyncio.sleep(0.1)
        await reader.read()

    slow, silent = (Request("GET", f"/v1/{name}", authorized=False) for name in ("slow", "silent"))
    async with asyncio.timeout(10), serving(handle) as base_url, aiohttp.ClientSession() as theirs:
        settings: dict[str, Any] = {"http_session": theirs} if handed_in else {}
        async with session(base_url, timeouts=Timeouts(read=0.4), **settings) as manager:
            assert (await manager.send(slow)).body == b"12345678"
            with pytest.raises(RequestTimeoutError) as caught:
                await manager.send(silent)
    assert str(caught.value) == f"GET /v1/silent: nothing came from {base_url.removeprefix('http://')} for 0.4 s"
    assert (caught.value.phase, caught.value.seconds) == ("read", 0.4)


async def test_without_a_limit_on_silence_an_answer_may_come_in_pieces() -> None:
    """However many there are."""
    whole = answer(b"0123456789")
    server = Server(*(whole[at : at + 30] for at in range(0, len(whole), 30)))
    async with serving(server) as base_url, session(base_url, timeouts=Timeouts(read=None)) as manager:
        assert (await manager.send(GET)).body == b"0123456789"
        assert (await manager.send(GET)).body == b"0123456789"


@pytest.mark.parametrize("size", [0, 1, 99, 100])
async def test_an_answer_up_to_the_limit_is_read(size: int) -> None:
    """Whether it comes in one piece or several."""
    whole = answer(b"x" * size)
    for pieces in ((whole,), (whole[:-50], whole[-50:])):
        server = Server(*pieces)
        async with serving(server) as base_url, session(base_url, max_answer_bytes=100) as manager:
            received = await manager.send(GET)
        assert (received.status, received.body) == (200, b"x" * size)
        assert received.headers["content-type"] == "application/vnd.api+json"


async def test_an_answer_beyond_the_limit_is_refused_by_its_size() -> None:
    """The text names the limit and the request; an answer in pieces is counted as a whole."""
    whole = answer(b"x" * 101)
    for pieces in ((whole,), (whole[:-50], whole[-50:]), (whole[:-1], whole[-1:])):
        async with serving(Server(*pieces)) as base_url, session(base_url, max_answer_bytes=100) as manager:
            with pytest.raises(AnswerTooLargeError) as caught:
                await manager.send(GET)
        assert str(caught.value) == (
            "GET /v1/customers/1: larger than the limit of 100 bytes, counted after decompression"
        )
        assert caught.value.context == "GET /v1/customers/1"


def _packed(size: int) -> bytes:
    return gzip.compress(b" " * size, 9)


@pytest.mark.parametrize(
    ("size", "most"),
    [
        pytest.param(2**20, None, id="a mebibyte is always fine"),
        pytest.param(2**20 + 1, 2**20, id="more is not, from so little"),
    ],
)
async def test_what_unpacks_to_more_than_its_length_allows_is_a_bomb(size: int, most: int | None) -> None:
    """More than a mebibyte, or than two hundred times the compressed size."""
    body = _packed(size)
    assert len(body) * 200 < 2**20
    async with (
        serving(Server(answer(body, headers="Content-Encoding: gzip\r\n"))) as base_url,
        session(base_url) as manager,
    ):
        if most is None:
            assert len((await manager.send(GET)).body) == size
            return
        with pytest.raises(AnswerTooLargeError, match=f"limit of {most} bytes"):
            await manager.send(GET)


async def test_two_hundred_times_what_came_is_allowed() -> None:
    """JSON compresses well."""
    unpacked = b" " * 2**21 + random.Random(1).randbytes(12_000)
    body = gzip.compress(unpacked, 9)
    assert 2**20 < len(unpacked) < len(body) * 200
    server = Server(answer(body, headers="Content-Encoding: gzip\r\n"))
    async with serving(server) as base_url, session(base_url) as manager:
        assert (await manager.send(GET)).body == unpacked


async def test_without_a_packed_length_the_limit_alone_counts() -> None:
    """In chunks, or not compressed at all."""
    body = _packed(2**20 + 1)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n"
    chunked = head + b"Transfer-Encoding: chunked\r\n\r\n"
    chunked += b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    async with serving(Server(chunked)) as base_url, session(base_url) as manager:
        assert len((await manager.send(GET)).body) == 2**20 + 1
    async with serving(Server(answer(b"x" * (2**20 + 1)))) as base_url, session(base_url) as manager:
        assert len((await manager.send(GET)).body) == 2**20 + 1


@pytest.mark.parametrize("version", ["1.0", "1.1"])
async def test_a_body_without_a_length_ends_with_its_connection(version: str) -> None:
    """However many pieces it comes in."""
    head = f"HTTP/{version} 200 OK\r\nContent-Type: application/vnd.api+json\r\n\r\n".encode()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        for piece in (head, b'{"a', b'": 1}'):
            writer.write(piece)
            await asyncio.sleep(0.005)

    async with serving(handle) as base_url, session(base_url) as manager:
        for _ in range(2):
            assert (await manager.send(GET)).body == b'{"a": 1}'


async def test_an_answer_that_changes_the_protocol_is_an_error_and_ends_its_connection() -> None:
    """Nothing asks for that, and what follows is no HTTP."""
    server = Server(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n")
    async with serving(server) as base_url, session(base_url) as manager:
        for _ in range(2):
            with pytest.raises(ApiError, match="101"):
                await manager.send(GET)
    assert len(server.seen) == 2


@pytest.mark.parametrize("sent", [b"SSH-2.0-OpenSSH\r\n\r\n", b"HTTP/1.1 200 OK\r\nno header\r\n\r\n"])
async def test_an_answer_that_is_not_http_is_named_so(sent: bytes) -> None:
    """Another server may listen at the port."""
    async with serving(Server(sent)) as base_url, session(base_url) as manager:
        with pytest.raises(
            ConnectionFailedError, match=f"the answer of {base_url.removeprefix('http://')} was not HTTP"
        ):
            await manager.send(GET)


async def test_an_answer_without_a_media_type_is_left_to_its_reader() -> None:
    """A deletion has none."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")

    async with serving(handle) as base_url, session(base_url) as manager:
        assert (await manager.send(GET)).status == 204


@pytest.mark.parametrize("status", ["200 OK", "422 Unprocessable Entity", "500 Internal Server Error"])
async def test_an_answer_of_more_elements_than_the_limit_is_refused_before_it_is_decoded(status: str) -> None:
    """Whatever its status: two bytes may become an object of two hundred, and decoding cannot be interrupted."""
    fits, beyond = b"[" + b"0," * 150_000 + b"0]", b"[" + b"0," * 300_000 + b"0]"
    async with serving(Server(answer(beyond, status=status))) as base_url, session(base_url) as manager:
        with pytest.raises(AnswerTooLargeError) as caught:
            await manager.send(GET)
    assert str(caught.value) == (
        "GET /v1/customers/1: more than 200000 elements, the limit that max_answer_elements= sets"
    )
    for body, most in ((fits, 200_000), (beyond, 300_002)):
        async with (
            serving(Server(answer(body))) as base_url,
            session(base_url, max_answer_elements=most) as manager,
        ):
            assert (await manager.send(GET)).body == body


async def test_arrays_and_objects_beyond_their_share_are_refused_before_they_are_decoded() -> None:
    """One for five elements; a text of two bytes for each of them is the smallest that may have more."""
    fits, beyond = (b"[" * number + b"]" * number for number in (40_000, 40_001))
    async with serving(Server(answer(fits))) as base_url, session(base_url) as manager:
        assert (await manager.send(GET)).body == fits
    async with serving(Server(answer(beyond))) as base_url, session(base_url) as manager:
        with pytest.raises(AnswerTooLargeError) as caught:
            await manager.send(GET)
    assert str(caught.value) == (
        "GET /v1/customers/1: more than 40000 arrays and objects, which is what a limit of 200000 elements allows"
    )


async def test_the_largest_page_of_a_real_account_is_received() -> None:
    """With the default limits."""
    body = largest_page()
    async with serving(Server(answer(body))) as base_url, session(base_url) as manager:
        assert (await manager.send(GET)).body == body


async def test_a_large_answer_with_characters_beyond_the_first_plane_is_refused() -> None:
    """If the limit of bytes was raised: Python would take four bytes for each of its characters."""
    for letter, refused in (("\u20ac", False), ("\U0001f600", True)):
        body = f'["{"a" * (9 * 2**20)}{letter}"]'.encode()
        async with (
            serving(Server(answer(body))) as base_url,
            session(base_url, max_answer_bytes=64 * 2**20) as manager,
        ):
            if refused:
                with pytest.raises(AnswerTooLargeError, match=r"beyond U\+FFFF"):
                    await manager.send(GET)
            else:
                assert (await manager.send(GET)).body == body


async def test_an_answer_may_have_eight_mebibytes_by_default() -> None:
    """Nearly twice the size of the largest page."""
    for size, refused in ((8 * 2**20, False), (8 * 2**20 + 1, True)):
        async with serving(Server(answer(b" " * size))) as base_url, session(base_url) as manager:
            if refused:
                with pytest.raises(AnswerTooLargeError, match="limit of 8388608 bytes"):
                    await manager.send(GET)
            else:
                assert len((await manager.send(GET)).body) == size
