"""No cell runs as a formula, and each can be read back."""

import csv
import io
import json
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kajabi_async.escaping.spreadsheet import escape_cell, escape_json_cell, unescape_cell
from tests.drawing import examples
from tests.escaping.hostile import HOSTILE

RUNS = re.compile(r"[\"'\s]*(?<!')(?:[=@\uff1d\uff20]|[+\-\uff0b\uff0d](?![0-9 ().+\-\"]*\Z))")
STRICT = ",;|:^~\t"


def cells_read(line: str, separator: str) -> list[str]:
    return [cell for row in csv.reader(io.StringIO(line, newline=""), delimiter=separator) for cell in row]


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("x;=cmd|' /C calc'!A0", "x;'=cmd|' /C calc'!A0"),
        ("x,@SUM(1)", "x,'@SUM(1)"),
        ("x\t-2+cmd", "x\t'-2+cmd"),
        ('x;"=1+1"', 'x;"\'=1+1"'),
        ("one\n=two", "one\n'=two"),
        ("  =1", "  '=1"),
        ("\t=1", "'\t'=1"),
        ("\uff1dcmd", "'\uff1dcmd"),
        ("x;\uff0bcmd", "x;'\uff0bcmd"),
        ("'=1", "''=1"),
        ("x =cmd", "x '=cmd"),
        ("+49 (0) 30-1234", "+49 (0) 30-1234"),
        ("a@example.com", "a@example.com"),
        ("Jean - Paul", "Jean - Paul"),
        ("Anne-Marie", "Anne-Marie"),
        ("1+1=2", "1+1=2"),
        ("a\x1b[2Jb\x9b", r"a\x1b[2Jb\x9b"),
        (r"\x1b", r"\\x1b"),
    ],
)
def test_a_cell_is_no_formula_with_any_separator(text: str, cell: str) -> None:
    """Other text is unchanged."""
    assert escape_cell(text) == cell
    assert unescape_cell(cell) == text


@examples(2000)
@given(HOSTILE)
@example("'\t'=x")
@example("-5 =x")
@example("-5;-6 -x")
@example("\x1b=\\x1b\\\x1b")
def test_a_cell_can_be_read_back_and_never_runs(text: str) -> None:
    """Quoted as in a file, and parsed with every separator that a program may assume."""
    cell = escape_cell(text)
    assert unescape_cell(cell) == text
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", cell)
    quoted = '"{}"'.format(cell.replace('"', '""'))
    for separator in STRICT:
        for line in (quoted, f"1,{quoted}"):
            for read in cells_read(line, separator):
                assert not RUNS.match(read.lstrip("\r\n")), (separator, read)


@examples(1000)
@given(st.lists(HOSTILE))
def test_json_in_a_cell_is_no_formula_and_decodes_to_the_same_value(texts: list[str]) -> None:
    """With JSON escapes, so that any parser reads it."""
    cell = escape_json_cell(texts)
    assert json.loads(cell) == texts
    quoted = '"{}"'.format(cell.replace('"', '""'))
    for separator in ";|^~\t":
        for read in cells_read(f"1,{quoted}", separator):
            assert not re.match(r"[=@\uff1d\uff20]", read), (separator, read)
