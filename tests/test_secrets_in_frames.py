"""No secret is in the variables of a frame that an error passes through, however the call ends."""

import asyncio
import gc
import os
import pickle
import signal
import traceback
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from types import FrameType
from typing import Any

import aiohttp
import pytest
from multidict import CIMultiDict, CIMultiDictProxy, MultiDict, MultiDictProxy
from rich.traceback import Stack, Trace, Traceback

from kajabi_async import ClientCredentials, Kajabi, PasswordCredentials, RefreshTokenCredentials, SessionManager
from kajabi_async.exchange import Request
from kajabi_async.session.credentials import Secret
from kajabi_async.stores.redis import RedisRate, RedisTokenStore
from kajabi_async.testing import FakeKajabi
from kajabi_async.tracebacks import hide_arguments
from tests.canary import shown_secrets
from tests.session.serving import answer, read_request, serving, session

CANARY = "".join(["secret", ".", "Ab1_-" * 6, "xy"])


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen, waiting = set[int](), [error]
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        members: tuple[BaseException, ...] = getattr(each, "exceptions", ())
        waiting += [more for more in (each.__cause__, each.__context__, *members) if more is not None]


def _frames(error: BaseException) -> Iterator[FrameType]:
    for each in _chain(error):
        for frame, _ in traceback.walk_tb(each.__traceback__):
            if "/tests/" not in frame.f_code.co_filename and "/testing/" not in frame.f_code.co_filename:
                yield frame


def _shown(error: BaseException) -> list[str]:
    """Return where *error* shows a secret: in its printed forms, or in a frame that it passed through."""
    found = [f"{name} of {type(each).__name__}" for each in _chain(error) for name in _texts(each)]
    for frame in _frames(error):
        for name, value in frame.f_locals.items():
            if shown_secrets(_printed(value)):
                found.append(f"{frame.f_code.co_filename}:{frame.f_lineno} {frame.f_code.co_name}() {name}")
    return found


def _texts(error: BaseException) -> Iterator[str]:
    for name, text in (
        ("str", str(error)),
        ("repr", repr(error)),
        ("args", str(error.args)),
        ("vars", str(vars(error))),
    ):
        if shown_secrets(text):
            yield name


def _printed(value: Any) -> str:
    """Return *value* as crash reporters print it, with its own representation and the one for rich."""
    shown = repr(value)
    if hasattr(value, "__rich_repr__"):
        shown += str(list(value.__rich_repr__()))
    return shown


_HEADERS = {MultiDict, MultiDictProxy, CIMultiDict, CIMultiDictProxy}


def _secrets_in_headers() -> list[str]:
    """Return the kinds of secrets in all live headers."""
    gc.collect()
    alive: list[Any] = [each for each in gc.get_objects() if type(each) in _HEADERS]
    return [kind for each in alive for value in each.values() for kind in shown_secrets(str(value))]


@asynccontextmanager
async def _slow() -> AsyncGenerator[tuple[FakeKajabi, Kajabi]]:
    async with (
        FakeKajabi(customers=3) as fake,
        Kajabi(client_id=fake.client_id, client_secret=fake.client_secret, base_url=fake.base_url, site_id="1") as api,
    ):
        yield fake, api


async def _get(api: Kajabi) -> None:
    await api.customers.get("1")


async def _list(api: Kajabi) -> None:
    async for _ in api.customers.list(prefetch=2):
        pass


async def _get_many(api: Kajabi) -> None:
    async for _ in api.customers.get_many(["1", "2"]):
        pass


async def _write(api: Kajabi) -> None:
    await api.contacts.create(name="a", email="a@example.com")


async def _revoke(api: Kajabi) -> None:
    await api.revoke()


async def _timeout(call: Awaitable[None]) -> None:
    async with asyncio.timeout(0.1):
        await call


async def _wait_for(call: Awaitable[None]) -> None:
    await asyncio.wait_for(call, 0.1)


async def _task_group(call: Any) -> None:
    async def fail() -> None:
        await asyncio.sleep(0.1)
        raise ZeroDivisionError

    async with asyncio.TaskGroup() as group:
        group.create_task(call)
        group.create_task(fail())


async def _cancelled(call: Any) -> None:
    task = asyncio.ensure_future(call)
    await asyncio.sleep(0.1)
    task.cancel()
    await task


_CALLS = [_get, _list, _get_many, _write, _revoke]
_WAYS = [_timeout, _wait_for, _task_group, _cancelled]


@pytest.mark.parametrize("way", _WAYS)
@pytest.mark.parametrize("call", _CALLS)
async def test_a_call_that_its_caller_ends_shows_no_token(
    call: Callable[[Kajabi], Awaitable[None]], way: Callable[[Any], Awaitable[None]]
) -> None:
    """Neither the frames of aiohttp, which have the headers, nor those of this package show one."""
    async with _slow() as (fake, api):
        await api.me()
        fake.latency = 60
        with pytest.raises(BaseException) as caught:  # noqa: PT011 - each way has its own
            await way(call(api))
        assert type(caught.value) in {TimeoutError, asyncio.CancelledError, ExceptionGroup}
        assert list(_frames(caught.value)) != []
        assert _shown(caught.value) == []
        assert _rich_shows(caught.value) == []


