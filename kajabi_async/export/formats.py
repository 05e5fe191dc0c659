"""The formats of an export, and the writers of the two that need no library: JSON lines and CSV."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

from kajabi_async.errors import ConfigurationError, InvalidArgumentError
from kajabi_async.escaping.spreadsheet import escape_cell, escape_json_cell
from kajabi_async.escaping.text import escape_json
from kajabi_async.export.columns import Column, Kind

__all__ = ["FORMATS", "CsvWriter", "JsonLinesWriter", "Writer", "arrow_module", "format_for", "open_writer"]

FORMATS: Final = ("parquet", "arrow", "jsonl", "csv")
"""The formats; ``parquet`` and ``arrow`` (an Arrow IPC file, also called Feather) need the extra ``arrow``."""
_BY_SUFFIX: Final = {
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
}
_NEEDS_QUOTES: Final = re.compile(r'[",;|\t\r\n]|^\s|\s$|^$')


class Writer(Protocol):
    """A writer of one file from batches of rows."""

    def write(self, rows: Sequence[Sequence[Any]]) -> None:
        """Write *rows*; OSError if the file cannot be written."""
        ...

    def close(self) -> None:
        """Finish the file."""
        ...


def format_for(path: Path, requested: str | None) -> str:
    """Return the *requested* format, or by default that of the suffix of *path*; InvalidArgumentError if unknown.

    ConfigurationError if the library for it is not installed.
    """
    chosen = _BY_SUFFIX.get(path.suffix.lower()) if requested is None else requested
    if chosen not in FORMATS:
        what = f"the suffix {path.suffix!r} of {path.name} is unknown" if path.suffix else f"{path.name} has no suffix"
        what = what if requested is None else f"format {requested!r} is unknown"
        raise InvalidArgumentError(
            f"{what}: end the file in {', '.join(_BY_SUFFIX)}, or set the format to one of {', '.join(FORMATS)}"
        )
    if chosen in {"parquet", "arrow"}:
        arrow_module(f"{chosen} files")
    return chosen


def open_writer(file: BinaryIO, columns: tuple[Column, ...], chosen: str) -> Writer:
    """Return a writer that starts a file of the *chosen* format in *file*, and closes it."""
    if chosen == "jsonl":
        return JsonLinesWriter(file, columns)
    if chosen == "csv":
        return CsvWriter(file, columns)
    writer: Writer = arrow_module(f"{chosen} files").ArrowWriter(file, columns, chosen)
    return writer


def arrow_module(what: str) -> Any:
    """Return the module that imports pyarrow; ConfigurationError, naming *what* needs it, if it is not installed."""
    try:
        # Imported here because the extra may be missing.
        from kajabi_async.export import arrow  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if error.name != "pyarrow":
            raise
        raise ConfigurationError(
            f"{what} need pyarrow: pip install 'kajabi-async[arrow]', or export to jsonl or csv"
        ) from None
    return arrow


class JsonLinesWriter:
    """A writer of one JSON object per line, UTF-8, with every column in every line; objects and lists are kept.

    Control and invisible characters are JSON escapes, so parsing returns the same value.
    """

    def __init__(self, file: BinaryIO, columns: tuple[Column, ...]) -> None:
        self._names = [column.name for column in columns]
        self._file = file

    def write(self, rows: Sequence[Sequence[Any]]) -> None:
        """Write *rows*."""
        self._file.writelines(_json_line(dict(zip(self._names, row, strict=True))) for row in rows)

    def close(self) -> None:
        """Finish the file."""
        self._file.close()


class CsvWriter:
    r"""A writer of comma-separated values (RFC 4180) with a header line, UTF-8 and ``\n``.

    Null is an empty cell, empty text is ``""``; lists, objects and booleans are JSON. People choose their own names,
    so text that a spreadsheet would run as a formula, with any cell separator, is escaped: see
    `kajabi_async.escaping.spreadsheet.escape_cell`, and ``unescape_cell`` to read it back.
    """

    def __init__(self, file: BinaryIO, columns: tuple[Column, ...]) -> None:
        self._file = file
        self._kinds = [column.kind for column in columns]
        self._write_line(_quoted(column.name) for column in columns)

    def write(self, rows: Sequence[Sequence[Any]]) -> None:
        """Write *rows*."""
        for row in rows:
            self._write_line(_csv_cell(kind, cell) for kind, cell in zip(self._kinds, row, strict=True))

    def close(self) -> None:
        """Finish the file."""
        self._file.close()

    def _write_line(self, cells: Iterable[str]) -> None:
        self._file.write(f"{','.join(cells)}\n".encode())


def _csv_cell(kind: Kind, cell: Any) -> str:
    if cell is None:
        return ""
    if kind is Kind.TEXT:
        return _quoted(escape_cell(cell))
    return _quoted(cell if isinstance(cell, str) and kind is not Kind.JSON else escape_json_cell(cell))


def _quoted(text: str) -> str:
    return '"{}"'.format(text.replace('"', '""')) if _NEEDS_QUOTES.search(text) else text


def _json_line(value: Any) -> bytes:
    return f"{escape_json(value, separators=(',', ':'))}\n".encode()
