"""``make soak``: print each figure with its bar; exit with 1 if one does not hold.

``python -m tests.soak NAME ...`` runs the named ones, by default all, which takes most of an hour.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path

from tests.redis_server import redis_server
from tests.soak import access, amplification
from tests.soak.bulk import lookups
from tests.soak.cancelling import cancellations
from tests.soak.changes import ended, logged, quiet
from tests.soak.closing import closings
from tests.soak.deliveries import deliveries
from tests.soak.emails import ignored, memory, planned, requests_for, worlds
from tests.soak.figures import Figure
from tests.soak.hostile import documents, hostile_links, mutated_deliveries, texts
from tests.soak.limit import hidden_limit
from tests.soak.names import hostile_names
from tests.soak.pace import changed, hidden, histories
from tests.soak.sharing import expiry, killed_holders, over_a_file, over_redis
from tests.soak.stall import gone_for_good, stalls
from tests.soak.writing import lost_answers

Run = Callable[[], Awaitable[Figure | list[Figure]]]


LIMITS = (2, 10, 50, 200, 1000)


def _in_a_thread(run: Callable[..., Figure | list[Figure]], *arguments: int) -> Run:
    return lambda: asyncio.to_thread(run, *arguments)


def _pace(limit: float) -> Run:
    """Return the runs in simulated time against one limit; each has its own event loop."""

    async def run() -> list[Figure]:
        return await asyncio.to_thread(
            lambda: [*hidden(limit, 20_000), *changed(limit, seconds=60.0 if limit > 500 else 240.0)]
        )

    return run


async def _histories() -> Figure:
    return await asyncio.to_thread(histories, 2000)


def _runs(folder: Path, redis: str) -> dict[str, list[Run]]:
    limit = {"processes": 4, "limit": 200, "warm": 30, "steady": 30, "settling": 30}
    return {
        "expiry": [
            lambda: expiry(over_redis(redis), processes=8, tasks=500, life=45),
            lambda: expiry(over_a_file(folder / "expiry"), processes=8, tasks=500, life=45),
        ],
        "killed": [
            lambda: killed_holders(over_redis(redis), times=50, lease_seconds=1.0),
            lambda: killed_holders(over_a_file(folder / "killed"), times=50, lease_seconds=1.0),
        ],
        "limit": [
            lambda: hidden_limit(redis_url=redis, **limit),
            lambda: hidden_limit(redis_url=None, **limit),
        ],
        "pace": [*(_pace(limit) for limit in LIMITS), _histories],
        "cancellations": [lambda: cancellations(10_000)],
        "documents": [_in_a_thread(documents, 200_000)],
        "hostile": [
            _in_a_thread(texts, 200_000),
            _in_a_thread(mutated_deliveries, 200_000),
            _in_a_thread(amplification.answers, 10_000),
            _in_a_thread(amplification.deliveries, 10_000),
            _in_a_thread(amplification.worst),
            _in_a_thread(amplification.worst_deliveries),
        ],
        "closing": [lambda: closings(10_000)],
        "links": [lambda: hostile_links(100_000)],
        "names": [lambda: hostile_names(20_000)],
        "writes": [lambda: lost_answers(10_000)],
        "stall": [
            lambda: stalls(100_000, folder, settled=10_000),
            lambda: gone_for_good(20_000, folder, patience=20.0),
        ],
        "deliveries": [lambda: deliveries("fastapi_app", 10_000), lambda: deliveries("aiohttp_app", 10_000)],
        "emails": [
            lambda: worlds(2000),
            *(partial(planned, total) for total in (250, 3000)),
            *(partial(ignored, total) for total in (250, 3000)),
            lambda: requests_for(1000, 5500),
            lambda: memory(1_000_000, 100_000),
        ],
        "changes": [
            lambda: logged(10_000),
            lambda: ended(5500),
            lambda: quiet(200),
        ],
        "access": [
            lambda: access.cached(redis, rounds=20),
            lambda: access.logins(1000, 10),
            lambda: access.gone(10, budget=0.5),
            _in_a_thread(access.machine, 20_000),
        ],
        "bulk": [lambda: lookups(1_000_000, settled=20_000)],
    }


async def main(names: Sequence[str], folder: Path, redis: str) -> bool:
    runs = _runs(folder, redis)
    holds = True
    unknown = set(names) - runs.keys()
    if unknown:
        sys.exit(f"no such run: {', '.join(sorted(unknown))}; known are {', '.join(runs)}")
    for name in names or runs:
        for run in runs[name]:
            started = time.monotonic()
            figures = await run()
            for figure in [figures] if isinstance(figures, Figure) else figures:
                print(f"{figure}  [{name}, {time.monotonic() - started:.0f} s]", flush=True)  # noqa: T201
                holds = holds and figure.holds
    return holds


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made, redis_server(Path(made)) as url:
        sys.exit(not asyncio.run(main(sys.argv[1:], Path(made), url)))
