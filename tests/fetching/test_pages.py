"""Lists: followed by ``links.next`` alone, resumable, and ended when their loop is left."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest

from kajabi_async import (
    Customer,
    DecodeError,
    InvalidArgumentError,
    Kajabi,
    PagingError,
    ServerError,
    UntrustedLinkError,
)
from kajabi_async.fetching import pages as pages_module
from kajabi_async.fetching import walk as novelty
from kajabi_async.fetching.pages import Pages
from kajabi_async.resources.people import Contacts, Customers
from kajabi_async.testing import FakeKajabi
from tests.sending import Canned, context, resource

OFFICIAL = "https://app.kajabi.com/api/v1/customers"


def _page(rows: list[Any], following: Any = None, **members: Any) -> dict[str, Any]:
    data = [resource("customers", row) if isinstance(row, str) else row for row in rows]
    return {"data": data, "links": {"next": following}, **members}


def _link(number: int) -> str:
    return f"{OFFICIAL}?page[number]={number}&filter[search]=a%20b"


def _numbered(pages: dict[int, Any]) -> Canned:
    """Answer by the page number in the query; the first page has none."""

    def respond(request: Any) -> Any:
        _, found, rest = request.query.partition("page%5Bnumber%5D=")
        return pages[int(rest.partition("&")[0]) if found else 1]

    return Canned(respond)


def _listed(send: Canned, **requested: Any) -> Pages[Customer]:
    return Customers(context(send)).list(**requested)


def _strictly_listed(send: Canned) -> Pages[Customer]:
    return Customers(context(send, strict=True)).list()


async def _ids(pages: Pages[Customer]) -> list[str]:
    return [row.id async for row in pages]


async def test_rows_come_page_by_page_with_every_parameter_kept() -> None:
    """Rows 70 and 71: The next link of the other official host is requested on our own base."""
    send = _numbered({1: _page(["1", "2"], _link(2)), 2: _page(["3"])})
    pages = _listed(send, search="a b")
    assert send.asked == []
    assert await _ids(pages) == ["1", "2", "3"]
    assert send.paths == [
        "/v1/customers?filter%5Bsearch%5D=a%20b",
        "/v1/customers?page%5Bnumber%5D=2&filter%5Bsearch%5D=a%20b",
    ]


@pytest.mark.parametrize(
    ("meta", "count"),
    [
        ({"total_pages": 5, "total_count": 50, "current_page": 1}, 50),
        ({"count": 10, "total_count": 50, "total_pages": 5}, 50),
        ({"total_pages": 5, "current_page": 1}, None),
        ({"total": 7855}, 7855),
        ({"total": 50, "pagination": {"current": 1, "records": 10}}, 50),
        ({"total_count": "many"}, None),
        ({}, None),
    ],
)
async def test_the_count_is_returned_if_the_server_states_it(meta: Any, count: int | None) -> None:
    """In whichever of its shapes; at most one request, none after a page was read."""
    send = _numbered({1: _page(["1"], meta=meta)})
    pages = _listed(send)
    assert await pages.count() == count
    assert await pages.count() == count
    assert len(send.asked) == 1


async def test_a_clamped_page_size_and_a_short_page_are_not_the_end() -> None:
    """Row 72: Only a missing next link is."""
    send = _numbered({1: _page(["1"], _link(2)), 2: _page([], _link(3)), 3: _page(["2", "3"], "")})
    assert await _ids(_listed(send, page_size=200)) == ["1", "2", "3"]


async def test_first_and_collect() -> None:
    """Neither reads further than it must."""
    send = _numbered({1: _page(["1", "2"], _link(2)), 2: _page(["3"])})
    first = await _listed(send).first()
    assert first is not None
    assert first.id == "1"
    assert [row.id for row in await _listed(send).collect(limit=2)] == ["1", "2"]
    assert len(send.asked) == 2
    assert len(await _listed(send).collect()) == 3
    assert await _listed(send).collect(limit=0) == ()
    assert await _listed(_numbered({1: _page([])})).first() is None


async def test_next_links_that_go_round_are_noticed() -> None:
    """Row 71: Two pages that lead to each other would never end."""
    send = _numbered({1: _page(["1"], _link(2)), 2: _page(["2"], _link(3)), 3: _page(["3"], _link(2))})
    seen: list[str] = []
    with pytest.raises(PagingError, match="read already"):
        async for row in _listed(send):
            seen.append(row.id)  # noqa: PERF401 - what came before the error is checked
    assert seen == ["1", "2", "3"]


async def test_empty_pages_without_end_are_noticed() -> None:
    """Each with a next link of its own."""
    send = Canned(lambda _: _page([], _link(len(send.asked) + 1)))
    with pytest.raises(PagingError, match="empty pages"):
        await _listed(send).collect()


@pytest.mark.parametrize("prefetch", [0, 3])
@pytest.mark.parametrize("whole", [False, True])
async def test_pages_of_the_same_rows_without_end_are_noticed(prefetch: int, whole: bool) -> None:
    """Each with a next link of its own; both rows and pages raise."""
    send = Canned(lambda _: _page(["1", "2", "3"], f"{OFFICIAL}?page[number]=1&nonce={len(send.asked)}"))
    pages = _listed(send, prefetch=prefetch)
    read = pages.pages() if whole else aiter(pages)
    with pytest.raises(PagingError, match="101 pages in a row without a row that is new"):
        async for _ in read:
            pass
    assert len(send.asked) <= 102 * (1 + prefetch)


async def test_rows_that_come_again_on_many_pages_are_no_loop() -> None:
    """Others write to the list: what is new on one page in a hundred is still to be had."""
    rows = [["1"]] + [["1"]] * 99 + [["2"]] + [["2"], ["1"]] * 49 + [["3"]]
    send = _numbered(
        {number: _page(row, _link(number + 1)) for number, row in enumerate(rows, 1)}
        | {
            len(rows) + 1: _page(["3"]),
        }
    )
    assert await _ids(_listed(send)) == ["1", "2", "3"]


async def test_a_long_list_of_new_rows_is_read_to_its_end() -> None:
    """Row by row and page by page."""
    pages = {number: _page([str(number)], _link(number + 1)) for number in range(1, 150)} | {150: _page(["150"])}
    assert len(await _ids(_listed(_numbered(pages)))) == 150
    assert len([page async for page in _listed(_numbered(pages)).pages()]) == 150


async def test_a_page_number_that_no_list_can_have_is_an_error_of_the_package() -> None:
    """Python itself refuses to read a number of that many digits."""
    send = Canned(lambda _: _page(["1"], f"{OFFICIAL}?page[number]={'9' * 5000}"))
    for prefetch in (0, 2):
        with pytest.raises(PagingError, match="5000 digits"):
            await _listed(send, prefetch=prefetch).collect()


@pytest.mark.parametrize("prefetch", [0, 2])
@pytest.mark.parametrize(
    "members",
    [
        {"links": {"next": None, "last": "https://evil.example/x"}},
        {"links": {"next": None, "last": f"{OFFICIAL}?page[number]={'9' * 5000}"}},
        {"links": {"next": None, "last": "https://[broken", "first": 5, "prev": ["x"], "self": {"href": 7}}},
        {"links": {"next": None, "last": {"href": "//evil.example"}, "first": "https://evil.example", "prev": "\x00"}},
        {"links": {"self": "https://evil.example"}},
        {"links": []},
        {"links": "none"},
        {"links": None},
        {"meta": []},
        {"meta": "many"},
        {"meta": None},
        {"meta": {"total_pages": 10**400, "total_count": -1}},
        {"meta": {"total_pages": "2", "total_count": 1.5}},
        {"meta": {"total_pages": True, "total_count": []}},
        {"jsonapi": []},
        {"jsonapi": {"version": 7}},
        {"included": None},
    ],
)
async def test_a_member_that_only_informs_does_not_cost_the_rows(members: dict[str, Any], prefetch: int) -> None:
    """It is not followed, so the list is read whatever it says."""
    send = Canned(lambda _: {"data": [resource("customers", "1")], **members})
    assert await _ids(_listed(send, prefetch=prefetch)) == ["1"]
    assert len(send.asked) == 1


async def test_rows_seen_before_a_break_are_not_yielded_again_after_it() -> None:
    """Not even if they shifted into the next page meanwhile."""
    send = _numbered({1: _page(["1", "2", "3"], _link(2)), 2: _page(["2", "4"])})
    pages = _listed(send)
    rows = aiter(pages)
    assert [(await anext(rows)).id for _ in range(2)] == ["1", "2"]
    again = _listed(send, resume_from=pages.position)
    assert await _ids(again) == ["3", "4"]
    assert again.repeated == 1


@pytest.mark.parametrize("rows", [["1", "2"], ["1", "1"]])
async def test_the_ids_of_rows_are_remembered_up_to_a_number(rows: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a page is all new or not: memory does not grow with the list."""
    monkeypatch.setattr(novelty, "_RECENT_IDS", 10)
    send = _numbered(
        {number: _page([f"{number}{row}" for row in rows], _link(number + 1)) for number in range(1, 40)}
        | {40: _page(["0"])}
    )
    known = novelty.Novelty()
    monkeypatch.setattr(pages_module, "Novelty", lambda: known)
    await _ids(_listed(send))
    assert len(known._recent) == 10


