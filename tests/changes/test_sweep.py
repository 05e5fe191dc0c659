from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from kajabi_async import FieldNotLoadedError, InvalidArgumentError
from kajabi_async.changes import ContactChanged, CustomerChanged, OrderChanged, ResourceGone
from kajabi_async.testing.faults import DataChange
from tests.changes.site import kinds, opened


async def test_a_sweep_finds_edits_and_deletions() -> None:
    """The first one only learns; each later one compares with it."""
    async with opened(customers=150) as site:
        loop = aiter(site.api.changes(watch=["contacts", "customers", "orders"], every=100_000, sweep=10))
        order = next(iter(site.fake._world.store.ids("orders", 0, 1)))

        def edit() -> None:
            # In the second sweep of each list.
            site.fake.change("contacts", "2150000007", phone_number="1")
            site.fake.change("customers", "9", name="Renamed")
            site.fake.change("orders", order, fulfilled_at="2026-03-01T00:00:00Z")
            site.fake.remove("contacts", "2150000008")

        requests = sum(-(-site.fake._world.store.count(name) // 100) for name in ("contacts", "customers", "orders"))
        site.clock.sleep = _after(site.clock.sleep, requests, edit)  # type: ignore[method-assign, assignment]
        found = [await anext(loop) for _ in range(4)]
    assert {type(each) for each in found} == {ContactChanged, CustomerChanged, OrderChanged, ResourceGone}
    assert set(kinds(found)) == {
        "contact_changed 2150000007",
        "customer_changed 9",
        f"order_changed {order}",
        "resource_gone 2150000008",
    }
    gone = next(each for each in found if isinstance(each, ResourceGone))
    assert (gone.contact_id, gone.email, gone.resource.resource_type) == ("2150000008", None, "contacts")
    with pytest.raises(FieldNotLoadedError):
        gone.resource.name  # type: ignore[attr-defined]  # noqa: B018


Sleep = Callable[[float], Coroutine[Any, Any, None]]


def _after(sleep: Sleep, times: int, act: Callable[[], object]) -> Sleep:
    """Return *sleep*, with *act* called once it has been called so many times."""
    called = 0

    async def sleeping(seconds: float) -> None:
        nonlocal called
        called += 1
        if called == times + 1:
            act()
        await sleep(seconds)

    return sleeping


async def test_a_sweep_sends_one_request_each_so_many_seconds() -> None:
    """That is its whole pace, whatever it finds."""
    async with opened(customers=300) as site:
        site.fake.inject(DataChange(lambda: site.add("contacts", "9000000000")), path="contacts.list")
        changes = site.api.changes(watch=["contacts", "purchases"], every=1000, sweep=10)
        loop = aiter(changes)
        await anext(loop)
        polls = 2 * 2
        sweeps = site.requests - polls - site.fake.counts["oauth.token"]
        assert sweeps == pytest.approx(100, abs=1)


async def test_what_a_customer_does_is_no_edit() -> None:
    """Signing in changes half of the row."""
    async with opened(customers=30) as site:
        loop = aiter(site.api.changes(watch="customers", every=500, sweep=10))

        def signs_in() -> None:
            site.fake.change("customers", "4", sign_in_count=99, last_request_at="2026-03-01T00:00:00Z")

        site.clock.sleep = _after(site.clock.sleep, 5, signs_in)  # type: ignore[method-assign, assignment]
        site.fake.inject(DataChange(lambda: site.add("customers", "900")), path="customers.list")
        assert kinds([await anext(loop)]) == ["customer_added 900"]


async def test_a_row_that_no_page_showed_is_gone_only_if_a_request_says_so() -> None:
    """Rows move to pages that were read already."""
    async with opened(customers=300) as site:
        store = site.fake._world.store
        loop = aiter(site.api.changes(watch="contacts", every=100_000, sweep=10))
        pages = -(-store.count("contacts") // 100)
        newest = list(store.ids("contacts", 0, 2, newest_first=True))

        def remove() -> None:
            # Between the first page of the second sweep and the next: the first row of page two moves to page one.
            site.fake.remove("contacts", newest[0])

        site.clock.sleep = _after(site.clock.sleep, pages + 1, remove)  # type: ignore[method-assign, assignment]
        found = await anext(loop)
        assert kinds([found]) == [f"resource_gone {newest[0]}"]
        asked = [each.path.rpartition("/")[2] for each in site.fake.requests if each.operation == "contacts.get"]
        assert len(asked) == 2


@pytest.mark.parametrize("sweep", [0, -1, 0.5, True, "60", float("nan")])
async def test_a_pace_that_is_none_is_refused(sweep: float) -> None:
    """A sweep is slow."""
    async with opened() as site:
        with pytest.raises(InvalidArgumentError, match="sweep"):
            site.api.changes(sweep=sweep)
