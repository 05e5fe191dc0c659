"""The columns of a model in an export, and the cells for each kind of value."""

import json
import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from kajabi_async import Contact, Customer, Kajabi, Media, Offer, Payout, Podcast, Purchase, Resource
from kajabi_async.export import SORTED_BY, export
from kajabi_async.export.columns import OTHER_COLUMNS, Column, Kind, UnfitCellError, cells_of, cells_of_each, columns_of
from kajabi_async.models.members import id_name
from kajabi_async.models.resource import MODELS
from kajabi_async.testing import FakeKajabi
from tests.every_resource import every_resource
from tests.export.conftest import query
from tests.models.building import build

TIME = "2026-08-02T20:26:32.995-05:00"


@pytest.mark.parametrize("model", MODELS.values(), ids=lambda model: model.resource_type)
def test_no_model_has_two_columns_of_one_name(model: Any) -> None:
    """The id is the first column, attributes unknown to the SDK the last."""
    names = [column.name for column in columns_of(model)]
    assert len(names) == len(set(names))
    assert (names[0], names[-1]) == ("id", "extra")


@pytest.mark.parametrize("model", MODELS.values(), ids=lambda model: model.resource_type)
def test_the_ids_of_a_relation_have_the_name_that_they_have_in_to_dict(model: Any) -> None:
    """So that the rows of an export and the members of a resource go into one table."""
    relations: dict[str, Any] = {
        name: {"data": [] if relation.to_many else {"type": "x", "id": "1"}}
        for name, relation in model.relations.items()
    }
    members = build(model, relationships=relations).to_dict()
    columns = {column.name for column in columns_of(model)}
    assert {name for name in members if name.endswith(("_id", "_ids"))} <= columns
    assert {id_name(relation) for relation in model.relations.values()} <= columns


def test_columns_follow_the_model() -> None:
    """Attributes by name and type, relations as ids, objects as JSON."""
    kinds = {column.name: column.kind for column in columns_of(Customer)}
    assert kinds["name"] is Kind.TEXT
    assert kinds["net_revenue"] is Kind.DECIMAL
    assert kinds["sign_in_count"] is Kind.INTEGER
    assert kinds["created_at"] is Kind.TIME
    assert kinds["socials"] is Kind.JSON
    assert kinds["contact_id"] is Kind.TEXT
    assert kinds["offer_ids"] is Kind.TEXTS
    assert {column.name: column.kind for column in columns_of(Contact)}["custom_fields"] is Kind.JSON


def test_sparse_fields_leave_their_own_columns() -> None:
    """With the id, which is always included; a custom field selects the column of all custom fields."""
    assert [column.name for column in columns_of(Contact, ["email", "tags", "custom_2"])] == [
        "id",
        "email",
        "custom_fields",
        "tag_ids",
    ]


@pytest.mark.parametrize(
    ("model", "fields", "names"),
    [
        (Offer, ["name"], ["id", "title"]),
        (Customer, [], ["id"]),
        (Customer, ["id", "offers"], ["id", "offer_ids"]),
        (Customer, ["contact", "extra"], ["id", "contact_id", "extra"]),
        (Contact, ["customer"], ["id", "customer_id"]),
    ],
)
def test_a_field_brings_its_column(model: Any, fields: list[str], names: list[str]) -> None:
    """By any of its names on the wire; a common prefix is not enough."""
    assert [column.name for column in columns_of(model, fields)] == names


def _cell(model: type[Resource], **attribute: Any) -> Any:
    (name,) = attribute
    (column,) = (each for each in columns_of(model) if each.name == name)
    (cell,) = cells_of(build(model, attribute), (column,))
    return cell


