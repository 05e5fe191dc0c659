"""The end of a client: requests under way end, no more are sent, and no resource is left open."""

import asyncio
import contextvars
import gc
import socket
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import psutil
import pytest

from kajabi_async import (
    ClientClosedError,
    ClientCredentials,
    KajabiError,
    RetryPolicy,
    SessionManager,
    Timeouts,
    WrongLoopError,
)
from kajabi_async.exchange import Request
from kajabi_async.session.binding import Binding
from tests.clocks import ManualClock
from tests.session.serving import GET, POST, answer, read_request, serving, session

READ = Request("GET", "/v1/customers/1")
WRITE = Request("POST", "/v1/contacts", body=b"{}")
TOKEN = answer(b'{"access_token": "t", "expires_in": 9999}')


class _Stopping(ManualClock):
    """A clock on which sleeping takes no time until it is stopped, and has no end then."""

    is_stopped = False

    async def sleep(self, seconds: float) -> None:
        if self.is_stopped:
            await asyncio.Event().wait()
        await super().sleep(seconds)


class Slow:
    """A server that answers token requests only, by default, and records all requests."""

    def __init__(self, *, answers_tokens: bool = True, after: bytes = b"") -> None:
        self.seen: list[str] = []
        self.connections = 0
        self._answers_tokens = answers_tokens
        self.after = after

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                line = (await read_request(reader)).partition(b" HTTP/")[0].decode()
                self.seen.append(line)
                if "/oauth/token" in line and self._answers_tokens:
                    writer.write(TOKEN)
                elif self.after:
                    writer.write(self.after)
        finally:
            self.connections -= 1

    async def has_seen(self, number: int) -> None:
        while len(self.seen) < number:
            await asyncio.sleep(0)


@asynccontextmanager
async def _nothing_left() -> AsyncGenerator[None]:
    """Fail if the block leaves a task or a socket of this process; servers in it are closed by then."""
    tasks = asyncio.all_tasks()
    yield
    for _ in range(20):
        await asyncio.sleep(0)
    assert asyncio.all_tasks() - tasks == set()


async def _ended(call: "asyncio.Task[Any]") -> ClientClosedError:
    with pytest.raises(ClientClosedError) as caught:
        await call
    return caught.value


async def test_a_request_under_way_ends_and_a_write_says_that_it_may_have_been_applied() -> None:
    """Both were sent; the connections are closed when closing returns."""
    server = Slow()
    async with serving(server) as base_url, session(base_url) as manager:
        read, write = (asyncio.create_task(manager.send(each)) for each in (READ, WRITE))
        await server.has_seen(3)
        await manager.aclose()
        errors = [await _ended(each) for each in (read, write)]
        assert sorted(server.seen) == ["GET /v1/customers/1", "POST /v1/contacts", "POST /v1/oauth/token"]
        while server.connections:
            await asyncio.sleep(0)
    assert [str(error) for error in errors] == [
        "GET /v1/customers/1 has no answer: the client was closed meanwhile",
        "POST /v1/contacts has no answer: the client was closed meanwhile",
    ]
    assert [(error.maybe_applied, error.attempts) for error in errors] == [(False, 1), (True, 1)]


async def test_what_waits_for_a_slot_is_never_sent() -> None:
    """Neither while the client closes nor afterwards; the error of a write says that it was not applied."""
    server = Slow()
    async with serving(server) as base_url, session(base_url, concurrency=1) as manager:
        under_way = asyncio.create_task(manager.send(READ))
        await server.has_seen(2)
        waiting = [asyncio.create_task(manager.send(WRITE)) for _ in range(3)]
        await asyncio.sleep(0)
        await manager.aclose()
        errors = [await _ended(each) for each in waiting]
        await _ended(under_way)
        await asyncio.sleep(0.05)
    assert server.seen == ["POST /v1/oauth/token", "GET /v1/customers/1"]
    assert {(str(error), error.maybe_applied, error.attempts) for error in errors} == {
        ("POST /v1/contacts was not sent: the client was closed meanwhile", False, 0)
    }


async def test_what_waits_for_its_turn_of_a_rate_is_never_sent() -> None:
    """The queue of the rate is closed like the queue for slots."""
    server, clock = Slow(after=answer()), _Stopping()
    async with serving(server) as base_url, session(base_url, rate_limit=0.1, clock=clock) as manager:
        await manager.send(READ)
        clock.is_stopped = True
        waiting = [asyncio.create_task(manager.send(WRITE)) for _ in range(3)]
        await asyncio.sleep(0.02)
        await asyncio.wait_for(manager.aclose(), 1)
        assert {(await _ended(each)).maybe_applied for each in waiting} == {False}
    assert server.seen == ["POST /v1/oauth/token", "GET /v1/customers/1"]


