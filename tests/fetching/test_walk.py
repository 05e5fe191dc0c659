"""Page after page, or several at once: found by their links or numbers, and never beyond the last page of the list."""

import asyncio
import gc
from typing import Any

import attrs
import pytest

from kajabi_async import (
    AuthenticationError,
    ConnectionFailedError,
    Customer,
    DecodeError,
    PagingError,
    ServerError,
    Site,
)
from kajabi_async.errors import ClientClosedError, KajabiError
from kajabi_async.exchange import Tally
from kajabi_async.fetching.page import ListRequest
from kajabi_async.fetching.walk import Novelty, PageBatches, PageWalk
from kajabi_async.jsonapi.query import Query
from kajabi_async.operations import operation
from kajabi_async.stall import Stall
from tests.models.building import build
from tests.sending import Canned, context, resource
from tests.virtual_time import LoopClock, virtually


def _batches(pages: dict[str, Any]) -> tuple[PageBatches[Customer], Canned]:
    send = Canned(lambda request: pages.get(request.query))
    query = Query(page_number=1)
    return PageBatches(ListRequest(context(send), operation("customers.list"), Customer, query, timeout=7.0)), send


def _page(name: str, following: str | None, **meta: int) -> dict[str, Any]:
    links = {} if following is None else {"next": f"https://api.kajabi.com/v1/customers?{following}"}
    return {"data": [resource("customers", name)], "links": links, "meta": meta}


def _number(number: int) -> str:
    return f"page%5Bnumber%5D={number}"


async def test_no_page_is_requested_beyond_the_last() -> None:
    """However many are requested at once; then the list is over."""
    batches, send = _batches({_number(each): _page(str(each), _number(each + 1), total_pages=3) for each in (1, 2)})
    assert len(await batches.fetch(1)) == 1
    assert len(await batches.fetch(10)) == 2
    assert [request.query for request in send.asked] == [_number(1), _number(2), _number(3)]
    # The third was not there: it failed, and nothing can follow it.
    assert batches.is_over
    assert batches.failure is not None


async def test_addresses_without_numbers_are_followed_one_by_one() -> None:
    """If a cursor names the next page, only that page names the one after it."""
    batches, send = _batches(
        {
            _number(1): _page("1", "cursor=a"),
            "cursor=a": _page("2", "cursor=b"),
            "cursor=b": _page("3", None),
        }
    )
    came = [page for _ in range(3) for page in await batches.fetch(5)]
    assert [page.rows[0].id for page in came if page and isinstance(page.rows[0], Customer)] == ["1", "2", "3"]
    assert batches.is_over
    assert len(send.asked) == 3


async def test_the_cost_of_pages_is_settled_once() -> None:
    """The cost is added to a tally once, not a second time."""
    batches, _ = _batches({_number(1): _page("1", None)})
    await batches.fetch(1)
    tally = Tally(attempts=5)
    batches.settle(tally)
    batches.settle(tally)
    assert tally.attempts == 6


def _five_pages() -> tuple[PageBatches[Customer], Canned]:
    last = {_number(5): _page("5", None, total_pages=5)}
    return _batches({_number(each): _page(str(each), _number(each + 1), total_pages=5) for each in range(1, 5)} | last)


async def test_a_step_back_reads_the_latest_pages_again() -> None:
    """Then the list goes on as before; pages that come again do not count as pages that bring nothing new."""
    batches, send = _five_pages()
    await batches.fetch(1)
    await batches.fetch(3)
    assert batches.step_back(2) == 2
    came = [page for _ in range(3) for page in await batches.fetch(1)]
    assert [page.rows[0].id for page in came if page and isinstance(page.rows[0], Customer)] == ["3", "4", "5"]
    assert [request.query[-1] for request in send.asked] == ["1", "2", "3", "4", "3", "4", "5"]
    assert (batches.is_over, batches.has_ended) == (True, True)


