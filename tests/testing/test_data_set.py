"""The data set: reproducible, of any size at no cost, and consistent."""

import tracemalloc
from typing import Any

import aiohttp
import pytest

from kajabi_async.testing import FakeKajabi
from kajabi_async.testing.dataset.sizes import Sizes
from kajabi_async.testing.json_shapes import is_array
from tests.testing.caller import Caller, caller_for, related


def test_the_same_seed_produces_the_same_and_another_seed_another() -> None:
    """A resource depends only on seed, type and id, not on the other sizes."""
    fakes = [FakeKajabi(seed=5, customers=100), FakeKajabi(seed=5, customers=9000), FakeKajabi(seed=6, customers=100)]
    same, larger, other = (fake.resource("customers", "42") for fake in fakes)
    assert same == larger
    assert same != other


def test_a_million_customers_cost_nothing_until_they_are_requested() -> None:
    """Creating the fake and reading one customer do not take memory for a million."""
    tracemalloc.start()
    try:
        fake = FakeKajabi(customers=1_000_000)
        assert fake.resource("customers", "999999")
        assert fake.resource("customers", "1000001") is None
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


async def test_the_last_page_of_a_million_is_as_near_as_the_first() -> None:
    """Lists in natural order generate only the rows they show."""
    async with FakeKajabi(customers=1_000_000) as fake, aiohttp.ClientSession(fake.base_url) as session:
        call = caller_for(fake, session)
        last = await call.get("/v1/customers?page[number]=10000&page[size]=100&filter[site_id]=1")
        assert last.ids == [str(number) for number in range(100, 0, -1)]
        assert last.document["meta"]["total_count"] == 1_000_000
        first = await call.get("/v1/customers?sort=created_at&page[size]=2")
        assert first.ids == ["1", "2"]
        assert (await call.get("/v1/purchases?page[size]=1")).document["meta"]["total_count"] == 1_100_000


