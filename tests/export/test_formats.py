"""Every format returns the same rows."""

import csv
import io
import json
import re
import sys
from datetime import date, datetime
from decimal import Decimal
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import Any

import pytest
from pyarrow import ipc, parquet  # pyright: ignore[reportMissingTypeStubs]  # it ships none

import kajabi_async.export as package
from kajabi_async import ConfigurationError, InvalidArgumentError, Kajabi
from kajabi_async.export import export
from kajabi_async.export.columns import Column, Kind
from kajabi_async.export.formats import CsvWriter, arrow_module, format_for, open_writer
from kajabi_async.testing import FakeKajabi
from tests.export.conftest import query

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
    """One object per line with every column, and no other line breaks."""
    await _with_awkward_names(fake)
    path = tmp_path / "customers.jsonl"
    await export(api.customers.list(include="offers"), path)
    rows = [json.loads(line) for line in path.read_text("utf-8").split("\n")[:-1]]
    assert [row["name"] for row in rows[350:]] == AWKWARD
    assert len({tuple(row) for row in rows}) == 1
    assert isinstance(rows[0]["offer_ids"], list)
    assert rows[350]["net_revenue"] == "12.50"


async def test_csv_keeps_every_value(api: Kajabi, fake: FakeKajabi, tmp_path: Path) -> None:
    """The readers of Python and DuckDB return the same text; lists are JSON."""
    await _with_awkward_names(fake)
    path = tmp_path / "customers.csv"
    await export(api.customers.list(include="offers"), path)
    with path.open(encoding="utf-8", newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert [row["name"] for row in rows[350:]] == AWKWARD
    assert isinstance(json.loads(rows[0]["offer_ids"]), list)
    read = (
        "SELECT name FROM read_csv(?, header = true, all_varchar = true, allow_quoted_nulls = false, new_line = '\\n')"
    )
    assert [name for (name,) in query(read, path)[350:]] == AWKWARD


async def test_every_format_has_the_same_rows(api: Kajabi, tmp_path: Path) -> None:
    """Parquet, Arrow, JSON lines and CSV, compared as text."""
    for suffix in ("parquet", "arrow", "jsonl", "csv"):
        await export(api.contacts.list(include="tags"), tmp_path / f"contacts.{suffix}")
    chosen = "SELECT id, name, email, subscribed, address_zip, customer_id, created_at::TIMESTAMPTZ::TIMESTAMP"
    parquet = query(f"{chosen} FROM read_parquet(?) ORDER BY id", tmp_path / "contacts.parquet")
    text = "types = {'id': 'VARCHAR', 'customer_id': 'VARCHAR', 'address_zip': 'VARCHAR'}"
    assert query(f"{chosen} FROM read_csv(?, {text}) ORDER BY id", tmp_path / "contacts.csv") == parquet
    lines = query(
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
        ("+cmd|' /C calc'!A0", "\"'+cmd|' /C calc'!A0\""),
        ("-2+A1", "'-2+A1"),
        ("\t=1", "\"'\t'=1\""),
        ("x;=cmd", '"x;\'=cmd"'),
        ("\uff1dcmd", "'\uff1dcmd"),
        ("'=1", "''=1"),
        ("+1 (555) 019-0001", "+1 (555) 019-0001"),
        ("-5", "-5"),
        ("'tis", "'tis"),
        ("a=b", "a=b"),
    ],
)
def test_text_that_a_spreadsheet_would_run_is_made_harmless(text: str, written: str, tmp_path: Path) -> None:
    """By an apostrophe, which can be removed again; telephone numbers and negative numbers are unchanged."""
    path = tmp_path / "one.csv"
    writer = CsvWriter(path.open("wb"), (Column("name", Kind.TEXT, lambda _resource: None),))
    writer.write([[text]])
    writer.close()
    assert path.read_text("utf-8") == f"name\n{written}\n"


_COLUMNS = tuple(
    Column(name, kind, lambda _resource: None)
    for name, kind in {
        "id": Kind.TEXT,
        "a, b": Kind.TEXT,
        "count": Kind.INTEGER,
        "share": Kind.NUMBER,
        "in": Kind.BOOLEAN,
        "at": Kind.TIME,
        "day": Kind.DATE,
        "amount": Kind.DECIMAL,
        "tags": Kind.TEXTS,
        "extra": Kind.JSON,
    }.items()
)
_TIME = "2026-08-03T01:26:32.995000Z"
_FULL: list[Any] = ["1", 'Zoë "Z"', 5, 0.5, True, _TIME, "2026-08-03", "12.50", ["a", "b"], {"é": [1, None]}]
_EMPTY: list[Any] = ["2", "", None, None, None, None, None, None, [], "text"]