@pytest.mark.parametrize("prefetch", [0, 1, 3])
async def test_as_many_pages_are_fetched_ahead_as_requested(prefetch: int) -> None:
    """None by default."""
    send = _numbered({number: _page([str(number)], _link(number + 1)) for number in range(1, 10)})
    rows = aiter(_listed(send, **({"prefetch": prefetch} if prefetch else {})))
    await anext(rows)
    for _ in range(3):
        await asyncio.sleep(0)
    assert len(send.asked) == 1 + prefetch


async def test_nothing_is_fetched_ahead_beyond_the_last_page() -> None:
    """The answer says how many there are."""
    send = _numbered(
        {number: _page([str(number)], _link(number + 1), meta={"total_pages": 3}) for number in (1, 2)}
        | {3: _page(["3"]), 4: _page(["4"])}
    )
    assert await _ids(_listed(send, prefetch=5)) == ["1", "2", "3"]
    assert len(send.asked) == 3


async def test_a_row_that_comes_again_is_left_out_and_said(caplog: pytest.LogCaptureFixture) -> None:
    """Rows shift into later pages if others write meanwhile."""
    send = _numbered({1: _page(["1", "2"], _link(2)), 2: _page(["2", "1", "3"])})
    pages = _listed(send)
    with caplog.at_level(logging.WARNING, "kajabi_async"):
        assert await _ids(pages) == ["1", "2", "3"]
    assert pages.repeated == 2
    assert [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING] == [
        "a row of type customers came again on a later page; others write to this list"
    ] * 2


