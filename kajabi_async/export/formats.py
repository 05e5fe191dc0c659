"""The formats of an export, and the two that need no library: JSON lines and CSV."""

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, Protocol, TextIO

from kajabi_async.errors import ConfigurationError, InvalidArgumentError
from kajabi_async.export.columns import Column, Kind

__all__ = ["FORMATS", "CsvWriter", "JsonLinesWriter", "Writer", "arrow_module", "format_for", "open_writer"]

FORMATS: Final = ("parquet", "arrow", "jsonl", "csv")
"""``parquet`` and ``arrow`` (an Arrow IPC file, also known as Feather) need the extra ``arrow``."""
_BY_SUFFIX: Final = {
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
}
_NEEDS_QUOTES: Final = re.compile(r'[",\r\n]|^\s|\s$|^$')
_FORMULA: Final = re.compile(r"'*[=@\t\r]|'*[+\-](?![0-9 ().+\-]*$)")
"""What a spreadsheet would run: the OWASP list, but for signs before digits alone, as in a telephone number."""


class Writer(Protocol):
    """What takes the cells of rows, batch by batch, and makes a file of them."""

    def write(self, rows: Sequence[Sequence[Any]]) -> None:
        """Write some rows; OSError where the disk does not take them."""
        ...

    def close(self) -> None:
        """Finish the file."""
        ...


def format_for(path: Path, asked_for: str | None) -> str:
    """Give the format that is *asked_for*, or that the suffix of *path* says; InvalidArgumentError for another one.

    ConfigurationError where the library for it is not installed.
    """
    chosen = _BY_SUFFIX.get(path.suffix.lower()) if asked_for is None else asked_for
    if chosen not in FORMATS:
        told = f"format {asked_for!r}" if asked_for is not None else f"the suffix {path.suffix!r} of {path.name}"
        raise InvalidArgumentError(
            f"{told} is none that is known: end the file in {', '.join(_BY_SUFFIX)}, or give the format as one of "
            f"{', '.join(FORMATS)}"
        )
    if chosen in {"parquet", "arrow"}:
        arrow_module(f"{chosen} files")
    return chosen


def open_writer(path: Path, columns: tuple[Column, ...], chosen: str) -> Writer:
    """Begin a file at *path* in the *chosen* format."""
    if chosen == "jsonl":
        return JsonLinesWriter(path, columns)
    if chosen == "csv":
        return CsvWriter(path, columns)
    writer: Writer = arrow_module(f"{chosen} files").open_arrow_writer(path, columns, chosen)
    return writer


def arrow_module(what: str) -> Any:
    """Give the module that names pyarrow; ConfigurationError where that is not installed, saying *what* needs it."""
    try:
        # Here, as it imports what may be missing.
        from kajabi_async.export import arrow  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if error.name != "pyarrow":
            raise
        raise ConfigurationError(
            f"{what} need pyarrow: pip install 'kajabi-async[arrow]', or export to jsonl or csv"
        ) from None
    return arrow


class JsonLinesWriter:
    """One JSON object to a line, UTF-8, every column in every line; objects and lists stay what they are."""

    def __init__(self, path: Path, columns: tuple[Column, ...]) -> None:
        self._names = [column.name for column in columns]
        self._file: TextIO = path.open("w", encoding="utf-8", newline="\n")

    def write(self, rows: Sequence[Sequence[Any]]) -> None:
        """Write some rows."""
        self._file.writelines(f"{_json(dict(zip(self._names, row, strict=True)))}\n" for row in rows)

    def close(self) -> None:
        """Finish the file."""
        self._file.close()


class CsvWriter:
    r"""Comma-separated values after RFC 4180 with a header line, UTF-8 and ``\n``.

    Nothing is an empty cell, empty text is ``""``; lists and objects are JSON; true and false are so spelt. Text that
    a spreadsheet would run as a formula gets a ``'`` in front, as people choose their own names: it begins with
    ``=``, ``@``, a tab or a carriage return, or with a sign that more than digits follow. Reading back, take one
    ``'`` from in front of such text.
    """

    def __init__(self, path: Path, columns: tuple[Column, ...]) -> None:
        self._file: TextIO = path.open("w", encoding="utf-8", newline="")
        self._kinds = [column.kind for column in columns]
        self._write_line(_quoted(column.name) for column in columns)

    def write(self, rows: Sequence[Sequence[Any]]) -> None:
        """Write some rows."""
        for row in rows:
            self._write_line(_csv_cell(kind, cell) for kind, cell in zip(self._kinds, row, strict=True))

    def close(self) -> None:
        """Finish the file."""
        self._file.close()

    def _write_line(self, cells: Iterable[str]) -> None:
        self._file.write(f"{','.join(cells)}\n")


def _csv_cell(kind: Kind, cell: Any) -> str:
    if cell is None:
        return ""
    if kind is Kind.TEXT:
        return _quoted(f"'{cell}" if _FORMULA.match(cell) else cell)
    return _quoted(cell if isinstance(cell, str) and kind is not Kind.JSON else _json(cell))


def _quoted(text: str) -> str:
    return '"{}"'.format(text.replace('"', '""')) if _NEEDS_QUOTES.search(text) else text


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