@pytest.mark.parametrize(
    ("model", "attribute", "cell"),
    [
        (Customer, {"name": "Ada"}, "Ada"),
        (Customer, {"name": None}, None),
        (Customer, {"sign_in_count": 2**63 - 1}, 2**63 - 1),
        (Customer, {"sign_in_count": -(2**63)}, -(2**63)),
        (Customer, {"net_revenue": "12.50"}, "12.50"),
        (Customer, {"net_revenue": "1e3"}, "1000"),
        (Customer, {"net_revenue": "0.123456789"}, "0.123456789"),
        (Customer, {"net_revenue": f"{'9' * 29}.123456789"}, f"{'9' * 29}.123456789"),
        (Customer, {"net_revenue": "-0.000000001"}, "-0.000000001"),
        (Customer, {"created_at": TIME}, datetime(2026, 8, 3, 1, 26, 32, 995000, UTC)),
        (Contact, {"subscribed": False}, False),
        (Media, {"duration_in_minutes": "7.25"}, 7.25),
        (Podcast, {"categories": ["arts", "life"]}, ["arts", "life"]),
        (Purchase, {"raw_extra_contact_information": {"a": [1]}}, {"a": [1]}),
        (Payout, {"transactions": []}, []),
    ],
)
def test_a_value_is_written_as_its_column_holds_it(model: type[Resource], attribute: dict[str, Any], cell: Any) -> None:
    """Up to the largest number that fits; times in UTC, decimals without an exponent."""
    written = _cell(model, **attribute)
    assert (type(written), written) == (type(cell), cell)


def test_the_zone_of_the_machine_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Times are in UTC, in a column and inside an object."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert _cell(Customer, created_at=TIME).isoformat() == "2026-08-03T01:26:32.995000+00:00"
        assert _cell(Payout, transactions=[{"created_at": TIME}])[0]["created_at"] == "2026-08-03T01:26:32.995000Z"
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    ("attribute", "message"),
    [
        ({"sign_in_count": 2**63}, "integer column: 9223372036854775808 is beyond 64 bits"),
        ({"sign_in_count": -(2**63) - 1}, "integer column: -9223372036854775809 is beyond 64 bits"),
        ({"net_revenue": "1" * 30}, "decimal column: .* needs more than 38 digits, 9 after the point"),
        ({"net_revenue": "0.0000000001"}, "decimal column: .* needs more than 38 digits, 9 after the point"),
    ],
)
def test_a_value_beyond_its_column_is_refused(attribute: dict[str, Any], message: str) -> None:
    """With the resource, the column, its kind and the reason."""
    with pytest.raises(UnfitCellError, match=f"^customers 1.{next(iter(attribute))} fits no {message}"):
        _cell(Customer, **attribute)


def test_the_error_shows_the_start_of_a_long_id() -> None:
    """A server may send any text as an id."""
    customer = build(Customer, {"sign_in_count": 2**63}, id="x" * 70)
    with pytest.raises(UnfitCellError, match=f"^customers {'x' * 60}\\.sign_in_count fits no"):
        cells_of(customer, columns_of(Customer))


def test_what_is_inside_an_object_is_written_as_json_has_it() -> None:
    """Known and unknown members, decimals as text, times in UTC, lists as lists."""
    transaction = {"amount": "12.50", "created_at": TIME, "offer_ids": [7], "fee": None, "note": {"a": [1, True]}}
    (message,) = _cell(Payout, transactions=[transaction])
    assert message["note"] == {"a": [1, True]}
    assert (message["amount"], message["fee"], message["offer_ids"]) == ("12.50", None, ["7"])
    assert message["created_at"] == "2026-08-03T01:26:32.995000Z"
    assert "extra" not in message


def test_an_absent_attribute_is_null_and_an_empty_linkage_is_not() -> None:
    """The column of a to-one relation holds an id, that of a to-many relation ids."""
    linkage: dict[str, Any] = {
        "contact": {"data": {"type": "contacts", "id": "7"}},
        "offers": {"data": [{"type": "offers", "id": "4"}, {"type": "offers", "id": "5"}]},
        "products": {"data": []},
    }
    customer = build(Customer, {"mood": "fine"}, relationships=linkage)
    columns = columns_of(Customer)
    cells = dict(zip((column.name for column in columns), cells_of(customer, columns), strict=True))
    known = {name: cell for name, cell in cells.items() if cell is not None}
    assert known == {
        "id": "1",
        "contact_id": "7",
        "offer_ids": ["4", "5"],
        "product_ids": [],
        "extra": {"mood": "fine"},
    }
    assert {column.kind for column in columns if column.name not in known} >= {Kind.TEXT, Kind.TIME, Kind.DECIMAL}


