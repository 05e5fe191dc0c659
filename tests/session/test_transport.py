"""What is sent over the wire, and how any answer is read, on real sockets."""

import asyncio
import gc
import gzip
import os
import re
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest

import kajabi_async
from kajabi_async import (
    AnswerTooLargeError,
    ApiError,
    ClientClosedError,
    ConfigurationError,
    ConnectionFailedError,
    DecodeError,
    KajabiError,
    RequestTimeoutError,
    RetryPolicy,
    Timeouts,
)
from kajabi_async.exchange import Request
from tests.session.serving import GET, POST, answer, read_request, serving, session


async def test_a_request_carries_exactly_its_headers() -> None:
    """Rows 1, 2 and 5: the media type has no parameters, a content type comes only with a body, and cookies never."""
    seen: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            seen.append(await read_request(reader))
            writer.write(answer(headers="Set-Cookie: a=b; Path=/\r\n"))

    async with serving(handle) as base_url, session(base_url) as manager:
        await manager.send(Request("GET", "/v1/customers/a%20b", "filter%5Bx%5D=1,2", authorized=False))
        await manager.send(POST)
    first, second = (text.decode().lower() for text in seen)
    assert first.startswith("get /v1/customers/a%20b?filter%5bx%5d=1,2 http/1.1")
    assert "accept: application/vnd.api+json\r\n" in first
    assert "content-type" not in first
    assert "authorization" not in first
    assert "user-agent: kajabi_async" in first
    assert "content-type: application/vnd.api+json\r\n" in second
    assert "cookie" not in second


