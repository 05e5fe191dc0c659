"""Resources as Arrow record batches, for polars, DuckDB, pandas and pyarrow."""

from collections.abc import AsyncIterable, AsyncIterator, Iterable
from typing import Any, Self

from kajabi_async.checks import shown, whole_number
from kajabi_async.errors import DecodeError, InvalidArgumentError
from kajabi_async.export.collect import columns_for
from kajabi_async.export.columns import Column, UnfitCellError, cells_of, columns_of
from kajabi_async.export.formats import arrow_module
from kajabi_async.fetching.pages import Pages
from kajabi_async.models.resource import Resource

__all__ = ["RecordBatches", "Rows", "record_batches"]

Rows = AsyncIterable[Any] | Iterable[Any]
"""Resources or the outcomes of lookups: a list, a run, or any iterable or async iterable of them."""


def record_batches(source: Rows, *, rows: int = 10_000, model: type[Resource] | None = None) -> "RecordBatches":
    """Return an async iterator of ``pyarrow.RecordBatch`` objects of ``rows`` rows each, with the columns of an export.

    ``source`` is a list such as ``api.offers.list()``, a run such as ``api.customers.get_many(ids)``, or any iterable
    or async iterable of resources or outcomes; outcomes without a resource are left out. All resources are of one type:
    ``model``, by default that of the list or run, or of the first resource. If there are none, one batch without rows
    has the columns, so that a table can be made of it; InvalidArgumentError if nothing says of which type.

    ``pyarrow.Table.from_batches([batch async for batch in record_batches(api.offers.list())])`` is a table that
    polars and DuckDB read without a copy. Times are UTC timestamps in microseconds. Nothing is kept on disk and no page
    is read twice: use `export` for that. A malformed row raises DecodeError, and the same iterator goes on after it.
    ConfigurationError if pyarrow is not installed.
    """
    arrow = arrow_module("record batches")
    size = whole_number(rows, of="rows")
    untyped: Any = model
    if untyped is not None and not (isinstance(untyped, type) and issubclass(untyped, Resource)):
        raise InvalidArgumentError(f"model must be a class of resources, such as Customer, got {shown(model)}")
    given: Any = source
    if not isinstance(given, AsyncIterable | Iterable) or isinstance(given, str | bytes | Resource):
        raise InvalidArgumentError(
            f"record_batches() takes a list, a run of lookups, or an iterable of resources, got {shown(source)}"
        )
    if isinstance(source, Pages):
        model = source.lister.model if model is None else model
        columns = columns_for(model, source.lister)
    else:
        model = getattr(source, "model", None) if model is None else model
        columns = None
    iterator = aiter(source) if isinstance(source, AsyncIterable) else _Iterated(source)
    return RecordBatches(iterator, size, arrow, model, columns)


class RecordBatches:
    """The async iterator that `record_batches` returns."""

    def __init__(
        self,
        rows: AsyncIterator[Any],
        size: int,
        arrow: Any,
        model: type[Resource] | None,
        columns: Any,
    ) -> None:
        self._rows = rows
        self._size = size
        self._arrow = arrow
        self._model = model
        self._columns: tuple[Column, ...] | None = columns
        self._cells: list[list[Any]] = []
        self._given = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        while len(self._cells) < self._size:
            try:
                row = await anext(self._rows)
            except StopAsyncIteration:
                break
            self._add(row)
        if not self._cells and self._given:
            raise StopAsyncIteration
        columns = self._known_columns()
        self._given = True
        cells, self._cells = self._cells, []
        return self._arrow.record_batch(columns, cells)

    def _add(self, row: Any) -> None:
        resource = _resource_of(row)
        if resource is None:
            return
        if self._model is None:
            self._model = type(resource)
        if not isinstance(resource, self._model):
            raise InvalidArgumentError(
                f"record batches have the columns of one type, {self._model.__name__}, got a {type(resource).__name__}"
            )
        try:
            self._cells.append(cells_of(resource, self._known_columns()))
        except UnfitCellError as error:
            raise DecodeError(str(error)) from None

    def _known_columns(self) -> tuple[Column, ...]:
        if self._columns is None:
            if self._model is None:
                raise InvalidArgumentError(
                    "without resources the columns are not known: pass their class, such as model=Customer"
                )
            self._columns = columns_of(self._model)
        return self._columns


class _Iterated:
    """An async iterator over an iterable."""

    def __init__(self, rows: Iterable[Any]) -> None:
        self._rows = iter(rows)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        try:
            return next(self._rows)
        except StopIteration:
            raise StopAsyncIteration from None


def _resource_of(row: Any) -> Resource | None:
    if isinstance(row, DecodeError):
        raise row
    if isinstance(row, Resource):
        return row
    if isinstance(getattr(row, "found", None), bool):
        resource: Resource | None = row.resource
        return resource
    raise InvalidArgumentError(f"record batches are made of resources or the outcomes of lookups, got {shown(row)}")
