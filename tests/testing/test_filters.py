"""Filters: each selects matching rows, and an unknown one selects all."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest

from kajabi_async.testing import FakeKajabi
from tests.testing import openapi
from tests.testing.caller import Caller, caller_for, contact_body, related

Row = dict[str, Any]
Keeps = Callable[[Row], bool]


async def _shows(call: Caller, type_name: str) -> list[Row]:
    """Return every resource of the type as a GET shows it."""
    rows = await call.all_pages(f"/v1/{type_name}?filter[site_id]=1&page[size]=100")
    return [(await call.get(f"/v1/{type_name}/{row['id']}?filter[site_id]=1")).data for row in rows]


async def _kept(call: Caller, type_name: str, **filters: str) -> set[str]:
    query = "&".join(f"filter[{name}]={quote(value)}" for name, value in filters.items())
    return {row["id"] for row in await call.all_pages(f"/v1/{type_name}?{query}&page[size]=100")}


def _text(name: str, expected: str) -> Keeps:
    return lambda row: expected.casefold() in (row["attributes"][name] or "").casefold()


def _time(row: Row, name: str) -> datetime | None:
    text = row["attributes"][name]
    return datetime.fromisoformat(text) if text else None


_CONTACTS: list[tuple[str, str, Keeps]] = [
    ("search", "SMITH", lambda row: "smith" in f"{row['attributes']['name']} {row['attributes']['email']}".casefold()),
    ("name_contains", "an", _text("name", "an")),
    ("email_contains", ".1", _text("email", ".1")),
    ("phone_number_contains", "100", _text("phone_number", "100")),
    ("address_line_1_contains", "lane", _text("address_line_1", "lane")),
    ("address_line_2_contains", "flat", _text("address_line_2", "flat")),
    ("address_city_contains", "lis", _text("address_city", "lis")),
    ("address_state_contains", "west", _text("address_state", "west")),
    ("address_country_contains", "jp", _text("address_country", "jp")),
    ("address_zip_contains", "5", _text("address_zip", "5")),
    ("has_tag_id", "3", lambda row: "3" in related(row, "tags")),
    ("has_tag_id", "3,4", lambda row: bool({"3", "4"} & set(related(row, "tags")))),
    ("has_all_tag_id", "3,4", lambda row: {"3", "4"} <= set(related(row, "tags"))),
    ("has_no_tag_id", "3", lambda row: "3" not in related(row, "tags")),
    ("has_offer_id", "6", lambda row: "6" in related(row, "offers")),
    ("has_no_offer_id", "6", lambda row: "6" not in related(row, "offers")),
    ("subscribed", "true", lambda row: row["attributes"]["subscribed"]),
    ("subscribed", "false", lambda row: not row["attributes"]["subscribed"]),
    ("is_hidden", "true", lambda _: False),
    ("is_hidden", "false", lambda _: True),
]


@pytest.mark.parametrize(("name", "value", "keeps"), _CONTACTS)
async def test_filters_of_contacts(name: str, value: str, keeps: Keeps) -> None:
    """The selection matches the contacts' own attributes."""
    async with (
        FakeKajabi(customers=200, offers=8, contact_tags=6) as fake,
        aiohttp.ClientSession(fake.base_url) as http,
    ):
        call = caller_for(fake, http)
        rows = [fake.resource("contacts", row["id"]) for row in await call.all_pages("/v1/contacts?page[size]=100")]
        expected = {row["id"] for row in rows if row and keeps(row)}
        assert await _kept(call, "contacts", **{name: value}) == expected
        assert expected or name == "is_hidden"