async def test_a_malformed_row_raises_for_itself_and_the_others_are_yielded() -> None:
    """The same iterator goes on; a page keeps its errors beside its items."""
    bad = [7, {"type": "customers"}, resource("offers", "9"), resource("customers", "2", attributes={"created_at": 5})]
    send = _numbered({1: _page(["1", *bad, "3"])})
    rows: list[str] = []
    errors: list[str] = []
    iterator = aiter(_strictly_listed(send))
    while True:
        try:
            rows.append((await anext(iterator)).id)
        except DecodeError as error:
            errors.append(error.path)
        except StopAsyncIteration:
            break
    assert rows == ["1", "3"]
    assert errors == ["data[1]", "data[2].id", "data[3].type", "data[4].attributes.created_at"]
    (page,) = [page async for page in _strictly_listed(send).pages()]
    assert ([row.id for row in page], len(page.errors), len(page)) == (["1", "3"], 4, 6)


@pytest.mark.parametrize(
    "link", ["https://evil.example/v1/customers?page[number]=2", "https://api.kajabi.com/v1/contacts?page[number]=2"]
)
async def test_a_next_link_elsewhere_is_refused(link: str) -> None:
    """Another host, or another list."""
    send = _numbered({1: _page(["1"], link)})
    with pytest.raises(UntrustedLinkError):
        await _listed(send).collect()
    assert len(send.asked) == 1


async def test_a_page_that_failed_is_requested_again_by_the_same_iterator() -> None:
    """Nothing is skipped and nothing doubled."""
    answers: list[Any] = [_page(["1"], _link(2)), ServerError(status=500), _page(["2"])]
    send = Canned(lambda _: answers.pop(0))
    iterator = aiter(_listed(send))
    assert (await anext(iterator)).id == "1"
    with pytest.raises(ServerError):
        await anext(iterator)
    assert (await anext(iterator)).id == "2"