@pytest.mark.parametrize("columns", [columns_of(Contact), columns_of(Contact, ["name"]), OTHER_COLUMNS])
def test_the_cells_of_a_page_are_those_of_each_row(columns: tuple[Column, ...]) -> None:
    """Also if some rows lack an attribute, or have a value of another form or one that no column holds."""
    tags: dict[str, Any] = {"tags": {"data": [{"type": "contact_tags", "id": "4"}]}, "customer": {"data": None}}
    rows = [
        build(Contact, {"name": "Ada", "created_at": TIME, "subscribed": True, "mood": 1}, relationships=tags, id="1"),
        build(Contact, {"name": None, "custom_1": "blue"}, relationships={"tags": {"links": {}}}, id="2"),
        build(Contact, id="3"),
    ]
    unreadable = build(Contact, {"name": []}, id="4")
    assert cells_of_each(rows, columns) == [tuple(cells_of(row, columns)) for row in rows]
    *found, error = cells_of_each([*rows, unreadable], columns)
    assert found == [cells_of(row, columns) for row in rows]
    with pytest.raises(UnfitCellError) as alone:
        cells_of(unreadable, columns)
    assert (type(error), str(error)) == (UnfitCellError, str(alone.value))
    assert list(cells_of_each([], columns)) == []


def test_what_a_list_is_sorted_by_is_a_key_that_it_has() -> None:
    """By created_at if the list has it, so that new rows come last."""
    classes: dict[str, Any] = {cls.name: cls for cls in every_resource() if cls.name in SORTED_BY}
    assert set(classes) == set(SORTED_BY)
    for name, key in SORTED_BY.items():
        assert key in classes[name].sort_keys
        assert (key == "created_at") == ("created_at" in classes[name].sort_keys)


async def test_values_arrive_as_their_types(api: Kajabi, fake: FakeKajabi, tmp_path: Path) -> None:
    """Times in UTC to the microsecond, decimals exact, null and absent as null, unknown attributes as JSON."""
    attributes = {
        "name": 'Zoë, "the\n first"',
        "net_revenue": "1234567890.123456789",
        "sign_in_count": 2**63 - 1,
        "created_at": TIME,
        "external_user_id": None,
        "socials": {"twitter": "https://x.example/z", "linkedin": "https://l.example/z"},
        "loyalty": {"level": 3},
    }
    linkage: dict[str, Any] = {
        "offers": {"data": [{"type": "offers", "id": "1"}]},
        "products": {"data": []},
        "contact": {"data": None},
    }
    fake.add({"type": "customers", "id": "351", "attributes": attributes, "relationships": linkage})
    path = tmp_path / "customers.parquet"
    await export(api.customers.list(), path)
    columns = "name, net_revenue, sign_in_count, created_at::TIMESTAMP::VARCHAR, external_user_id, email, socials, "
    row = query(
        f"SELECT {columns} extra, offer_ids, product_ids, contact_id FROM read_parquet(?) WHERE id = '351'", path
    )[0]
    assert row[:6] == (
        attributes["name"],
        Decimal("1234567890.123456789"),
        2**63 - 1,
        "2026-08-03 01:26:32.995",
        None,
        None,
    )
    named = {"twitter": "https://x.example/z", "facebook": None, "instagram": None}
    assert json.loads(row[6]) == {**named, "linkedin": "https://l.example/z"}
    assert json.loads(row[7]) == {"loyalty": {"level": 3}}
    assert row[8:] == (["1"], [], None)


async def test_absent_linkage_is_null_and_not_empty(api: Kajabi, tmp_path: Path) -> None:
    """Lists have only links for the offers of customers unless they are included (API document)."""
    path = tmp_path / "customers.parquet"
    await export(api.customers.list(), path)
    assert query("SELECT count(*) FROM read_parquet(?) WHERE offer_ids IS NULL", path) == [(350,)]
    await export(api.customers.list(include="offers"), path)
    assert query("SELECT count(*) FROM read_parquet(?) WHERE offer_ids IS NULL", path) == [(0,)]


async def test_amounts_and_times_inside_an_object_are_text(api: Kajabi, fake: FakeKajabi, tmp_path: Path) -> None:
    """JSON has neither type; null stays null and unknown members are unchanged."""
    transaction = {"amount": "12.50", "created_at": TIME, "offer_ids": [7], "fee": None, "note": {"a": [1]}}
    payout = {"type": "kajabi_payments_payouts", "id": "p-1", "attributes": {"transactions": [transaction]}}
    fake.add(payout)
    path = tmp_path / "payouts.jsonl"
    await export(api.payouts.list(site_id=1), path)
    rows = {row["id"]: row for row in map(json.loads, path.read_text().splitlines())}
    (message,) = rows["p-1"]["transactions"]
    assert {name: message[name] for name in ("amount", "created_at", "offer_ids", "fee", "note")} == {
        "amount": "12.50",
        "created_at": "2026-08-03T01:26:32.995000Z",
        "offer_ids": ["7"],
        "fee": None,
        "note": {"a": [1]},
    }


