"""Several pages at once: found by their numbers, if they have any, and never beyond the last page of the list."""

from typing import Any

from kajabi_async import Customer
from kajabi_async.exchange import Tally
from kajabi_async.fetching.page import ListRequest
from kajabi_async.fetching.walk import PageBatches
from kajabi_async.jsonapi.query import Query
from kajabi_async.operations import operation
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
