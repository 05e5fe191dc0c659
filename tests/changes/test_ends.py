"""The ends of access: written, planned, moved, and many at one time."""

from datetime import timedelta

import pytest

from kajabi_async.changes import AccessEnded, Change, PurchaseMade
from tests.changes.site import kinds, opened, text_of


async def test_five_deactivations_among_thousands_cost_one_request() -> None:
    """They are at the front of the list."""
    async with opened(customers=1200) as site:
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


@pytest.mark.parametrize("customers", [30, 600])
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
    async with opened(customers=1200) as site:
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
    async with opened(customers=600) as site:
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


async def test_since_also_yields_the_ends_that_came_since_without_a_write() -> None:
    """And not those before."""
    async with opened(customers=600) as site:
        first, second = site.purchases(2)
        for purchase, ago in (first, 7200), (second, 1800):
            site.fake.change("purchases", purchase, deactivated_at=site.later(-ago), updated_at="2019-01-01T00:00:00Z")
        changes = site.api.changes(since=site.now - timedelta(hours=1), watch="purchases")
        assert kinds(await changes.poll()) == [f"access_ended {second}"]