@pytest.mark.parametrize(
    ("attribute", "kind"),
    [
        ({"sign_in_count": 2**63}, "integer"),
        ({"net_revenue": "0.1234567891"}, "decimal"),
        ({"net_revenue": "1e29"}, "decimal"),
    ],
)
async def test_a_value_beyond_its_column_is_reported_and_costs_its_row_alone(
    attribute: dict[str, Any], kind: str, api: Kajabi, fake: FakeKajabi, tmp_path: Path
) -> None:
    """It is never rounded or cut; the report names resource and column."""
    fake.add({"type": "customers", "id": "351", "attributes": attribute})
    report = await export(api.customers.list(), tmp_path / "customers.jsonl")
    assert (report.rows, report.malformed, report.lacking) == (350, 1, 0)
    assert f"customers 351.{next(iter(attribute))} fits no {kind} column" in report.warnings[0]


async def test_a_malformed_row_is_reported_and_costs_itself_alone(
    api: Kajabi, fake: FakeKajabi, tmp_path: Path
) -> None:
    """The report has its position and the problem."""
    fake.add({"type": "customers", "id": "351", "attributes": {"created_at": "yesterday"}})
    strict = Kajabi(
        client_id=fake.client_id, client_secret=fake.client_secret, base_url=fake.base_url, site_id="1", strict=True
    )
    async with strict:
        report = await export(strict.customers.list(), tmp_path / "customers.jsonl")
    assert (report.rows, report.malformed) == (350, 1)
    assert "data[50].attributes.created_at" in report.problems[0]
    report = await export(api.customers.list(), tmp_path / "again.jsonl")
    assert (report.rows, report.malformed) == (350, 1)
    assert "customers 351 came with 'created_at' that cannot be read" in report.problems[0]
    assert report.problems[0].endswith(" at /attributes/created_at")
    assert "yesterday" not in report.problems[0]


async def test_an_unreadable_attribute_that_is_not_requested_costs_nothing(
    api: Kajabi, fake: FakeKajabi, tmp_path: Path
) -> None:
    """No column has it."""
    fake.add({"type": "customers", "id": "351", "attributes": {"created_at": "yesterday", "name": "Ada"}})
    report = await export(api.customers.list(fields={"customers": ["name"]}), tmp_path / "customers.jsonl")
    assert (report.rows, report.malformed) == (351, 0)


@pytest.mark.parametrize("columns", [columns_of(Contact), OTHER_COLUMNS], ids=["own", "other"])
@pytest.mark.parametrize("attributes", [{"name": []}, {"custom_2": []}, {"custom_1": "blue", "custom_2": []}])
def test_an_unreadable_attribute_is_never_written_as_null(
    columns: tuple[Column, ...], attributes: dict[str, Any]
) -> None:
    """It costs the row, which is counted and reported."""
    with pytest.raises(UnfitCellError, match="that cannot be read"):
        cells_of(build(Contact, attributes), columns)


async def test_included_resources_have_files_of_their_own(api: Kajabi, fake: FakeKajabi, tmp_path: Path) -> None:
    """One for each type, with each resource once, empty if there is none; the ids connect them to the rows."""
    path = tmp_path / "customers.parquet"
    report = await export(api.customers.list(include=("offers", "contact")), path)
    offers, contacts = tmp_path / "customers.offers.parquet", tmp_path / "customers.contacts.parquet"
    assert report.paths == (path, offers, contacts)
    assert report.related["contacts"] == 350
    held = "SELECT DISTINCT unnest(offer_ids) FROM read_parquet(?)"
    assert query(f"({held}) EXCEPT SELECT id FROM read_parquet(?)", path, offers) == []
    assert query(f"SELECT id FROM read_parquet(?) EXCEPT ({held})", offers, path) == []
    assert query("SELECT count(*), count(DISTINCT id) FROM read_parquet(?)", contacts) == [(350, 350)]
    empty = tmp_path / "empty.parquet"
    report = await export(api.contacts.list(include="tags", has_tag_id=999), empty)
    assert (report.rows, report.related) == (0, {})
    assert query("SELECT id, name FROM read_parquet(?)", tmp_path / "empty.contact_tags.parquet") == []
