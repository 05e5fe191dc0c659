"""Scans, pages fetched ahead and prefetched relations lose nothing to a pause or an outage."""

import asyncio
import math
from typing import Any
from urllib.parse import parse_qs

import pytest

from kajabi_async import BulkStalledError, Contact, PausedError, RateLimitError, ServerError
from kajabi_async.errors import ConnectionFailedError, KajabiError
from kajabi_async.exchange import Request
from kajabi_async.relationships.prefetch import prefetch
from kajabi_async.resources.people import Customers
from kajabi_async.stall import Stall
from tests.fetching.outages import Rule, refused
from tests.sending import Canned, context, links, resource
from tests.virtual_time import LoopClock, virtually

ROWS = 950
PAGE = 100


class Server(Canned):
    """A list of customers with one contact each, answered as a rule says; it takes 10 ms."""

    def __init__(self, rule: Rule = lambda _, __: None, *, repeats: bool = False) -> None:
        super().__init__(self._found)
        self.rule = rule
        self._repeats = repeats
        self._began = asyncio.get_running_loop().time()

    async def __call__(self, request: Request, **settings: Any) -> Any:
        await asyncio.sleep(0.01)
        return await super().__call__(request, **settings)

    def _found(self, request: Request) -> Any:
        failure = self.rule(request.path, asyncio.get_running_loop().time() - self._began)
        if failure is not None:
            return failure
        kind, _, each = request.path.removeprefix("/v1/").partition("/")
        if each:
            return {"data": _customer(int(each)) if kind == "customers" else resource(kind, each)}
        number = int(parse_qs(request.query).get("page[number]", ["1"])[0])
        rows = range((number - 1) * PAGE + 1, min(ROWS, number * PAGE) + 1)
        following = {"next": f"/v1/customers?page%5Bnumber%5D={number + 1}"} if number * PAGE < ROWS else {}
        meta = {"total_pages": math.ceil(ROWS / PAGE), "total_count": ROWS}
        return {"data": [_customer(row) for row in rows], "links": following, "meta": meta}


def _customer(number: int) -> dict[str, Any]:
    contact = {"data": {"type": "contacts", "id": str(number + 10_000)}}
    return resource("customers", str(number), relationships={"contact": contact})


def _customers(send: Server) -> Customers:
    return Customers(context(send, clock=LoopClock()))


def _between(start: float, end: float, failure: KajabiError) -> Rule:
    """Return a rule by which everything fails for a while, in seconds from now."""
    now = asyncio.get_running_loop().time
    began = now()

    def rule(_: str, __: float) -> KajabiError | None:
        return failure if began + start <= now() < began + end else None

    return rule


OUTAGES: list[KajabiError] = [
    RateLimitError(status=429, retry_after=5.0),
    PausedError(status=429, retry_after=61.0),
    ServerError(status=503),
    refused(),
    ConnectionFailedError("the connection broke", method="GET", path="/v1/customers"),
]


@pytest.mark.parametrize("failure", OUTAGES, ids=repr)
@pytest.mark.parametrize("strategy", ["scan", "auto"])
@pytest.mark.parametrize("start", [0.0, 0.015, 0.03])
def test_a_scan_waits_for_its_pages(failure: KajabiError, strategy: Any, start: float) -> None:
    """A pause costs no page: its ids would cost a hundred requests."""

    async def run() -> None:
        send = Server(lambda _, now: failure if start <= now < 12.0 else None)
        report = await _customers(send).get_many(range(1, ROWS + 1), strategy=strategy).report()
        assert (report.found, report.failed) == (ROWS, 0)
        assert sum(request.path == "/v1/customers" for request in send.asked) <= 10 + 10 + 8
        assert not any(request.path != "/v1/customers" for request in send.asked)

    virtually(run())