def _written(path: Path, chosen: str, *batches: list[list[Any]]) -> Path:
    writer = open_writer(path.open("xb"), _COLUMNS, chosen)
    for batch in batches:
        writer.write(batch)
    writer.close()
    return path


def test_csv_is_written_to_the_letter(tmp_path: Path) -> None:
    """Null is an empty cell and empty text is quoted; JSON is compact, with the quotes of its texts doubled."""
    path = _written(tmp_path / "a.csv", "csv", [_FULL], [_EMPTY])
    assert path.read_bytes().decode("utf-8").split("\n") == [
        'id,"a, b",count,share,in,at,day,amount,tags,extra',
        f'1,"Zoë ""Z""",5,0.5,true,{_TIME},2026-08-03,12.50,"[""a"",""b""]","{{""é"":[1,null]}}"',
        '2,"",,,,,,,[],"""text"""',
        "",
    ]


@pytest.mark.parametrize("text", [" a", "a ", "a\tb", "a,b", 'a"b', "a\nb", "a\rb", "", "a\r\nb", "a b"])
def test_a_cell_of_csv_is_quoted_if_a_reader_would_change_it(text: str, tmp_path: Path) -> None:
    """Leading and trailing white space, separators, quotes and line ends are quoted; plain text is not."""
    row: list[Any] = ["1", text, *[None] * 8]
    path = _written(tmp_path / "a.csv", "csv", [row])
    written = path.read_bytes().decode("utf-8").partition("\n")[2]
    is_plain = text == "a b"
    assert written == f"1,{text if is_plain else chr(34) + text.replace(chr(34), chr(34) * 2) + chr(34)},,,,,,,,\n"


def test_json_in_a_column_is_spelt_alike_in_every_format(tmp_path: Path) -> None:
    """Numbers as Python prints them: the text of a column may be compared, or hashed."""
    value = {"large": 1e16, "small": 1e-07, "whole": 10**30, "text": "é"}
    spelt = '{"large":1e+16,"small":1e-07,"whole":1000000000000000000000000000000,"text":"é"}'
    row: list[Any] = ["1", *[None] * 8, value]
    reader: Any = parquet
    opener: Any = ipc
    with opener.open_file(str(_written(tmp_path / "a.arrow", "arrow", [row]))) as file:
        assert file.read_all().to_pylist()[0]["extra"] == spelt
    assert reader.read_table(_written(tmp_path / "a.parquet", "parquet", [row])).to_pylist()[0]["extra"] == spelt
    assert f'"extra":{spelt}}}' in _written(tmp_path / "a.jsonl", "jsonl", [row]).read_text("utf-8")


def test_json_lines_are_written_to_the_letter(tmp_path: Path) -> None:
    """One compact object per line with every column, text unescaped."""
    path = _written(tmp_path / "a.jsonl", "jsonl", [_FULL], [_EMPTY])
    first = (
        f'{{"id":"1","a, b":"Zoë \\"Z\\"","count":5,"share":0.5,"in":true,"at":"{_TIME}","day":"2026-08-03",'
        '"amount":"12.50","tags":["a","b"],"extra":{"é":[1,null]}}'
    )
    second = (
        '{"id":"2","a, b":"","count":null,"share":null,"in":null,"at":null,"day":null,"amount":null,"tags":[],'
        '"extra":"text"}'
    )
    assert path.read_bytes().decode("utf-8") == f"{first}\n{second}\n"


def _table_and_sizes(path: Path, chosen: str) -> tuple[Any, list[int]]:
    """Return the content of a file, and the rows in each of its record batches or row groups."""
    opener: Any = ipc
    reader: Any = parquet
    if chosen == "arrow":
        with opener.open_file(str(path)) as file:
            batches = range(file.num_record_batches)
            return file.read_all(), [file.get_batch(number).num_rows for number in batches]
    with reader.ParquetFile(path) as file:
        groups = [file.metadata.row_group(number) for number in range(file.num_row_groups)]
        assert {group.column(0).compression for group in groups} <= {"ZSTD"}
        return file.read(), [group.num_rows for group in groups]


