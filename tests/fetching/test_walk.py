"""Several pages at once: found by their numbers, if they have any, and never beyond the last page of the list."""

from typing import Any

import pytest

from kajabi_async import ConnectionFailedError, Customer
from kajabi_async.exchange import Tally
from kajabi_async.fetching.page import ListRequest
from kajabi_async.fetching.walk import PageBatches
from kajabi_async.jsonapi.query import Query
from kajabi_async.operations import operation
from kajabi_async.stall import Stall
from tests.sending import Canned, context, resource


def _batches(pages: dict[str, Any]) -> tuple[PageBatches[Customer], Canned]:
    send = Canned(lambda request: pages.get(request.query))
    query = Query(page_number=1)
    return PageBatches(ListRequest(context(send), operation("customers.list"), Customer, query)), send


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