_CUSTOMERS: list[tuple[str, str, Keeps]] = [
    ("has_product_id", "2", lambda row: "2" in related(row, "products")),
    ("has_active_product_id", "2", lambda row: "2" in related(row, "products")),
    ("has_no_product_id", "2", lambda row: "2" not in related(row, "products")),
    ("net_revenue_greater_than", "100", lambda row: float(row["attributes"]["net_revenue"] or 0) > 100),
    ("net_revenue_less_than", "100", lambda row: float(row["attributes"]["net_revenue"] or 0) < 100),
    ("net_revenue_equal_to", "0", lambda row: float(row["attributes"]["net_revenue"] or 0) == 0),
    ("is_hard_bouncing", "true", lambda row: row["attributes"]["bounced_at"] is not None),
    ("active_in_last", "36500", lambda row: row["attributes"]["last_request_at"] is not None),
    ("inactive_in_last", "36500", lambda row: row["attributes"]["last_request_at"] is None),
    ("created_in_last", "36500", lambda _: True),
    ("not_created_in_last", "36500", lambda _: False),
    ("created_in_last", "0", lambda _: False),
    ("opened_email_broadcast_id", "1", lambda _: False),
    ("no_opened_email_broadcast_id", "1", lambda _: True),
    ("not_opened_email_in_last", "30", lambda _: True),
    ("completed_assessment_id", "1", lambda _: False),
    ("net_revenue_greater_than", "a lot", lambda _: False),
    ("created_in_last", "a week", lambda _: True),
]


@pytest.mark.parametrize(("name", "value", "keeps"), _CUSTOMERS)
async def test_filters_of_customers(call: Caller, name: str, value: str, keeps: Keeps) -> None:
    """Filters on known data select; for actions without data a filter selects none and its negation all."""
    expected = {row["id"] for row in await _shows(call, "customers") if keeps(row)}
    assert await _kept(call, "customers", **{name: value}) == expected


async def test_customers_are_found_by_what_their_contact_knows(fake: FakeKajabi, call: Caller) -> None:
    """Tags, numbers, subscription and submitted forms are the contact's."""
    for filters in (
        {"has_tag_id": "2"},
        {"subscribed": "true"},
        {"address_city_contains": "o"},
        {"submitted_form_id": "1"},
    ):
        customers = {fake.customer_id_of(key) for key in await _kept(call, "contacts", **filters)}
        assert await _kept(call, "customers", **filters) == customers - {None}


async def test_former_products_and_coupons_come_from_the_purchases(call: Caller) -> None:
    """A product is formerly owned if every purchase of it ended; a coupon was used if a purchase has it."""
    purchases = await _shows(call, "purchases")
    used = {related(row, "customer")[0] for row in purchases if row["attributes"]["coupon_code"] == "SAVE20"}
    assert used
    assert await _kept(call, "customers", used_coupon_code="SAVE20") == used
    ended = [row for row in purchases if row["attributes"]["deactivated_at"]]
    assert ended
    for row in ended:
        (customer,), product = related(row, "customer"), related(row, "products")[0]
        current = related((await call.get(f"/v1/customers/{customer}")).data, "products")
        former = await _kept(call, "customers", previously_owned_product_id=product)
        assert (customer in former) is (product not in current)


