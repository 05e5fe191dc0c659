"""The server chooses the types of included resources, but not the names of files."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from kajabi_async import Kajabi
from kajabi_async.escaping.spreadsheet import unescape_cell
from kajabi_async.export import export
from kajabi_async.testing import FakeKajabi

HOSTILE = [
    "../../evil",
    "..",
    "a\0b",
    "a\x1b[31m",
    "a" * 300,
    "backup",
    "Offers",
    "OFFERS",
    "other",
    "",
    "\u202e",
    "a\nb",
]


def page(types: list[str]) -> dict[str, Any]:
    included = [{"type": each, "id": "1", "attributes": {"x": f"is {each}"}} for each in types]
    return {"data": [{"type": "customers", "id": "1", "attributes": {"name": "Ada"}}], "included": included}


def names_in(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir()}


async def test_no_type_from_the_server_names_a_file(api: Kajabi, fake: FakeKajabi, tmp_path: Path) -> None:
    """Types that were not requested are kept in one file, with their names; other files are not touched."""
    folder = tmp_path / "exports"
    folder.mkdir()
    (folder / "customers.backup.csv").write_text("precious")
    fake.answer_with("GET", "/v1/customers", body=page([each for each in HOSTILE if each]))
    report = await export(api.customers.list(include="offers"), folder / "customers.csv")
    names = {"customers.csv", "customers.offers.csv", "customers.other.csv", "customers.backup.csv"}
    assert names_in(folder) == names
    assert names_in(tmp_path) == {"exports"}
    assert (folder / "customers.backup.csv").read_text() == "precious"
    assert report.related == {"other": len(HOSTILE) - 1}
    with (folder / "customers.other.csv").open(encoding="utf-8", newline="") as opened:
        rows = [(unescape_cell(row["type"]), json.loads(row["attributes"])) for row in csv.DictReader(opened)]
    assert rows == [(each, {"x": f"is {each}"}) for each in HOSTILE if each]


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet", "arrow"])
async def test_three_thousand_types_make_one_file(suffix: str, api: Kajabi, fake: FakeKajabi, tmp_path: Path) -> None:
    """And one entry of the report; the same id under two types is two resources."""
    fake.answer_with("GET", "/v1/customers", body=page([f"t{number}" for number in range(3000)]))
    report = await export(api.customers.list(include="offers"), tmp_path / f"c.{suffix}")
    assert report.related == {"other": 3000}
    assert len(names_in(tmp_path)) == 3


async def test_a_known_type_that_was_not_requested_has_no_file_of_its_own(
    api: Kajabi, fake: FakeKajabi, tmp_path: Path
) -> None:
    """It would replace the file of an export that requested it."""
    (tmp_path / "c.products.jsonl").write_text("from another export")
    fake.answer_with("GET", "/v1/customers", body=page(["products"]))
    report = await export(api.customers.list(include="offers"), tmp_path / "c.jsonl")
    assert report.related == {"other": 1}
    assert (tmp_path / "c.products.jsonl").read_text() == "from another export"
    (row,) = [json.loads(line) for line in (tmp_path / "c.other.jsonl").read_text().splitlines()]
    assert (row["type"], row["id"]) == ("products", "1")
