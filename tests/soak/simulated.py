"""Simulated time: an event loop that never waits, a server with a hidden limit, and a session connected to it."""

import asyncio
import itertools
import random
import selectors
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Protocol, TypeVar

from kajabi_async.exchange import JSON_API, Answer, Request
from kajabi_async.session import ClientCredentials, SessionManager

T = TypeVar("T")

START = 1000.0


class _NoWait(selectors.SelectSelector):
    """A selector that advances the time instead of waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("the loop has no pending timer")
        self.now += max(0.0, timeout)
        return []


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._time = _NoWait()
        super().__init__(self._time)

    def time(self) -> float:
        return self._time.now


class LoopClock:
    """The time of the running loop as a clock."""

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    def time(self) -> float:
        return 1_700_000_000.0 + self.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def simulate(work: Coroutine[Any, Any, T]) -> T:
    """Run *work* in simulated time."""
    with asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(work)


class Limiter(Protocol):
    """A rate limiter; the limit may be changed at any time."""

    limit: float

    def passes(self, now: float) -> bool: ...


class Unlimited:
    limit = float("inf")

    def passes(self, now: float) -> bool:
        return True


class TokenBucket:
    """A bucket that fills at the limit, with a capacity of *seconds* of it, at least five requests."""

    def __init__(self, limit: float, *, seconds: float = 0.1) -> None:
        self.limit, self._seconds = limit, seconds
        self._stock, self._at = self._most, START

    @property
    def _most(self) -> float:
        return max(5.0, self.limit * self._seconds)

    def passes(self, now: float) -> bool:
        self._stock = min(self._most, self._stock + (now - self._at) * self.limit)
        self._at = now
        if self._stock < 1.0:
            return False
        self._stock -= 1.0
        return True


class FixedWindow:
    """A limit for each second of the clock."""

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self._window, self._count = 0, 0

    def passes(self, now: float) -> bool:
        if int(now) != self._window:
            self._window, self._count = int(now), 0
        if self._count >= self.limit:
            return False
        self._count += 1
        return True


class SlidingWindow:
    """A limit for any second; rejected requests do not count."""

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self._passed: deque[float] = deque()

    def passes(self, now: float) -> bool:
        while self._passed and now - self._passed[0] >= 1.0:
            self._passed.popleft()
        if len(self._passed) >= self.limit:
            return False
        self._passed.append(now)
        return True


class Server:
    """A replacement of the transport: a limit, a latency, and records of requests."""

    def __init__(self, limiter: Limiter, chance: random.Random, *, latency: float = 0.02) -> None:
        self.limiter = limiter
        self.passed: list[float] = []
        self.rejected: list[float] = []
        self.reject_next: deque[str | None] = deque()
        """The Retry-After of the next 429s, independent of the limit."""
        self.is_open = False
        self._chance = chance
        self._latency = latency

    async def send(self, request: Request, token: object, deadline: object, timeouts: object) -> Answer:
        travel = self._latency * (0.5 + self._chance.random()) / 2
        await asyncio.sleep(travel)
        now = asyncio.get_running_loop().time()
        if self.reject_next:
            status, retry_after = 429, self.reject_next.popleft()
        else:
            status, retry_after = (200 if self.limiter.passes(now) else 429), None
        (self.passed if status == 200 else self.rejected).append(now)
        await asyncio.sleep(travel)
        headers = {"content-type": JSON_API}
        return Answer(status, headers if retry_after is None else headers | {"retry-after": retry_after}, b"{}")

    def close(self) -> None:
        self.is_open = False

    abandon = close

    async def closed(self) -> None:
        return

    def forget(self) -> None:
        self.passed.clear()
        self.rejected.clear()

    def used(self, since: float, until: float, limit: float) -> tuple[float, float]:
        """Return the share of *limit* that was used, and the share of requests that were rejected."""
        passed = sum(since <= moment < until for moment in self.passed)
        rejected = sum(since <= moment < until for moment in self.rejected)
        return passed / (limit * (until - since)), rejected / max(1, passed + rejected)


@asynccontextmanager
async def session_with(server: Server, chance: random.Random, **settings: Any) -> AsyncGenerator[SessionManager]:
    """Return a session whose requests go to *server*, with the clock of the loop."""
    manager = SessionManager(
        credentials=ClientCredentials("id", "secret"), clock=LoopClock(), jitter=chance.random, **settings
    )
    manager._transport = server  # type: ignore[assignment] # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue]
    try:
        yield manager
    finally:
        await manager.aclose()


Send = Callable[[], Coroutine[Any, Any, None]]


async def in_bulk(number: int, send_one: Send, *, at_once: int = 50) -> None:
    """Await *send_one* *number* times like a bulk run: *at_once* tasks, each starting the next when one is done."""
    left = itertools.count()

    async def work() -> None:
        while next(left) < number:
            await send_one()

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(work())