_OTHERS: list[tuple[str, str, str, Keeps]] = [
    ("sites", "title_cont", "learning", lambda _: True),
    ("sites", "subdomain_cont", "nothing", lambda _: False),
    ("contact_tags", "name_cont", "vi", _text("name", "vi")),
    ("contact_notes", "contact_id", "2150000009", lambda row: related(row, "contact") == ["2150000009"]),
    ("custom_fields", "type_eq", "TextField", lambda row: row["attributes"]["type"] == "TextField"),
    ("custom_fields", "required_eq", "true", lambda row: row["attributes"]["required"]),
    ("offers", "title_cont", "po", _text("title", "po")),
    ("offers", "description_cont", "spanish", _text("description", "spanish")),
    ("products", "status_eq", "ready", lambda row: row["attributes"]["status"] == "ready"),
    ("podcasts", "title_eq", "The Spanish Hour", lambda row: row["attributes"]["title"] == "The Spanish Hour"),
    ("podcasts", "show_type_eq", "serial", lambda row: row["attributes"]["show_type"] == "serial"),
    ("hooks", "event_eq", "purchase", lambda row: row["attributes"]["event"] == "purchase"),
    ("forms", "title_cont", "FORM", _text("title", "form")),
    ("form_submissions", "form_id", "3", lambda row: related(row, "form") == ["3"]),
    ("blog_posts", "title_start", "announcing", lambda row: row["attributes"]["title"].startswith("Announcing")),
    ("blog_posts", "slug_end", "-3", lambda row: row["attributes"]["slug"].endswith("-3")),
    ("blog_posts", "title_not_cont", "ten", lambda row: "ten" not in row["attributes"]["title"]),
    ("blog_posts", "slug_not_eq", "guitar-9", lambda row: row["attributes"]["slug"] != "guitar-9"),
    ("landing_pages", "published", "true", lambda row: row["attributes"]["publish_at"] is not None),
    ("purchases", "customer_id", "6", lambda row: related(row, "customer") == ["6"]),
    ("purchases", "active", "true", lambda row: row["attributes"]["deactivated_at"] is None),
    ("purchases", "active", "false", lambda row: row["attributes"]["deactivated_at"] is not None),
    ("purchases", "deactivated", "true", lambda row: row["attributes"]["deactivated_at"] is not None),
    ("purchases", "coupon_code_eq", "SAVE20", lambda row: row["attributes"]["coupon_code"] == "SAVE20"),
    ("purchases", "referrer", "social", _text("referrer", "social")),
    ("purchases", "amount_in_cents_gt", "9700", lambda row: row["attributes"]["amount_in_cents"] > 9700),
    ("purchases", "amount_in_cents_lteq", "9700", lambda row: row["attributes"]["amount_in_cents"] <= 9700),
    (
        "purchases",
        "deactivated_at_gt",
        "2019-03-01",
        lambda row: (row["attributes"]["deactivated_at"] or "") > "2019-03-01",
    ),
    ("purchases", "quantity_eq", "1", lambda _: True),
    ("transactions", "start_date", "yesterday", lambda _: True),
    ("transactions", "customer_id", "6", lambda row: related(row, "customer") == ["6"]),
    ("orders", "customer_id", "6", lambda row: related(row, "customer") == ["6"]),
    ("orders", "order_number_eq", "1006", lambda row: row["attributes"]["order_number"] == 1006),
    ("orders", "fulfilled_at_null", "true", lambda row: row["attributes"]["fulfilled_at"] is None),
    ("orders", "fulfilled_at_null", "false", lambda row: row["attributes"]["fulfilled_at"] is not None),
    ("orders", "total_price_in_cents_gteq", "9700", lambda row: row["attributes"]["total_price_in_cents"] >= 9700),
    ("orders", "total_price_in_cents_lt", "9700", lambda row: row["attributes"]["total_price_in_cents"] < 9700),
    ("orders", "order_number_in", "1002,1006,7", lambda row: row["attributes"]["order_number"] in {1002, 1006}),
    ("orders", "currency_code_start", "US", lambda _: True),
    ("orders", "order_number_gt", "many", lambda _: False),
    ("order_items", "item_id_eq", "6", lambda row: row["attributes"]["item_id"] == 6),
    ("order_items", "item_type_not_in", "Offer,Bundle", lambda _: False),
    ("order_items", "title_i_cont", "PO", _text("title", "po")),
    ("kajabi_payments_payouts", "status", "paid", lambda row: row["attributes"]["status"] == "Paid"),
    ("kajabi_payments_payouts", "status", "in_transit", lambda row: row["attributes"]["status"] == "In transit"),
]


@pytest.mark.parametrize(("type_name", "name", "value", "keeps"), _OTHERS)
async def test_filters_of_the_other_lists(call: Caller, type_name: str, name: str, value: str, keeps: Keeps) -> None:
    """The selection matches the resources' own attributes."""
    rows = await _shows(call, type_name)
    filters = {"site_id": "1", name: value}
    assert await _kept(call, type_name, **filters) == {row["id"] for row in rows if keeps(row)}


async def test_products_can_be_left_out_by_kind_repeatedly(call: Caller) -> None:
    """This is the only filter whose name ends in brackets; the links keep each of its values."""
    path = "/v1/products?page[size]=5&filter[exclude_product_types][]=Coaching::Program"
    rows = await call.all_pages(f"{path}&filter[exclude_product_types][]=Podcasts::Podcast")
    everything = await call.all_pages("/v1/products?page[size]=100")
    kinds = {"Coaching", "Podcast"}
    expected = [row["id"] for row in everything if row["attributes"]["product_type_name"] not in kinds]
    assert [row["id"] for row in rows] == expected
    assert len(expected) < len(everything)