async def test_pages_that_come_again_after_several_steps_back_are_expected() -> None:
    """However many pages in a row bring nothing new then."""
    batches, send = _batches(_numbered(*"abcdefgh", total_pages=8))
    assert (batches.is_over, batches.has_ended) == (False, False)
    await batches.fetch(1)
    await batches.fetch(6)
    assert [batches.step_back(3) for _ in range(2)] == [3, 3]
    batches.most_fruitless = 0
    for _ in range(7):
        await batches.fetch(1)
    assert (batches.has_ended, len(send.asked)) == (True, 7 + 7)


async def test_a_step_back_from_the_end_goes_to_the_first_page_at_most() -> None:
    """The list is then not over any more."""
    batches, _ = _five_pages()
    await batches.fetch(1)
    await batches.fetch(4)
    assert batches.has_ended
    assert batches.step_back(9) == 5
    assert (batches.is_over, batches.has_ended) == (False, False)
    assert [len(await batches.fetch(5)) for _ in range(2)] == [1, 4]
    assert batches.has_ended


async def test_a_page_is_fetched_again_beside_the_others() -> None:
    """The list goes on where it was, and after its end nothing more is fetched."""
    batches, send = _five_pages()
    await batches.fetch(1)
    again = await batches.fetch_again(1)
    assert again is not None
    assert again.rows[0].id == "1"  # type: ignore[union-attr]  # pyright: ignore[reportAttributeAccessIssue]
    await batches.fetch(4)
    assert await batches.fetch(3) == []
    assert batches.has_ended
    assert [request.query[-1] for request in send.asked] == ["1", "1", "2", "3", "4", "5"]
    assert await batches.fetch_again(6) is None
    assert batches.failure is not None


async def test_for_a_lookup_a_failure_that_passes_is_raised() -> None:
    """The lookup waits for its end by itself, and the pages are fetched when it is tried again."""
    pages: dict[str, Any] = {
        _number(1): _page("1", _number(2), total_pages=2),
        _number(2): ConnectionFailedError("gone", method="GET", path="/v1/customers"),
    }
    batches, send = _batches(pages)
    batches.stall = Stall()
    await batches.fetch(1, for_lookup=True)
    assert batches.stall.answers == 1
    with pytest.raises(ConnectionFailedError):
        await batches.fetch(1, for_lookup=True)
    pages[_number(2)] = _page("2", None, total_pages=2)
    [page] = await batches.fetch(1, for_lookup=True)
    assert page is not None
    assert batches.has_ended
    assert [request.query[-1] for request in send.asked] == ["1", "2", "2"]
    assert all(request.once for request in send.asked)


def _customers(*ids: str) -> list[Customer]:
    return [build(Customer, id=each) for each in ids]


def test_a_row_is_new_once() -> None:
    """By itself, or with its page; to look whether one is new notes nothing."""
    novelty = Novelty()
    assert [novelty.is_new(each) for each in ("1", "2", "1")] == [True, True, False]
    assert [novelty.has_new(_customers("3")) for _ in range(2)] == [True, True]
    assert [novelty.note(_customers("1", "3")) for _ in range(2)] == [True, False]
    novelty.note_known(["4"])
    assert not novelty.has_new(_customers("1", "2", "3", "4"))


def test_a_page_is_all_new_if_every_row_is_readable_and_came_for_the_first_time() -> None:
    """Otherwise none of its rows is noted."""
    novelty, broken = Novelty(), DecodeError("broken")
    assert novelty.are_new(_customers("1", "2"))
    assert not novelty.are_new(_customers("2", "3"))
    assert not novelty.are_new(_customers("3", "3"))
    assert not novelty.are_new([*_customers("3"), broken])
    assert novelty.has_new([broken, *_customers("3")])
    assert not novelty.has_new([broken])
    assert not novelty.note([broken])
    assert novelty.are_new(_customers("3"))
    assert novelty.are_new([])


def test_the_latest_ten_thousand_ids_are_known() -> None:
    """The others may come again unnoticed."""
    for one_by_one in (True, False):
        novelty = Novelty()
        for number in range(10_001):
            novelty.is_new(str(number)) if one_by_one else novelty.note_known([str(number)])
        assert not novelty.is_new("1")
        assert novelty.is_new("0")
        assert novelty.is_new("1")


