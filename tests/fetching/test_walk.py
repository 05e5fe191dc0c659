"""Several pages at once: by number where there are numbers, and never beyond what the list says it has."""

from typing import Any

from kajabi_async import Customer
from kajabi_async.exchange import Tally
from kajabi_async.fetching.page import ListRequest
from kajabi_async.fetching.walk import PageTurner
from kajabi_async.jsonapi.query import Query
from kajabi_async.operations import operation
from tests.sending import Canned, context, resource


def _turner(pages: dict[str, Any]) -> tuple[PageTurner[Customer], Canned]:
    send = Canned(lambda request: pages.get(request.query))
    query = Query(page_number=1)
    return PageTurner(ListRequest(context(send), operation("customers.list"), Customer, query)), send


def _page(name: str, following: str | None, **meta: int) -> dict[str, Any]:
    links = {} if following is None else {"next": f"https://api.kajabi.com/v1/customers?{following}"}
    return {"data": [resource("customers", name)], "links": links, "meta": meta}


def _number(number: int) -> str:
    return f"page%5Bnumber%5D={number}"


async def test_no_page_is_asked_for_beyond_the_last() -> None:
    """However many are wanted at once; the list is over then."""
    turner, send = _turner({_number(each): _page(str(each), _number(each + 1), total_pages=3) for each in (1, 2)})
    assert len(await turner.turn(1)) == 1
    assert len(await turner.turn(10)) == 2
    assert [request.query for request in send.asked] == [_number(1), _number(2), _number(3)]
    # The third was not there: it failed, and nothing can follow it.
    assert turner.is_over
    assert turner.failure is not None


async def test_addresses_without_numbers_are_followed_one_by_one() -> None:
    """Where the next page is told by a cursor, only the page itself tells where the one after it is."""
    turner, send = _turner(
        {
            _number(1): _page("1", "cursor=a"),
            "cursor=a": _page("2", "cursor=b"),
            "cursor=b": _page("3", None),
        }
    )
    came = [page for _ in range(3) for page in await turner.turn(5)]
    assert [page.rows[0].id for page in came if page and isinstance(page.rows[0], Customer)] == ["1", "2", "3"]
    assert turner.is_over
    assert len(send.asked) == 3


async def test_what_pages_took_is_settled_once() -> None:
    """Whoever reports it gets it, and nobody gets it again."""
    turner, _ = _turner({_number(1): _page("1", None)})
    await turner.turn(1)
    tally = Tally(attempts=5)
    turner.settle(tally)
    turner.settle(tally)
    assert tally.attempts == 6
