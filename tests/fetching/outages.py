"""An API without a network, whose answers depend on the id, the number of its requests, and the time."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from kajabi_async import Customer, Failed, Lookup, Progress
from kajabi_async.decoding.answers import read_resource
from kajabi_async.errors import ConnectionFailedError, KajabiError
from kajabi_async.exchange import Answer, Tally
from kajabi_async.fetching.lookups import Lookups
from kajabi_async.models.origin import Scope
from tests.virtual_time import LoopClock

Rule = Callable[[str, float], KajabiError | None]
"""Returns what an id fails with at a time, in seconds since the start; None if it is answered."""


class Api:
    """Answers after 10 ms, as its rule says."""

    def __init__(self, rule: Rule = lambda _, __: None, *, seconds: float = 0.01) -> None:
        self.rule = rule
        self.seconds = seconds
        self.asked: Counter[str] = Counter()
        self.times: list[float] = []
        self.began = asyncio.get_running_loop().time()

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time() - self.began

    async def __call__(self, resource_id: str, tally: Tally) -> Answer:
        self.asked[resource_id] += 1
        self.times.append(self.now)
        failure = self.rule(resource_id, self.now)
        await asyncio.sleep(self.seconds)
        tally.attempts += 1
        if failure is not None:
            raise failure
        return Answer(200, {}, b'{"data":{"type":"customers","id":"%b"}}' % resource_id.encode())


def read(body: bytes, resource_id: str) -> Customer:
    return read_resource(body, cls=Customer, scope=Scope(), context=resource_id)


def lookups(
    api: Any, ids: Any, *, concurrency: int = 10, patience: float = 600.0, **settings: Any
) -> Lookups[Customer]:
    return Lookups(api, read, ids, concurrency=concurrency, patience=patience, clock=LoopClock(), **settings)


async def outcomes(run: Lookups[Customer]) -> dict[str, Lookup[Customer]]:
    results: dict[str, Lookup[Customer]] = {}
    async for lookup in run:
        assert lookup.id not in results
        results[lookup.id] = lookup
    return results


def failed(results: Iterable[Lookup[Customer]]) -> dict[str, str]:
    return {each.id: type(each.error).__name__ for each in results if isinstance(each, Failed)}


def refused() -> ConnectionFailedError:
    error = ConnectionFailedError("connection refused", method="GET", path="/v1/customers/1")
    error.never_sent = True
    return error


def ids(number: int) -> list[str]:
    return [str(each) for each in range(1, number + 1)]


def waits(results: list[Progress]) -> list[tuple[bool, bool]]:
    """Return whether each progress was stalled, and paused, without those equal to the one before."""
    states = [(each.stalled_since is not None, each.paused_until is not None) for each in results]
    return [state for index, state in enumerate(states) if index == 0 or states[index - 1] != state]
