"""A list as record batches."""

from typing import Any

import duckdb
import pyarrow  # noqa: ICN001 - as users may write it  # pyright: ignore[reportMissingTypeStubs]
import pytest

from kajabi_async import DecodeError, InvalidArgumentError, Kajabi
from kajabi_async.export import record_batches
from kajabi_async.testing import FakeKajabi

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


async def test_an_empty_list_gives_no_batch(api: Kajabi) -> None:
    """It has no batch; a size below one is rejected."""
    assert [batch async for batch in record_batches(api.contacts.list(has_tag_id=999))] == []
    with pytest.raises(InvalidArgumentError, match="rows"):
        record_batches(api.customers.list(), rows=0)
    assert (await anext(record_batches(api.customers.list(), rows=1))).num_rows == 1
