"""Long lists: found in slices that let other requests in, narrowed by exact filters, and of one moment."""

import asyncio
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from kajabi_async.testing import FakeKajabi, slices
from kajabi_async.testing.dataset import all_families
from kajabi_async.testing.dataset.graph import Graph
from kajabi_async.testing.dataset.people import numbers_with
from kajabi_async.testing.dataset.sizes import complete_sizes
from kajabi_async.testing.filter_scope import FilterScope, Moment
from kajabi_async.testing.filters import filters_for
from kajabi_async.testing.request_query import read_query
from kajabi_async.testing.sorting import merge_sorted
from kajabi_async.testing.state import Seed
from tests.testing.caller import Caller, caller_for, contact_body, identifiers

_MILLION = 1_000_000


@pytest.fixture
def one_step_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """End each slice after one step, however fast the machine is."""
    monkeypatch.setattr(slices, "_SECONDS", 0.0)


@pytest.fixture
def rows_read(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Return the seeded rows that filters read from here on."""
    read: list[tuple[str, int]] = []
    at = Seed.at

    def noted(seed: Seed, type_name: str, position: int) -> Any:
        read.append((type_name, position))
        return at(seed, type_name, position)

    monkeypatch.setattr(Seed, "at", noted)
    return read


@pytest.mark.usefixtures("one_step_at_a_time")
@pytest.mark.parametrize("query", ["filter[name_contains]=smith", "sort=name", "filter[subscribed]=true&sort=-email"])
async def test_a_long_list_lets_others_in_while_its_rows_are_found(query: str) -> None:
    """Hundreds of callbacks run and other requests are answered before it is."""
    async with FakeKajabi(customers=20_000) as fake, aiohttp.ClientSession(fake.base_url) as session:
        call = caller_for(fake, session)
        listed = asyncio.create_task(call.get(f"/v1/customers?{query}"))
        turns, answered = 0, 0
        while not listed.done():
            turns += 1
            await asyncio.sleep(0)
            if fake.counts["customers.list"] and answered < 5:
                assert (await call.get("/v1/customers/7")).status == 200
                answered += not listed.done()
        assert (await listed).status == 200
        assert answered == 5
        assert turns > 300


@pytest.mark.usefixtures("one_step_at_a_time")
async def test_several_long_lists_share_the_time_of_one() -> None:
    """One slice runs in each iteration of the loop, whatever the number of lists, and equal ones are found once."""
    async with FakeKajabi(customers=4000) as fake, aiohttp.ClientSession(fake.base_url) as session:
        call = caller_for(fake, session)
        lister = fake._world.lister
        paths = [f"/v1/customers?filter[name_contains]={text}" for text in ("smith", "smith", "ada", "chen")]
        answers = await asyncio.gather(*(call.get(path) for path in paths))
        assert answers[0].document == answers[1].document
        assert len(lister._selections) == 3


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/v1/contacts?filter[email_contains]={email}", 2),
        ("/v1/customers?filter[email_contains]={email}", 4),
        ("/v1/customers?filter[search]={email}", 2),
        ("/v1/contacts?filter[email_contains]=ada.lovelace@example.com", 0),
        ("/v1/contacts?filter[email_contains]=somebody@example.org&sort=name", 0),
        ("/v1/contacts?filter[search]=smith {email}", 2),
        ("/v1/contacts?filter[email_contains]=654321@", 8),
        ("/v1/purchases?filter[customer_id]=654322", 6),
        ("/v1/orders?filter[customer_id]=654322,16&sort=created_at", 12),
        ("/v1/transactions?filter[customer_id]=654322", 8),
    ],
)
async def test_an_exact_filter_reads_few_rows_of_a_million(
    rows_read: list[tuple[str, int]], path: str, most: int
) -> None:
    """An email and the id of a customer lead to their rows; an address of another kind leads to none."""
    async with FakeKajabi(customers=_MILLION) as fake, aiohttp.ClientSession(fake.base_url) as session:
        customer = fake.resource("customers", "654321")
        assert customer
        got = await caller_for(fake, session).get(path.format(email=customer["attributes"]["email"]))
        assert got.status == 200
        assert len(rows_read) <= most
        assert bool(got.data) is ("lovelace" not in path and "example.org" not in path and "smith" not in path)


def test_the_numbers_of_an_email_leave_none_out() -> None:
    """Every part of an email leads at least to the people whose email contains it."""
    fake, chance = FakeKajabi(customers=1200), random.Random(5)
    emails = {number: _email(fake, number) for number in range(1, 1201)}
    for _ in range(3000):
        email = emails[chance.randint(1, 1200)]
        start = chance.randrange(len(email))
        text = email[start : chance.randint(start + 1, len(email))]
        text = text.replace("1", "0") if chance.random() < 0.2 else text
        found = set(numbers_with(text, 1200))
        assert {number for number, each in emails.items() if text in each} <= found, text
        if ".com" in text and text.count(".") > 1 and "@" in text:
            assert len(found) <= 1, text


def _email(fake: FakeKajabi, number: int) -> str:
    customer = fake.resource("customers", str(number))
    assert customer
    return str(customer["attributes"]["email"])


@pytest.mark.parametrize("sizes", [{"customers": 300}, {"customers": 90, "sites": 3}, {"customers": 40, "offers": 0}])
def test_the_parts_of_a_seeded_row_are_those_of_the_whole(sizes: Any) -> None:
    """Filters of long lists read parts; they select what whole rows would."""
    parts = 0
    for family in all_families(Graph(5, complete_sizes(sizes), bundled_orders=False)).values():
        for position in range(family.size):
            row = family.make(position)
            for name, part in family.parts.values.items():
                assert part(position) == (row.site_id if name == "site_id" else row.value(name)), (family.type, name)
                parts += 1
            for name, link in family.parts.links.items():
                assert link(position) == row.related(name), (family.type, name)
    assert parts > 100


_QUERIES = (
    ("contacts", "filter[name_contains]=a&filter[subscribed]=true"),
    ("contacts", "filter[email_contains]=new&sort=-name,email"),
    ("contacts", "filter[has_offer_id]=2,6"),
    ("contacts", "filter[submitted_form_id]=1,2,3&sort=created_at"),
    ("contacts", "sort=email"),
    ("customers", "filter[name_contains]=a&sort=-created_at"),
    ("customers", "filter[has_tag_id]=1,2,3"),
    ("customers", "filter[used_coupon_code]=SAVE20"),
    ("customers", "filter[previously_owned_product_id]=1,2,3,4,5"),
    ("customers", "sort=-net_revenue,name"),
    ("purchases", "filter[active]=true&sort=-deactivated_at"),
    ("purchases", "filter[customer_id]=6,7,8,9"),
    ("transactions", "filter[name_or_email]=new"),
    ("transactions", "filter[customer_id]=6,7"),
    ("form_submissions", "filter[form_id]=1&sort=-created_at"),
    ("contact_notes", "filter[contact_id]=2150000003,2150000004"),
)


def _selected(fake: FakeKajabi, type_name: str, query: str) -> set[str]:
    """Return the ids of all rows that pass, each read whole from the current data."""
    store = fake._world.store
    sites = frozenset(store.ids("sites", 0, store.count("sites")))
    scope = FilterScope(store, Moment(fake.clock.now()), fake._world.quirks, sites)
    filters = filters_for(type_name, read_query(query), scope)
    return {row.id for row in store.rows(type_name) if all(each.passes(row) for each in filters)}


async def _listed(call: Caller, type_name: str, query: str) -> list[str]:
    return [row["id"] for row in await call.all_pages(f"/v1/{type_name}?{query}&page[size]=100")]


async def _write(fake: FakeKajabi, call: Caller, chance: random.Random, number: int) -> None:  # noqa: C901 - one case for each kind of write
    customer = str(chance.randint(1, 60))
    contact = str(2_150_000_000 + chance.randint(1, 66))
    offers = identifiers("offers", str(chance.randint(1, 20)))
    match chance.randrange(9):
        case 0:
            await call.post("/v1/contacts", contact_body(name="Ada New", email=f"new{number}@example.com"))
        case 1:
            await call.delete(f"/v1/contacts/{contact}")
        case 2 if (found := fake.resource("contacts", contact)) and fake.resource("customers", customer):
            linked: Any = found["relationships"].get("customer") or {}
            if not linked or fake.resource("customers", linked["data"]["id"]):
                body = {"type": "contacts", "id": contact, "attributes": {"name": f"Zed New {number}"}}
                await call.patch(f"/v1/contacts/{contact}", {"data": body})
        case 3:
            await call.post(f"/v1/contacts/{contact}/relationships/offers", offers)
        case 4:
            await call.delete(f"/v1/contacts/{contact}/relationships/offers", offers)
        case 5:
            await call.post(f"/v1/purchases/{customer}0/deactivate")
        case 6:
            body = {"type": "form_submissions", "attributes": {"name": "New", "email": f"new{number}@example.net"}}
            await call.post(f"/v1/forms/{chance.randint(1, 3)}/submit", {"data": body})
        case 7:
            fake.remove("purchases", f"{customer}0")
        case _:
            found = fake.resource("purchases", f"{customer}0")
            if found:
                owner = {"data": {"type": "customers", "id": str(chance.randint(1, 60))}}
                moved = {**found, "id": str(9_000_000 + number)}
                fake.add({**moved, "relationships": {**found["relationships"], "customer": owner}})


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.thorough) for seed in (2, 3))])
async def test_a_kept_list_follows_every_write(fake: FakeKajabi, call: Caller, seed: int) -> None:
    """After each write, of the row itself or of one that its filter reads, it has the rows that pass, once each."""
    chance = random.Random(seed)
    for number in range(60):
        await _write(fake, call, chance, number)
        for type_name, query in chance.sample(_QUERIES, 4):
            found = await _listed(call, type_name, query)
            assert len(set(found)) == len(found)
            assert set(found) == _selected(fake, type_name, query), (number, query)
    for type_name, query in _QUERIES:
        kept = await _listed(call, type_name, query)
        fake._world.lister._selections.clear()
        assert kept == await _listed(call, type_name, query), query


@pytest.mark.usefixtures("one_step_at_a_time")
@pytest.mark.parametrize("query", ["filter[name_contains]=smith", "filter[name_contains]=smith&sort=name"])
async def test_a_list_is_of_one_moment_although_writes_happen_while_it_is_found(query: str) -> None:
    """What is created, changed or deleted meanwhile is as after all of these writes."""
    async with FakeKajabi(customers=5000) as fake, aiohttp.ClientSession(fake.base_url) as session:
        call = caller_for(fake, session)
        path = f"/v1/contacts?{query}&page[size]=100"
        before = (await call.get(path)).document["meta"]["total_count"]
        matching = [row["id"] for row in (await call.get(path)).data]
        fake._world.lister._selections.clear()
        listed = asyncio.create_task(call.get(path))
        while not (selections := fake._world.lister._selections):
            await asyncio.sleep(0)
        fake.remove("contacts", matching[0])
        fake.change("contacts", matching[1], name="Somebody Else")
        fake.change("contacts", "2150000001", name="Aaron Smith")
        await call.post("/v1/contacts", contact_body(name="New Smith", email="new@example.org"))
        assert next(iter(selections.values()))._order is None
        got = (await listed).document
        known = {row["attributes"]["name"] for row in got["data"]} | {"Aaron Smith", "New Smith"}
        assert got["meta"]["total_count"] == before
        assert "Somebody Else" not in known
        assert matching[0] not in {row["id"] for row in got["data"]}
        assert len(await call.all_pages(path)) == before


async def test_a_list_by_time_changes_as_time_passes_without_a_write() -> None:
    """A planned end and the days since a creation pass, and a clock that is set back undoes it."""
    at = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
    fake = FakeKajabi(customers=60, now=lambda: datetime.fromtimestamp(at, UTC), clock=lambda: at, token_lifetime=1e9)
    async with fake, aiohttp.ClientSession(fake.base_url) as session:
        call = caller_for(fake, session)
        fake.change("purchases", "20", deactivated_at="2026-01-01T01:00:00Z")
        fake.change("contacts", "2150000005", created_at="2025-12-31T00:30:00Z")
        paths = ["/v1/purchases?filter[active]=true", "/v1/contacts?filter[created_in_last]=1"]

        async def seen() -> tuple[bool, bool]:
            purchases, contacts = [[row["id"] for row in await call.all_pages(path)] for path in paths]
            return "20" in purchases, "2150000005" in contacts

        assert await seen() == (True, True)
        fake.clock.jump(1800.0)
        assert await seen() == (True, True)
        fake.clock.jump(0.000001)
        assert await seen() == (True, False)
        fake.clock.jump(1800.0)
        assert await seen() == (False, False)
        fake.clock.jump(-3600.0)
        assert await seen() == (True, True)


async def test_seeded_rows_leave_a_list_by_time_as_time_passes() -> None:
    """The clock of the fake may lie in the years of its data."""
    at = datetime(2019, 1, 20, tzinfo=UTC).timestamp()
    fake = FakeKajabi(customers=60, now=lambda: datetime.fromtimestamp(at, UTC), clock=lambda: at, token_lifetime=1e9)
    async with fake, aiohttp.ClientSession(fake.base_url) as session:
        call = caller_for(fake, session)
        path = "/v1/customers?filter[created_in_last]=10"
        for days in (0, 1, 1, 5, -6, 300):
            fake.clock.jump(days * 86_400.0)
            found = {row["id"] for row in await call.all_pages(path)}
            assert found == _selected(fake, "customers", "filter[created_in_last]=10")


def test_a_long_sort_has_the_order_of_a_short_one() -> None:
    """Sorting in steps is stable, for runs of equal keys too, and takes many steps."""
    chance = random.Random(3)
    for count, distinct in ((0, 1), (1, 1), (2001, 1), (30_000, 5), (30_000, 1_000_000)):
        keys = [chance.randrange(distinct) for _ in range(count)]
        items = list(range(count))
        chance.shuffle(items)
        merged: list[int] = []

        def sorting(given: list[int], by: list[int], result: list[int] = merged) -> Iterator[None]:
            result += yield from merge_sorted(given, by)

        steps = sum(1 for _ in sorting(list(items), keys))
        assert merged == sorted(items, key=keys.__getitem__)
        assert steps >= count // 2000


async def test_names_that_look_like_dates_sort_among_the_others(fake: FakeKajabi, call: Caller) -> None:
    """A name is text, whatever is in it; so is a number that a test puts in place of one."""
    fake.change("contacts", "2150000001", name="20240101")
    fake.change("contacts", "2150000002", name=7)
    for sort in ("name", "-name"):
        rows = await call.all_pages(f"/v1/contacts?sort={sort}")
        names = [row["attributes"]["name"] for row in rows]
        assert names.index(7) < names.index("20240101") if sort == "name" else names[-2:] == ["20240101", 7]


async def test_the_order_of_creation_is_kept_through_many_deletions(fake: FakeKajabi, call: Caller) -> None:
    """Pages of a list without a filter count only the rows that are left, the added ones last."""
    chance, ids = random.Random(4), [str(number) for number in range(1, 61)]
    for number in range(20):
        fake.add({"type": "customers", "id": f"x{number}", "attributes": {"created_at": "2020-01-01T00:00:00Z"}})
        ids.append(f"x{number}")
    for removed in chance.sample(ids, 50):
        fake.remove("customers", removed)
        ids.remove(removed)
    fake.add({"type": "customers", "id": "x3", "attributes": {}})
    ids = [each for each in ids if each != "x3"] + ["x3"] if "x3" not in ids else ids
    assert [row["id"] for row in await call.all_pages("/v1/customers?page[size]=7")] == ids[::-1]


async def test_closing_the_fake_drops_a_long_list() -> None:
    """It does not wait for rows that will not be sent."""
    fake = FakeKajabi(customers=_MILLION)
    async with fake, aiohttp.ClientSession(fake.base_url) as session:
        call = caller_for(fake, session)
        listed = asyncio.create_task(call.get("/v1/customers?filter[name_contains]=smith"))
        while not fake._world.lister._selections:
            await asyncio.sleep(0)
        await fake.aclose()
        with pytest.raises(aiohttp.ClientError):
            await listed
    (selection,) = fake._world.lister._selections.values()
    assert selection._order is None


@pytest.mark.usefixtures("one_step_at_a_time")
async def test_a_list_that_is_refused_reads_no_row(rows_read: list[tuple[str, int]]) -> None:
    """Without a live token, or without the scope, the answer comes at once."""
    async with FakeKajabi(customers=_MILLION) as fake, aiohttp.ClientSession(fake.base_url) as session:
        call = caller_for(fake, session)
        fake.denied_types.add("contacts")
        assert (await call.get("/v1/contacts?filter[name_contains]=a")).status == 403
        assert (await call.get("/v1/customers?filter[name_contains]=a", token="none")).status == 401
        assert rows_read == []
