"""The learned rate in simulated time: real sessions against servers with an unknown limit."""

import asyncio
import random
from collections.abc import Callable, Mapping
from typing import Final

import attrs

from kajabi_async.errors import RateLimitError
from kajabi_async.exchange import Request, Tally
from kajabi_async.session import SessionManager
from tests.soak.figures import Figure
from tests.soak.simulated import (
    FixedWindow,
    Limiter,
    Server,
    SlidingWindow,
    TokenBucket,
    Unlimited,
    in_bulk,
    session_with,
    simulate,
)

GET: Final = Request("GET", "/v1/customers/1", authorized=False)
LIMITERS: Final[Mapping[str, Callable[[float], Limiter]]] = {
    "a token bucket of 0.1 s": TokenBucket,
    "a token bucket of 2 s": lambda limit: TokenBucket(limit, seconds=2.0),
    "fixed windows": FixedWindow,
    "a sliding window": SlidingWindow,
}
QUIET: Final = {"fresh": None, "15 s after an early 429": 15.0, "10 min after an early 429": 600.0}
SECONDS_BACK: Final = 120.0
FAST: Final = 1000.0


@attrs.define
class _Seen:
    """The results of a run."""

    started: float = 0.0
    ended: float = 0.0
    lost: int = 0
    most_429s: int = 0


class _Client:
    """A client that looks up in bulk, and counts."""

    def __init__(self, manager: SessionManager) -> None:
        self._manager = manager
        self.seen = _Seen()

    async def request(self) -> None:
        tally = Tally()
        try:
            await self._manager.send(GET, timeout_starts="sent", tally=tally)
        except RateLimitError:
            self.seen.lost += 1
        else:
            tally.attempts -= 1
        self.seen.most_429s = max(self.seen.most_429s, tally.attempts)


async def _one_early_429(client: _Client, server: Server, quiet: float) -> None:
    limiter, server.limiter = server.limiter, Unlimited()
    for _ in range(5):
        await client.request()
        await asyncio.sleep(1.0)
    server.reject_next.append(None)
    await client.request()
    await asyncio.sleep(quiet)
    server.limiter = limiter
    server.forget()


@attrs.frozen
class _Run:
    limiter: Limiter
    number: int
    quiet: float | None = None
    change: tuple[float, float] | None = None
    """The seconds after which the limit changes, and the new limit."""

    async def go(self, seed: int) -> tuple[Server, _Seen]:
        chance = random.Random(seed)
        server = Server(self.limiter, chance)
        loop = asyncio.get_running_loop()
        async with session_with(server, chance) as manager:
            client = _Client(manager)
            if self.quiet is not None:
                await _one_early_429(client, server, self.quiet)
            client.seen.started = loop.time()
            if self.change is not None:
                loop.call_later(self.change[0], setattr, self.limiter, "limit", self.change[1])
            await in_bulk(self.number, client.request)
            client.seen.ended = loop.time()
        return server, client.seen


def hidden(limit: float, number: int, *, seed: int = 1) -> list[Figure]:
    """Look up *number* ids against each kind of limiter, after each history."""
    figures: list[Figure] = []
    for kind, create in LIMITERS.items():
        for history, quiet in QUIET.items():
            server, seen = simulate(_Run(create(limit), number, quiet).go(seed))
            # Warm after a minute, or half of a shorter run; the last second has fewer than fifty requests.
            warm = seen.started + min(60.0, (seen.ended - seen.started) / 2)
            used, rejected = server.used(warm, seen.ended - 1.0, limit)
            holds = used >= 0.9 and rejected < 0.01 and not seen.lost and seen.most_429s <= 4
            shown = f"{used:.1%} used, {rejected:.2%} answered 429, {seen.lost} lost, at most {seen.most_429s} in a row"
            what = f"{number:,} ids, {kind}, {limit:g} a second, {history}"
            figures.append(Figure(what, shown, "at least 90 %, under 1 %, 0, at most 4", holds))
    return figures


def changed(limit: float, *, seconds: float = 240.0, seed: int = 1) -> list[Figure]:
    """Halve and double the limit during a run, and measure its use from 30 and from 60 seconds after that."""
    figures: list[Figure] = []
    for kind, create in LIMITERS.items():
        for factor, settled in ((0.5, 30.0), (2.0, 60.0)):
            at, new = 90.0, limit * factor
            run = _Run(create(limit), int(at * limit + new * (settled + seconds)), change=(at, new))
            server, seen = simulate(run.go(seed))
            since = seen.started + at + settled
            used, rejected = server.used(since, min(seen.ended - 1.0, since + seconds), new)
            shown = f"{used:.1%} used, {rejected:.2%} answered 429, {seen.lost} lost"
            what = f"{kind}, {limit:g} becoming {new:g} a second, {settled:g} s later"
            # At a few a second one probe is already 1 %; with fewer probes a rate would not recover.
            most = 0.01 if new >= 5 else 0.025
            holds = used >= 0.9 and rejected < most and not seen.lost
            figures.append(Figure(what, shown, f"at least 90 %, under {most:.1%}, 0", holds))
    return figures


async def _back_after(seed: int) -> float:
    """Return the seconds after a random history of 429s until a session may send a thousand requests a second."""
    chance = random.Random(seed)
    server = Server(Unlimited(), chance)
    loop = asyncio.get_running_loop()
    async with session_with(server, chance, concurrency=200) as manager:
        client = _Client(manager)
        busy = asyncio.ensure_future(_traffic(client, chance.choice([0.0, 0.2, 1.0, 10.0, 100.0])))
        others: list[asyncio.Future[None]] = []
        for _ in range(chance.randrange(21)):
            retry_after = chance.choice([None, None, "1", str(chance.randrange(1, 60))])
            if chance.random() < 0.5:
                # A 429 for this request.
                server.reject_next.append(retry_after)
                await client.request()
            else:
                # A 429 for one request, independent of this client's rate.
                server.reject_next.append(retry_after)
                others.append(asyncio.ensure_future(client.request()))
            await asyncio.sleep(chance.uniform(0.2, 60.0))
        busy.cancel()
        server.reject_next.clear()
        while manager._gate.is_paused:  # pyright: ignore[reportPrivateUsage]
            await asyncio.sleep(0.1)
        started = loop.time()
        demand = chance.choice([0.0, 1.0, FAST, FAST])
        requesting = asyncio.ensure_future(_traffic(client, demand))
        try:
            while loop.time() - started < 3 * SECONDS_BACK:
                rate = manager.stats.requests_per_second
                if rate is None or rate >= FAST:
                    break
                await asyncio.sleep(0.5)
        finally:
            for task in (requesting, *others):
                task.cancel()
        return loop.time() - started


async def _traffic(client: _Client, per_second: float) -> None:
    """Send *per_second* requests a second, from up to a hundred tasks, whether or not the answers come."""
    if not per_second:
        return
    at_once = max(1, min(100, int(per_second / 10)))

    async def request() -> None:
        while True:
            await client.request()
            await asyncio.sleep(at_once / per_second)

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(request())


def histories(number: int) -> Figure:
    """Run random histories of 429s, after which there is no limit."""
    seconds = [simulate(_back_after(seed)) for seed in range(number)]
    late = sum(each > SECONDS_BACK for each in seconds)
    shown = f"{max(seconds):.0f} s at most, {late} later than {SECONDS_BACK:g} s"
    return Figure(f"{FAST:,.0f} a second again after {number:,} histories of 0 to 20 429s", shown, "120 s", not late)
