"""Faults of pagination: rows that repeat or move, links that lead in circles, to empty pages or to other hosts."""

from typing import Any

import pytest

from kajabi_async.testing import FakeKajabi, faults
from kajabi_async.testing.faults import HOSTILE_LINKS, Turn
from tests.testing.caller import Caller

_LIST = "/v1/customers?page[size]=20"
_ALL = [str(number) for number in range(60, 0, -1)]


def _link(got: Any, name: str) -> Any:
    return got.document["links"][name]


async def _paged(call: Caller, pages: int = 3) -> list[list[str]]:
    return [(await call.get(f"{_LIST}&page[number]={number}")).ids for number in range(1, pages + 1)]


async def test_a_page_can_begin_with_rows_of_the_page_before(fake: FakeKajabi, call: Caller) -> None:
    """It has all of its own rows as well; the first page is never hit."""
    fake.inject(faults.RepeatedRows(2), times=None)
    first, second, third = await _paged(call)
    assert (first, second, third) == (_ALL[:20], _ALL[18:40], _ALL[38:])
    assert fake.injected == {"repeated_rows": 2}


async def test_repeated_rows_come_in_filtered_and_sorted_lists_too(fake: FakeKajabi, call: Caller) -> None:
    """Their included resources come with them."""
    path = "/v1/offers?sort=title&include=products&page[size]=2&page[number]=2"
    plain = await call.get(path)
    before = await call.get(path.replace("number]=2", "number]=1"))
    fake.inject("repeated_rows")
    repeated = await call.get(path)
    assert repeated.ids == [before.ids[-1], *plain.ids]
    assert set(plain.included) <= set(repeated.included)


async def test_a_row_inserted_behind_a_page_moves_the_others_on(fake: FakeKajabi, call: Caller) -> None:
    """The last row of the page appears again; the new row is a real customer."""
    fake.inject("row_inserted", path="customers.list")
    first, second, third = await _paged(call)
    assert (first, second, third) == (_ALL[:20], _ALL[19:39], _ALL[39:59])
    newcomer = (await call.get("/v1/customers/61")).data
    assert newcomer["attributes"]["email"] == "inserted-61@example.com"
    assert (await call.get("/v1/customers?page[size]=1")).ids == ["61"]


async def test_a_row_removed_behind_a_page_moves_the_others_up(fake: FakeKajabi, call: Caller) -> None:
    """The next page misses a row."""
    fake.inject("row_removed", path="customers.list")
    first, second, third = await _paged(call)
    assert (first, second, third) == (_ALL[:20], _ALL[21:41], _ALL[41:])
    assert (await call.get("/v1/customers/60")).status == 404


async def test_rows_move_only_in_lists_where_the_newest_come_first(fake: FakeKajabi, call: Caller) -> None:
    """In other lists an insertion would not change the following pages."""
    fake.inject("row_inserted", times=None)
    for path in ("/v1/offers", "/v1/customers?sort=name", "/v1/customers/1", "/v1/nothing"):
        await call.get(path)
    assert fake.injected == {}
    await call.get("/v1/contact_notes")
    assert fake.injected == {"row_inserted": 1}


async def test_any_change_can_come_behind_an_answer(fake: FakeKajabi, call: Caller) -> None:
    """The next request does not see what this one saw."""
    fake.inject(faults.DataChange(lambda: fake.remove("customers", "7")), path="customers.get")
    assert [(await call.get("/v1/customers/7")).status for _ in range(2)] == [200, 404]


@pytest.mark.parametrize(
    ("turn", "leads_to"), [("repeated", "self"), ("cyclic", "first"), ("empty_page", "next"), ("hostile", None)]
)
async def test_a_next_link_leads_where_it_was_ordered(
    fake: FakeKajabi, call: Caller, turn: Turn, leads_to: str | None
) -> None:
    """To the page itself, to the first, on from an empty page, or to another host."""
    path = f"{_LIST}&page[number]=2&include=contact"
    plain = await call.get(path)
    fake.inject(faults.OddNext(turn))
    got = await call.get(path)
    if leads_to is None:
        rest = _link(plain, "next").partition("/v1")[2]
        assert _link(got, "next") in {template.replace("{rest}", rest) for template in HOSTILE_LINKS}
    else:
        assert _link(got, "next") == _link(plain, leads_to)
    assert got.ids == ([] if turn == "empty_page" else plain.ids)
    assert list(fake.injected) == [faults.OddNext(turn).name]


async def test_every_hostile_link_is_handed_out_in_time(fake: FakeKajabi, call: Caller) -> None:
    """A link is drawn for each page, or is the configured one."""
    fake.inject("hostile_next", times=200)
    seen = {_link(await call.get("/v1/customers?page[size]=1"), "next") for _ in range(200)}
    assert len(seen) == len(HOSTILE_LINKS)
    fake.inject(faults.OddNext("hostile", "https://evil.example.org/v1{rest}"))
    link = _link(await call.get("/v1/customers?page[size]=1"), "next")
    assert link == "https://evil.example.org/v1/customers?page[size]=1&page[number]=2"


async def test_a_rejected_list_stays_unchanged(fake: FakeKajabi, call: Caller) -> None:
    """The error answer stays unchanged."""
    fake.inject("cyclic_next", times=None)
    fake.inject("row_removed", times=None)
    assert (await call.get("/v1/customers", token="none")).status == 401


async def test_the_last_page_has_a_next_link_if_one_is_injected(fake: FakeKajabi, call: Caller) -> None:
    """Pagination then never ends by itself."""
    fake.inject("empty_page")
    got = await call.get(f"{_LIST}&page[number]=3")
    assert _link(got, "next") == _link(got, "self")
