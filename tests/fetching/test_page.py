"""One page of a list: its rows, the next page, and how long the list is, from whatever the answer says."""

from typing import Any

import attrs
import pytest

from kajabi_async import Customer, DecodeError, PagingError, UntrustedLinkError
from kajabi_async.exchange import Answer, Tally
from kajabi_async.fetching.page import FetchedPage, ListRequest, page_number, with_page_number
from kajabi_async.jsonapi.query import Query
from kajabi_async.operations import operation
from tests.sending import Canned, context, linkage, resource

LIST = "https://api.kajabi.com/v1/customers"
LONGEST = 10**18 - 1
"""The highest number that a list can have."""


def _request(send: Canned, **settings: Any) -> ListRequest[Customer]:
    return ListRequest(context(send, **settings), operation("customers.list"), Customer, Query(), timeout=7.0)


async def _page(links: Any = None, meta: Any = None, **settings: Any) -> FetchedPage[Customer]:
    body: dict[str, Any] = {"data": [resource("customers", "1")], "links": links or {}, "meta": meta or {}}
    return await _request(Canned({"/v1/customers": body}), **settings).fetch("page%5Bnumber%5D=3")


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("page%5Bnumber%5D=7&page%5Bsize%5D=5", 7),
        ("page[number]=7", 7),
        (f"page%5Bnumber%5D={LONGEST}", LONGEST),
        (f"page%5Bnumber%5D={LONGEST + 1}", None),
        ("page%5Bnumber%5D=", None),
        ("page%5Bnumber%5D=-1", None),
        ("page%5Bnumber%5D=1.0", None),
        ("page%5Bnumber%5D=%C2%B2", None),
        ("page%5Bsize%5D=5", None),
        ("cursor=7", None),
        ("", None),
    ],
)
def test_the_number_of_a_page_is_read_from_its_query(query: str, number: int | None) -> None:
    """If it is one that a list can have, in ASCII digits."""
    assert page_number(query) == number


def test_another_page_is_requested_with_everything_else_unchanged() -> None:
    """Parameters without a value included."""
    query = "filter%5Bsearch%5D=&page%5Bnumber%5D=2&sort=-a%2Cb"
    assert with_page_number(query, 13) == "filter%5Bsearch%5D=&page%5Bnumber%5D=13&sort=-a,b"
    assert with_page_number("cursor=a", 2) == "cursor=a"


@pytest.mark.parametrize(
    ("meta", "rows"),
    [
        ({"total_count": 50, "total": 7}, 50),
        ({"total_count": 0, "total": 7}, 0),
        ({"total": 7}, 7),
        ({"total_count": LONGEST}, LONGEST),
        ({"total_count": LONGEST + 1, "total": 7}, 7),
        ({"total_count": -1}, None),
        ({"total_count": True}, None),
        ({"total_count": 5.0}, None),
        ({"total_count": "5"}, None),
        ({"count": 5}, None),
    ],
)
async def test_the_number_of_rows_is_what_the_answer_states(meta: dict[str, Any], rows: int | None) -> None:
    """Under either name; what is no number of rows is as if it were not there."""
    page = await _page(meta=meta)
    assert page.total_count == rows
    assert page.meta == meta


@pytest.mark.parametrize(
    ("links", "meta", "number"),
    [
        ({"last": f"{LIST}?page[number]=9"}, {"total_pages": 5}, 5),
        ({"last": f"{LIST}?page[number]=9"}, {"total_pages": "5"}, 9),
        ({"last": f"{LIST}?page[number]=9"}, {}, 9),
        ({"last": {"href": f"{LIST}?page[number]=9"}}, {}, 9),
        ({"last": f"{LIST}?cursor=z"}, {}, None),
        ({"last": "https://evil.example/v1/customers?page[number]=9"}, {}, None),
        ({"last": f"{LIST}?page[number]={LONGEST + 1}"}, {}, None),
        ({"last": None}, {}, None),
        ({}, {}, None),
    ],
)
async def test_the_last_page_is_named_by_the_meta_or_a_link(links: Any, meta: Any, number: int | None) -> None:
    """The link is never followed, so one that leads elsewhere says nothing."""
    assert (await _page(links, meta)).last_number == number


