"""A token shared by processes: one grant at expiry, and recovery from holders killed during a refresh."""

import asyncio
import signal
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from kajabi_async.testing import FakeKajabi
from kajabi_async.testing.faults import Fault
from kajabi_async.testing.faults.incident import Incident
from tests.soak.figures import Figure
from tests.soak.processes import Worker, worker

CLIENT = "tests.soak.client_process"
RECOVERY_SECONDS = 1.0
"""The recovery time allowed beyond the lease."""


async def expiry(location: dict[str, Any], *, processes: int, tasks: int, life: float = 6.0) -> Figure:
    """Let a token shared by *processes* expire, and request with *tasks* in each of them at that moment."""
    async with FakeKajabi(token_lifetime=life) as fake, AsyncExitStack() as stack:
        settings = _settings(fake, location)
        workers = [await stack.enter_async_context(worker(CLIENT, **settings)) for _ in range(processes)]
        await asyncio.gather(*(_result_of(each, do="look up", tasks=1) for each in workers))
        cold = fake.token_grants
        started = time.monotonic()
        # No call comes in the last tenth of its lifetime, which would start an early refresh.
        await asyncio.sleep(life + 0.2)
        answers = await asyncio.gather(*(_result_of(each, do="look up", tasks=tasks) for each in workers))
        grants = fake.token_grants - cold
        answered = sum(answer["answered"] for answer in answers)
        took = time.monotonic() - started - life
    seen = f"{cold} grant cold, {grants} at expiry, {answered:,} of {processes * tasks:,} answered in {took:.1f} s"
    what = f"{processes} processes with {tasks} tasks each at expiry, over {location['kind']}"
    return Figure(what, seen, "1 and 1", (cold, grants, answered) == (1, 1, processes * tasks))


class _Delayed(Fault):
    """A fault that reports the arrival of a token request, and delays it."""

    __slots__ = ("arrived",)
    kind = "delayed"

    def __init__(self) -> None:
        self.arrived = asyncio.Event()

    async def play(self, incident: Incident, /) -> Any:
        self.arrived.set()
        await asyncio.sleep(0.05)
        return incident.answered()


async def killed_holders(location: dict[str, Any], *, times: int, lease_seconds: float) -> Figure:
    """Kill the process that holds the lease during a refresh, and measure the recovery of another one."""
    most_grants, longest, recovered = 0, 0.0, 0
    for number in range(times):
        async with FakeKajabi() as fake, AsyncExitStack() as stack:
            store = location | {
                "folder": f"{location.get('folder', '')}/{number}",
                "lease_seconds": lease_seconds,
            }
            settings = _settings(fake, store)
            victim = await stack.enter_async_context(worker(CLIENT, **settings))
            survivor = await stack.enter_async_context(worker(CLIENT, **settings))
            await survivor.receive()
            await victim.receive()
            delayed = _Delayed()
            fake.inject(delayed, times=1, path="oauth.token")
            await victim.send(do="look up", tasks=1)
            await delayed.arrived.wait()
            started = time.monotonic()
            victim.process.send_signal(signal.SIGKILL)
            await survivor.send(do="look up", tasks=1)
            answer = await survivor.receive()
            longest = max(longest, time.monotonic() - started)
            most_grants = max(most_grants, fake.token_grants)
            recovered += answer["answered"]
    what = f"holder killed during a refresh {times} times, over {location['kind']} (lease {lease_seconds:g} s)"
    seen = f"{recovered} recovered, at most {most_grants} grants, after {longest:.2f} s at most"
    limit = lease_seconds + RECOVERY_SECONDS
    return Figure(what, seen, f"2 grants, {limit:g} s", recovered == times and most_grants <= 2 and longest <= limit)


def over_redis(url: str) -> dict[str, Any]:
    return {"kind": "redis", "url": url}


def over_a_file(folder: Path) -> dict[str, Any]:
    return {"kind": "file", "folder": str(folder)}


def _settings(fake: FakeKajabi, location: dict[str, Any]) -> dict[str, Any]:
    return {
        "client_id": fake.client_id,
        "client_secret": fake.client_secret,
        "base_url": fake.base_url,
        "store": location,
    }


async def _result_of(each: Worker, **message: Any) -> Any:
    await each.send(**message)
    answer = await each.receive()
    return await each.receive() if answer == "ready" else answer
