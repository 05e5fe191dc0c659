"""The values in lines: one on each line, or those of one column of a CSV file, as spreadsheets save it."""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain
from typing import Final

import attrs

from kajabi_async.errors import ConfigurationError

__all__ = ["IDS", "Content"]

_BYTE_ORDER_MARK: Final = "\ufeff"
_SEPARATORS: Final = ("\t", ";", ",")
_SEPARATOR_LINE: Final = "sep="
"""The start of a line that Excel reads the separator from."""
_MOST_NAMED: Final = 12


@attrs.frozen
class Content:
    """What a file holds, on its lines or in a column."""

    noun: str
    """One of it, such as ``id``; also the name of its column, unless another is named."""
    command: str
    """The command that takes the file."""
    alone: str
    """What to do with a single one, in a clause."""
    comment: re.Pattern[str]
    """The beginning of what is no part of a line."""
    column: str | None = None
    """The name or the number of its column in a CSV file, if it is not called like it."""

    @property
    def plural(self) -> str:
        """Several of it, such as ``ids``."""
        return f"{self.noun}s"

    def values(self, lines: Iterable[str]) -> Iterator[str]:
        """Yield the values in *lines*, without blanks around them, and without empty ones.

        On plain lines, what begins with `comment` is left out, and a first line that is `noun` is a heading. Lines with
        several columns, or with `column`, the name or the number of one, are CSV: their first line names the columns,
        and the values are those of `column`, or of the one called `noun`. ConfigurationError if the first line does not
        name the column, or the lines are no CSV.
        """
        remaining = iter(lines)
        first = self._first_line(remaining)
        separator = max(_SEPARATORS, key=self._without_comment(first).count)
        if self.column is None and separator not in self._without_comment(first):
            yield from self._plain(first, remaining)
            return
        try:
            yield from self._cells(csv.reader(chain((first,), remaining), delimiter=separator))
        except csv.Error as error:
            raise ConfigurationError(f"the lines cannot be read as CSV: {error}") from None

    def text_of(self, values: list[str]) -> str:
        """Return text from which `values` reads *values*, without a column: one on each line, or CSV if it must be."""
        plain = "".join(f"{value}\n" for value in values)
        with suppress(ConfigurationError):
            if [*attrs.evolve(self, column=None).values(io.StringIO(plain, newline=""))] == values:
                return plain
        written = io.StringIO(newline="")
        csv.writer(written).writerows([(self.noun, ""), *((value, "") for value in values)])
        return written.getvalue()

    def _first_line(self, lines: Iterator[str]) -> str:
        for line in lines:
            text = line.removeprefix(_BYTE_ORDER_MARK)
            if self._without_comment(text).strip() and not text.casefold().startswith(_SEPARATOR_LINE):
                return text
        return ""

    def _plain(self, first: str, lines: Iterator[str]) -> Iterator[str]:
        heading = self._plain_value(first)
        if heading and heading.casefold() != self.noun:
            yield heading
        for line in lines:
            if value := self._plain_value(line):
                yield value

    def _without_comment(self, line: str) -> str:
        return self.comment.split(line, maxsplit=1)[0]

    def _plain_value(self, line: str) -> str:
        value = self._without_comment(line).strip()
        return value[1:-1].strip() if len(value) > 1 and value[0] == value[-1] == '"' else value

    def _cells(self, rows: Iterator[list[str]]) -> Iterator[str]:
        names = next(rows, list[str]())
        at = self._position(names)
        # A column that was named by its number may have no heading.
        if self.column is not None and self.column.isdecimal() and names[at].strip().isdecimal():
            yield names[at].strip()
        for row in rows:
            if at < len(row) and (value := row[at].strip()):
                yield value

    def _position(self, names: list[str]) -> int:
        column = self.column
        wanted = (self.noun if column is None else column).strip().casefold()
        known = [name.strip().casefold() for name in names]
        if wanted in known:
            return known.index(wanted)
        if column is not None and wanted.isdecimal() and 1 <= int(wanted) <= len(names):
            return int(wanted) - 1
        shown = ", ".join(name.strip()[:40] for name in names[:_MOST_NAMED])
        if column is None:
            raise ConfigurationError(
                f"the lines have several columns, and none is called {self.noun}: name one with --column; the first "
                f"line has {shown}"
            )
        raise ConfigurationError(f"there is no column {column[:40]!r}: the first line has {shown}")


IDS: Final = Content("id", "customers lookup", "one id is looked up with `kajabi customers get`", re.compile("#"))
