import asyncio
import logging
from datetime import timedelta
from typing import Any

import pytest

from kajabi_async import (
    AuthenticationError,
    ClientClosedError,
    InvalidArgumentError,
    Kajabi,
    PermissionDeniedError,
)
from kajabi_async.changes import AccessEnded, Change, NoteWritten, PurchaseChanged, PurchaseMade
from kajabi_async.testing import RateLimit
from kajabi_async.testing.faults import DataChange
from tests.changes.site import kinds, opened, text_of

LISTS = ("purchases", "orders", "form_submissions", "contact_notes", "customers", "contacts")


async def test_the_first_poll_costs_one_request_for_each_list_and_yields_nothing_old() -> None:
    """It starts now."""
    async with opened(customers=3000) as site:
        changes = site.api.changes()
        assert await changes.poll() == ()
        del site.fake.counts["oauth.token"]
        assert dict(site.fake.counts) == {f"{name}.list": 1 for name in LISTS}


async def test_a_quiet_poll_costs_one_request_for_each_watched_list() -> None:
    """Also the one that looks for the ends that were planned before the start."""
    async with opened(customers=3000) as site:
        for watch, requests in (None, 6), ("contacts", 1), (["purchases", "orders"], 2):
            changes = await site.started(watch=watch)
            for number in range(1, 40):
                assert await changes.poll() == ()
                assert site.requests == number * requests
                site.clock.advance(60)


async def test_each_list_is_asked_by_the_sort_of_the_document() -> None:
    """Newest first: by the last write if the list takes that, else by the creation."""
    async with opened() as site:
        await site.api.changes().poll()
        sorts = {each.operation: each.query["sort"] for each in site.fake.requests if each.method == "GET"}
    assert sorts == {
        "purchases.list": ["-updated_at"],
        "contact_notes.list": ["-updated_at"],
        "orders.list": ["-created_at"],
        "form_submissions.list": ["-created_at"],
        "customers.list": ["-created_at"],
        "contacts.list": ["-created_at"],
    }


async def test_what_is_written_becomes_one_typed_change_each_oldest_first() -> None:
    """With the person that it concerns, as far as the resource shows it."""
    async with opened() as site:
        changes = await site.started()
        site.add("orders", "900", customer="3")
        site.clock.advance(1)
        site.add("purchases", "901", customer="3")
        site.clock.advance(1)
        contact = await site.api.contacts.create(site_id="1", email="ada@example.com")
        site.clock.advance(1)
        note = await site.api.contact_notes.create(contact_id=contact.id, body="called")
        site.clock.advance(1)
        site.add("customers", "902", email="bob@example.com")
        site.clock.advance(1)
        submission = await site.api.forms.submit("1", name="Eve", email="eve@example.com")
        site.clock.advance(60)
        found = await changes.poll()
    assert kinds(found) == [
        "order_placed 900",
        "purchase_made 901",
        f"contact_added {contact.id}",
        f"note_written {note.id}",
        "customer_added 902",
        f"contact_added {int(contact.id) + 1}",
        "customer_added 903",
        f"form_submitted {submission.id}",
    ]
    people = [(each.customer_id, each.contact_id, each.email) for each in found]
    assert people[:5] == [
        ("3", None, None),
        ("3", None, None),
        (None, contact.id, "ada@example.com"),
        (None, contact.id, None),
        ("902", None, "bob@example.com"),
    ]
    assert people[-1] == (None, None, "eve@example.com")
    assert [each.at for each in found] == sorted(each.at for each in found)
    assert len({each.key for each in found}) == len(found)


async def test_five_deactivations_among_thousands_cost_one_request() -> None:
    """They are at the front of the list."""
    async with opened(customers=5000) as site:
        changes = await site.started(watch=["purchases"])
        chosen = [each.id async for each in site.api.purchases.list(active=True, page_size=100)][::100][:5]
        for each in chosen:
            await site.api.purchases.deactivate(each)
        site.fake.reset_counts()
        found = await changes.poll()
        assert kinds(found) == [f"access_ended {each}" for each in sorted(chosen, key=int)]
        assert site.requests == 1