def test_sizes_are_checked() -> None:
    """An unknown size, a negative one and an account without a site are rejected."""
    with pytest.raises(ValueError, match="custmers"):
        FakeKajabi(custmers=5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    with pytest.raises(ValueError, match="from 0 on"):
        FakeKajabi(offers=-1)
    with pytest.raises(ValueError, match="one site"):
        FakeKajabi(sites=0)


@pytest.mark.parametrize(
    "type_name", sorted(Sizes.__optional_keys__ - {"contacts_without_customer", "payouts", "sites"})
)
async def test_each_type_has_as_many_as_were_requested(type_name: str) -> None:
    """Zero is a size too."""
    for size in (0, 3):
        sizes: Any = {"customers": 5, type_name: size}
        async with FakeKajabi(**sizes) as fake, aiohttp.ClientSession(fake.base_url) as session:
            assert len(await caller_for(fake, session).all_pages(f"/v1/{type_name}")) == size


@pytest.mark.parametrize("type_name", ["offers", "products", "contact_tags", "courses"])
async def test_everything_else_can_be_read_if_there_are_none_of_a_type(type_name: str) -> None:
    """No list fails because its related resources are missing."""
    sizes: Any = {"customers": 12, type_name: 0}
    lists = ("contacts", "customers", "offers", "products", "courses", "forms", "purchases", "orders", "transactions")
    async with FakeKajabi(**sizes) as fake, aiohttp.ClientSession(fake.base_url) as session:
        call = caller_for(fake, session)
        for path in (*lists, "order_items", "form_submissions", "kajabi_payments_payouts"):
            assert (await call.get(f"/v1/{path}?filter[site_id]=1")).status == 200


async def test_customer_and_contact_are_the_same_person(fake: FakeKajabi, call: Caller) -> None:
    """They share name, email, external id, site and offers, and link to each other."""
    customers = await call.all_pages("/v1/customers?include=offers&page[size]=100")
    assert len(customers) == 60
    for customer in customers:
        contact_id = fake.contact_id_of(customer["id"]) or ""
        assert contact_id == str(2_150_000_000 + int(customer["id"]))
        contact = (await call.get(f"/v1/contacts/{contact_id}")).data
        assert fake.customer_id_of(contact_id) == customer["id"]
        for name in ("name", "email", "external_user_id"):
            assert contact["attributes"][name] == customer["attributes"][name]
        for relation in ("site", "offers"):
            assert related(contact, relation) == related(customer, relation)
        assert (related(contact, "customer"), related(customer, "contact")) == ([customer["id"]], [contact_id])


async def test_some_contacts_are_no_customers(fake: FakeKajabi, call: Caller) -> None:
    """There is one for every ten customers, with ids after the customers' contacts."""
    alone = [row for row in await call.all_pages("/v1/contacts") if row["relationships"]["customer"] is None]
    assert [row["id"] for row in alone] == [str(number) for number in range(2_150_000_066, 2_150_000_060, -1)]
    assert fake.customer_id_of(alone[0]["id"]) is None
    assert fake.contact_id_of("61") is None


async def test_products_of_a_customer_are_those_of_the_offers(call: Caller) -> None:
    """They come from every current offer, without duplicates."""
    offers = {row["id"]: related(row, "products") for row in await call.all_pages("/v1/offers")}
    assert all(offers.values())
    customers = await call.all_pages("/v1/customers?include=offers,products&page[size]=100")
    assert len({product for customer in customers for product in related(customer, "products")}) > 1
    for customer in customers:
        products = [product for offer in related(customer, "offers") for product in offers[offer]]
        assert related(customer, "products") == list(dict.fromkeys(products))


@pytest.mark.parametrize("bundled", [False, True])
@pytest.mark.parametrize("sites", [1, 3])
async def test_money_adds_up(bundled: bool, sites: int) -> None:
    """Purchases, orders, order items and transactions of a customer agree, and net revenue is their sum."""
    fake = FakeKajabi(customers=40, sites=sites, bundled_orders=bundled)
    async with fake, aiohttp.ClientSession(fake.base_url) as session:
        call = caller_for(fake, session)
        lists = ("customers", "purchases", "orders", "order_items", "transactions")
        rows = {name: {row["id"]: row for row in await call.all_pages(f"/v1/{name}?page[size]=100")} for name in lists}
        paid: dict[str, int] = {}
        for transaction in rows["transactions"].values():
            (customer,) = related(transaction, "customer")
            paid[customer] = paid.get(customer, 0) + transaction["attributes"]["amount_in_cents"]
            covered = related(transaction, "purchases")
            assert all(related(rows["purchases"][key], "customer") == [customer] for key in covered)
            assert all(transaction["id"] in related(rows["purchases"][key], "transactions") for key in covered)
            offer = transaction["relationships"]["offer"]["data"]
            assert (offer is None) is (len(covered) > 1)
        for order in rows["orders"].values():
            items = [rows["order_items"][key] for key in related(order, "order_items")]
            assert all(related(item, "order") == [order["id"]] for item in items)
            for name in ("total_price_in_cents", "subtotal_in_cents", "discount_amount_in_cents"):
                assert order["attributes"][name] == sum(item["attributes"][name] for item in items)
            sold = [str(item["attributes"]["item_id"]) for item in items]
            (customer,) = related(order, "customer")
            bought = [row for row in rows["purchases"].values() if related(row, "customer") == [customer]]
            assert sold == [related(row, "offer")[0] for row in bought]
        for key, customer_row in rows["customers"].items():
            assert customer_row["attributes"]["net_revenue"] in {None, str(paid.get(key, 0) / 100)}
        bundles = [row for row in rows["transactions"].values() if row["relationships"]["offer"]["data"] is None]
        assert bool(bundles) is bundled


async def test_active_purchases_are_current_offers(call: Caller) -> None:
    """The offer of an ended purchase is not, unless it is granted otherwise."""
    current = {row["id"]: related(row, "offers") for row in await call.all_pages("/v1/customers?include=offers")}
    purchases = await call.all_pages("/v1/purchases?page[size]=100")
    assert {row["attributes"]["deactivated_at"] is None for row in purchases} == {True, False}
    for row in purchases:
        (offer,), (customer,) = related(row, "offer"), related(row, "customer")
        assert offer in current[customer] or row["attributes"]["deactivated_at"]


async def test_every_linkage_leads_to_a_resource_of_its_site(call: Caller) -> None:
    """No relation of any list points to a missing resource."""
    async with FakeKajabi(customers=30, sites=2) as fake, aiohttp.ClientSession(fake.base_url) as session:
        two = caller_for(fake, session)
        for name in ("contacts", "customers", "offers", "courses", "purchases", "orders", "forms", "form_submissions"):
            rows = await two.all_pages(f"/v1/{name}?page[size]=100")
            assert any(row["relationships"] for row in rows), name
            for row in rows:
                sites = {row["id"]}
                for member in row["relationships"].values():
                    data: Any = member["data"] if member and member.get("data") else []
                    for entry in data if is_array(data) else [data]:
                        target = fake.resource(entry["type"], entry["id"])
                        assert target is not None, (row["type"], row["id"], entry)
                        if "site" in target.get("relationships", {}) and "site" in row["relationships"]:
                            sites |= {*related(target, "site"), *related(row, "site")}
                assert len(sites - {row["id"]}) <= 1, (row["type"], row["id"])


async def test_attributes_vary_as_live_ones_do(call: Caller) -> None:
    """There are nulls and values, accents in names, three formats of times, ids beyond 32 bits."""
    rows = await call.all_pages("/v1/customers?page[size]=100")
    for name in ("avatar", "socials", "last_request_at", "public_bio"):
        assert {row["attributes"][name] is None for row in rows} == {True, False}
    times = [row["attributes"]["created_at"] for row in rows]
    endings = {text[19:20] + text[-1:] if text.endswith("Z") else text[-6:] for text in times}
    assert endings == {"ZZ", ".Z", "-05:00"}
    assert any(not row["attributes"]["name"].isascii() for row in rows)
    assert all(row["attributes"]["email"].isascii() for row in rows)
    assert len({row["attributes"]["email"] for row in rows}) == len(rows)


async def test_the_version_needs_no_token(call: Caller) -> None:
    """The document misspells the member ``specification``."""
    got = await call.get("/v1/version", token="")
    assert got.status == 200
    assert got.document["jsonapi"]["version"] == "v1.1"
    assert "specification" in got.document["jsonapi"]


async def test_samples_are_bare_arrays_in_the_documented_order(call: Caller) -> None:
    """Every id is "0", whatever the type."""
    types = {
        "purchase": ["purchases", "offers", "customers"],
        "payment_succeeded": ["transactions", "customers"],
        "order_created": ["transactions", "customers", "orders", "order_items"],
        "form_submission": ["form_submissions", "forms"],
        "tag_added": ["contacts", "contact_tags"],
        "tag_removed": ["contacts", "contact_tags"],
    }
    for event, expected in types.items():
        sample = (await call.get(f"/v1/hooks/{event}_sample")).document
        assert [entry["type"] for entry in sample] == expected
        assert {entry["id"] for entry in sample} == {"0"}
