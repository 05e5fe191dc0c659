"""The fake of the API: its start with many customers, requests a second, and how long it blocks its event loop."""

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass

import aiohttp

from benchmarks.measuring import Spread
from benchmarks.results import Part, Table, spread, under
from benchmarks.sizes import Sizes
from kajabi_async.testing import FakeKajabi

AT_ONCE = 10
STARTS = 5
NAMED = "filter[email_contains]={email}"
CHEAP: Mapping[str, str] = {
    "one customer": "customers/{id}",
    "one customer, three includes": "customers/{id}?include=contact,offers,products",
    "linkage of one customer": "customers/{id}/relationships/offers",
    "one contact by email": f"contacts?{NAMED}",
    "a page of 30 customers": "customers?page[number]={id}",
    "the last page of 100": "customers?page[size]=100&page[number]={last}",
}
LONG: Mapping[str, str] = {"customers with a name, of all": "customers?filter[name_contains]=smith"}
"""Requests that read every customer."""


@dataclass
class Block:
    """The longest time between two turns of the event loop."""

    seconds: float = 0.0
    processor: float = 0.0
    """The same in processor time of this thread, which other load on the machine does not lengthen."""


@dataclass(frozen=True)
class Measured:
    per_second: Spread
    block: Block


def measure(sizes: Sizes) -> Part:
    starts = Spread(tuple(asyncio.run(start(sizes.customers)) * 1000 for _ in range(STARTS)))
    measured = asyncio.run(requests(sizes))
    longest = max(each.block.processor for each in measured.values()) * 1000
    note = (
        f"With {sizes.customers:,} customers; it starts in {starts.median:.1f} ms "
        f"({starts.low:.1f}..{starts.high:.1f}), the socket included. {AT_ONCE} requests at a time, of those that read "
        "every customer one, by an aiohttp session in the same event loop, which has its share of the time. A block is "
        "the longest time between two turns of that loop."
    )
    header = ["The fake", "requests a second", "range", "longest block", "of processor time"]
    rows = [
        [name, *spread(each.per_second, 0 if each.per_second.median > 10 else 2), *_milliseconds(each.block)]
        for name, each in measured.items()
    ]
    return Part(
        [Table("The fake", header, rows, note)],
        [
            under(f"Start of the fake with {sizes.customers:,} customers", starts.median, 1000, "ms"),
            under("Longest block by a request to it, of processor time", longest, 50, "ms"),
        ],
    )


def _milliseconds(block: Block) -> tuple[str, str]:
    return f"{block.seconds * 1000:.1f} ms", f"{block.processor * 1000:.1f} ms"


async def start(customers: int) -> float:
    """Return the seconds until a fake listens."""
    gc.collect()
    begin = time.perf_counter()
    async with FakeKajabi(customers=customers):
        return time.perf_counter() - begin


async def requests(sizes: Sizes) -> dict[str, Measured]:
    customers = sizes.customers
    fake = FakeKajabi(customers=customers)
    headers = {"Authorization": f"Bearer {fake.issue_token()}"}
    async with fake, aiohttp.ClientSession(fake.base_url, headers=headers) as session:

        async def get(template: str, number: int) -> None:
            # Far apart, so that no row is in the cache of the fake.
            customer = number * 7919 % customers + 1
            email = _email(fake, customer) if "{email}" in template else ""
            path = template.format(id=customer, email=email, last=customers // 100)
            async with session.get(f"/v1/{path}") as response:
                assert response.status == 200
                await response.read()

        measured: dict[str, Measured] = {}
        for name, template in {**CHEAP, **LONG}.items():
            count = 1 if name in LONG else sizes.calls
            measured[name] = await _repeated(get, template, count, 1 if name in LONG else sizes.repeats)
        return measured


def _email(fake: FakeKajabi, customer: int) -> str:
    found = fake.resource("customers", str(customer))
    assert found is not None
    return str(found["attributes"]["email"])


async def _repeated(get: Callable[[str, int], Awaitable[None]], template: str, count: int, repeats: int) -> Measured:
    rates: list[float] = []
    block = Block()
    for turn in range(repeats):
        numbers = iter(range(turn * count, (turn + 1) * count))
        gc.collect()
        begin = time.perf_counter()
        watching = asyncio.create_task(watch(block))
        await asyncio.gather(*(_all(get, template, numbers) for _ in range(min(AT_ONCE, count))))
        watching.cancel()
        rates.append(count / (time.perf_counter() - begin))
    return Measured(Spread(tuple(rates)), block)


async def _all(get: Callable[[str, int], Awaitable[None]], template: str, numbers: Iterator[int]) -> None:
    for number in numbers:
        await get(template, number)


async def watch(block: Block) -> None:
    """Note the longest time between two turns in *block*, until cancelled."""
    while True:
        begin, processor = time.perf_counter(), time.thread_time()
        await asyncio.sleep(0)
        block.seconds = max(block.seconds, time.perf_counter() - begin)
        block.processor = max(block.processor, time.thread_time() - processor)