def test_too_many_pages_without_a_new_row_are_an_error() -> None:
    """It says whether they had any rows; a new one begins the count again."""
    for page, kind in (((), "101 empty pages in a row"), ((1,), "101 pages in a row without a row that is new")):
        novelty = Novelty()
        for _ in range(2):
            for _ in range(100):
                novelty.refuse_fruitless(page, is_new=False)
            novelty.refuse_fruitless(page, is_new=True)
        assert [novelty.count_page(is_new=False) for _ in range(100)] == list(range(1, 101))
        with pytest.raises(PagingError, match=f"^{kind}, each with a next link$"):
            novelty.refuse_fruitless(page, is_new=False)


def _numbered(*names: str, **meta: int) -> dict[str, Any]:
    """Return a page of one row for each of *names*, numbered from 1."""
    return {
        _number(each): _page(name, _number(each + 1) if each < len(names) else None, **meta)
        for each, name in enumerate(names, 1)
    }


def _walk(pages: dict[str, Any], prefetch: int) -> tuple[PageWalk[Customer], Canned]:
    send = Canned(lambda request: pages.get(request.query))
    request = ListRequest(context(send), operation("customers.list"), Customer, Query(page_number=1))
    return PageWalk(request, _number(1), prefetch), send


async def test_a_walk_fetches_as_many_pages_ahead_as_it_may() -> None:
    """By counting on the number of the next page; none twice, and none beyond the last."""
    walk, send = _walk(_numbered(*"abcdefg"), 3)
    requested: list[int] = []
    for _ in range(3):
        await walk.next()
        for _ in range(3):
            await asyncio.sleep(0)
        requested.append(len(send.asked))
    assert requested == [4, 5, 6]
    walk.close()
    walk, send = _walk(_numbered(*"abc", total_pages=3), 5)
    await walk.next()
    for _ in range(3):
        await asyncio.sleep(0)
    assert len(send.asked) == 3
    for _ in range(2):
        await walk.next()
    with pytest.raises(StopAsyncIteration):
        await walk.next()
    assert sorted(request.query for request in send.asked) == [_number(each) for each in (1, 2, 3)]


async def test_a_walk_without_numbers_fetches_one_page_ahead() -> None:
    """Only that page names the one after it."""
    walk, send = _walk({_number(1): _page("1", "cursor=a"), "cursor=a": _page("2", None)}, 4)
    await walk.next()
    for _ in range(3):
        await asyncio.sleep(0)
    assert [request.query for request in send.asked] == [_number(1), "cursor=a"]
    assert (await walk.next()).next_query is None
    assert len(send.asked) == 2


async def test_a_page_that_fails_ahead_fails_again_or_comes() -> None:
    """What passes is tried again when the page is needed; what does not is raised, and `next` asks for it again."""
    pages = _numbered("a", "b", "c")
    for failure, times in ((ConnectionFailedError("gone", method="GET", path="/"), 2), (KajabiError("broken"), 1)):
        walk, send = _walk(pages | {_number(2): failure}, 1)
        await walk.next()
        for _ in range(3):
            await asyncio.sleep(0)
        with pytest.raises(type(failure)):
            await walk.next()
        assert [request.query for request in send.asked].count(_number(2)) == times
        with pytest.raises(type(failure)):
            await walk.next()
        assert [request.query for request in send.asked].count(_number(2)) == times + 1


async def test_a_page_that_fails_ahead_and_is_never_needed_is_not_logged() -> None:
    """The event loop reports failures that are never looked at."""
    reports: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, report: reports.append(report))
    walk, _ = _walk(_numbered("a", "b") | {_number(2): KajabiError("broken")}, 2)
    await walk.next()
    for _ in range(3):
        await asyncio.sleep(0)
    walk.close()
    walk, _ = _walk(_numbered("a", "b"), 2)
    await walk.next()
    walk.close()
    del walk
    for _ in range(3):
        await asyncio.sleep(0)
    gc.collect()
    assert reports == []