async def test_the_next_page_has_the_query_of_the_link() -> None:
    """In the form in which it is sent; the page itself has that which it was requested with."""
    page = await _page({"next": f"{LIST}?page[number]=4&sort=name"})
    assert (page.query, page.next_query) == ("page%5Bnumber%5D=3", "page%5Bnumber%5D=4&sort=name")
    assert (await _page({"next": None})).next_query is None
    assert (await _page({"next": "?page[number]=4"})).next_query == "page%5Bnumber%5D=4"
    assert (await _page({"next": f"{LIST}?page[number]={LONGEST}"})).next_query is not None
    cursor = "9" * 40
    assert (await _page({"next": f"{LIST}?cursor={cursor}"})).next_query == f"cursor={cursor}"


async def test_a_next_link_that_cannot_be_followed_is_an_error() -> None:
    """It says where the list breaks off."""
    with pytest.raises(PagingError, match=r"^links.next leads to a page whose number has 19 digits"):
        await _page({"next": f"{LIST}?page[number]={LONGEST + 1}"})
    with pytest.raises(UntrustedLinkError):
        await _page({"next": "https://api.kajabi.com/v1/contacts?page[number]=2"})


async def test_an_answer_that_is_no_page_names_its_request() -> None:
    """By the path of the list."""
    with pytest.raises(DecodeError, match="GET /v1/customers"):
        await _request(Canned({"/v1/customers": b"[]"})).fetch("")


async def test_a_row_is_read_with_the_limits_of_the_client() -> None:
    """Strictly, if that is its option; with so many elements at most."""
    odd = resource("customers", "1", attributes={"created_at": 5})
    send = Canned({"/v1/customers": {"data": [odd, resource("customers", "2")]}})
    (lenient, _), (strict, _) = [(await _request(send, strict=each).fetch("")).rows for each in (False, True)]
    assert isinstance(lenient, Customer)
    assert isinstance(strict, DecodeError)
    with pytest.raises(DecodeError):
        await _request(send, most_elements=1).fetch("")


async def test_a_row_knows_how_it_was_requested() -> None:
    """What was left out can be asked for later."""
    linked = resource("customers", "1", relationships={"offers": linkage("offers", "7")})
    send = Canned({"/v1/customers": {"data": [linked]}, "/v1/offers/7": {"data": resource("offers", "7")}})
    query = Query(include=("offers",))
    [row] = (await attrs.evolve(_request(send), query=query).fetch("")).rows
    assert isinstance(row, Customer)
    assert row.origin.scope.query == query
    assert [offer.id for offer in await row.offers] == ["7"]
    within = context(send)
    assert (within.scope(query).query, within.scope().query) == (query, Query())
    assert within.scope(query).resolver is within.resolver


async def test_a_page_is_requested_by_the_path_of_the_list_within_its_timeout() -> None:
    """For a run, once, with the time counted from when it is sent, and on the tally of the run."""
    send = Canned({"/v1/customers": {"data": []}})
    request = _request(send)
    tally = Tally()
    assert isinstance(await request.answer("a=1"), Answer)
    await request.fetch("b=2")
    assert (await request.fetch_once("c=3", tally)).query == "c=3"
    assert [(each.method, each.path, each.query, each.once) for each in send.asked] == [
        ("GET", "/v1/customers", "a=1", False),
        ("GET", "/v1/customers", "b=2", False),
        ("GET", "/v1/customers", "c=3", True),
    ]
    assert send.timeouts == [(7.0, "call"), (7.0, "call"), (7.0, "sent")]
    assert tally.attempts == 1