@pytest.mark.parametrize("stop", [0, 1, 2, 3, 4, 5])
async def test_a_list_goes_on_from_any_row(stop: int) -> None:
    """A saved position and what came before it make the whole list."""
    pages = {1: _page(["1", "2"], _link(2)), 2: _page(["3", "4"], _link(3)), 3: _page(["5"])}
    first = _listed(_numbered(pages), search="a b")
    before: list[str] = []
    async for row in first:
        if len(before) == stop:
            break
        before.append(row.id)
        if len(before) == stop:
            break
    position = first.position
    if stop == 5:
        assert position is None
        return
    rest = await _ids(_listed(_numbered(pages), search="a b", resume_from=position if stop else None))
    assert before + rest == ["1", "2", "3", "4", "5"]


async def test_a_position_of_another_list_is_refused() -> None:
    """Neither a filter nor a sort is ignored silently."""
    pages = _listed(_numbered({1: _page(["1", "2"])}), search="a")
    async for _ in pages:
        break
    with pytest.raises(InvalidArgumentError, match="another path, filter"):
        _listed(_numbered({}), search="b", resume_from=pages.position)
    with pytest.raises(InvalidArgumentError, match="another path"):
        Contacts(context(_numbered({}))).list(search="a", resume_from=pages.position)
    with pytest.raises(InvalidArgumentError, match="not a position"):
        _listed(_numbered({}), resume_from="page 3")


async def test_pages_fetched_ahead_are_used_only_if_the_links_say_the_same() -> None:
    """Here the server skips a page number; the guess for it is thrown away."""
    pages = {number: _page([str(number)], _link(number + 2)) for number in (2, 3, 4, 5)}
    send = _numbered({1: _page(["1"], _link(3)), **pages, 7: _page(["7"])})
    assert await _ids(_listed(send, prefetch=3)) == ["1", "3", "5", "7"]


async def test_pages_are_fetched_ahead_and_left_behind_without_a_task(
    kajabi_fake: FakeKajabi, kajabi_api: Kajabi
) -> None:
    """No more of them than the list has, and none after the loop was left."""
    whole = await kajabi_api.customers.list(page_size=100).collect()
    kajabi_fake.reset_counts()
    ahead = await kajabi_api.customers.list(page_size=100, prefetch=8).collect()
    assert [row.id for row in ahead] == [row.id for row in whole]
    assert kajabi_fake.counts["customers.list"] == 10
    async for _ in kajabi_api.customers.list(page_size=10, prefetch=5):
        break
    for _ in range(3):
        await asyncio.sleep(0)
    assert [task for task in asyncio.all_tasks() if task.get_name() == "kajabi_async page"] == []


@pytest.mark.parametrize("options", [{"prefetch": -1}, {"prefetch": True}, {"page_size": 0}, {"page_size": "5"}])
def test_options_that_make_no_sense_are_refused(options: Any) -> None:
    """Before anything is sent."""
    with pytest.raises(InvalidArgumentError):
        _listed(_numbered({}), **options)


LOOP, FIRST = "'async for row in api.customers.list(...)'", "'await api.customers.list(...).first()'"
COLLECT = "'await api.customers.list(...).collect(limit=...)'"


def _items(pages: Any) -> Any:
    return pages.items


def _first(pages: Any) -> Any:
    return pages[0]


@pytest.mark.parametrize(
    ("misuse", "text"),
    [
        (iter, "a list is fetched as it is read: write 'async for', not 'for'"),
        (
            len,
            "a list is fetched page by page: write 'await api.customers.list(...).count()' for what the server counts",
        ),
        (_items, f"a list, which is fetched page by page, has no 'items': write {LOOP}, or {COLLECT} for a tuple"),
        (_first, f"a list is fetched page by page and has no index: write {FIRST}, or {COLLECT} for a tuple"),
    ],
)
def test_a_list_that_is_used_as_something_else_names_the_cure(misuse: Callable[[Any], Any], text: str) -> None:
    """With the call that made it."""
    with pytest.raises((TypeError, AttributeError)) as raised:
        misuse(_listed(_numbered({})))
    assert str(raised.value) == text


@pytest.mark.parametrize("value", [-1, True, "2", 1.5, [], 10**10])
async def test_numbers_of_pages_and_rows_are_refused_before_anything_is_sent(value: Any) -> None:
    """With an error of the package, for every kind of value."""
    send = Canned({})
    with pytest.raises(InvalidArgumentError, match="prefetch must be a whole number"):
        _listed(send, prefetch=value)
    with pytest.raises(InvalidArgumentError, match="limit must be a whole number"):
        await _listed(send).collect(limit=value)
    assert not send.asked