async def test_what_pauses_before_it_is_sent_again_is_not() -> None:
    """Whether the server asked for the pause or the policy did."""
    for refusal in (answer(status="503 No", headers="Retry-After: 30\r\n"), answer(status="503 No")):
        server = Slow(after=refusal)
        policy = RetryPolicy(base_seconds=30.0, max_backoff_seconds=30.0)
        async with serving(server) as base_url, session(base_url, retry=policy, jitter=lambda: 1.0) as manager:
            pausing = asyncio.create_task(manager.send(READ, timeout=300))
            await server.has_seen(2)
            await asyncio.sleep(0.02)
            await asyncio.wait_for(manager.aclose(), 1)
            assert (await _ended(pausing)).attempts == 1
        assert len(server.seen) == 2


async def test_what_waits_for_a_token_is_never_sent() -> None:
    """The request for the token ends with the client."""
    server = Slow(answers_tokens=False)
    async with serving(server) as base_url, session(base_url) as manager:
        waiting = [asyncio.create_task(manager.send(each)) for each in (READ, WRITE)]
        await server.has_seen(1)
        await asyncio.wait_for(manager.aclose(), 1)
        assert [(await _ended(each)).maybe_applied for each in waiting] == [False, False]
    assert server.seen == ["POST /v1/oauth/token"]


async def test_a_write_whose_connection_was_still_being_made_was_not_sent() -> None:
    """Not a byte was sent, so nothing was applied."""
    never = asyncio.Event()
    async with session("http://127.0.0.1:1") as manager:
        made: Any = manager._transport._open()

        async def resolve(*_: Any) -> None:
            await never.wait()

        made.connector._create_connection = resolve
        connecting = asyncio.create_task(manager.send(POST))
        await asyncio.sleep(0.01)
        await manager.aclose()
        error = await _ended(connecting)
    assert (error.maybe_applied, error.attempts) == (False, 1)
    assert str(error) == "POST /v1/contacts was not sent: the client was closed meanwhile"


@pytest.mark.filterwarnings("ignore:Sending a large body")
async def test_a_write_that_the_server_does_not_read_goes_no_further() -> None:
    """Bytes in the buffers of this process are dropped, so they neither delay the end nor are sent after it."""
    started = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        started.set()
        await asyncio.sleep(60)
        await reader.read()

    async with asyncio.timeout(10), serving(handle) as base_url, session(base_url) as manager:
        upload = asyncio.create_task(
            manager.send(Request("POST", "/v1/contacts", body=b"x" * 30_000_000, authorized=False))
        )
        await started.wait()
        await asyncio.sleep(0.05)
        before = len(psutil.Process().net_connections(kind="tcp"))
        await asyncio.wait_for(manager.aclose(), 1)
        assert (await _ended(upload)).maybe_applied
        assert len(psutil.Process().net_connections(kind="tcp")) < before


async def test_a_revocation_under_way_may_have_been_applied() -> None:
    """It is a write like any other."""
    server = Slow(after=answer())
    async with _nothing_left(), serving(server) as base_url, session(base_url) as manager:
        await manager.send(READ)
        server.after = b""
        revoking = asyncio.create_task(manager.revoke())
        await server.has_seen(3)
        await manager.aclose()
        error = await _ended(revoking)
    assert server.seen[-1] == "POST /v1/oauth/revoke"
    assert str(error) == "POST /v1/oauth/revoke has no answer: the client was closed meanwhile"
    assert (error.maybe_applied, error.attempts) == (True, 1)


async def test_a_revocation_that_waits_for_its_turn_is_never_sent() -> None:
    """Closing does not wait for the end of a pause."""
    server, clock = Slow(after=answer()), _Stopping()
    async with (
        _nothing_left(),
        serving(server) as base_url,
        session(base_url, rate_limit=0.1, clock=clock) as manager,
    ):
        await manager.send(READ, timeout=30)
        clock.is_stopped = True
        revoking = asyncio.create_task(manager.revoke())
        await asyncio.sleep(0.02)
        await asyncio.wait_for(manager.aclose(), 1)
        error = await _ended(revoking)
    assert len(server.seen) == 2
    assert (error.maybe_applied, error.attempts) == (False, 0)


async def test_a_client_that_is_closing_or_closed_takes_nothing_on() -> None:
    """From the call on, also while it waits for the rest."""
    server = Slow()
    async with serving(server) as base_url, session(base_url) as manager:
        under_way = asyncio.create_task(manager.send(READ))
        await server.has_seen(2)
        closing = asyncio.create_task(manager.aclose())
        await asyncio.sleep(0)
        for _ in range(2):
            with pytest.raises(ClientClosedError, match="the client is closed"):
                await manager.send(READ)
            with pytest.raises(ClientClosedError, match="the client is closed"):
                await manager.revoke()
            await closing
        await _ended(under_way)
    assert len(server.seen) == 2


