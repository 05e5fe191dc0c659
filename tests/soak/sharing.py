"""A token shared by processes: one grant at expiry, and recovery from holders that are killed in mid-refresh."""

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
"""What may come on top of the lease."""


async def expiry(where: dict[str, Any], *, processes: int, tasks: int, life: float = 6.0) -> Figure:
    """Let a token that *processes* share end, and let *tasks* in each of them want one at that moment."""
    async with FakeKajabi(token_lifetime=life) as fake, AsyncExitStack() as stack:
        settings = _settings(fake, where)
        workers = [await stack.enter_async_context(worker(CLIENT, **settings)) for _ in range(processes)]
        await asyncio.gather(*(_told(each, do="look up", tasks=1) for each in workers))
        cold = fake.token_grants
        began = time.monotonic()
        # A renewal ahead would have been begun by whoever comes in the last tenth of its life: nobody does.
        await asyncio.sleep(life + 0.2)
        answers = await asyncio.gather(*(_told(each, do="look up", tasks=tasks) for each in workers))
        grants = fake.token_grants - cold
        answered = sum(answer["answered"] for answer in answers)
        took = time.monotonic() - began - life
    seen = f"{cold} grant cold, {grants} at expiry, {answered:,} of {processes * tasks:,} answered in {took:.1f} s"
    what = f"{processes} processes with {tasks} tasks each at expiry, over {where['kind']}"
    return Figure(what, seen, "1 and 1", (cold, grants, answered) == (1, 1, processes * tasks))


class _Asked(Fault):
    """Says that a token request has come, and keeps it waiting."""

    __slots__ = ("came",)
    kind = "asked"

    def __init__(self) -> None:
        self.came = asyncio.Event()

    async def play(self, incident: Incident, /) -> Any:
        self.came.set()
        await asyncio.sleep(0.05)
        return incident.answered()


async def killed_holders(where: dict[str, Any], *, times: int, lease_seconds: float) -> Figure:
    """Kill the process that holds the lease in mid-refresh, and see another one recover."""
    most_grants, longest, recovered = 0, 0.0, 0
    for number in range(times):
        async with FakeKajabi() as fake, AsyncExitStack() as stack:
            place = where | {"folder": f"{where.get('folder', '')}/{number}", "lease_seconds": lease_seconds}
            settings = _settings(fake, place)
            victim = await stack.enter_async_context(worker(CLIENT, **settings))
            survivor = await stack.enter_async_context(worker(CLIENT, **settings))
            await survivor.hear()
            await victim.hear()
            asked = _Asked()
            fake.inject(asked, times=1, path="oauth.token")
            await victim.tell(do="look up", tasks=1)
            await asked.came.wait()
            began = time.monotonic()
            victim.process.send_signal(signal.SIGKILL)
            await survivor.tell(do="look up", tasks=1)
            answer = await survivor.hear()
            longest = max(longest, time.monotonic() - began)
            most_grants = max(most_grants, fake.token_grants)
            recovered += answer["answered"]
    what = f"holder killed in mid-refresh {times} times, over {where['kind']} (lease {lease_seconds:g} s)"
    seen = f"{recovered} recovered, at most {most_grants} grants, after {longest:.2f} s at most"
    limit = lease_seconds + RECOVERY_SECONDS
    return Figure(what, seen, f"2 grants, {limit:g} s", recovered == times and most_grants <= 2 and longest <= limit)


def over_redis(url: str) -> dict[str, Any]:
    return {"kind": "redis", "url": url}


def over_a_file(folder: Path) -> dict[str, Any]:
    return {"kind": "file", "folder": str(folder)}


def _settings(fake: FakeKajabi, where: dict[str, Any]) -> dict[str, Any]:
    return {
        "client_id": fake.client_id,
        "client_secret": fake.client_secret,
        "base_url": fake.base_url,
        "store": where,
    }


async def _told(each: Worker, **message: Any) -> Any:
    await each.tell(**message)
    answer = await each.hear()
    return await each.hear() if answer == "ready" else answer