async def test_a_walk_that_is_closed_leaves_no_task() -> None:
    """Neither does one whose guesses were wrong."""
    before = asyncio.all_tasks()
    pages = _numbered(*"abcdefgh")
    walk, _ = _walk(pages, 4)
    await walk.next()
    assert [task.get_name() for task in asyncio.all_tasks() - before] == ["kajabi_async page"] * 4
    walk.close()
    for _ in range(3):
        await asyncio.sleep(0)
    assert asyncio.all_tasks() == before
    skipping = pages | {_number(2): _page("b", _number(7)), _number(7): _page("g", None)}
    walk, send = _walk(skipping, 3)
    rows = [(await walk.next()).rows[0] for _ in range(3)]
    assert [row.id for row in rows if isinstance(row, Customer)] == ["a", "b", "g"]
    for _ in range(3):
        await asyncio.sleep(0)
    assert asyncio.all_tasks() == before
    assert {request.query for request in send.asked} >= {_number(1), _number(2), _number(7)}
    walk.close()


async def test_a_walk_that_is_led_back_ends_with_an_error() -> None:
    """Once; after it there is nothing more."""
    walk, send = _walk({_number(1): _page("1", _number(2)), _number(2): _page("2", _number(1))}, 0)
    await walk.next()
    await walk.next()
    with pytest.raises(PagingError, match=r"links\.next leads back to a page that was read already"):
        await walk.next()
    with pytest.raises(StopAsyncIteration):
        await walk.next()
    assert len(send.asked) == 2


def _failing(number: int, failure: KajabiError, count: int = 6) -> tuple[PageBatches[Customer], Canned]:
    pages = _numbered(*map(str, range(1, count + 1)), total_pages=count)
    return _batches(pages | {_number(number): failure})


async def test_a_page_that_fails_is_passed_over() -> None:
    """By the number of the next; its failure is kept."""
    failure = ServerError(status=500)
    batches, send = _failing(3, failure)
    await batches.fetch(1)
    pages = await batches.fetch(2)
    assert [page is None for page in pages] == [False, True]
    assert batches.failure is failure
    assert not batches.is_over
    assert [page is None for page in await batches.fetch(9)] == [False] * 3
    assert (batches.is_over, batches.has_ended, len(send.asked)) == (True, True, 6)


async def test_a_list_that_brings_nothing_new_is_given_up() -> None:
    """After three pages in a row; it has then not ended. Failed pages count as such that bring nothing."""
    same = {_number(each): _page("1", _number(each + 1)) for each in range(1, 9)}
    for pages, last in ((same, 4), ({_number(each): None for each in range(1, 9)}, 3)):
        batches, send = _batches(pages)
        while not batches.is_over:
            await batches.fetch(1)
        assert (len(send.asked), batches.has_ended) == (last, False)
    batches, send = _batches(same)
    batches.most_fruitless = 5
    while not batches.is_over:
        await batches.fetch(1)
    assert len(send.asked) == 7


async def test_a_list_that_leads_back_is_over() -> None:
    """It has then not ended."""
    batches, _ = _batches({_number(1): _page("1", _number(2)), _number(2): _page("2", _number(1))})
    await batches.fetch(1)
    await batches.fetch(1)
    assert (batches.is_over, batches.has_ended) == (True, False)


@pytest.mark.parametrize("failure", [AuthenticationError(status=401), ClientClosedError("closed")])
async def test_what_every_page_would_meet_is_raised(failure: KajabiError) -> None:
    """No page can be had without it."""
    batches, _ = _failing(2, failure)
    await batches.fetch(1)
    with pytest.raises(type(failure)):
        await batches.fetch(1)


