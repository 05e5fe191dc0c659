"""Commands to Redis: their time limits, what becomes of those that fail late, and what their errors show."""

import asyncio
import gc
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import pytest

from kajabi_async.errors import StoreUnavailableError, WrongLoopError
from kajabi_async.session.auth.store import Lease
from kajabi_async.stores.redis import RedisTokenStore
from kajabi_async.stores.redis import calls as calls_module
from tests.stores.contract import KEY, token


class _Client:
    """A client of Redis whose replies are those of a function."""

    def __init__(self, reply: Callable[[], Awaitable[object]]) -> None:
        self._reply = reply

    async def execute_command(self, *_: object) -> object:
        return await self._reply()


def _store(reply: Callable[[], Awaitable[object]]) -> RedisTokenStore:
    return RedisTokenStore(cast("Any", _Client(reply)))


async def test_a_command_that_never_ends_holds_up_neither_its_caller_nor_closing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each waits two seconds, also if the given client has no time limit."""
    monkeypatch.setattr(calls_module, "_SECONDS", 0.02)
    store = _store(asyncio.Event().wait)
    async with asyncio.timeout(3):
        with pytest.raises(StoreUnavailableError, match=r"^Redis did not answer within 0\.02 s$"):
            await store.load(KEY)
        assert store._pending
        await store.aclose()


@pytest.mark.parametrize("failure", [ConnectionError("late"), asyncio.CancelledError()])
async def test_a_command_that_fails_after_its_caller_was_cancelled_is_forgotten(failure: BaseException) -> None:
    """asyncio would log its exception as never retrieved."""
    logged: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: logged.append(context))
    goes_on = asyncio.Event()

    async def fail() -> None:
        await goes_on.wait()
        raise failure

    store = _store(fail)
    loading = asyncio.create_task(store.load(KEY))
    await asyncio.sleep(0)
    loading.cancel()
    await asyncio.wait([loading])
    assert len(store._pending) == 1
    goes_on.set()
    await store.aclose()
    assert not store._pending
    gc.collect()
    assert logged == []


async def test_closing_sends_nothing_for_a_released_lease_and_raises_nothing_if_redis_fails() -> None:
    """The lease expires then."""
    commands = 0

    async def reply() -> int:
        nonlocal commands
        commands += 1
        if commands > 3:
            raise ConnectionError
        return 1

    store = _store(reply)
    released, lease = await store.acquire("cd34"), await store.acquire(KEY)
    assert released is not None
    assert lease is not None
    await store.release("cd34", released)
    await store.aclose()
    assert commands == 4


def test_connecting_and_reading_take_two_seconds_at_most() -> None:
    """redis-py waits without end by default, and its connection would stay busy."""
    settings = RedisTokenStore("redis://127.0.0.1:1")._redis.connection_pool.connection_kwargs
    assert (settings["socket_connect_timeout"], settings["socket_timeout"]) == (2.0, 2.0)


async def test_commands_without_number_share_a_few_connections(redis_url: str) -> None:
    """Each has its reply; redis-py 8 refuses a command that would need the 101st connection."""
    async with RedisTokenStore(redis_url) as store:
        replies = await asyncio.gather(*(store._command("ECHO", number) for number in range(300)))
        assert replies == [b"%d" % number for number in range(300)]
        clients = await store._command("CLIENT", "LIST")
    # One may be of another test.
    assert 1 < str(clients).count("laddr=") <= calls_module._MOST_CONNECTIONS + 1


async def test_a_token_that_cannot_be_sent_is_in_no_frame_of_the_error() -> None:
    """Crash reporters print the variables of each frame."""
    store = RedisTokenStore("redis://127.0.0.1:1")
    await store.aclose()
    with pytest.raises(StoreUnavailableError, match=r"^the RedisTokenStore is closed$") as closed:
        await _saved(store)
    another = RedisTokenStore("redis://127.0.0.1:1")
    another._bound_to = cast("Any", ("another loop", 0))
    with pytest.raises(WrongLoopError, match=r"^the RedisTokenStore was used on another event loop") as wrong:
        await _saved(another)
    for error in (closed.value, wrong.value):
        frames = [
            frame
            for frame, _ in traceback.walk_tb(error.__traceback__)
            if Path(frame.f_code.co_filename).match("kajabi_async/stores/redis/*.py")
        ]
        assert frames
        assert [frame.f_code.co_name for frame in frames if "canary" in str(frame.f_locals)] == []


async def _saved(store: RedisTokenStore) -> bool:
    return await store.save(KEY, token("canary"), lease=Lease("x", 1), replaces=0)
