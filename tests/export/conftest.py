"""A fake to export from, a client for it, and queries of the files with DuckDB."""

from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pytest_asyncio

from kajabi_async import Kajabi
from kajabi_async.testing import FakeKajabi


@pytest_asyncio.fixture
async def fake() -> AsyncIterator[FakeKajabi]:
    async with FakeKajabi(customers=350) as server:
        yield server


@pytest_asyncio.fixture
async def api(fake: FakeKajabi) -> AsyncIterator[Kajabi]:
    async with client_of(fake) as client:
        yield client


def client_of(fake: FakeKajabi) -> Kajabi:
    return Kajabi(client_id=fake.client_id, client_secret=fake.client_secret, base_url=fake.base_url)


@cache
def _connection() -> duckdb.DuckDBPyConnection:
    """Return the one connection, as making one takes longer than most queries; it keeps nothing of a file."""
    connection = duckdb.connect(config={"threads": 1, "enable_external_file_cache": False})
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def query(statement: str, *paths: Path) -> list[tuple[Any, ...]]:
    """Run a query in DuckDB; each ``?`` in *statement* is the path of a file."""
    return _connection().execute(statement, [str(path) for path in paths]).fetchall()


def ids_in(path: Path) -> list[str]:
    return [
        row[0] for row in query("SELECT id FROM read_parquet(?, file_row_number = true) ORDER BY file_row_number", path)
    ]