async def test_a_purchase_that_is_written_changes_and_one_that_ends_is_over() -> None:
    """Each write is one change; the end of access is not also a change of the purchase."""
    async with opened() as site:
        purchase = site.purchases(1)[0]
        changes = await site.started(watch="purchases")
        seen: list[str] = []
        for name, seconds in ("multipay_payments_made", 2), ("deactivated_at", 0), ("deactivated_at", None):
            value = seconds if name != "deactivated_at" or seconds is None else site.later(seconds)
            site.fake.change("purchases", purchase, **{name: value})
            site.clock.advance(60)
            seen += kinds(await changes.poll())
    assert seen == [f"purchase_changed {purchase}", f"access_ended {purchase}", f"purchase_changed {purchase}"]


async def test_a_purchase_that_is_made_and_ends_between_two_polls_is_two_changes() -> None:
    """A handler of purchases alone still learns of the purchase, and one of ends of its end."""
    async with opened() as site:
        changes = await site.started(watch="purchases")
        site.add("purchases", "901", customer="3")
        site.clock.advance(5)
        site.fake.change("purchases", "901", deactivated_at=site.later(0))
        site.clock.advance(5)
        made, ended = await changes.poll()
        assert isinstance(made, PurchaseMade)
        assert isinstance(ended, AccessEnded)
        assert (ended.at - made.at) == timedelta(seconds=5)
        # Between the two, a restart yields the second alone.
        assert kinds(await site.api.changes(watch="purchases", cursor=made.cursor).poll()) == ["access_ended 901"]
        assert await site.api.changes(watch="purchases", cursor=ended.cursor).poll() == ()


async def test_an_end_written_into_the_past_ends_access_all_the_same() -> None:
    """It is older than everything that was yielded."""
    async with opened() as site:
        purchase = site.purchases(1)[0]
        changes = await site.started(watch="purchases")
        await changes.poll()
        past = site.now - timedelta(days=3)
        site.fake.change("purchases", purchase, deactivated_at=text_of(past))
        site.clock.advance(60)
        found = await changes.poll()
    assert kinds(found) == [f"access_ended {purchase}", f"purchase_changed {purchase}"]
    assert found[0].at == past


async def test_a_purchase_that_is_made_with_an_end_in_the_past_is_two_changes() -> None:
    """The end is older than everything that was yielded, and never was before."""
    async with opened() as site:
        changes = await site.started(watch="purchases")
        site.add("purchases", "901", customer="3", deactivated_at=site.later(-7200))
        site.clock.advance(5)
        found = await changes.poll()
        assert kinds(found) == ["purchase_made 901", "access_ended 901"]
        rest = await site.api.changes(watch="purchases", cursor=found[0].cursor).poll()
        assert "access_ended 901" in kinds(rest)
        assert await site.api.changes(watch="purchases", cursor=found[1].cursor).poll() == ()


async def test_an_end_that_is_moved_back_a_little_is_another_end() -> None:
    """It is not the one that was yielded, although that one was later."""
    async with opened() as site:
        purchase = site.purchases(1)[0]
        changes = await site.started(watch="purchases")
        seen: list[str] = []
        for seconds in 0, -10:
            site.fake.change("purchases", purchase, deactivated_at=site.later(seconds))
            seen += kinds(await changes.poll())
            site.clock.advance(5)
    assert seen == [f"access_ended {purchase}", f"access_ended {purchase}"]


@pytest.mark.parametrize("customers", [30, 3000])
async def test_a_planned_end_comes_at_its_time_without_a_write(customers: int) -> None:
    """One that was written while the process watched: a poll of its own is sent when it comes."""
    async with opened(customers=customers) as site:
        purchase = site.purchases(1)[0]
        changes = await site.started(watch="purchases", every=3600)
        planned = site.now + timedelta(seconds=4000)
        site.fake.change("purchases", purchase, deactivated_at=text_of(planned))
        loop = aiter(changes)
        assert kinds([await anext(loop)]) == [f"purchase_changed {purchase}"]
        ended = await anext(loop)
        assert kinds([ended]) == [f"access_ended {purchase}"]
        assert ended.at == planned
        assert timedelta(0) <= site.now - planned <= timedelta(seconds=2)