@pytest.mark.parametrize(
    ("type_name", "attribute"), [("transactions", "created_at"), ("kajabi_payments_payouts", "initiated_date")]
)
async def test_date_ranges_hold_both_their_days(call: Caller, type_name: str, attribute: str) -> None:
    """A bare date is a whole day in UTC; a time is a moment."""
    rows = await _shows(call, type_name)
    start, end = "2019-01-10", "2019-02-20"
    first, last = datetime.fromisoformat(f"{start}T00:00:00Z"), datetime.fromisoformat("2019-02-21T00:00:00Z")
    expected = {row["id"] for row in rows if first <= (_time(row, attribute) or first) < last}
    assert 0 < len(expected) < len(rows)
    assert await _kept(call, type_name, site_id="1", start_date=start, end_date=end) == expected


async def test_transactions_are_found_by_who_paid(fake: FakeKajabi, call: Caller) -> None:
    """The filter matches part of the customer's name or email."""
    customer = fake.resource("customers", "6")
    assert customer
    for text in (customer["attributes"]["name"], customer["attributes"]["email"].upper()):
        rows = await call.all_pages(f"/v1/transactions?filter[name_or_email]={quote(text)}")
        assert "6" in {related(row, "customer")[0] for row in rows}
        assert len(rows) < len(await call.all_pages("/v1/transactions"))


async def test_filters_add_up(call: Caller) -> None:
    """Several filters select the rows that match each of them."""
    each = [await _kept(call, "contacts", subscribed="true"), await _kept(call, "contacts", name_contains="a")]
    assert await _kept(call, "contacts", subscribed="true", name_contains="a") == each[0] & each[1]


@pytest.mark.parametrize("name", ["email", "email_eq", "offer_id", "is_suppressed", "updated_in_last", "nonsense"])
async def test_an_unknown_filter_is_ignored_silently(call: Caller, name: str) -> None:
    """Public code falls into this trap: the unfiltered first page comes back."""
    got = await call.get(f"/v1/contacts?filter[{name}]=unknown@example.com")
    assert (got.status, got.ids) == (200, (await call.get("/v1/contacts")).ids)


async def test_every_documented_people_filter_is_known(call: Caller) -> None:
    """Each of the 73 changes a page for some value, or is one that selects none or all."""
    parameters = openapi.document()["paths"]["/v1/contacts"]["get"]["parameters"]
    names = [entry["name"][7:-1] for entry in parameters if entry["name"].startswith("filter[")]
    assert len(names) == 73
    total = len(await _kept(call, "contacts"))
    for name in names:
        found = [len(await _kept(call, "contacts", **{name: value})) for value in ("no such thing", "36500", "1")]
        negated = name.startswith(("no_", "not_", "is_hidden", "has_no_"))
        assert min(found) < total or negated, name


async def test_a_site_is_all_or_nothing_if_there_is_only_one(call: Caller) -> None:
    """With two sites it is part of the rows."""
    assert await _kept(call, "customers", site_id="1") == await _kept(call, "customers")
    assert await _kept(call, "customers", site_id="2") == set()
    async with FakeKajabi(customers=60, sites=2) as fake, aiohttp.ClientSession(fake.base_url) as session:
        two = caller_for(fake, session)
        for type_name in ("customers", "contacts", "offers", "purchases", "transactions", "order_items", "blog_posts"):
            parts = [await _kept(two, type_name, site_id=site) for site in ("1", "2")]
            assert parts[0] | parts[1] == await _kept(two, type_name)
            assert not parts[0] & parts[1]


async def test_created_in_last_finds_what_was_just_created(call: Caller) -> None:
    """Rows that a test creates are new; seeded rows are years old."""
    created = await call.post("/v1/contacts", contact_body(email="new@example.org"))
    assert await _kept(call, "contacts", created_in_last="1") == {created.data["id"]}
    assert created.data["id"] not in await _kept(call, "contacts", not_created_in_last="1")


async def test_a_remembered_selection_is_forgotten_after_a_change(call: Caller) -> None:
    """The same request sees a change in between."""
    before = await _kept(call, "contacts", name_contains="zzz")
    created = await call.post("/v1/contacts", contact_body(name="Zzz", email="zzz@example.org"))
    assert (before, await _kept(call, "contacts", name_contains="zzz")) == (set(), {created.data["id"]})
    await call.delete(f"/v1/contacts/{created.data['id']}")
    assert await _kept(call, "contacts", name_contains="zzz") == set()
