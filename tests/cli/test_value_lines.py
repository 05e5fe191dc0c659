"""Files of ids as people have them: plain lines, and CSV as spreadsheets save it."""

import asyncio
import io
import json
from pathlib import Path

import pytest

from kajabi_async.cli.value_lines import text_of, values_in
from kajabi_async.errors import ConfigurationError
from kajabi_async.testing import FakeKajabi
from tests.cli.conftest import Command
from tests.cli.processes import COMMAND, on_terminal, settings, started

BOM = "\ufeff"


@pytest.mark.parametrize(
    ("text", "column", "expected"),
    [
        ("1\n2\n", None, ["1", "2"]),
        (f"{BOM}1\r\n2\r\n", None, ["1", "2"]),
        (f"{BOM}id\r\n1\r\n", None, ["1"]),
        ("# a, b\n1  # of March, and more\n\n2", None, ["1", "2"]),
        ('"1"\n"2"\n', None, ["1", "2"]),
        (f"{BOM}id,name\r\n1,Ada\r\n,\r\n2,\r\n", None, ["1", "2"]),
        ("Name;Customer ID\nAda;1\nBob;2\n", "customer id", ["1", "2"]),
        ('sep=;\nName;ID\n"Love;lace";1\n', "ID", ["1"]),
        ("name\tid\nAda\t1\n", None, ["1"]),
        ('id,note\n1,"two\nlines"\n2,x\n', None, ["1", "2"]),
        ("name,id\nAda,1\n", "2", ["1"]),
        ("1,Ada\n2,Bob\n", "1", ["1", "2"]),
        ("customer\n1\n2\n", "customer", ["1", "2"]),
        ("", None, []),
    ],
)
def test_values_are_read_from_lines_and_columns(text: str, column: str | None, expected: list[str]) -> None:
    """With or without a mark, a heading, quotes, comments, and whatever the separator is."""
    assert list(values_in(text.splitlines(keepends=True), column=column)) == expected


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        (
            "name,email\nAda,a@x\n",
            None,
            (
                "the lines have several columns, and none is called id: name one with --column; "
                "the first line has name, email"
            ),
        ),
        ("name,email\nAda,a@x\n", "id", "there is no column 'id': the first line has name, email"),
        ("name,email\nAda,a@x\n", "3", "there is no column '3'"),
    ],
)
def test_a_column_that_is_not_there_is_reported(text: str, column: str | None, message: str) -> None:
    """With those that are."""
    with pytest.raises(ConfigurationError, match=message):
        list(values_in(text.splitlines(keepends=True), column=column))


@pytest.mark.parametrize(
    "values",
    [
        ["1", "2"],
        ["ada@x.com, bob@x.com", "c@x.com"],
        ["id", "1"],
        ["sep=1", "2"],
        ["1", "2 # of May", '"3"', "4\n5"],
        ["#1"],
    ],
)
def test_what_is_left_of_a_file_is_read_again_as_it_was(values: list[str]) -> None:
    """Cells of CSV may hold what plain lines may not; plain values stay plain."""
    text = text_of(values)
    assert list(values_in(io.StringIO(text, newline=""))) == values
    assert text_of(["1", "2"]) == "1\n2\n"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
async def test_a_file_from_a_spreadsheet_is_looked_up(encoding: str, kajabi: Command, tmp_path: Path) -> None:
    """Also as "Unicode text"; without the column the error says what to write."""
    path = tmp_path / "people.csv"
    path.write_text("Name\tCustomer\r\nAda\t1\r\nBob\t2\r\n", encoding=encoding, newline="")
    refused = await kajabi("customers", "lookup", str(path))
    assert (refused.code, "name one with --column; the first line has Name, Customer" in refused.err) == (2, True)
    done = await kajabi("customers", "lookup", str(path), "--column", "Customer")
    assert (done.code, sorted(json.loads(line)["id"] for line in done.lines)) == (0, ["1", "2"])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-sig", "utf-16-be-sig"])
@pytest.mark.parametrize("text", ["1\r\n2\r\n", "id,name\r\n1,Ada\r\n2,Bob\r\n", "1\n2"])
async def test_standard_input_is_read_as_a_file_is(encoding: str, text: str, kajabi_fake: FakeKajabi) -> None:
    """In any encoding that a spreadsheet saves, and byte by byte."""
    mark = {"utf-16-le-sig": b"\xff\xfe", "utf-16-be-sig": b"\xfe\xff"}.get(encoding, b"")
    data = mark + text.encode(encoding.removesuffix("-sig") if mark else encoding)
    process = await started(
        "customers", "lookup", "-", stdin=asyncio.subprocess.PIPE, environment=settings(kajabi_fake)
    )
    assert process.stdin is not None
    for at in range(3):
        process.stdin.write(data[at : at + 1])
        await process.stdin.drain()
    out, err = await process.communicate(data[3:])
    assert process.returncode == 0, err
    assert sorted(json.loads(line)["id"] for line in out.splitlines()) == ["1", "2"]


async def test_empty_standard_input_has_no_ids(kajabi_fake: FakeKajabi) -> None:
    """Nor has the mark of an encoding alone."""
    for data in (b"", b"\xff", b"\xff\xfe"):
        process = await started(
            "customers", "lookup", "-", stdin=asyncio.subprocess.PIPE, environment=settings(kajabi_fake)
        )
        out, err = await process.communicate(data)
        assert (process.returncode, out) == (2 if data == b"\xff" else 0, b""), err


async def test_an_export_can_be_looked_up(kajabi: Command, tmp_path: Path) -> None:
    """Its column is called id."""
    path = tmp_path / "customers.csv"
    assert (await kajabi("export", "customers", "--out", str(path))).code == 0
    done = await kajabi("customers", "lookup", str(path))
    assert (done.code, len(done.lines)) == (0, 60)


@pytest.mark.needs("bash")
async def test_progress_knows_the_number_of_ids_in_a_file(kajabi_fake: FakeKajabi, tmp_path: Path) -> None:
    """If the rows go to a file; in a pipe there is no bar, as its reader may write to the same terminal."""
    path = tmp_path / "ids.csv"
    path.write_text("id,name\n" + "".join(f"{each},x\n" for each in range(1, 41)))
    for behind, has_bar in ((f"> {tmp_path}/rows", True), ("| head -3", False)):
        script = f"{' '.join(COMMAND)} customers lookup {path} {behind}"
        shown = await on_terminal("bash", "-c", script, environment=settings(kajabi_fake))
        assert ("/40" in shown.screen) is has_bar
        assert all(json.loads(line) for line in shown.screen.splitlines() if '"id"' in line)