@pytest.mark.parametrize("is_restarted", [False, True])
async def test_ends_planned_before_the_start_come_though_no_page_showed_them(is_restarted: bool) -> None:
    """They are looked for ten minutes after the start, and then come at their times; a cursor keeps the place."""
    async with opened(customers=5000) as site:
        first, second, third = site.purchases(3)
        for purchase, seconds in (first, 120), (second, 3000), (third, 86_400):
            site.fake.change(
                "purchases", purchase, deactivated_at=site.later(seconds), updated_at="2019-01-01T00:00:00Z"
            )
        changes = await site.started(watch="purchases")
        seen: list[tuple[str, float]] = []
        start = site.now
        for _ in range(60):
            site.clock.advance(60)
            seen += [(each.resource.id, (site.now - start).total_seconds()) for each in await changes.poll()]
            if is_restarted:
                changes = site.api.changes(watch="purchases", cursor=changes.cursor)
        assert [purchase for purchase, _ in seen] == [first, second]
        assert seen[0][1] <= 660
        assert 2940 <= seen[1][1] <= 3000
        site.clock.advance(86_400)
        assert kinds(await changes.poll()) == [f"access_ended {third}"]


async def test_a_planned_end_that_is_moved_or_taken_back_does_not_come() -> None:
    """What counts is the purchase at the time of the end."""
    async with opened(customers=300) as site:
        first, second = site.purchases(2)
        changes = await site.started(watch="purchases")
        for purchase in (first, second):
            site.fake.change("purchases", purchase, deactivated_at=site.later(300))
        site.clock.advance(60)
        assert len(await changes.poll()) == 2
        # Not every write touches updated_at.
        site.fake.change("purchases", first, deactivated_at=None, updated_at="2019-01-01T00:00:00Z")
        site.fake.change("purchases", second, deactivated_at=site.later(900), updated_at="2019-01-01T00:00:00Z")
        site.clock.advance(600)
        assert await changes.poll() == ()
        site.clock.advance(600)
        assert kinds(await changes.poll()) == [f"access_ended {second}"]


async def test_a_thousand_ends_at_one_moment_all_come_once() -> None:
    """As of a cohort; a restart after each hundred of them loses and repeats none."""
    async with opened(customers=3000) as site:
        chosen = site.purchases(330)
        end = site.later(500)
        for each in chosen:
            site.fake.change("purchases", each, deactivated_at=end, updated_at="2019-01-01T00:00:00Z")
        changes = await site.started(watch="purchases")
        found: tuple[Change, ...] = ()
        while not found:
            site.clock.advance(60)
            found = await changes.poll()
        seen = [each.resource.id for each in found]
        assert sorted(seen) == sorted(chosen)
        for place in (1, 30, 100, 200, 329):
            rest = await site.api.changes(watch="purchases", cursor=found[place - 1].cursor).poll()
            assert [each.resource.id for each in rest] == seen[place:]


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


async def test_since_starts_in_the_past() -> None:
    """A duration counts back from now by the client's clock, a time is taken as it is; submissions start now."""
    async with opened(same_time=True) as site:
        for number in range(4):
            site.add("contacts", str(3_000_000_000 + number))
            site.clock.advance(600)
        for since, expected in (
            (timedelta(seconds=1300), 2),
            (1300, 2),
            (timedelta(hours=2), 4),
            (site.now - timedelta(seconds=700), 1),
        ):
            changes = site.api.changes(since=since, watch=["contacts", "form_submissions"])
            assert len(await changes.poll()) == expected


async def test_since_also_yields_the_ends_that_came_since_without_a_write() -> None:
    """And not those before."""
    async with opened(customers=3000) as site:
        first, second = site.purchases(2)
        for purchase, ago in (first, 7200), (second, 1800):
            site.fake.change("purchases", purchase, deactivated_at=site.later(-ago), updated_at="2019-01-01T00:00:00Z")
        changes = site.api.changes(since=site.now - timedelta(hours=1), watch="purchases")
        assert kinds(await changes.poll()) == [f"access_ended {second}"]


