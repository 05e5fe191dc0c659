"""The same rows come back from every format."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from pyarrow import ipc  # pyright: ignore[reportMissingTypeStubs]  # it ships none

from kajabi_async import Kajabi
from kajabi_async.export import export
from kajabi_async.export.columns import Column, Kind
from kajabi_async.export.formats import CsvWriter, format_for
from kajabi_async.testing import FakeKajabi
from tests.export.conftest import asked

AWKWARD = [
    'Zoë, "the first"',
    "two\nlines",
    "",
    " ",
    "'quoted'",
    "\u2028",
    "null",
    "NULL",
    "a\r\nb",
    "tab\there",
    "\U0001f600",
]


async def _with_awkward_names(fake: FakeKajabi) -> None:
    for number, name in enumerate(AWKWARD, 351):
        fake.add({"type": "customers", "id": str(number), "attributes": {"name": name, "net_revenue": "12.50"}})


async def test_json_lines_keep_every_value(api: Kajabi, fake: FakeKajabi, tmp_path: Path) -> None:
    """One object to a line with every column, and nothing else is a line break."""
    await _with_awkward_names(fake)
    path = tmp_path / "customers.jsonl"
    await export(api.customers.list(include="offers"), path)
    rows = [json.loads(line) for line in path.read_text("utf-8").split("\n")[:-1]]
    assert [row["name"] for row in rows[350:]] == AWKWARD
    assert len({tuple(row) for row in rows}) == 1
    assert isinstance(rows[0]["offers_ids"], list)
    assert rows[350]["net_revenue"] == "12.50"


async def test_csv_keeps_every_value(api: Kajabi, fake: FakeKajabi, tmp_path: Path) -> None:
    """Python's reader and DuckDB's give the same text back; lists are JSON."""
    await _with_awkward_names(fake)
    path = tmp_path / "customers.csv"
    await export(api.customers.list(include="offers"), path)
    with path.open(encoding="utf-8", newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert [row["name"] for row in rows[350:]] == AWKWARD
    assert isinstance(json.loads(rows[0]["offers_ids"]), list)
    read = (
        "SELECT name FROM read_csv(?, header = true, all_varchar = true, allow_quoted_nulls = false, new_line = '\\n')"
    )
    assert [name for (name,) in asked(read, path)[350:]] == AWKWARD


async def test_every_format_has_the_same_rows(api: Kajabi, tmp_path: Path) -> None:
    """Parquet, Arrow, JSON lines and CSV, compared as text."""
    for suffix in ("parquet", "arrow", "jsonl", "csv"):
        await export(api.contacts.list(include="tags"), tmp_path / f"contacts.{suffix}")
    chosen = "SELECT id, name, email, subscribed, address_zip, customer_id, created_at::TIMESTAMPTZ::TIMESTAMP"
    parquet = asked(f"{chosen} FROM read_parquet(?) ORDER BY id", tmp_path / "contacts.parquet")
    text = "types = {'id': 'VARCHAR', 'customer_id': 'VARCHAR', 'address_zip': 'VARCHAR'}"
    assert asked(f"{chosen} FROM read_csv(?, {text}) ORDER BY id", tmp_path / "contacts.csv") == parquet
    lines = asked(
        f"{chosen} FROM read_json(?, format = 'nd', sample_size = -1) ORDER BY id", tmp_path / "contacts.jsonl"
    )
    assert lines == parquet
    opener: Any = ipc
    with opener.open_file(str(tmp_path / "contacts.arrow")) as reader:
        table = reader.read_all().sort_by("id").select(["id", "name", "email", "subscribed", "address_zip"])
    assert [tuple(row.values()) for row in table.to_pylist()] == [row[:5] for row in parquet]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("-2+A1", "'-2+A1"),
        ("\t=1", "'\t=1"),
        ("'=1", "''=1"),
        ("+1 (555) 019-0001", "+1 (555) 019-0001"),
        ("-5", "-5"),
        ("'tis", "'tis"),
        ("a=b", "a=b"),
    ],
)
def test_text_that_a_spreadsheet_would_run_is_made_harmless(text: str, written: str, tmp_path: Path) -> None:
    """With an apostrophe in front, which can be taken off again; telephone numbers and negative ones stay."""
    path = tmp_path / "one.csv"
    writer = CsvWriter(path, (Column("name", Kind.TEXT, lambda _resource: None),))
    writer.write([[text]])
    writer.close()
    assert path.read_text("utf-8") == f"name\n{written}\n"


@pytest.mark.parametrize(
    ("name", "chosen"),
    [("a.PARQUET", "parquet"), ("a.feather", "arrow"), ("a.ndjson", "jsonl"), ("a.b.csv", "csv")],
)
def test_the_suffix_says_the_format(name: str, chosen: str) -> None:
    """In either case; a format that is named wins over it."""
    assert format_for(Path(name), None) == chosen
    assert format_for(Path(name), "jsonl") == "jsonl"