async def test_closing_may_be_called_again_and_at_the_same_time() -> None:
    """Each call returns when everything is closed."""
    server = Slow()
    async with _nothing_left(), serving(server) as base_url, session(base_url) as manager:
        under_way = asyncio.create_task(manager.send(READ))
        await server.has_seen(2)
        await asyncio.gather(*(manager.aclose() for _ in range(5)))
        await manager.aclose()
        assert manager._binding.state == "closed"
        await _ended(under_way)


@pytest.mark.parametrize("turns", range(6))
async def test_closing_that_was_cancelled_has_closed_all_the_same_and_can_be_called_again(turns: int) -> None:
    """Whatever closing waits for at that moment."""
    server = Slow(answers_tokens=False)
    async with _nothing_left(), serving(server) as base_url, session(base_url) as manager:
        waiting = asyncio.create_task(manager.send(READ))
        await server.has_seen(1)
        closing = asyncio.create_task(manager.aclose())
        for _ in range(turns):
            await asyncio.sleep(0)
        closing.cancel()
        await asyncio.wait([closing])
        if turns:
            assert not manager._transport.is_open
        await asyncio.wait_for(manager.aclose(), 1)
        assert (manager._binding.state, manager._transport.is_open) == ("closed", False)
        await _ended(waiting)
    assert server.seen == ["POST /v1/oauth/token"]


async def test_a_caller_that_was_cancelled_in_the_same_moment_stays_cancelled() -> None:
    """The client must not undo the cancellation."""
    server = Slow()
    async with serving(server) as base_url, session(base_url) as manager:
        under_way = asyncio.create_task(manager.send(READ))
        await server.has_seen(2)
        under_way.cancel()
        await manager.aclose()
        with pytest.raises(asyncio.CancelledError):
            await under_way


async def test_closing_from_within_an_operation_does_not_wait_for_itself() -> None:
    """A middleware of the caller may close the client."""
    server = Slow()
    async with serving(server) as base_url, session(base_url) as manager:
        made: Any = manager._transport._open()

        async def connect(*_: Any) -> None:
            await manager.aclose()

        made.connector._create_connection = connect
        with pytest.raises(ClientClosedError):
            await asyncio.wait_for(manager.send(GET), 1)
    assert server.seen == []


async def test_an_error_in_the_block_of_a_client_is_what_leaves_it() -> None:
    """Also while requests are under way, which end."""
    server = Slow()
    calls: list[asyncio.Task[Any]] = []
    async with serving(server) as base_url:
        with pytest.raises(ZeroDivisionError):
            async with session(base_url) as manager:
                calls.append(asyncio.create_task(manager.send(READ)))
                await server.has_seen(2)
                raise ZeroDivisionError
        await _ended(calls[0])


async def test_closing_leaves_no_timer_in_the_event_loop() -> None:
    """A timer would keep the client alive for as long as its limits."""
    server = Slow()
    async with serving(server) as base_url, session(base_url, timeouts=Timeouts(total=4711.0)) as manager:
        under_way = asyncio.create_task(manager.send(READ))
        await server.has_seen(2)
        deadlines = manager._deadlines
        timer = deadlines._timer
        assert timer is not None
        await manager.aclose()
        assert timer.cancelled()
        assert deadlines._timer is None
        await _ended(under_way)


async def test_a_session_that_was_handed_in_stays_open_while_the_client_closes() -> None:
    """Its requests under way end, and queued ones are not sent."""
    import aiohttp  # noqa: PLC0415 - for this test alone

    server = Slow()
    async with serving(server) as base_url, aiohttp.ClientSession() as theirs:
        async with session(base_url, http_session=theirs, concurrency=2) as manager:
            calls = [asyncio.create_task(manager.send(each)) for each in (READ, WRITE, WRITE)]
            await server.has_seen(3)
            await manager.aclose()
            errors = [await _ended(each) for each in calls]
        assert not theirs.closed
        await asyncio.sleep(0.02)
    left = [error for error in errors if error.attempts]
    assert len(left) == 2
    assert len(server.seen) == 3
    assert all(error.maybe_applied == (error in left and "POST" in str(error)) for error in errors)


def test_closing_on_another_event_loop_is_refused_as_long_as_the_right_one_is_open() -> None:
    """The refused call changes nothing, and its own loop can still close it."""
    manager = SessionManager(
        credentials=ClientCredentials("a", "b"), base_url="http://127.0.0.1:1", retry=RetryPolicy(max_attempts=1)
    )
    loop = asyncio.new_event_loop()

    async def use() -> None:
        with pytest.raises(KajabiError):
            await manager.send(GET)

    loop.run_until_complete(use())
    raised: list[str] = []

    def elsewhere() -> None:
        with pytest.raises(WrongLoopError) as caught:
            asyncio.run(manager.aclose())
        raised.append(str(caught.value))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert raised == [
        "the client was used on another event loop, which is still open: close it there, such as by 'async with'"
    ]
    assert manager._transport.is_open
    loop.run_until_complete(manager.aclose())
    assert not manager._transport.is_open
    loop.close()
    asyncio.run(manager.aclose())


