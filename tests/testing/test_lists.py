"""Lists: pages, links, meta, order, and requests on which the server fails."""

from datetime import datetime
from typing import Any, get_args

import aiohttp
import pytest

from kajabi_async.operations import OPERATIONS
from kajabi_async.testing import FakeKajabi
from kajabi_async.testing.listing import SORT_KEYS
from kajabi_async.testing.pagination import MetaShape
from tests.testing.caller import Caller, caller_for

_LISTS = [row.path for row in OPERATIONS.values() if row.name.endswith(".list")]
_APP = "https://app.kajabi.com/api/v1"
_API = "https://api.kajabi.com/v1"


def _attribute(rows: list[Any], name: str) -> list[Any]:
    return [row["attributes"][name] for row in rows]


async def test_pages_cut_a_list_without_loss_or_repetition(call: Caller) -> None:
    """Following next from page 1 returns every row once, whatever the page size."""
    whole = [row["id"] for row in await call.all_pages("/v1/customers?page[size]=100")]
    pieces = [row["id"] for row in await call.all_pages("/v1/customers?page[size]=7")]
    assert pieces == whole
    assert sorted(whole, key=int) == [str(number) for number in range(1, 61)]


@pytest.mark.parametrize(
    ("path", "size"),
    [
        ("/v1/customers", 30),
        ("/v1/contact_notes", 20),
        ("/v1/customers?page[size]=10", 10),
        ("/v1/customers?page[size]=5000", 60),
        ("/v1/customers?page[size]=0", 30),
        ("/v1/customers?page[size]=many", 30),
        ("/v1/kajabi_payments_payouts?filter[site_id]=1&page[size]=3", 10),
    ],
)
async def test_page_sizes(call: Caller, path: str, size: int) -> None:
    """30 by default, 20 for notes; an invalid size means the default; payouts take no size."""
    assert len((await call.get(path)).data) == size


async def test_a_size_above_the_maximum_is_clamped_silently() -> None:
    """The links show the size that was used."""
    async with FakeKajabi(customers=60, max_page_size=25) as fake, aiohttp.ClientSession(fake.base_url) as session:
        got = await caller_for(fake, session).get("/v1/customers?page[size]=100")
        assert (got.status, len(got.data)) == (200, 25)
        assert got.document["links"]["next"].endswith("page[size]=25&page[number]=2")
        assert got.document["meta"]["total_pages"] == 3


async def test_the_default_size_can_be_chosen() -> None:
    """Tests can have many small pages without a size in each request."""
    async with FakeKajabi(customers=60, default_page_size=4) as fake, aiohttp.ClientSession(fake.base_url) as session:
        assert len((await caller_for(fake, session).get("/v1/customers")).data) == 4


async def test_a_page_past_the_end_is_empty(call: Caller) -> None:
    """It is a 200 with no data and no next."""
    got = await call.get("/v1/customers?page[number]=99&page[size]=50")
    assert (got.status, got.data, got.document["links"]["next"]) == (200, [], None)
    assert got.document["meta"]["total_count"] == 60


async def test_an_empty_list_has_data_meta_and_links() -> None:
    """It has nothing else."""
    async with FakeKajabi(customers=0) as fake, aiohttp.ClientSession(fake.base_url) as session:
        for path in ("/v1/customers", "/v1/contacts", "/v1/orders", "/v1/purchases", "/v1/form_submissions"):
            got = await caller_for(fake, session).get(path)
            assert (set(got.document), got.data) == ({"data", "meta", "links"}, [])


async def test_links_stand_on_the_official_hosts_with_all_parameters(call: Caller) -> None:
    """Brackets are not encoded, the rest is; prev and next are null at the ends."""
    got = await call.get("/v1/customers?filter[search]=a%20%26b&page[size]=1&sort=name")
    query = "filter[search]=a%20%26b&page[size]=1&sort=name&page[number]=1"
    assert got.document["links"]["self"] == f"{_APP}/customers?{query}"
    middle = (await call.get("/v1/contacts?page[number]=2&page[size]=10")).document["links"]
    assert middle == {
        name: f"{_API}/contacts?page[number]={number}&page[size]=10"
        for name, number in {"self": 2, "first": 1, "prev": 1, "next": 3, "last": 7}.items()
    }
    first = (await call.get("/v1/contacts?page[size]=100")).document["links"]
    assert (first["prev"], first["next"]) == (None, None)


@pytest.mark.parametrize("path", ["/v1/podcasts", "/v1/courses"])
async def test_podcasts_and_courses_leave_out_what_others_print_as_null(call: Caller, path: str) -> None:
    """At the ends prev and next are absent."""
    links = (await call.get(f"{path}?page[size]=100")).document["links"]
    assert set(links) == {"self", "first", "last"}


@pytest.mark.parametrize("path", _LISTS)
async def test_each_list_prints_links_of_its_own_host(call: Caller, path: str) -> None:
    """Customers and custom fields use app.kajabi.com, all others api.kajabi.com."""
    link = (await call.get(f"{path}?filter[site_id]=1")).document["links"]["self"]
    host = _APP if path in {"/v1/customers", "/v1/custom_fields"} else _API
    assert link.startswith(f"{host}{path.removeprefix('/v1')}?")


@pytest.mark.parametrize("path", _LISTS)
async def test_each_list_prints_the_meta_of_its_document(call: Caller, path: str) -> None:
    """Three shapes are documented."""
    shapes: dict[str, set[str]] = {
        "/v1/purchases": {"count", "total_count", "total_pages"},
        "/v1/kajabi_payments_payouts": {"total", "pagination"},
    }
    got = await call.get(f"{path}?filter[site_id]=1")
    assert set(got.document["meta"]) == shapes.get(path, {"total_pages", "total_count", "current_page"})


