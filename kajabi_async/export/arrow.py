"""Record batches, Parquet files and Arrow IPC files. The only module that names pyarrow."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO, Final

import pyarrow as pa  # pyright: ignore[reportMissingTypeStubs]  # it ships none
from pyarrow import ipc, parquet  # pyright: ignore[reportMissingTypeStubs]  # it ships none

from kajabi_async.export.columns import DECIMAL_PRECISION, DECIMAL_SCALE, Column, Kind

__all__ = ["ArrowWriter", "record_batch"]

_pa: Any = pa
_ipc: Any = ipc
_parquet: Any = parquet

_TYPES: Final[Mapping[Kind, Any]] = {
    Kind.TEXT: _pa.string(),
    Kind.INTEGER: _pa.int64(),
    Kind.NUMBER: _pa.float64(),
    Kind.BOOLEAN: _pa.bool_(),
    Kind.TIME: _pa.timestamp("us", tz="UTC"),
    Kind.DATE: _pa.date32(),
    Kind.DECIMAL: _pa.decimal128(DECIMAL_PRECISION, DECIMAL_SCALE),
    Kind.TEXTS: _pa.list_(_pa.string()),
    Kind.JSON: _pa.string(),
}
_FROM_TEXT: Final = frozenset({Kind.TIME, Kind.DATE, Kind.DECIMAL})
"""The kinds whose cells are text that pyarrow reads. Times are text only if they come from a checkpoint."""
_ROWS_IN_GROUP: Final = 10_000
_json_text: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def record_batch(columns: tuple[Column, ...], rows: Sequence[Sequence[Any]]) -> Any:
    """Return *rows* of cells as a ``pyarrow.RecordBatch``."""
    by_column: Any = zip(*rows, strict=True) if rows else [()] * len(columns)
    arrays = [_array(column.kind, cells) for column, cells in zip(columns, by_column, strict=True)]
    return _pa.record_batch(arrays, schema=_schema(columns))


class ArrowWriter:
    """A writer of record batches of at most 10,000 rows, which in Parquet are row groups."""

    def __init__(self, file: BinaryIO, columns: tuple[Column, ...], chosen: str) -> None:
        """Start a Parquet or Arrow IPC file, as *chosen*, in *file*."""
        schema = _schema(columns)
        self._writer = (
            _parquet.ParquetWriter(file, schema, compression="zstd")
            if chosen == "parquet"
            else _ipc.new_file(file, schema)
        )
        self._columns = columns
        self._file = file
        self._unwritten: list[Any] = []

    def write(self, rows: Sequence[Sequence[Any]]) -> None:
        """Write *rows*, at the latest with the rows that follow."""
        self._unwritten.append(record_batch(self._columns, rows))
        if sum(batch.num_rows for batch in self._unwritten) >= _ROWS_IN_GROUP:
            self._write_group()

    def close(self) -> None:
        """Finish the file and close it."""
        with self._file:
            if self._unwritten:
                self._write_group()
            self._writer.close()

    def _write_group(self) -> None:
        group = _pa.Table.from_batches(self._unwritten).combine_chunks()
        self._unwritten.clear()
        self._writer.write_table(group, _ROWS_IN_GROUP)


def _schema(columns: tuple[Column, ...]) -> Any:
    return _pa.schema([_pa.field(column.name, _TYPES[column.kind]) for column in columns])


def _array(kind: Kind, cells: Sequence[Any]) -> Any:
    if kind in _FROM_TEXT and any(type(cell) is str for cell in cells):
        return _pa.array(cells, type=_pa.string()).cast(_TYPES[kind])
    if kind is Kind.JSON:
        cells = [None if cell is None else _json_text(cell) for cell in cells]
    return _pa.array(cells, type=_TYPES[kind])