async def test_another_list_is_fetched_on_the_same_tally() -> None:
    """Its failure is not one of the pages."""
    batches, send = _batches({_number(1): _page("1", None)})
    site: dict[str, Any] = {"data": [resource("sites", "1")], "links": {}}
    beside = Canned({"/v1/sites": site})
    sites = ListRequest(context(beside), operation("sites.list"), Site, Query(page_size=2))
    page = await batches.fetch_beside(sites)
    assert page is not None
    assert [row.id for row in page.rows if isinstance(row, Site)] == ["1"]
    assert beside.paths == ["/v1/sites?page%5Bsize%5D=2"]
    assert (batches.tally.attempts, send.asked) == (1, [])
    failing = ListRequest(context(Canned({})), operation("sites.list"), Site, Query())
    assert await batches.fetch_beside(failing) is None
    assert (batches.tally.attempts, batches.failure) == (2, None)
    assert await batches.fetch_again(9) is None
    failure = batches.failure
    assert failure is not None
    assert await batches.fetch_beside(failing) is None
    assert batches.failure is failure


async def test_a_single_page_that_fails_is_passed_over_unless_it_is_for_a_lookup() -> None:
    """That waits for the end of what passes by itself."""
    failure = ConnectionFailedError("gone", method="GET", path="/v1/customers")
    batches, _ = _failing(1, failure)
    sites = ListRequest(context(Canned(lambda _: failure)), operation("sites.list"), Site, Query())
    assert await batches.fetch_again(1) is None
    assert await batches.fetch_beside(sites) is None
    assert batches.failure is failure
    with pytest.raises(ConnectionFailedError):
        await batches.fetch_again(1, for_lookup=True)
    with pytest.raises(ConnectionFailedError):
        await batches.fetch_beside(sites, for_lookup=True)


async def test_the_whole_cost_of_pages_is_moved() -> None:
    """Each counter of it, added to what was there; what running requests add afterwards is moved later."""
    batches, _ = _batches({})
    cost = batches.tally
    for name in ("operations", "attempts", "retries", "waiting_seconds", "wire_seconds"):
        setattr(cost, name, 2)
        tally = Tally(operations=1, attempts=1, retries=1, waiting_seconds=1.0, wire_seconds=1.0)
        batches.settle(tally)
        assert getattr(tally, name) == 3
        assert sum(attrs.astuple(tally)) == 7
        assert attrs.astuple(cost) == attrs.astuple(Tally())
        assert batches.tally is cost


async def test_pages_are_retried_by_the_stall_alone() -> None:
    """They are sent once, their time counts from then on; without a stall the client retries them."""
    for stall, once, starts in ((None, False, "call"), (Stall(), True, "sent")):
        batches, send = _batches({_number(1): _page("1", None)})
        batches.stall = stall
        await batches.fetch(1)
        [request] = send.asked
        assert (request.method, request.path, request.once) == ("GET", "/v1/customers", once)
        assert send.timeouts == [(7.0, starts)]
        assert batches.tally.attempts == 1


def test_a_page_waits_in_the_stall_for_the_end_of_an_outage() -> None:
    """Unless it is for a lookup, which does so by itself."""

    async def run() -> None:
        pages: dict[str, Any] = {_number(1): ConnectionFailedError("gone", method="GET", path="/v1/customers")}
        batches, send = _batches(pages)
        batches.stall = Stall(clock=LoopClock())
        asyncio.get_running_loop().call_later(10.0, pages.update, {_number(1): _page("1", None)})
        [page] = await batches.fetch(1)
        assert page is not None
        assert batches.stall.answers == 1
        assert 2 < len(send.asked) < 20

    virtually(run())


async def test_a_page_for_a_lookup_needs_no_stall() -> None:
    """It is fetched as any other."""
    batches, _ = _batches({_number(1): _page("1", None)})
    [page] = await batches.fetch(1, for_lookup=True)
    assert page is not None


async def test_a_stall_that_has_given_up_raises_the_failure_of_a_page() -> None:
    """No other page is then tried."""
    failure = ConnectionFailedError("gone", method="GET", path="/v1/customers")
    batches, _ = _failing(1, failure)
    batches.stall = Stall()
    batches.stall.give_up()
    with pytest.raises(ConnectionFailedError):
        await batches.fetch(1)