@pytest.mark.parametrize("ordered", [False, True])
def test_a_scan_that_stalls_for_good_leaves_everything_that_is_left(ordered: bool) -> None:
    """It has read the whole source, and its ids come in the order of that."""

    async def run() -> None:
        send = Server(lambda _, now: refused() if now >= 0.015 else None)
        ids = [*range(1, ROWS + 1), "7", *range(ROWS + 5, ROWS, -1)]
        run = _customers(send).get_many(ids, strategy="scan", patience=60.0, ordered=ordered)
        results: list[str] = []
        with pytest.raises(BulkStalledError) as raised:
            async for lookup in run:
                results.append(lookup.id)  # noqa: PERF401 - what came before the error is checked
        left = list(raised.value.unanswered)
        assert raised.value.answered == len(results)
        assert sorted([*results, *left], key=int) == sorted(map(str, ids), key=int)
        # The first page came, and nothing else did.
        assert len(results) == (PAGE if ordered else PAGE + 1)
        assert left[:3] == ["101", "102", "103"]
        assert left[-5:] == [str(each) for each in range(ROWS + 5, ROWS, -1)]
        await asyncio.sleep(0.01)
        assert len(asyncio.all_tasks()) == 1

    virtually(run())


def test_a_page_that_failed_ahead_is_requested_again() -> None:
    """The cause of a failure ahead may be over when the loop needs the page."""

    async def run() -> None:
        send = Server(lambda _, now: refused() if 0.01 < now < 0.05 else None)
        rows: list[str] = []
        async for customer in _customers(send).list(prefetch=3):
            if len(rows) == 1:
                await asyncio.sleep(1.0)
            rows.append(customer.id)
        assert rows == [str(each) for each in range(1, ROWS + 1)]

    virtually(run())


def test_a_page_that_failed_for_good_is_not_requested_again() -> None:
    """Its error is raised, and the loop can go on from there."""

    async def run() -> None:
        refusals = [0]

        def rule(_: str, now: float) -> KajabiError | None:
            refusals[0] += now > 0.01
            return KajabiError("broken") if now > 0.01 else None

        pages = _customers(Server(rule)).list(prefetch=1)
        with pytest.raises(KajabiError, match="broken"):
            async for _ in pages:
                pass
        assert refusals == [1]

    virtually(run())


@pytest.mark.parametrize("failure", OUTAGES, ids=repr)
def test_prefetching_waits_for_an_outage_to_be_over(failure: KajabiError) -> None:
    """Each related resource is fetched, and few requests fail."""

    async def run() -> None:
        send = Server()
        api = context(send)
        owners = [row async for row in Customers(api).list()][:200]
        send.rule = _between(0.015, 10.0, failure)
        requested = len(send.asked)
        await prefetch(api.resolver, links(), owners, ["contact"], stall=Stall(clock=LoopClock()))  # type: ignore[arg-type]
        contacts = [await each.contact for each in owners]
        assert all(isinstance(each, Contact) for each in contacts)
        assert len(send.asked) - requested <= 200 + 50 + 10
        assert len(asyncio.all_tasks()) == 1

    virtually(run())


def test_prefetching_ends_with_the_failure_when_patience_does() -> None:
    """What was loaded stays; the same call goes on from there."""

    async def run() -> None:
        send = Server()
        api = context(send)
        owners = [row async for row in Customers(api).list()][:200]
        now = asyncio.get_running_loop().time
        began = now()
        send.rule = _between(0.015, math.inf, refused())
        with pytest.raises(ConnectionFailedError):
            await prefetch(api.resolver, links(), owners, ["contact"], stall=Stall(30.0, LoopClock()))  # type: ignore[arg-type]
        assert now() - began == pytest.approx(30.0, abs=0.1)
        await asyncio.sleep(0.01)
        assert len(asyncio.all_tasks()) == 1
        send.rule = _between(0.0, 0.0, refused())
        requested = len(send.asked)
        await prefetch(api.resolver, links(), owners, ["contact"], stall=Stall())  # type: ignore[arg-type]
        assert 0 < len(send.asked) - requested <= 150

    virtually(run())


@pytest.mark.parametrize("concurrency", [1, 2, 5])
def test_no_more_pages_are_requested_at_once_than_the_run_may_send(concurrency: int) -> None:
    """A page is a request like any other."""

    async def run() -> None:
        under_way = most = 0

        class Counting(Server):
            async def __call__(self, request: Request, **settings: Any) -> Any:
                nonlocal under_way, most
                under_way += 1
                most = max(most, under_way)
                try:
                    return await super().__call__(request, **settings)
                finally:
                    under_way -= 1

        many = _customers(Counting()).get_many(range(1, ROWS + 1), strategy="scan", concurrency=concurrency)
        assert (await many.report()).found == ROWS
        assert most == concurrency

    virtually(run())
