"""A token refresh with thousands of waiting calls: the time until all have a token, and the token requests."""

import asyncio
import random
import time
import urllib.request
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial

import aiohttp

from benchmarks import contenders, serving
from benchmarks.contenders import OURS, PEER
from benchmarks.measuring import LOOPS, Results, interleaved, timed, turns_taken
from benchmarks.results import Part, Table, spread
from benchmarks.serving import Server
from benchmarks.sizes import Sizes
from kajabi_async.clock import SystemClock
from kajabi_async.session import ClientCredentials, RetryPolicy
from kajabi_async.session.auth.backoff import TokenBackoff
from kajabi_async.session.auth.grants import Grants
from kajabi_async.session.auth.keeper import TokenKeeper
from kajabi_async.session.auth.token import Token
from kajabi_async.session.credentials import Credentials, Secret

SECONDS = 10.0
"""The limit for all rounds together."""
BY_HAND = "by hand, a lock and a check"
PEER_SHARE = 0.01
"""kajabi-py requests a token in every call that finds none; 10,000 at once are more than its pool can handle."""

Wait = Callable[[], Awaitable[object]]
"""The call that waits for the token."""


class Locked:
    """A handwritten refresh: the first caller requests a token, the others check again when they have the lock."""

    def __init__(self, ask: Callable[[], Awaitable[bytes]]) -> None:
        self._ask = ask
        self._lock = asyncio.Lock()
        self._token: bytes | None = None

    async def token(self) -> bytes:
        if self._token is None:
            async with self._lock:
                if self._token is None:
                    self._token = await self._ask()
        return self._token


class Endpoint:
    """Requests tokens over a bare aiohttp session."""

    def __init__(self, session: aiohttp.ClientSession, base_url: str) -> None:
        self._session = session
        self._base_url = base_url

    async def ask(self, credentials: Credentials, attempt: int) -> Token:  # noqa: ARG002 - one kind of token is enough
        sent_at = time.monotonic()
        return Token.from_body(await _requested(self._session, self._base_url), asked_at=sent_at)

    async def revoke(self, token: Secret) -> None:
        raise NotImplementedError(token)


@asynccontextmanager
async def ours(base_url: str) -> AsyncGenerator[Wait]:
    async with aiohttp.ClientSession() as session:
        clock = SystemClock()
        backoff = TokenBackoff(RetryPolicy(), clock, random.random, lambda: 0.0)
        grants = Grants(ClientCredentials("bench", "bench"), Endpoint(session, base_url), backoff)
        keeper = TokenKeeper(grants, clock)
        yield keeper.renewed
        await keeper.aclose()


@asynccontextmanager
async def by_hand(base_url: str) -> AsyncGenerator[Wait]:
    async with aiohttp.ClientSession() as session:
        yield Locked(partial(_requested, session, base_url)).token


@asynccontextmanager
async def peer(base_url: str) -> AsyncGenerator[Wait]:
    async with contenders.peer(base_url, 0) as client:
        yield partial(client.get, "1")


def measure(sizes: Sizes) -> Part:
    by_peer = max(1, int(sizes.waiters * PEER_SHARE))
    peer_name = f"{PEER}, {by_peer} whole calls"
    tokens: Counter[str] = Counter()
    with serving.with_latency(0.0) as server:
        turns = {
            OURS: partial(turn, server, ours, sizes.waiters, tokens, OURS),
            BY_HAND: partial(turn, server, by_hand, sizes.waiters, tokens, BY_HAND),
            peer_name: partial(turn, server, peer, by_peer, tokens, peer_name),
        }
        measured = interleaved(turns, repeats=sizes.repeats, within=SECONDS)
    header = ["Milliseconds, less is better", *(cell for loop in LOOPS for cell in (loop, "range")), "token requests"]
    taken = sum(len(by_name[OURS].values) for by_name in measured.values())
    rows = [[name, *_cells(measured, name), f"{tokens[name] / taken:g}"] for name in turns]
    note = f"Until all of {sizes.waiters:,} waiting calls have the token; {turns_taken(measured['asyncio'])}."
    return Part([Table("Token refresh", header, rows, note)])


async def turn(
    server: Server,
    open_one: Callable[[str], AbstractAsyncContextManager[Wait]],
    waiters: int,
    tokens: Counter[str],
    name: str,
) -> float:
    """Return the milliseconds until all waiters have a token; add the number of issued tokens to *tokens*."""
    before = _tokens_issued(server)
    async with open_one(server.base_url) as wait:
        seconds = await timed(_all_wait(wait, waiters))
    tokens[name] += _tokens_issued(server) - before
    return seconds * 1000


async def _all_wait(wait: Wait, waiters: int) -> None:
    await asyncio.gather(*(wait() for _ in range(waiters)))


async def _requested(session: aiohttp.ClientSession, base_url: str) -> bytes:
    form = {"client_id": "bench", "client_secret": "bench", "grant_type": "client_credentials"}
    async with session.post(f"{base_url}/v1/oauth/token", data=form) as response:
        return await response.read()


def _tokens_issued(server: Server) -> int:
    with urllib.request.urlopen(f"{server.base_url}/v1/tokens_issued") as response:
        return int(response.read())


def _cells(measured: Results, name: str) -> list[str]:
    return [cell for loop in LOOPS for cell in spread(measured[loop][name])]