def _rich_shows(error: BaseException) -> list[str]:
    """Search what rich prints of an error and the variables of its frames, without the source beside them."""
    trace = Traceback.extract(type(error), error, error.__traceback__, show_locals=True, locals_max_string=1000)
    return [kind for stack in _stacks(trace) for text in _texts_of(stack) for kind in shown_secrets(text)]


def _stacks(trace: Trace) -> Iterator[Stack]:
    for stack in trace.stacks:
        yield stack
        for member in stack.exceptions:
            yield from _stacks(member)


def _texts_of(stack: Stack) -> Iterator[str]:
    yield from (stack.exc_value, *stack.notes)
    yield from (str(value) for frame in stack.frames for value in (frame.locals or {}).values())


def test_what_rich_prints_of_a_frame_is_searched() -> None:
    """Of the frame of an error, of its cause and of the members of a group, also within a container."""

    def fail(secret: object) -> None:
        raise ValueError(len(str(secret)))

    for secret in (CANARY, {"key": [CANARY]}):
        with pytest.raises(ValueError, match=r"^\d+$") as caught:
            fail(secret)
        assert "secret" in _rich_shows(caught.value)
        wrapped = RuntimeError("fails")
        wrapped.__cause__ = caught.value
        assert "secret" in _rich_shows(wrapped)
        assert "secret" in _rich_shows(ExceptionGroup("several", [caught.value]))


@pytest.mark.parametrize("way", _WAYS)
async def test_a_request_for_a_token_that_is_cut_short_shows_no_secret(way: Callable[[Any], Awaitable[None]]) -> None:
    """Its body has the client secret."""
    async with _slow() as (fake, api):
        fake.latency = 60
        with pytest.raises(BaseException) as caught:  # noqa: PT011 - each way has its own
            await way(_get(api))
        assert _shown(caught.value) == []
        flight: Any = next(iter(api.session._tokens._flight._flights.values()))
        await api.aclose()
        with pytest.raises(asyncio.CancelledError) as ended:
            flight.task.result()
        assert _shown(ended.value) == []


@pytest.mark.parametrize("at_once", [False, True], ids=["as asyncio.run does it", "in the middle of a step"])
def test_ctrl_c_shows_no_token(*, at_once: bool) -> None:
    """Either the runner cancels, or the interrupt is raised at the current instruction."""

    async def main() -> None:
        async with _slow() as (fake, api):
            await api.me()
            fake.latency = 60
            if at_once:
                made: Any = api.session._transport._connector

                async def interrupted(_: object, head: bytes, *__: object) -> None:
                    assert b"\r\nAuthorization: Bearer " in head
                    raise KeyboardInterrupt

                made.ask = interrupted
            else:
                asyncio.get_running_loop().call_later(0.1, os.kill, os.getpid(), signal.SIGINT)
            await api.customers.get("1")

    with pytest.raises(KeyboardInterrupt) as caught:
        asyncio.run(main())
    assert _shown(caught.value) == []


@pytest.mark.parametrize("handed_in", [False, True])
async def test_a_token_is_in_no_headers_but_those_of_requests_under_way(*, handed_in: bool) -> None:
    """It is gone between two requests and after it was revoked; a pool has no default for it."""
    before = Counter(_secrets_in_headers())  # From other tests, in objects not collected yet.
    issued = f'{{"access_token": "{CANARY}", "expires_in": 9999}}'.encode()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while b"/v1/customers/2" not in (head := await read_request(reader)):
            writer.write(answer(issued if b"/oauth/token" in head else b"{}"))
        await reader.read()

    async with (
        serving(handle) as base_url,
        aiohttp.ClientSession() as theirs,
        session(base_url, http_session=theirs if handed_in else None) as manager,
    ):
        await manager.send(Request("GET", "/v1/customers/1"))
        assert not Counter(_secrets_in_headers()) - before
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(manager.send(Request("GET", "/v1/customers/2")), 0.1)
        await asyncio.sleep(0)
        assert not Counter(_secrets_in_headers()) - before
        await manager.revoke()
        assert not Counter(_secrets_in_headers()) - before


_WRONG: list[dict[str, Any]] = [
    {"base_url": "nonsense"},
    {"base_url": f"https://me:{CANARY}@api.kajabi.com"},
    {"base_url": f"https://api.kajabi.com?{CANARY}"},
    {"timeout": -1},
    {"concurrency": 0},
    {"rate_limit": -1},
    {"max_answer_bytes": 0},
    {"site_id": "a/b"},
    {"http_session": CANARY},
    {"observers": 5},
    {"retry": "no"},
    {"clock": 5},
    {"token_store": 5},
    {"credentials": ClientCredentials("a", "b")},
    {"no_such_option": CANARY},
    {"client_id": ""},
    {"client_id": None},
    {"client_id": f"{CANARY}\n"},
    {"client_secret": f"{CANARY}\n"},
    {"client_secret": CANARY.encode()},
    {"client_secret": [CANARY]},
]


