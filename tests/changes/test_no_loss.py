"""Nothing is missed or repeated: equal times, rows that move between pages, lists without a total."""

from typing import Any

import pytest

from kajabi_async.testing.faults import DataChange
from tests.changes.site import kinds, opened


@pytest.mark.parametrize("rows", [3, 130, 450])
async def test_equal_times_at_the_edge_lose_and_repeat_nothing(rows: int) -> None:
    """More than fit a page, more than fit a cursor, and more of them after the poll, at the very same time."""
    async with opened() as site:
        changes = await site.started(watch="contacts")
        ids = [str(3_000_000_000 + number) for number in range(2 * rows)]
        for each in ids[:rows]:
            site.add("contacts", each)
        first = await changes.poll()
        for each in ids[rows:]:
            site.add("contacts", each)
        second = await changes.poll()
        assert [each.resource.id for each in (*first, *second)] == ids
        site.clock.advance(61)
        assert await changes.poll() == ()
        for place in (1, rows // 2, rows):
            rest = await site.api.changes(watch="contacts", cursor=first[place - 1].cursor).poll()
            assert [each.resource.id for each in rest if int(each.resource.id) >= int(ids[place])] == ids[place:]
            assert {each.key for each in rest} <= {each.key for each in (*first, *second)}


async def test_a_cursor_inside_a_long_tie_repeats_nothing_if_the_list_is_the_same() -> None:
    """Its block stands for hundreds of rows that the cursor has no room to name."""
    async with opened() as site:
        changes = await site.started(watch="contacts")
        ids = [str(3_000_000_000 + number) for number in range(450)]
        for each in ids:
            site.add("contacts", each)
        found = await changes.poll()
        for place in (1, 100, 300, 449, 450):
            rest = await site.api.changes(watch="contacts", cursor=found[place - 1].cursor).poll()
            assert [each.resource.id for each in rest] == ids[place:]


async def test_two_writes_at_the_same_time_with_a_poll_between_are_two_changes() -> None:
    """They differ in more than their time."""
    async with opened() as site:
        purchase = site.purchases(1)[0]
        changes = await site.started(watch="purchases")
        site.fake.change("purchases", purchase, multipay_payments_made=1)
        (first,) = await changes.poll()
        site.fake.change("purchases", purchase, multipay_payments_made=2)
        (second,) = await changes.poll()
        assert first.at == second.at
        assert first.key != second.key
        assert await changes.poll() == ()


async def test_rows_that_are_inserted_while_pages_are_read_are_neither_missed_nor_repeated() -> None:
    """They shift the others to the next page."""
    async with opened() as site:
        changes = await site.started(watch="contacts")
        for number in range(250):
            site.add("contacts", str(3_000_000_000 + number))
            site.clock.advance(0.1)
        more = iter(range(250, 500))

        def insert() -> None:
            for _ in range(3):
                site.add("contacts", str(3_000_000_000 + next(more)))
                site.clock.advance(0.1)

        site.fake.inject(DataChange(insert), times=4, path="contacts.list")
        seen: list[str] = []
        for _ in range(3):
            seen += [each.resource.id for each in await changes.poll()]
            site.clock.advance(60)
    assert seen == [str(3_000_000_000 + number) for number in range(262)]


async def test_a_row_that_a_deletion_moves_to_a_page_already_read_is_not_missed() -> None:
    """The total of the list has fallen, so the pages are read again."""
    async with opened() as site:
        changes = await site.started(watch="contacts")
        ids = [str(3_000_000_000 + number) for number in range(250)]
        for each in ids:
            site.add("contacts", each)
            site.clock.advance(2)
        site.fake.inject(DataChange(lambda: site.fake.remove("contacts", ids[-1])), path="contacts.list")
        seen = {each.resource.id for each in await changes.poll()}
    assert seen >= set(ids[:-1])


@pytest.mark.parametrize("meta", ["none", "total", "pagination", "pages_without_count"])
async def test_pages_without_a_total_are_read_until_they_agree(meta: Any) -> None:
    """Four shapes of meta are known, two of which do not say how long the list is."""
    async with opened(meta=meta) as site:
        changes = await site.started(watch="contacts")
        ids = [str(3_000_000_000 + number) for number in range(250)]
        for each in ids:
            site.add("contacts", each)
            site.clock.advance(2)
        site.fake.inject(DataChange(lambda: site.fake.remove("contacts", ids[-1])), path="contacts.list")
        seen = {each.resource.id for each in await changes.poll()}
    assert seen >= set(ids[:-1])


async def test_lists_are_in_the_order_of_their_times_though_writes_go_on_between_them() -> None:
    """What a later list shows may be younger than what an earlier one did not show yet: that one is read again."""
    async with opened() as site:
        changes = await site.started()
        purchase = site.purchases(1)[0]

        def write() -> None:
            site.fake.change("purchases", purchase, multipay_payments_made=7)
            site.clock.advance(0.1)
            site.add("orders", "900", customer="1")
            site.clock.advance(0.1)
            site.fake.change("purchases", purchase, multipay_payments_made=8)

        site.fake.inject(DataChange(write), path="purchases.list")
        found = kinds(await changes.poll())
        site.clock.advance(60)
        found += kinds(await changes.poll())
    assert found == ["order_placed 900", f"purchase_changed {purchase}"]
