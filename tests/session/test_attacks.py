"""What an attacker who controls answers, or the environment of the process, does not get."""

import asyncio
import zlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from kajabi_async.errors import AnswerTooLargeError, ApiError, ConfigurationError, DecodeError, KajabiError
from kajabi_async.exchange import Request
from kajabi_async.session import ClientCredentials, SessionManager
from tests.session.serving import GET, answer, read_request, serving, session

AUTHORIZED = Request("GET", "/v1/customers/1")
ISSUED = b'{"access_token": "access-canary", "refresh_token": "refresh-canary", "expires_in": 604800}'


class Elsewhere:
    """A second server on this machine that no request should reach; records those that do."""

    def __init__(self) -> None:
        self.visits = 0
        self.port = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.visits += 1
        await read_request(reader)
        writer.write(answer())


@asynccontextmanager
async def _elsewhere() -> AsyncGenerator[Elsewhere]:
    place = Elsewhere()
    async with serving(place) as url:
        place.port = int(url.rpartition(":")[2])
        yield place


@pytest.mark.parametrize("status", ["301", "302", "303", "307", "308", "300"])
@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:{port}/v1/customers/1",
        "HTTP://LOCALHOST:{port}/",
        "//127.0.0.1:{port}/v1/customers/1",
        "http://api.kajabi.com@127.0.0.1:{port}/",
        "/v1/customers/2",
    ],
)
async def test_no_redirect_is_followed_wherever_it_leads(status: str, location: str) -> None:
    """Row S1: another port, a host in other letters, without a scheme, with a user name, or on the same server."""
    async with _elsewhere() as elsewhere:
        seen: list[bytes] = []

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while True:
                seen.append(await read_request(reader))
                where = location.format(port=elsewhere.port)
                writer.write(answer(b"", status=f"{status} Elsewhere", headers=f"Location: {where}\r\n"))

        async with serving(handle) as base_url, session(base_url) as manager:
            with pytest.raises(ApiError, match="never followed"):
                await manager.send(GET)
        assert (len(seen), elsewhere.visits) == (1, 0)


async def test_neither_proxies_nor_netrc_of_the_surroundings_are_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Row S1: an environment under other control must neither see the token nor replace it."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login mallory password canary\n")
    netrc.chmod(0o600)
    async with _elsewhere() as elsewhere:
        monkeypatch.setenv("NETRC", str(netrc))
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{elsewhere.port}")
        seen: list[bytes] = []

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            seen.append(await read_request(reader))
            writer.write(answer())

        async with serving(handle) as base_url, session(base_url) as manager:
            await manager.send(GET)
        assert elsewhere.visits == 0
        assert b"authorization" not in seen[0].lower()


async def test_cookies_are_never_kept() -> None:
    """Row S8: neither one cookie nor a flood of them."""
    seen: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            seen.append(await read_request(reader))
            flood = "".join(f"Set-Cookie: c{number}=x; Path=/; Domain=127.0.0.1\r\n" for number in range(100))
            writer.write(answer(headers=flood))

    async with serving(handle) as base_url, session(base_url) as manager:
        for _ in range(2):
            await manager.send(GET)
    assert len(seen) == 2
    assert all(b"cookie" not in text.lower() for text in seen)


async def test_the_token_is_on_the_request_and_nowhere_else() -> None:
    """Row S1: a session that was handed in does not keep it for other hosts."""
    seen: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            seen.append(await read_request(reader))
            writer.write(answer(ISSUED if b"/oauth/token" in seen[-1] else b"{}"))

    async with serving(handle) as base_url, aiohttp.ClientSession() as own:
        async with session(base_url, http_session=own) as manager:
            await manager.send(AUTHORIZED)
        assert "authorization" not in {name.lower() for name in own.headers}
        async with own.get(f"{base_url}/elsewhere") as response:
            await response.read()
    assert [b"access-canary" in text for text in seen] == [False, True, False]


@pytest.mark.parametrize(
    "token",
    [b'{"access_token": "a\\r\\nX-Evil: 1"}', b'{"access_token": "a b\\u0000"}', b'{"access_token": "\\u00e9"}'],
)
async def test_a_token_that_would_become_another_header_is_refused(token: bytes) -> None:
    """Row S4: it is not shown either."""
    seen: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            seen.append(await read_request(reader))
            writer.write(answer(token))

    async with serving(handle) as base_url, session(base_url) as manager:
        with pytest.raises(DecodeError, match="no usable access_token") as caught:
            await manager.send(AUTHORIZED)
    assert "Evil" not in str(caught.value)
    assert all(b"/oauth/token" in text for text in seen)


@pytest.mark.parametrize("agent", ["a\r\nX-Evil: 1", "", " ", "é", "a\x00"])
def test_a_user_agent_that_would_become_another_header_is_refused(agent: str) -> None:
    """Row S4: when the session is made."""
    with pytest.raises(ConfigurationError, match="user_agent"):
        SessionManager(credentials=ClientCredentials("id", "secret"), user_agent=agent)


async def test_a_small_answer_that_unpacks_to_a_large_one_is_given_up_early() -> None:
    """Row S5: far below the limit of bytes, by what its compressed length allows."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, 31)
    body = b"".join([*(squeeze.compress(b" " * 2**20) for _ in range(30)), squeeze.flush()])
    assert len(body) * 200 < 30 * 2**20

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer(body, headers="Content-Encoding: gzip\r\n"))
        await writer.drain()

    async with serving(handle) as base_url, session(base_url) as manager:
        with pytest.raises(AnswerTooLargeError, match=f"limit of {len(body) * 200} bytes"):
            await manager.send(GET)


async def test_an_answer_that_drips_without_end_runs_into_the_limit_of_the_whole() -> None:
    """Each byte arrives in time, but the answer never ends."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"1\r\n \r\n")
            await writer.drain()
            await asyncio.sleep(0.005)

    async with serving(handle) as base_url, session(base_url) as manager:
        with pytest.raises(TimeoutError, match=r"within 0\.1 s"):
            await manager.send(GET, timeout=0.1)


async def test_headers_without_end_are_refused() -> None:
    """A server that never sends a body fills no memory."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n")
        for number in range(100_000):
            writer.write(b"X-%d: %b\r\n" % (number, b"a" * 100))
            if number % 100 == 0:
                await writer.drain()

    async with serving(handle) as base_url, session(base_url) as manager:
        with pytest.raises(KajabiError, match=r"not HTTP|connection broke"):
            await manager.send(GET)
