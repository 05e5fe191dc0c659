"""A list as record batches."""

import importlib
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import duckdb
import pyarrow  # noqa: ICN001 - as users may write it  # pyright: ignore[reportMissingTypeStubs]
import pytest

import kajabi_async.export as package
from kajabi_async import ConfigurationError, Customer, DecodeError, InvalidArgumentError, Kajabi, Offer
from kajabi_async.export import record_batches
from kajabi_async.testing import FakeKajabi
from tests.models.building import build

_pyarrow: Any = pyarrow


async def test_a_list_becomes_a_table(api: Kajabi) -> None:
    """In batches of the requested size; DuckDB reads the table from memory."""
    batches = [batch async for batch in record_batches(api.customers.list(), rows=100)]
    assert [batch.num_rows for batch in batches] == [100, 100, 100, 50]
    customers = _pyarrow.Table.from_batches(batches)
    found = duckdb.execute("SELECT count(DISTINCT id), count(net_revenue) > 300 FROM customers").fetchall()
    assert found == [(350, True)]
    assert customers.schema.field("net_revenue").type == _pyarrow.decimal128(38, 9)


async def test_a_malformed_row_is_raised_and_the_rest_comes(api: Kajabi, fake: FakeKajabi) -> None:
    """As with any list, the same iterator goes on after it."""
    fake.add({"type": "customers", "id": "351", "attributes": {"sign_in_count": 2**64}})
    fake.add({"type": "customers", "id": "352", "attributes": {"sign_in_count": "many"}})
    batches = record_batches(api.customers.list(sort="created_at"))
    for message in ("351.sign_in_count fits no integer column", "expected a whole number"):
        with pytest.raises(DecodeError, match=message):
            await anext(batches)
    assert (await anext(batches)).num_rows == 350
    with pytest.raises(StopAsyncIteration):
        await anext(batches)


async def test_an_empty_list_gives_the_columns(api: Kajabi) -> None:
    """One batch without rows, so that a table can be made of it; a size below one is rejected."""
    (batch,) = [batch async for batch in record_batches(api.contacts.list(has_tag_id=999))]
    assert batch.num_rows == 0
    assert batch.schema == (await anext(record_batches(api.contacts.list()))).schema
    with pytest.raises(InvalidArgumentError, match=r"^rows must be a whole number of at least 1 and .*, got 0$"):
        record_batches(api.customers.list(), rows=0)
    assert (await anext(record_batches(api.customers.list(), rows=1))).num_rows == 1


async def _tables(*sources: Any, **options: Any) -> list[Any]:
    return [
        _pyarrow.Table.from_batches([batch async for batch in record_batches(source, **options)]) for source in sources
    ]


async def test_any_iterable_of_resources_becomes_a_table(api: Kajabi) -> None:
    """A tuple, a generator, a page, an async generator: with the rows and columns that the list has."""

    async def each() -> AsyncIterator[Customer]:
        async for customer in api.customers.list():
            yield customer

    customers = await api.customers.list().collect()
    page = await anext(api.customers.list().pages())
    expected, *tables = await _tables(
        api.customers.list(), customers, list(customers), iter(customers), each(), rows=90
    )
    assert expected.num_rows == 350
    assert all(table.equals(expected) for table in tables)
    (first,) = await _tables(page)
    assert first.to_pylist() == expected.to_pylist()[: len(page)]


async def test_lookups_become_a_table(api: Kajabi) -> None:
    """Outcomes without a resource are left out, and a run knows its type even if it finds nothing."""
    found, nothing = await _tables(
        api.customers.get_many(["1", "2", "999"], ordered=True), api.customers.get_many(["999"])
    )
    assert found["id"].to_pylist() == ["1", "2"]
    assert (nothing.num_rows, nothing.schema) == (0, found.schema)
    outcomes = [lookup async for lookup in api.customers.get_many(["1", "999"])]
    (again,) = await _tables(outcomes)
    assert again["id"].to_pylist() == ["1"]


async def test_a_list_of_some_fields_has_their_columns_alone(api: Kajabi) -> None:
    """With the id, as in an export; another model than that of the list is rejected with the first row."""
    (table,) = await _tables(api.customers.list(fields={"customers": ["name", "offers"]}))
    assert table.schema.names == ["id", "name", "offer_ids"]
    assert table.num_rows == 350
    with pytest.raises(InvalidArgumentError, match="the columns of one type, Offer, got a Customer"):
        await _tables(api.customers.list(), model=Offer)


async def test_a_batch_has_ten_thousand_rows() -> None:
    """If no other number is requested."""
    customer = build(Customer, {"name": "Ada"})
    assert [batch.num_rows async for batch in record_batches([customer] * 10_001)] == [10_000, 1]


def test_without_pyarrow_nothing_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to install."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.delitem(sys.modules, "kajabi_async.export.arrow", raising=False)
    monkeypatch.delattr(package, "arrow", raising=False)
    with pytest.raises(ConfigurationError, match=r"^record batches need pyarrow: pip install"):
        record_batches([])


async def test_nothing_at_all_needs_a_type(api: Kajabi) -> None:
    """With it, the columns are there; without it, the error names the argument."""
    (table,) = await _tables([], model=Offer)
    (expected,) = await _tables(api.offers.list())
    assert (table.num_rows, table.schema) == (0, expected.schema)
    with pytest.raises(InvalidArgumentError, match="pass their class, such as model=Customer"):
        await _tables([])


async def test_times_are_timestamps_in_utc(api: Kajabi) -> None:
    """Whatever the zone that the server wrote."""
    (table,) = await _tables(await api.customers.list().collect(limit=50))
    customers = {each.id: each async for each in api.customers.list()}
    assert table.schema.field("created_at").type == _pyarrow.timestamp("us", tz="UTC")
    for row in table.to_pylist():
        assert row["created_at"] == customers[row["id"]].created_at
        assert row["created_at"].utcoffset() == timedelta(0)


async def test_what_is_no_resource_is_rejected(api: Kajabi) -> None:
    """And resources of two types, as a table has the columns of one."""
    customer = await api.customers.list().first()
    offer = await api.offers.list().first()
    wrong: Any = {"id": "1"}
    for source, problem in (
        (customer, "or an iterable of resources"),
        (5, "or an iterable of resources, got 5"),
        ("1", "or an iterable of resources, got '1'"),
        ([wrong], "made of resources or the outcomes of lookups, got {"),
        ([customer, offer], "the columns of one type, Customer, got a Offer"),
    ):
        with pytest.raises(InvalidArgumentError, match=problem):
            await _tables(source)
    with pytest.raises(InvalidArgumentError, match=r"^model must be a class of resources, such as Customer, got \{"):
        await _tables([], model=wrong)


@pytest.mark.parametrize("library", ["pandas", "polars"])
async def test_a_data_frame_is_made_of_the_table(library: str, api: Kajabi) -> None:
    """With times in UTC and amounts as decimals."""
    frames = importlib.import_module(library)
    (table,) = await _tables(api.customers.list())
    frame = table.to_pandas() if library == "pandas" else frames.from_arrow(table)
    assert len(frame) == 350
    assert "UTC" in str(frame["created_at"].dtype)
    assert sum(each is not None for each in frame["net_revenue"].to_list()) > 300
