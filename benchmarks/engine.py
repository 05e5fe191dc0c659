"""What a run costs an id besides the requests: the answers are there at once, without a network."""

import asyncio
import gc
import json
import re
from collections.abc import AsyncIterable, Awaitable, Callable, Mapping
from time import process_time
from typing import Any

import attrs
import psutil

from benchmarks.contenders import ids_of
from benchmarks.documents import MEDIA_TYPE, customer
from benchmarks.results import Figure, Part, Table, at_most
from benchmarks.sizes import Sizes
from kajabi_async import Kajabi
from kajabi_async.exchange import Answer, Request, Tally, TimeoutStarts
from kajabi_async.resources.people import Customers

HEADERS = {"content-type": MEDIA_TYPE}
PLACE = "999999999999"
PAGE_SIZE = 100
PAGE_NUMBER = re.compile(r"number(?:%5D|\])=(\d+)")
LINK = "https://api.kajabi.com/v1/customers?page%5Bnumber%5D={}&page%5Bsize%5D=100"
MEGABYTE = 2**20
TURNS = 2
"""Of each; other load on the machine can only add to the least of them."""

Work = Callable[[Customers, int], Awaitable[int]]
"""Does the work of a number of ids, and returns how many are done."""


class AtOnce:
    """A `Send` of prepared answers: customers by id, and their list."""

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._around_id = json.dumps({"data": customer(PLACE)}).encode().split(PLACE.encode())

    async def __call__(
        self,
        request: Request,
        *,
        timeout: float | None = None,  # noqa: ARG002 - those of `Send`
        tally: Tally | None = None,  # noqa: ARG002
        timeout_starts: TimeoutStarts = "call",  # noqa: ARG002
    ) -> Answer:
        if request.path == "/v1/customers":
            match = PAGE_NUMBER.search(request.query)
            body = self._page(int(match[1]) if match else 1)
        else:
            body = request.path.rpartition("/")[2].encode().join(self._around_id)
        return Answer(200, HEADERS, body)

    def _page(self, number: int) -> bytes:
        first = (number - 1) * PAGE_SIZE
        rows = [_row(each + 1) for each in range(first, min(first + PAGE_SIZE, self._rows))]
        link = LINK.format(number + 1) if first + PAGE_SIZE < self._rows else None
        meta = {"total_count": self._rows, "total_pages": -(-self._rows // PAGE_SIZE)}
        return json.dumps({"data": rows, "links": {"next": link}, "meta": meta}).encode()


def _row(number: int) -> dict[str, object]:
    site = {"site": {"data": {"type": "sites", "id": "1"}}}
    attributes = {"email": f"u{number}@example.com", "name": "x"}
    return {"type": "customers", "id": str(number), "attributes": attributes, "relationships": site}


async def _each_by_get(customers: Customers, count: int) -> int:
    done = 0
    for resource_id in ids_of(count):
        await customers.get(resource_id)
        done += 1
    return done


async def _each_of_list(customers: Customers, _: int) -> int:
    done = 0
    async for each in customers.list(site_id="1", page_size=PAGE_SIZE):
        done += each.email is not None and each.site.ids == ("1",)
    return done


async def _read(items: AsyncIterable[object]) -> int:
    done = 0
    async for _ in items:
        done += 1
    return done


def _looked_up(customers: Customers, count: int) -> AsyncIterable[object]:
    return customers.get_many(ids_of(count))


def _found(customers: Customers, count: int) -> AsyncIterable[object]:
    emails = (f"u{number}@example.com" for number in ids_of(count))
    return customers.find_many(emails, site_id="1", strategy="scan")


WORK: Mapping[str, tuple[Work, Callable[[Customers, int], AsyncIterable[object]]]] = {
    "ids": (_each_by_get, _looked_up),
    "emails": (_each_of_list, _found),
}


def measure(sizes: Sizes) -> Part:
    rows: list[list[str]] = []
    added: dict[str, list[float]] = {"ids": [], "emails": []}
    for count in sizes.engine_ids:
        for what, (by_hand, run) in WORK.items():
            turns = [(taken(by_hand, count)[0], *taken(_reading(run), count)) for _ in range(TURNS)]
            without, microseconds, memory = map(min, zip(*turns, strict=True))
            added[what].append(microseconds - without)
            cells = (microseconds, without, added[what][-1], memory)
            rows.append([f"{count:,} {what}", *(f"{each:,.1f}" for each in cells)])
    note = (
        f"Processor time with answers that are prepared, the least of {TURNS} turns: ids by get_many, compared with "
        "get one after the other; emails off the pages of the list by find_many, compared with reading email and site "
        "of each row. find_many holds all emails."
    )
    header = ["Microseconds an id", "run", "without a run", "added", "memory, MB"]
    return Part([Table("The engine of a run alone", header, rows, note)], list(_figures(added)))


def _figures(added: Mapping[str, list[float]]) -> list[Figure]:
    return [
        at_most(f"The engine of a run alone, µs for each of the {what}", max(each), 20) for what, each in added.items()
    ]


def _reading(run: Callable[[Customers, int], AsyncIterable[object]]) -> Work:
    return lambda customers, count: _read(run(customers, count))


def taken(work: Work, count: int) -> tuple[float, float]:
    """Return the microseconds of processor time for each of *count*, and the megabytes that memory grew by."""
    return asyncio.run(_taken(work, count))


async def _taken(work: Work, count: int) -> tuple[float, float]:
    async with Kajabi(client_id="bench", client_secret="bench", base_url="http://127.0.0.1:1") as api:
        customers: Any = api.customers
        customers._context = attrs.evolve(customers._context, send=AtOnce(count))  # noqa: SLF001 - it has no public name
        gc.collect()
        memory, begin = psutil.Process().memory_info().rss, process_time()
        done = await work(customers, count)
        seconds = process_time() - begin
        grown = psutil.Process().memory_info().rss - memory
    assert done == count, f"{done} of {count}"
    return seconds / count * 1e6, grown / MEGABYTE
