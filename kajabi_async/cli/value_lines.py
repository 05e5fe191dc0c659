"""The values in lines: one on each line, or those of one column of a CSV file, as spreadsheets save it."""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Final

from kajabi_async.errors import ConfigurationError

__all__ = ["text_of", "values_in"]

_BYTE_ORDER_MARK: Final = "\ufeff"
_SEPARATORS: Final = ("\t", ";", ",")
_SEPARATOR_LINE: Final = "sep="
"""The start of a line that Excel reads the separator from."""
_COMMENT: Final = re.compile("#")
_MOST_NAMED: Final = 12


def values_in(
    lines: Iterable[str], *, column: str | None = None, default: str = "id", comment: re.Pattern[str] = _COMMENT
) -> Iterator[str]:
    """Yield the values in *lines*, without blanks around them, and without empty ones.

    On plain lines, what begins with *comment* is left out, and a first line that is *default* is a heading. Lines with
    several columns, or with *column*, the name or the number of one, are CSV: their first line names the columns, and
    the values are those of *column*, or of the one called *default*. ConfigurationError if the first line does not name
    the column, or the lines are no CSV.
    """
    remaining = iter(lines)
    first = _first_line(remaining, comment)
    content = _without_comment(first, comment)
    separator = max(_SEPARATORS, key=content.count)
    if column is None and separator not in content:
        yield from _plain(first, remaining, default, comment)
        return
    try:
        yield from _cells(csv.reader(_chained(first, remaining), delimiter=separator), column, default)
    except csv.Error as error:
        raise ConfigurationError(f"the lines cannot be read as CSV: {error}") from None


def text_of(values: list[str], *, default: str = "id", comment: re.Pattern[str] = _COMMENT) -> str:
    """Return text from which `values_in` reads *values*: one on each line, or CSV if it would read those otherwise."""
    plain = "".join(f"{value}\n" for value in values)
    with suppress(ConfigurationError):
        if [*values_in(io.StringIO(plain, newline=""), default=default, comment=comment)] == values:
            return plain
    written = io.StringIO(newline="")
    csv.writer(written).writerows([(default, ""), *((value, "") for value in values)])
    return written.getvalue()


def _first_line(lines: Iterator[str], comment: re.Pattern[str]) -> str:
    for line in lines:
        text = line.removeprefix(_BYTE_ORDER_MARK)
        if _without_comment(text, comment).strip() and not text.casefold().startswith(_SEPARATOR_LINE):
            return text
    return ""


def _chained(first: str, lines: Iterator[str]) -> Iterator[str]:
    yield first
    yield from lines


def _plain(first: str, lines: Iterator[str], default: str, comment: re.Pattern[str]) -> Iterator[str]:
    heading = _plain_value(first, comment)
    if heading and heading.casefold() != default:
        yield heading
    for line in lines:
        if value := _plain_value(line, comment):
            yield value


def _without_comment(line: str, comment: re.Pattern[str]) -> str:
    return comment.split(line, maxsplit=1)[0]


def _plain_value(line: str, comment: re.Pattern[str]) -> str:
    value = _without_comment(line, comment).strip()
    return value[1:-1].strip() if len(value) > 1 and value[0] == value[-1] == '"' else value


def _cells(rows: Iterator[list[str]], column: str | None, default: str) -> Iterator[str]:
    names = next(rows, list[str]())
    at = _position(names, column, default)
    # A column that was named by its number may have no heading.
    if column is not None and column.isdecimal() and names[at].strip().isdecimal():
        yield names[at].strip()
    for row in rows:
        if at < len(row) and (value := row[at].strip()):
            yield value


def _position(names: list[str], column: str | None, default: str) -> int:
    wanted = (default if column is None else column).strip().casefold()
    known = [name.strip().casefold() for name in names]
    if wanted in known:
        return known.index(wanted)
    if column is not None and wanted.isdecimal() and 1 <= int(wanted) <= len(names):
        return int(wanted) - 1
    shown = ", ".join(name.strip()[:40] for name in names[:_MOST_NAMED])
    if column is None:
        raise ConfigurationError(
            f"the lines have several columns, and none is called {default}: name one with --column; the first line has "
            f"{shown}"
        )
    raise ConfigurationError(f"there is no column {column[:40]!r}: the first line has {shown}")