async def test_a_cursor_resumes_behind_its_change_and_wins_over_since() -> None:
    """since= is for the first run."""
    async with opened() as site:
        changes = await site.started(watch="contacts")
        ids = [str(3_000_000_000 + number) for number in range(9)]
        for each in ids:
            site.add("contacts", each)
            site.clock.advance(17)
        found = await changes.poll()
        for place, change in enumerate(found, start=1):
            again = site.api.changes(watch="contacts", cursor=change.cursor, since=timedelta(days=900))
            assert [each.resource.id for each in await again.poll()] == ids[place:]


async def test_the_cursor_of_the_changes_moves_on_while_nothing_changes() -> None:
    """So a restart after a quiet day reads one page, and a run that yielded nothing has a place to go on from."""
    async with opened(customers=3000) as site:
        changes = site.api.changes(watch="contacts")
        assert changes.cursor is None
        await changes.poll()
        cursor = changes.cursor
        site.add("contacts", "3000000000")
        site.clock.advance(60)
        assert kinds(await site.api.changes(watch="contacts", cursor=cursor).poll()) == ["contact_added 3000000000"]


async def test_a_list_that_is_new_to_a_cursor_starts_now() -> None:
    """The others go on from their place."""
    async with opened() as site:
        changes = await site.started(watch="contacts")
        site.add("contacts", "3000000000")
        site.add("orders", "900")
        site.clock.advance(60)
        more = site.api.changes(watch=["contacts", "orders"], cursor=changes.cursor)
        assert kinds(await more.poll()) == ["contact_added 3000000000"]


async def test_another_clients_cursor_is_refused() -> None:
    """Another site, other credentials, another address."""
    async with opened() as site, opened() as other:
        changes = await site.started(watch="contacts")
        cursor = changes.cursor
        with pytest.raises(InvalidArgumentError, match="another site"):
            site.api.with_options(site_id="1").changes(cursor=cursor)
        with pytest.raises(InvalidArgumentError, match="base_url"):
            other.api.changes(cursor=cursor)
        fake = site.fake
        async with Kajabi(client_id="another", client_secret="s", base_url=fake.base_url) as stranger:
            with pytest.raises(InvalidArgumentError, match="credentials"):
                stranger.changes(cursor=cursor)
        site.api.with_options(timeout=5).changes(cursor=cursor)


async def test_an_outage_delays_and_loses_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """It is waited out for as long as it takes, and the log says so."""
    async with opened() as site:
        changes = await site.started()
        site.add("contacts", "3000000000")
        site.fake.inject("failure", times=300)
        with caplog.at_level(logging.WARNING, "kajabi_async"):
            found = await changes.poll()
        assert kinds(found) == ["contact_added 3000000000"]
        assert "changes are delayed" in caplog.text


async def test_a_pause_that_the_api_asks_for_is_kept() -> None:
    """Through the gate of the client, as by every other request."""
    async with opened() as site:
        changes = await site.started(watch="contacts")
        site.add("contacts", "3000000000")
        site.fake.rate_limit = RateLimit(1, per=20)
        seen = kinds(await changes.poll())
        site.fake.rate_limit = None
    assert seen == ["contact_added 3000000000"]


async def test_rejected_credentials_end_it() -> None:
    """Waiting would not help."""
    async with opened() as site:
        fake = site.fake
        async with Kajabi(client_id=fake.client_id, client_secret="wrong", base_url=fake.base_url) as api:
            with pytest.raises(AuthenticationError):
                await anext(aiter(api.changes()))


async def test_tokens_that_a_list_always_rejects_end_it() -> None:
    """After three new ones in a row."""
    async with opened() as site:
        changes = await site.started(watch="contacts")
        site.fake.inject("token_refused", times=None, path="contacts.list")
        with pytest.raises(AuthenticationError):
            await changes.poll()


async def test_a_list_that_the_key_may_not_read_ends_it_with_its_error() -> None:
    """The cure is to watch the others."""
    async with opened(denied_types={"contact_notes"}) as site:
        with pytest.raises(PermissionDeniedError):
            await site.api.changes().poll()
        assert await site.api.changes(watch=["contacts"]).poll() == ()