@pytest.mark.parametrize(
    "bytes_sent",
    [
        pytest.param(b"", id="closed at once"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Le", id="cut in the head"),
        pytest.param(answer(b"x" * 100)[:-50], id="cut in the body"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", id="cut in a chunk"),
        pytest.param(b"SSH-2.0-OpenSSH\r\n\r\n", id="not HTTP"),
        pytest.param(b"HTTP/1.1 9999 Odd\r\n\r\n", id="no status"),
        pytest.param(b"\x00\xff\x00\xff\r\n\r\n", id="rubbish"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", id="a negative length"),
    ],
)
@pytest.mark.parametrize("request_", [GET, POST], ids=["read", "write"])
async def test_a_broken_answer_is_an_error_of_the_package(bytes_sent: bytes, request_: Request) -> None:
    """A write may have been applied, as it was sent."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(bytes_sent)

    async with serving(handle) as base_url, session(base_url) as manager:
        with pytest.raises(KajabiError) as caught:
            await manager.send(request_)
    assert isinstance(caught.value, ConnectionFailedError | DecodeError)
    assert caught.value.maybe_applied is (request_ is POST)
    assert caught.value.attempts == 1
    assert caught.value.__context__ is None


async def test_a_refused_connection_was_never_sent() -> None:
    """So even a write is retried, and cannot have been applied."""
    async with serving(lambda _reader, _writer: asyncio.sleep(0)) as base_url:
        pass
    policy = RetryPolicy(max_attempts=3, base_seconds=0.0)
    async with session(base_url, retry=policy) as manager:
        with pytest.raises(ConnectionFailedError, match="could not connect") as caught:
            await manager.send(POST)
    error = caught.value
    assert (error.never_sent, error.maybe_applied, error.attempts) == (True, False, 3)


async def test_silence_runs_into_the_read_limit_and_says_so() -> None:
    """The limit is on the gap between two pieces, not on the whole answer."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer(b"x" * 10)[:-5])
        await reader.read()

    async with serving(handle) as base_url, session(base_url, timeouts=Timeouts(read=0.05)) as manager:
        with pytest.raises(RequestTimeoutError, match=r"nothing came from .* for 0\.05 s") as caught:
            await manager.send(GET)
    assert (caught.value.phase, caught.value.seconds) == ("read", 0.05)


async def test_the_whole_operation_is_limited_and_a_write_under_way_may_have_been_applied() -> None:
    """A limit of the call replaces the client's."""

    async def handle(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await read_request(reader)
        await reader.read()

    async with serving(handle) as base_url, session(base_url) as manager:
        with pytest.raises(RequestTimeoutError) as caught:
            await manager.send(POST, timeout=0.05)
        with pytest.raises(ConfigurationError, match=r"^timeout must be a positive number of seconds.*, got -1$"):
            await manager.send(GET, timeout=-1)
    error = caught.value
    assert (error.phase, error.seconds, error.maybe_applied) == ("total", 0.05, True)


async def test_waiting_for_a_place_is_limited_by_itself_and_nothing_was_sent() -> None:
    """The pool never queues: the gate in front of it does."""

    async def handle(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await read_request(reader)
        await reader.read()

    timeouts = Timeouts(total=5.0, queue=0.05)
    async with serving(handle) as base_url, session(base_url, timeouts=timeouts, concurrency=1) as manager:
        first = asyncio.create_task(manager.send(GET))
        await asyncio.sleep(0)
        with pytest.raises(RequestTimeoutError) as caught:
            await manager.send(POST)
        first.cancel()
        await asyncio.wait([first])
    assert (caught.value.phase, caught.value.maybe_applied, caught.value.attempts) == ("queue", False, 0)


async def test_a_callers_own_limit_passes_through() -> None:
    """It is not a timeout of the client."""

    async def handle(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serving(handle) as base_url, session(base_url) as manager:
        with pytest.raises(TimeoutError) as caught:
            async with asyncio.timeout(0.02):
                await manager.send(GET)
    assert not isinstance(caught.value, KajabiError)


async def test_a_redirect_is_never_followed() -> None:
    """Wherever it leads, it would get the token."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer(status="302 Found", headers="Location: https://evil.example/\r\n"))

    async with serving(handle) as base_url, session(base_url) as manager:
        with pytest.raises(ApiError, match="never followed") as caught:
            await manager.send(GET)
    assert caught.value.status == 302


async def test_html_in_place_of_an_answer_is_named() -> None:
    """Row 9: the page of a proxy or a login with a status of success."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        page = b"<html>please sign in</html>"
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%b" % (len(page), page))

    async with serving(handle) as base_url, session(base_url) as manager:
        with pytest.raises(DecodeError, match="text/html"):
            await manager.send(GET)


async def test_compressed_answers_are_read_and_broken_ones_raise() -> None:
    """Compressed with gzip."""
    bodies = [gzip.compress(b'{"data":null}'), b"\x1f\x8bnot gzip at all"]

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer(bodies.pop(0), headers="Content-Encoding: gzip\r\nConnection: close\r\n"))

    async with serving(handle) as base_url, session(base_url) as manager:
        assert (await manager.send(GET)).body == b'{"data":null}'
        with pytest.raises(KajabiError):
            await manager.send(GET)


async def test_a_hundred_megabytes_of_nothing_are_refused_without_being_held() -> None:
    """They are counted after decompression, and reading stops at the limit."""

    def bomb() -> bytes:
        squeeze = zlib.compressobj(9, zlib.DEFLATED, 31)
        return b"".join([*(squeeze.compress(b" " * 2**20) for _ in range(100)), squeeze.flush()])

    body = bomb()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer(body, headers="Content-Encoding: gzip\r\n"))
        await writer.drain()

    async with serving(handle) as base_url, session(base_url, max_answer_bytes=2**20) as manager:
        before = psutil.Process().memory_info().rss
        with pytest.raises(AnswerTooLargeError, match="1048576 bytes"):
            await manager.send(GET)
        assert psutil.Process().memory_info().rss - before < 64 * 2**20


async def test_a_session_that_was_handed_in_is_used_and_not_closed() -> None:
    """It belongs to its owner; if its owner closes it meanwhile, the error says so."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await read_request(reader)
            writer.write(answer())

    async with serving(handle) as base_url, aiohttp.ClientSession() as theirs:
        async with session(base_url, http_session=theirs) as manager:
            await manager.send(GET)
        assert not theirs.closed
        async with session(base_url, http_session=theirs) as manager:
            await theirs.close()
            with pytest.raises(ConfigurationError, match="cannot be used"):
                await manager.send(GET)


async def test_a_closed_session_says_so_and_closes_again_quietly() -> None:
    """Also for requests under way."""

    async def handle(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serving(handle) as base_url, session(base_url) as manager:
        under_way = asyncio.create_task(manager.send(GET))
        await asyncio.sleep(0.01)
        await manager.aclose()
        await manager.aclose()
        with pytest.raises(KajabiError):
            await under_way
        with pytest.raises(ClientClosedError):
            await manager.send(GET)


def test_another_loop_and_a_forked_process_are_refused() -> None:
    """A pool belongs to one loop in one process."""
    from kajabi_async import WrongLoopError  # noqa: PLC0415 - for this test alone
    from kajabi_async.session.binding import Binding  # noqa: PLC0415

    binding: Any = Binding()

    async def use() -> None:
        binding.check()

    asyncio.run(use())
    with pytest.raises(WrongLoopError, match="another event loop"):
        asyncio.run(use())
    binding._process = -1
    with pytest.raises(WrongLoopError, match="fork"):
        asyncio.run(use())


_FORKING = """
import asyncio, os
from kajabi_async import WrongLoopError
from kajabi_async.session.binding import Binding

binding, loop = Binding(), asyncio.new_event_loop()

async def use():
    binding.check()

loop.run_until_complete(use())
child = os.fork()
if child:
    os.waitpid(child, 0)
try:
    loop.run_until_complete(use())
    outcome = "may use it"
except WrongLoopError as error:
    outcome = str(error)
print(f"{'parent' if child else 'child'}: {outcome}", flush=True)
if not child:
    os._exit(0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_after_a_real_fork_the_parent_alone_may_continue() -> None:
    """Although the child has the very same event loop."""
    done = subprocess.run([sys.executable, "-c", _FORKING], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "child: the client was made before a fork: make one in each process, after the fork",
        "parent: may use it",
    ]


async def test_a_session_that_is_dropped_open_warns() -> None:
    """Row R10: the warning says where it was made. There is no I/O in the garbage collector."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer())

    from kajabi_async import ClientCredentials, SessionManager  # noqa: PLC0415 - without the closing helper

    async with serving(handle) as base_url:
        manager = SessionManager(credentials=ClientCredentials("a", "b"), base_url=base_url)
        await manager.send(GET)
        pool: Any = manager._transport._session
        with pytest.warns(ResourceWarning, match=r"made at .*test_transport\.py:\d+, .*aclose"):
            del manager
            gc.collect()
        await pool.close()


async def test_a_session_that_is_dropped_open_ends_its_connections() -> None:
    """The server need not keep them until it loses patience."""
    ended = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer())
        try:
            await reader.read()
        finally:
            ended.set()

    from kajabi_async import ClientCredentials, SessionManager  # noqa: PLC0415 - without the closing helper

    async with serving(handle) as base_url:
        manager = SessionManager(credentials=ClientCredentials("a", "b"), base_url=base_url)
        await manager.send(GET)
        with pytest.warns(ResourceWarning, match="was dropped without being closed"):
            del manager
            gc.collect()
        async with asyncio.timeout(5):
            await ended.wait()


def test_only_a_session_of_aiohttp_can_be_handed_in() -> None:
    """The error names what was given."""
    from kajabi_async import ClientCredentials, SessionManager  # noqa: PLC0415 - for its arguments

    given: Any = "https://api.kajabi.com"
    with pytest.raises(ConfigurationError, match=r"^http_session must be an aiohttp\.ClientSession, got str$"):
        SessionManager(credentials=ClientCredentials("a", "b"), http_session=given)


@pytest.mark.parametrize("known", [True, False])
async def test_a_dropped_session_names_a_line_outside_of_the_package(
    *, known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program has to close it; without frames to inspect, the place is unknown."""
    from kajabi_async import ClientCredentials, SessionManager  # noqa: PLC0415 - without the closing helper

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer())

    async with serving(handle) as base_url:
        with monkeypatch.context() as patched:
            if not known:
                patched.setattr("inspect.currentframe", lambda: None)
            manager = SessionManager(credentials=ClientCredentials("a", "b"), base_url=base_url)
        await manager.send(GET)
        pool: Any = manager._transport._session
        with pytest.warns(ResourceWarning) as caught:
            del manager
            gc.collect()
        await pool.close()
    (warning,) = caught
    assert warning.source is not None
    assert _is_a_file_of_others(warning.filename)
    text = str(warning.message)
    match = re.fullmatch(
        "a Kajabi client, made at (.*), was dropped without being closed: use 'async with', or await aclose\\(\\)", text
    )
    assert match is not None
    if not known:
        assert match[1] == "an unknown place"
        return
    assert _is_a_file_of_others(match[1].rpartition(":")[0])


def _is_a_file_of_others(path: str) -> bool:
    return Path(path).is_file() and not Path(path).is_relative_to(Path(kajabi_async.__file__).parent)
