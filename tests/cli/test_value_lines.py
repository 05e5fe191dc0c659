"""Files of ids as people have them: plain lines, and CSV as spreadsheets save it."""

import asyncio
import fcntl
import io
import json
import os
import termios
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

import attrs
import pytest

from kajabi_async.cli.value_lines import IDS
from kajabi_async.errors import ConfigurationError
from kajabi_async.testing import FakeKajabi
from tests.cli.conftest import Command
from tests.cli.processes import settings, started
from tests.cli.screens import on_terminal

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
    assert list(attrs.evolve(IDS, column=column).values(text.splitlines(keepends=True))) == expected


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
        list(attrs.evolve(IDS, column=column).values(text.splitlines(keepends=True)))


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
    text = IDS.text_of(values)
    assert list(IDS.values(io.StringIO(text, newline=""))) == values
    assert IDS.text_of(["1", "2"]) == "1\n2\n"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
async def test_a_file_from_a_spreadsheet_is_looked_up(encoding: str, kajabi: Command, tmp_path: Path) -> None:
    """Also as "Unicode text"; without the column the error says what to write."""
    path = tmp_path / "people.csv"
    path.write_text("Name\tCustomer\r\nAda\t1\r\nBob\t2\r\n", encoding=encoding, newline="")
    refused = await kajabi("customers", "lookup", str(path))
    assert (refused.code, "name one with --column; the first line has Name, Customer" in refused.err) == (2, True)
    done = await kajabi("customers", "lookup", str(path), "--column", "Customer")
    assert (done.code, sorted(json.loads(line)["id"] for line in done.lines)) == (0, ["1", "2"])


def _encoded(text: str, encoding: str) -> bytes:
    mark = {"utf-16-le-sig": b"\xff\xfe", "utf-16-be-sig": b"\xfe\xff"}.get(encoding, b"")
    return mark + text.encode(encoding.removesuffix("-sig") if mark else encoding)


@contextmanager
def _piped(data: bytes) -> Generator[TextIO]:
    """The end of a pipe that gets *data*: three single bytes, each when the one before was read, and the rest."""
    reading_end, writing_end = os.pipe()
    is_left = threading.Event()

    def write() -> None:
        with os.fdopen(writing_end, "wb", buffering=0) as pipe, suppress(BrokenPipeError):
            for at in range(3):
                pipe.write(data[at : at + 1])
                while any(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4))) and not is_left.wait(0.0005):
                    pass
            pipe.write(data[3:])

    writer = threading.Thread(target=write)
    with os.fdopen(reading_end, encoding="utf-8") as stream:
        writer.start()
        try:
            yield stream
        finally:
            is_left.set()
    writer.join()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-sig", "utf-16-be-sig"])
@pytest.mark.parametrize("text", ["1\r\n2\r\n", "id,name\r\n1,Ada\r\n2,Bob\r\n", "1\n2"])
async def test_standard_input_is_read_as_a_file_is(encoding: str, text: str, kajabi: Command) -> None:
    """In any encoding that a spreadsheet saves, and byte by byte."""
    with _piped(_encoded(text, encoding)) as stdin:
        done = await kajabi("customers", "lookup", "-", given=stdin)
    assert done.code == 0, done.err
    assert sorted(json.loads(line)["id"] for line in done.lines) == ["1", "2"]


async def test_a_process_reads_its_standard_input_in_any_encoding(fake: FakeKajabi) -> None:
    """As the command within another process does, which the tests above run."""
    process = await started("customers", "lookup", "-", stdin=asyncio.subprocess.PIPE, environment=settings(fake))
    out, err = await process.communicate(_encoded("id,name\r\n1,Ada\r\n2,Bob\r\n", "utf-16-be-sig"))
    assert process.returncode == 0, err
    assert sorted(json.loads(line)["id"] for line in out.splitlines()) == ["1", "2"]


@pytest.mark.parametrize(("data", "code"), [(b"", 0), (b"\xff", 2), (b"\xff\xfe", 0)])
async def test_empty_standard_input_has_no_ids(data: bytes, code: int, kajabi: Command) -> None:
    """Nor has the mark of an encoding alone."""
    with _piped(data) as stdin:
        done = await kajabi("customers", "lookup", "-", given=stdin)
    assert (done.code, done.out) == (code, ""), done.err


async def test_an_export_can_be_looked_up(kajabi: Command, tmp_path: Path) -> None:
    """Its column is called id."""
    path = tmp_path / "customers.csv"
    assert (await kajabi("export", "customers", "--out", str(path))).code == 0
    done = await kajabi("customers", "lookup", str(path))
    assert (done.code, len(done.lines)) == (0, 60)


async def test_progress_knows_the_number_of_ids_in_a_file(fake: FakeKajabi, tmp_path: Path) -> None:
    """If the rows go to a file; in a pipe there is no bar, as its reader may write to the same terminal."""
    path = tmp_path / "ids.csv"
    path.write_text("id,name\n" + "".join(f"{each},x\n" for each in range(1, 41)))
    rows = tmp_path / "rows"
    reading_end, writing_end = os.pipe()
    with os.fdopen(reading_end) as pipe:
        for out, has_bar in ((rows.open("w"), True), (os.fdopen(writing_end, "w"), False)):
            shown = await asyncio.to_thread(on_terminal, ("customers", "lookup", str(path)), settings(fake), out=out)
            assert ("/40" in shown.out) is has_bar
        for lines in (rows.read_text().splitlines(), pipe.readlines()):
            assert len({json.loads(line)["id"] for line in lines}) == 40
