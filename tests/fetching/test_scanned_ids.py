"""The ids of a scan as a run takes them: those that pages bring first, and what is left if the run ends early."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from kajabi_async import Contact, Customer, InvalidArgumentError
from kajabi_async.decoding.answers import read_resource
from kajabi_async.exchange import Answer, Tally
from kajabi_async.fetching.email_outcomes import EMAILS
from kajabi_async.fetching.one import Reader
from kajabi_async.fetching.page import FetchedPage, ListRequest
from kajabi_async.fetching.scan import Scan, is_complete, size_of
from kajabi_async.jsonapi.query import Query
from kajabi_async.models.origin import Scope
from kajabi_async.operations import operation
from kajabi_async.stall import Stall
from tests.sending import Canned, context, linkage, resource

LIST = "https://api.kajabi.com/v1/customers"


def _list(*pages: list[int], **meta: int) -> Canned:
    """Answer with these *pages*, and any customer by its id."""

    def respond(request: Any) -> Any:
        if request.path != "/v1/customers":
            return {"data": resource("customers", request.path.rpartition("/")[2])}
        number = int(request.query.partition("page%5Bnumber%5D=")[2].partition("&")[0])
        rows = [resource("customers", str(each)) for each in pages[number - 1]]
        links = {"next": f"{LIST}?page[number]={number + 1}"} if number < len(pages) else {}
        return {"data": rows, "links": links, "meta": {"total_pages": len(pages), **meta}}

    return Canned(respond)


def _scan(send: Canned, ids: Any, *, include: tuple[str, ...] = (), **options: Any) -> Scan[Customer]:
    within = context(send)
    query = Query(page_number=1)
    reader = Reader(within, operation("customers.get"), Customer, Query(include=include), "")
    pages = ListRequest(within, operation("customers.list"), Customer, query)
    settings: dict[str, Any] = {"concurrency": 1, "at_any_price": True, **options}
    return Scan(reader, pages, ids, **settings)


def _planned(send: Canned, ids: Any) -> Scan[Customer]:
    """Return a scan as it is by default: as long as it pays."""
    scan = _scan(send, [])
    reader, pages = Reader(scan.context, operation("customers.get"), Customer, Query(), ""), Query(page_number=1)
    return Scan(reader, ListRequest(scan.context, operation("customers.list"), Customer, pages), ids, concurrency=1)


async def _taken(scan: Scan[Customer], number: int) -> list[Any]:
    return [await anext(scan) for _ in range(number)]


async def test_bad_values_come_first_then_what_pages_bring_and_then_the_rest() -> None:
    """Pages are fetched as values are taken."""
    send = _list([9, 8], [7, 6])
    scan = _scan(send, ["1", "6", "x y", 8, "8", None])
    assert await _taken(scan, 2) == ["x y", None]
    assert send.asked == []
    assert await _taken(scan, 2) == ["8", "8"]
    assert len(send.asked) == 1
    assert await _taken(scan, 1) == ["6"]
    assert len(send.asked) == 2
    assert await _taken(scan, 1) == ["1"]
    with pytest.raises(StopAsyncIteration):
        await anext(scan)


async def test_what_a_page_has_brought_is_not_requested_again() -> None:
    """It is handed out once, with the cost of the pages; a second time it is looked up."""
    send = _list([9, 8])
    scan = _scan(send, ["8", "1"])
    assert await _taken(scan, 1) == ["8"]
    tally = Tally()
    loaded = await scan.look_up("8", tally)
    assert isinstance(loaded, Customer)
    assert (loaded.id, tally.attempts, len(send.asked)) == ("8", 1, 1)
    answer = await scan.look_up("8", tally)
    assert isinstance(answer, Answer)
    assert (tally.attempts, send.asked[-1].path, send.asked[-1].once) == (2, "/v1/customers/8", True)


@pytest.mark.parametrize("ordered", [False, True])
async def test_what_was_not_handed_over_is_left_in_the_order_of_the_source(ordered: bool) -> None:
    """At every moment, together with what the run has taken; bad values at the end, unless the order is kept."""
    ids = ["1", None, "6", "8", "x y", "9", "6"]
    rest = ids if ordered else ["1", "6", "6", "8", "9", None, "x y"]
    scan = _scan(_list([9, 8], [7, 6]), ids, ordered=ordered)
    assert list(scan.unanswered([])) == []
    taken: list[Any] = []
    async for value in scan:
        taken.append(value)
        for _ in range(2):
            # To look at what is left takes nothing away.
            assert list(scan.unanswered(taken)) == rest
    assert taken == (ids if ordered else [None, "x y", "9", "8", "6", "6", "1"])
    assert list(scan.unanswered([])) == []


async def test_a_source_that_raises_leaves_what_it_gave() -> None:
    """Bad values included."""

    def ids() -> Iterator[Any]:
        yield from ("2", None, "1", "2")
        raise LookupError("no more")

    scan = _scan(_list([1]), ids())
    with pytest.raises(LookupError):
        await anext(scan)
    assert list(scan.unanswered([])) == ["2", "2", "1", None]


async def test_values_are_called_and_compared_as_their_naming_says() -> None:
    """As emails, for instance."""
    with pytest.raises(InvalidArgumentError, match="iterable of emails"):
        _scan(_list([1]), "ada@x.y", naming=EMAILS)
    scan = _scan(_list([1]), ["Ada@x.y", "ada@x.y"], naming=EMAILS)
    assert [each async for each in scan] == ["Ada@x.y", "ada@x.y"]
    assert (scan.forecast.ids, scan.noun) == (1, "emails")


@pytest.mark.parametrize(("number", "pages"), [(2, 0), (3, 1)])
async def test_few_ids_are_looked_up_without_a_page(number: int, pages: int) -> None:
    """Unless a scan is requested, which then reads a page for a single one."""
    send = _list(*[[9, 8]] * 5)
    ids = [str(each) for each in range(100, 100 + number)]
    assert await _taken(_planned(send, ids), number) == ids
    assert len(send.asked) == pages
    assert await _taken(_scan(send, ["9"]), 1) == ["9"]
    assert len(send.asked) == pages + 1
    assert not _scan(send, []).is_worth_a_page()


async def test_a_scan_that_does_not_pay_ends_unless_it_was_requested() -> None:
    """Three ids at the end of forty pages; with a scan all of these are read, also for one id."""
    pages = [[number] for number in range(40, 0, -1)]
    for ids, at_any_price, requested in ((["1", "2", "3"], False, 1), (["1", "2", "3"], True, 40), (["1"], True, 40)):
        send = _list(*pages, total_count=40)
        scan = _scan(send, ids, at_any_price=at_any_price)
        assert sorted([each async for each in scan]) == ids
        assert len(send.asked) == requested


async def test_in_order_an_id_is_handed_over_with_its_page() -> None:
    """If those before it are known."""
    send = _list([9, 8], [7, 6], [5, 4])
    scan = _scan(send, ["9", "6", "8", "4"], ordered=True)
    assert await _taken(scan, 1) == ["9"]
    assert len(send.asked) == 1
    assert await _taken(scan, 2) == ["6", "8"]
    assert len(send.asked) == 2


async def test_no_more_pages_are_fetched_at_once_than_the_run_may_send() -> None:
    """Nor more than sixteen, which are in memory together."""
    for concurrency, most in ((1, 1), (3, 3), (100, 16)):
        send = _list(*[[number] for number in range(40, 0, -1)], total_count=40)
        scan = _scan(send, [str(each) for each in range(1, 41)], concurrency=concurrency)
        assert await _taken(scan, 1) == ["40"]
        assert len(send.asked) == 1
        assert await _taken(scan, 1) == ["39"]
        assert len(send.asked) == 1 + most
    send = _list(*[[number] for number in range(40, 0, -1)], total_count=40)
    assert len(await _taken(_scan(send, ["40", "39", "38", "37"], concurrency=100), 4)) == 4
    assert len(send.asked) == 4


async def test_pages_wait_in_the_stall_of_the_run() -> None:
    """Together with its lookups."""
    stall = Stall()
    scan = _scan(_list([1]), ["1"])
    scan.join(stall)
    assert scan.pages is not None
    assert scan.pages.stall is stall


async def test_a_scan_without_a_list_hands_over_its_ids() -> None:
    """Nothing brings them, and nothing can stall."""
    reader = Reader(context(Canned({})), operation("customers.get"), Customer, Query(), "")
    scan = Scan(reader, None, ["1", "2"], concurrency=1, at_any_price=True)
    scan.join(Stall())
    assert [each async for each in scan] == ["1", "2"]


async def test_pages_that_failed_are_logged_at_the_end_of_the_scan(caplog: pytest.LogCaptureFixture) -> None:
    """Once, with the number of ids that are looked up instead."""
    pages = Canned(lambda request: {"data": []} if request.path == "/v1/customers/1" else None)
    with caplog.at_level(logging.WARNING, "kajabi_async"):
        assert [each async for each in _scan(pages, ["1"])] == ["1"]
        assert [each async for each in _scan(pages, ["1", "2"])] == ["1", "2"]
        assert [each async for each in _scan(_list([1]), ["1"])] == ["1"]
    records = [each for each in caplog.records if each.levelno == logging.WARNING]
    assert {each.name for each in records} == {"kajabi_async"}
    assert [each.getMessage() for each in records] == [
        "pages of a list failed while it was scanned, with NotFoundError; 1 id is looked up singly",
        "pages of a list failed while it was scanned, with NotFoundError; 2 ids are looked up singly",
    ]


@pytest.mark.parametrize(
    ("include", "is_whole"),
    [((), True), (("customer",), True), (("customer", "tags"), False), (("customer.offers",), False)],
)
def test_a_row_is_complete_with_every_step_of_what_was_to_be_included(include: tuple[str, ...], is_whole: bool) -> None:
    """A path is as long as its last step; an empty relation is there as a whole."""
    linked: dict[str, Any] = {"customer": {"data": {"type": "customers", "id": "2"}}, "offers": {"data": []}}
    included = [resource("customers", "2", relationships={"contact": {"data": None}})]
    body = {"data": resource("contacts", "1", relationships=linked), "included": included}
    row = read_resource(json.dumps(body).encode(), cls=Contact, scope=Scope(), context="")
    assert is_complete(row, include) == is_whole
    assert is_complete(row, ("offers.products", "customer.contact", *include)) == is_whole


async def test_a_row_without_what_was_to_be_included_is_looked_up() -> None:
    """The others are there; if the first rows all lack it, the list is not read on."""
    whole = {"offers": linkage("offers", "1")}, [resource("offers", "1")]

    def scan(*complete: int) -> tuple[Scan[Customer], Canned]:
        def respond(request: Any) -> Any:
            number = int(request.query.partition("page%5Bnumber%5D=")[2].partition("&")[0])
            relationships, included = whole if number in complete else ({}, [])
            row = resource("customers", str(number), relationships=relationships)
            links = {"next": f"{LIST}?page[number]={number + 1}"} if number < 4 else {}
            return {"data": [row], "included": included, "links": links, "meta": {"total_pages": 4}}

        send = Canned(respond)
        return _scan(send, ["1", "2", "3", "4"], include=("offers", "contact.tags")[: 1 + (not complete)]), send

    found, send = scan(1, 3)
    assert [each async for each in found] == ["1", "3", "2", "4"]
    assert (len(send.asked), found.lacks) == (4, None)
    lacking, send = scan()
    assert [each async for each in lacking] == ["1", "2", "3", "4"]
    assert (len(send.asked), lacking.lacks) == (1, "offers, contact.tags")


@pytest.mark.parametrize(
    ("rows", "is_last", "last_number", "total", "size"),
    [
        (3, True, None, None, (3, 1)),
        (3, True, 9, 7, (7, 1)),
        (3, False, 9, 7, (7, 9)),
        (3, False, 9, None, (None, 9)),
        (3, False, None, 7, (7, 3)),
        (3, False, None, 0, (0, 0)),
        (3, False, None, None, None),
        (0, False, None, 7, None),
    ],
)
def test_the_size_of_a_list_is_what_a_page_states(
    rows: int, is_last: bool, last_number: int | None, total: int | None, size: tuple[int | None, int] | None
) -> None:
    """By the number of its pages, or of its rows; a first page without a next one is all of it."""
    page: FetchedPage[Any] = FetchedPage(
        rows=(None,) * rows,
        query="",
        next_query=None if is_last else "a=1",
        last_number=last_number,
        total_count=total,
        meta={},
    )
    found = size_of(page)
    assert (found and (found.rows, found.pages)) == size