async def test_payouts_have_their_position_in_their_meta(call: Caller) -> None:
    """Members without a value are left out."""
    path = "/v1/kajabi_payments_payouts?filter[site_id]=1&page[number]="
    pages = [(await call.get(f"{path}{number}")).document["meta"] for number in (1, 2, 3)]
    assert [page["total"] for page in pages] == [24] * 3
    assert pages[0]["pagination"] == {"current": 1, "next": 2, "last": 3, "records": 10}
    assert pages[1]["pagination"] == {"current": 2, "first": 1, "prev": 1, "next": 3, "last": 3, "records": 10}
    assert pages[2]["pagination"] == {"current": 3, "first": 1, "prev": 2, "records": 4}


@pytest.mark.parametrize(
    ("shape", "members"),
    [
        ("none", None),
        ("total", {"total"}),
        ("pages", {"total_pages", "total_count", "current_page"}),
        ("count", {"count", "total_pages", "total_count"}),
        ("pagination", {"total", "pagination"}),
        ("pages_without_count", {"total_pages", "current_page"}),
    ],
)
async def test_the_shape_of_meta_can_be_forced(shape: MetaShape, members: set[str] | None) -> None:
    """It applies to every list, so that a client can be tested against each shape."""
    async with FakeKajabi(customers=3, meta=shape) as fake, aiohttp.ClientSession(fake.base_url) as session:
        for path in ("/v1/customers", "/v1/purchases"):
            meta = (await caller_for(fake, session).get(path)).document.get("meta")
            assert (None if meta is None else set(meta)) == members


def test_a_shape_of_meta_that_is_none_is_refused() -> None:
    """The constructor raises an error with the known shapes."""
    with pytest.raises(ValueError, match="pagination"):
        FakeKajabi(meta="fancy")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert "documented" in get_args(MetaShape)


@pytest.mark.parametrize("query", ["page=2", "per_page=5", "page=1&per_page=5"])
async def test_unbracketed_page_parameters_break_the_server(call: Caller, query: str) -> None:
    """The live server fails on them too."""
    assert (await call.get(f"/v1/customers?{query}")).status == 500


async def test_contacts_and_customers_come_newest_first(call: Caller) -> None:
    """This holds unless the request sorts."""
    for path in ("/v1/contacts", "/v1/customers"):
        times = [datetime.fromisoformat(text) for text in _attribute(await call.all_pages(path), "created_at")]
        assert times == sorted(times, reverse=True)
        oldest_first = await call.all_pages(f"{path}?sort=created_at")
        assert [row["id"] for row in oldest_first] == [row["id"] for row in await call.all_pages(path)][::-1]


@pytest.mark.parametrize(
    ("type_name", "key"), [(type_name, key) for type_name, keys in SORT_KEYS.items() for key in keys]
)
async def test_every_sort_key_sorts_both_ways(call: Caller, type_name: str, key: str) -> None:
    """Ascending has nulls last, descending is its reverse in values."""
    if (type_name, key) == ("form_submissions", "created_at"):
        rows = await call.all_pages(f"/v1/{type_name}?sort=-{key}")
        assert [int(row["id"]) for row in rows] == list(range(50, 0, -1))
        return
    ascending = _attribute(await call.all_pages(f"/v1/{type_name}?sort={key}"), key)
    descending = _attribute(await call.all_pages(f"/v1/{type_name}?sort=-{key}"), key)
    known = [_comparable(key, value) for value in ascending if value is not None]
    assert known == sorted(known)
    assert ascending[len(known) :] == [None] * (len(ascending) - len(known))
    assert [_comparable(key, value) for value in descending if value is not None] == known[::-1]


def _comparable(key: str, value: Any) -> Any:
    if key == "net_revenue":
        return float(value)
    return datetime.fromisoformat(value) if key.endswith("_at") else value


async def test_several_sort_keys_break_ties_in_order(call: Caller) -> None:
    """The first key decides, the second among equals; a minus belongs to its own key."""
    rows = (await call.get("/v1/offers?sort=price_in_cents,-title&page[size]=100")).data
    found = list(zip(_attribute(rows, "price_in_cents"), _attribute(rows, "title"), strict=True))
    by_title = sorted(found, key=lambda pair: pair[1], reverse=True)
    assert found == sorted(by_title, key=lambda pair: pair[0])


async def test_an_unknown_sort_key_is_ignored(call: Caller) -> None:
    """The order is the default one."""
    assert (await call.get("/v1/customers?sort=favourite_colour")).ids == (await call.get("/v1/customers")).ids


async def test_payouts_need_a_site_on_list_and_show(call: Caller) -> None:
    """400 without one, 404 for another site's; only a single payout has its transactions."""
    for path in ("/v1/kajabi_payments_payouts", "/v1/kajabi_payments_payouts/payout_1"):
        assert (await call.get(path)).status == 400
        assert (await call.get(f"{path}?filter[site_id]=1")).status == 200
    assert (await call.get("/v1/kajabi_payments_payouts/payout_1?filter[site_id]=2")).status == 404
    listed = (await call.get("/v1/kajabi_payments_payouts?filter[site_id]=1")).data[0]
    shown = (await call.get(f"/v1/kajabi_payments_payouts/{listed['id']}?filter[site_id]=1")).data
    assert "transactions" not in listed["attributes"]
    transactions = shown["attributes"].pop("transactions")
    assert shown == listed
    assert all(isinstance(entry["customer_id"], int) for entry in transactions)