@pytest.mark.parametrize("wrong", _WRONG, ids=lambda wrong: f"{next(iter(wrong))}")
def test_a_wrong_option_leaves_no_secret_in_a_frame(wrong: dict[str, Any]) -> None:
    """None of the other arguments is shown either."""
    options: dict[str, Any] = {"client_id": "id", "client_secret": CANARY, **wrong}
    error = _raised_by(lambda: Kajabi(**options))
    assert error is not None
    assert _shown(error) == []
    assert _rich_shows_outside(error) == []


def _raised_by(call: Callable[[], object]) -> Exception | None:
    try:
        call()
    except Exception as error:  # noqa: BLE001 - whatever it is, it must show nothing
        return error
    return None


def _rich_shows_outside(error: BaseException) -> list[str]:
    """Leave out the frames of the test itself, which have its arguments."""
    at = error.__traceback__
    while at is not None and "/tests/" in at.tb_frame.f_code.co_filename:
        at = at.tb_next
    return _rich_shows(error.with_traceback(at))


def test_wrong_settings_in_the_environment_show_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other settings are not shown either."""
    monkeypatch.setenv("KAJABI_CLIENT_ID", "id")
    monkeypatch.setenv("KAJABI_CLIENT_SECRET", CANARY)
    monkeypatch.setenv("KAJABI_BASE_URL", f"https://me:{CANARY}@api.kajabi.com")
    with pytest.raises(Exception, match="base_url") as caught:
        Kajabi.from_env()
    assert _shown(caught.value) == []


@pytest.mark.parametrize(
    "make",
    [
        lambda: ClientCredentials("id", f"{CANARY}\n"),
        lambda: ClientCredentials(client_id="", client_secret=CANARY),
        lambda: RefreshTokenCredentials(f"{CANARY}\n"),
        lambda: PasswordCredentials("", CANARY),
        lambda: PasswordCredentials("ada", f"{CANARY}\x00"),
        lambda: SessionManager(credentials=ClientCredentials("a", CANARY), base_url=f"https://a:{CANARY}@b"),
        lambda: RedisTokenStore(f"https://:{CANARY}@localhost"),
        lambda: RedisTokenStore(f"redis://:{CANARY}@localhost", lease_seconds=-1),
        lambda: RedisRate(f"redis://:{CANARY}@localhost", name=""),
        lambda: RedisRate(f"nonsense://:{CANARY}@localhost", name="a"),
    ],
)
def test_what_a_constructor_rejects_is_in_no_frame(make: Callable[[], object]) -> None:
    """This holds for credentials, sessions and stores."""
    with pytest.raises(Exception) as caught:  # noqa: PT011 - each has its own
        make()
    assert _shown(caught.value) == []


async def test_a_redis_that_fails_shows_neither_its_password_nor_what_was_sent() -> None:
    """The raised error has no reference to one of redis-py."""
    store = RedisTokenStore(f"redis://:{CANARY}@127.0.0.1:1")
    with pytest.raises(Exception, match="Redis cannot be used") as caught:
        await store._command("SET", "key", CANARY)
    assert (caught.value.__context__, caught.value.__cause__) == (None, None)
    assert _shown(caught.value) == []
    await store.aclose()


def test_a_client_that_was_only_half_made_can_be_shown() -> None:
    """Crash reporters find it in a frame."""
    assert repr(Kajabi.__new__(Kajabi)) == "<Kajabi, not made>"
    assert repr(Kajabi(client_id="a", client_secret=CANARY)) == "<Kajabi at https://api.kajabi.com>"


def test_what_a_constructor_raises_has_none_of_its_arguments() -> None:
    """It is the original error, with the frame of the caller."""
    failure = ValueError("as it was")

    @hide_arguments
    def make(secret: str) -> None:
        """Raise an error."""
        try:
            int(secret)
        except ValueError as error:
            raise failure from error

    assert (make.__name__, make.__doc__) == ("make", "Raise an error.")
    with pytest.raises(ValueError, match="as it was") as caught:
        make(CANARY)
    assert caught.value is failure
    assert [each for each in _chain(failure) if each is not failure] == []
    assert _shown(failure) == []


def test_a_secret_is_shown_by_nothing_that_copies_or_describes_it() -> None:
    """A pickle does not contain it either."""
    secret = Secret(CANARY)
    assert shown_secrets(f"{secret} {secret!r} {secret!s} {[secret]}") == []
    for show in (lambda: pickle.dumps(secret), secret.__getstate__, lambda: secret.__reduce_ex__(2)):
        with pytest.raises(TypeError, match="a secret is not pickled"):
            show()