def test_closing_after_the_end_of_its_event_loop_lets_go_of_everything() -> None:
    """The loop logs nothing; a client that was never used has nothing to close."""
    unused = SessionManager(credentials=ClientCredentials("a", "b"))
    asyncio.run(unused.aclose())
    manager = SessionManager(
        credentials=ClientCredentials("a", "b"), base_url="http://127.0.0.1:1", retry=RetryPolicy(max_attempts=1)
    )

    async def use() -> None:
        with pytest.raises(KajabiError):
            await manager.send(GET)

    asyncio.run(use())
    for _ in range(2):
        asyncio.run(manager.aclose())
        assert not manager._transport.is_open
    with pytest.raises(ClientClosedError):
        asyncio.run(manager.send(GET))


def _used_on_a_loop_that_ended(listening: socket.socket) -> tuple[SessionManager, socket.socket]:
    """Return a client that has kept a connection to *listening*, and the other end of it."""
    host, port = listening.getsockname()
    manager = SessionManager(credentials=ClientCredentials("a", "b"), base_url=f"http://{host}:{port}")

    async def use() -> socket.socket:
        sending = asyncio.create_task(manager.send(GET))
        loop = asyncio.get_running_loop()
        peer, _ = await loop.sock_accept(listening)
        await loop.sock_recv(peer, 10_000)
        await loop.sock_sendall(peer, answer())
        await sending
        return peer

    listening.setblocking(False)
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        return manager, runner.run(use())


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_closing_after_the_end_of_its_event_loop_leaves_no_connection_open() -> None:
    """Although the client itself is still there: the server need not wait for it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        manager, peer = _used_on_a_loop_that_ended(listening)
        with peer:
            with pytest.raises(BlockingIOError):
                peer.recv(1)
            asyncio.run(manager.aclose())
            gc.collect()
            peer.settimeout(5)
            assert peer.recv(1) == b""
    assert not manager._transport.is_open


def test_closing_after_its_event_loop_ended_during_a_lookup_of_the_host() -> None:
    """The lookup cannot be cancelled any more."""
    manager = SessionManager(credentials=ClientCredentials("a", "b"), base_url="https://api.example")
    loop: Any = asyncio.SelectorEventLoop()
    looked_up = asyncio.Event()

    async def look_up(*_: Any, **__: Any) -> Any:
        looked_up.set()
        await asyncio.Event().wait()

    loop.getaddrinfo = look_up
    context = contextvars.copy_context()
    sending = loop.create_task(manager.send(GET), context=context)
    loop.run_until_complete(looked_up.wait())
    tasks: set[Any] = asyncio.all_tasks(loop)
    loop.close()
    asyncio.run(manager.aclose())
    assert manager._binding.state == "closed"
    assert not sending.done()
    # The tasks cannot end, which the loop would log.
    for task in tasks:
        context.run(task.get_coro().close)
        task._log_destroy_pending = False


def test_closing_that_the_end_of_its_event_loop_cut_short_can_be_called_again() -> None:
    """Such as when a program is interrupted while it closes its client."""
    manager = SessionManager(
        credentials=ClientCredentials("a", "b"), base_url="http://127.0.0.1:1", retry=RetryPolicy(max_attempts=1)
    )

    async def use() -> None:
        with pytest.raises(KajabiError):
            await manager.send(GET)
        tokens: Any = manager._tokens
        tokens.aclose = asyncio.Event().wait
        closing = asyncio.create_task(manager.aclose())
        await asyncio.sleep(0)
        closing.cancel()
        await asyncio.wait([closing])
        assert closing.cancelled()

    asyncio.run(use())
    asyncio.run(manager.aclose())
    assert manager._binding.state == "closed"


def test_a_life_only_ever_goes_on() -> None:
    """New, open, closing, closed; a step that is no longer allowed raises an error that says so."""
    binding = Binding()
    assert (binding.state, binding.owns_connections()) == ("new", False)

    async def live() -> list[str]:
        binding.check()
        states = [binding.state]
        assert binding.owns_connections()
        binding.check_open()
        binding.close()
        assert binding.owns_connections()
        states.append(binding.state)
        with pytest.raises(ClientClosedError):
            binding.check_open()
        binding.closed()
        return [*states, binding.state]

    assert asyncio.run(live()) == ["open", "closing", "closed"]
    assert not binding.owns_connections()
    assert binding.close() is False
    assert binding.state == "closed"