async def test_closing_the_client_ends_the_waiting_loop() -> None:
    """At once, not with the next poll."""
    async with opened() as site:
        site.clock.sleep = asyncio.sleep  # type: ignore[method-assign, assignment]
        loop = aiter(site.api.changes())
        waiting = asyncio.ensure_future(anext(loop))
        while site.requests < 7:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        await site.api.aclose()
        with pytest.raises(ClientClosedError):
            await asyncio.wait_for(waiting, 5)
        with pytest.raises(ClientClosedError):
            await anext(loop)


async def test_leaving_or_cancelling_the_loop_leaves_no_task() -> None:
    """Nothing runs unless the loop waits for the next change."""
    async with opened() as site:
        changes = await site.started(watch="contacts")
        site.add("contacts", "3000000000")
        async for change in changes:
            assert change.resource.id == "3000000000"
            break
        site.clock.sleep = asyncio.sleep  # type: ignore[method-assign, assignment]
        before = asyncio.all_tasks()
        waiting = asyncio.ensure_future(anext(aiter(site.api.changes(cursor=changes.cursor))))
        await asyncio.sleep(0.1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert {each for each in asyncio.all_tasks() if each.get_name().startswith("kajabi_async")} <= before


async def test_an_error_or_a_timeout_in_the_middle_of_a_poll_loses_nothing() -> None:
    """The next call reads again."""
    async with opened() as site:
        changes = await site.started(watch=["contacts", "contact_notes"])
        site.add("contacts", "3000000000")
        site.fake.inject("cyclic_next", times=2, path="contacts.list")
        site.fake.denied_types.add("contacts")
        with pytest.raises(PermissionDeniedError):
            await changes.poll()
        site.fake.denied_types.clear()
        site.fake.latency = 5
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await changes.poll()
        site.fake.latency = 0
        assert kinds(await changes.poll()) == ["contact_added 3000000000"]


async def test_the_loop_polls_every_so_many_seconds() -> None:
    """Counted from the start of one poll to the start of the next."""
    async with opened() as site:
        loop = aiter(site.api.changes(watch="contacts", every=30))
        site.fake.inject(DataChange(lambda: site.add("contacts", "3000000000")), path="contacts.list")
        began = site.clock.now
        await anext(loop)
        assert site.clock.now - began == pytest.approx(30)
        assert site.fake.counts["contacts.list"] == 2


async def test_a_malformed_row_is_left_out_and_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    """It would otherwise end every poll."""
    async with opened() as site:
        changes = await site.started(watch="contacts")
        site.fake.add({"type": "contacts", "id": "3000000000", "attributes": {"created_at": "tomorrow"}})
        site.add("contacts", "3000000001")
        with caplog.at_level(logging.WARNING, "kajabi_async"):
            assert kinds(await changes.poll()) == ["contact_added 3000000001"]
            await changes.poll()
        assert caplog.text.count("is left out of the changes") == 1


async def test_a_note_that_is_edited_is_written_again() -> None:
    """Creation and edit are both writes of the note."""
    async with opened() as site:
        changes = await site.started(watch="contact_notes")
        note = await site.api.contact_notes.create(contact_id="2150000001", body="one")
        (created,) = await changes.poll()
        site.clock.advance(5)
        await site.api.contact_notes.update(note.id, body="two")
        (edited,) = await changes.poll()
    assert isinstance(edited, NoteWritten)
    assert created.key != edited.key
    assert edited.resource.body == "two"


async def test_changes_turn_into_plain_data() -> None:
    """For JSON, with the person that they concern."""
    async with opened() as site:
        purchase = site.purchases(1)[0]
        changes = await site.started(watch="purchases")
        site.fake.change("purchases", purchase, multipay_payments_made=2)
        (change,) = await changes.poll()
    assert isinstance(change, PurchaseChanged)
    members = change.to_dict()
    assert members["change"] == "purchase_changed"
    assert members["resource"]["id"] == purchase
    assert members["customer_id"] == change.customer_id
    assert members["at"].endswith("Z")