@pytest.mark.parametrize("chosen", ["parquet", "arrow"])
@pytest.mark.parametrize("rows", [0, 1, 10_000, 20_500])
def test_arrow_has_ten_thousand_rows_in_a_group(chosen: str, rows: int, tmp_path: Path) -> None:
    """Readers skip and decode by groups; what is written comes in smaller batches."""
    all_rows = [[str(number), *_EMPTY[1:]] for number in range(rows)]
    batches = [all_rows[first : first + 500] for first in range(0, rows, 500)]
    table, sizes = _table_and_sizes(_written(tmp_path / "a", chosen, *batches), chosen)
    assert sizes == [10_000] * (rows // 10_000) + [rows % 10_000] * bool(rows % 10_000)
    assert table["id"].to_pylist() == [row[0] for row in all_rows]


@pytest.mark.parametrize("chosen", ["parquet", "arrow"])
def test_arrow_holds_each_kind_as_its_type(chosen: str, tmp_path: Path) -> None:
    """JSON is text."""
    table, _ = _table_and_sizes(_written(tmp_path / "a", chosen, [_FULL], [_EMPTY], []), chosen)
    assert {field.name: str(field.type) for field in table.schema} == {
        "id": "string",
        "a, b": "string",
        "count": "int64",
        "share": "double",
        "in": "bool",
        "at": "timestamp[us, tz=UTC]",
        "day": "date32[day]",
        "amount": "decimal128(38, 9)",
        "tags": "list<element: string>" if chosen == "parquet" else "list<item: string>",
        "extra": "string",
    }
    full, empty = table.to_pylist()
    assert list(full.values()) == [
        *("1", 'Zoë "Z"', 5, 0.5, True),
        *(datetime.fromisoformat(_TIME), date(2026, 8, 3), Decimal("12.500000000"), ["a", "b"], '{"é":[1,null]}'),
    ]
    assert list(empty.values()) == [*_EMPTY[:-1], '"text"']


@pytest.mark.parametrize("chosen", ["parquet", "arrow"])
def test_what_needs_pyarrow_says_so(chosen: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the package to install and the formats that work without it."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.delitem(sys.modules, "kajabi_async.export.arrow", raising=False)
    monkeypatch.delattr(package, "arrow", raising=False)
    message = rf"^{chosen} files need pyarrow: pip install 'kajabi-async\[arrow\]', or export to jsonl or csv$"
    with pytest.raises(ConfigurationError, match=message):
        format_for(tmp_path / f"a.{chosen}", None)
    with pytest.raises(ConfigurationError, match=message):
        open_writer(io.BytesIO(), _COLUMNS, chosen)
    assert format_for(tmp_path / "a.csv", "jsonl") == "jsonl"


def test_another_module_that_is_missing_is_no_lack_of_pyarrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Installing pyarrow would not help."""

    class Finder(MetaPathFinder):
        def find_spec(self, fullname: str, *_: object) -> None:
            if fullname == "kajabi_async.export.arrow":
                raise ModuleNotFoundError("No module named 'x'", name="x")

    monkeypatch.setattr(sys, "meta_path", [Finder(), *sys.meta_path])
    monkeypatch.delitem(sys.modules, "kajabi_async.export.arrow", raising=False)
    monkeypatch.delattr(package, "arrow", raising=False)
    with pytest.raises(ModuleNotFoundError, match="'x'"):
        arrow_module("this")


@pytest.mark.parametrize(
    ("name", "asked_for", "message"),
    [
        ("a.xlsx", None, "the suffix '.xlsx' of a.xlsx is unknown"),
        ("a", None, "a has no suffix"),
        ("a.csv", "excel", "format 'excel' is unknown"),
        ("a.csv", "", "format '' is unknown"),
        ("a.csv", ".csv", "format '.csv' is unknown"),
    ],
)
def test_an_unknown_format_is_reported_with_the_known_ones(name: str, asked_for: str | None, message: str) -> None:
    """By suffix and by name."""
    known = r"\.parquet, \.arrow, \.feather, \.jsonl, \.ndjson, \.csv, or set the format .* parquet, arrow, jsonl, csv$"
    with pytest.raises(InvalidArgumentError, match=rf"^{re.escape(message)}: end the file in {known}"):
        format_for(Path(name), asked_for)


@pytest.mark.parametrize(
    ("name", "chosen"),
    [("a.PARQUET", "parquet"), ("a.feather", "arrow"), ("a.ndjson", "jsonl"), ("a.b.csv", "csv")],
)
def test_the_suffix_says_the_format(name: str, chosen: str) -> None:
    """In upper and lower case; an explicit format takes precedence."""
    assert format_for(Path(name), None) == chosen
    assert format_for(Path(name), "jsonl") == "jsonl"
