"""A list as Arrow record batches, for polars, DuckDB, pandas and pyarrow."""

from collections.abc import AsyncIterator
from typing import Any, Self

from kajabi_async.checks import whole_number
from kajabi_async.errors import DecodeError
from kajabi_async.export.columns import UnfitCellError, cells_of
from kajabi_async.export.formats import arrow_module
from kajabi_async.export.walk import columns_for
from kajabi_async.fetching.pages import Pages

__all__ = ["RecordBatches", "record_batches"]


def record_batches(pages: Pages[Any], *, rows: int = 10_000) -> "RecordBatches":
    """Return an async iterator of ``pyarrow.RecordBatch`` objects of ``rows`` rows each, with the columns of an export.

    ``pyarrow.Table.from_batches([batch async for batch in record_batches(api.offers.list())])`` is a table that
    polars and DuckDB read without a copy. Nothing is kept on disk and no page is read twice: use `export` for that.
    A malformed row raises DecodeError, and the same iterator goes on after it. ConfigurationError if pyarrow is not
    installed.
    """
    arrow = arrow_module("record batches")
    return RecordBatches(pages, whole_number(rows, of="rows"), arrow)


class RecordBatches:
    """The async iterator that `record_batches` returns."""

    def __init__(self, pages: Pages[Any], rows: int, arrow: Any) -> None:
        self._columns = columns_for(pages.lister.model, pages.lister)
        self._rows: AsyncIterator[Any] = aiter(pages)
        self._size = rows
        self._arrow = arrow
        self._cells: list[list[Any]] = []

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        while len(self._cells) < self._size:
            try:
                row = await anext(self._rows)
            except StopAsyncIteration:
                break
            try:
                self._cells.append(cells_of(row, self._columns))
            except UnfitCellError as error:
                raise DecodeError(str(error)) from None
        if not self._cells:
            raise StopAsyncIteration
        cells, self._cells = self._cells, []
        return self._arrow.record_batch(self._columns, cells)
