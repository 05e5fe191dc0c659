"""The export of a whole list: read it with a checkpoint, then write the files atomically."""

import asyncio
import json
import os
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import attrs

from kajabi_async.checks import boolean
from kajabi_async.decoding.decoder import class_of
from kajabi_async.errors import ExportError, InvalidArgumentError
from kajabi_async.escaping.text import file_name_for_type
from kajabi_async.export.checkpoint import Checkpoint, export_errors
from kajabi_async.export.collect import OTHER, InThread, Walk, columns_for, included_types
from kajabi_async.export.columns import OTHER_COLUMNS, Column
from kajabi_async.export.formats import Writer, format_for, open_writer
from kajabi_async.export.report import ExportObserver, ExportProgress, ExportReport
from kajabi_async.fetching.page import ListRequest
from kajabi_async.fetching.pages import Pages, Position, list_digest
from kajabi_async.private_files import PrivateFolder, check_replaceable
from kajabi_async.stall import PATIENCE_SECONDS, Stall, checked_patience

__all__ = ["SORTED_BY", "ExportedFile", "export", "write_batches"]

T = TypeVar("T")

SORTED_BY: Final[Mapping[str, str]] = {
    "sites": "created_at",
    "customers": "created_at",
    "contacts": "created_at",
    "contact_notes": "created_at",
    "form_submissions": "created_at",
    "orders": "created_at",
    "order_items": "created_at",
    "purchases": "created_at",
    "website_pages": "created_at",
    "contact_tags": "name",
    "custom_fields": "handle",
    "offers": "title",
    "products": "title",
    "courses": "title",
    "forms": "title",
    "podcasts": "title",
    "blog_posts": "title",
    "landing_pages": "title",
}
"""The sort key of each list in an export; transactions, payouts and hooks cannot be sorted (API document)."""
_PAGE_SIZE: Final = 100
"""Rows per request: the largest size that is documented, for contact notes."""
_UNSIZED: Final = frozenset({"payouts"})
_LAYOUT: Final = "3"
"""The version of the checkpoint's layout; increased when the meaning of its content changes."""
_PARTIAL: Final = ".partial"
"""The suffix that the folder of a checkpoint adds to the name of the file."""


async def export(
    pages: Pages[Any],
    path: str | os.PathLike[str],
    *,
    format: str | None = None,
    restart: bool = False,
    observer: ExportObserver | None = None,
    patience: float = PATIENCE_SECONDS,
) -> ExportReport:
    """Write every row of a list, such as ``api.customers.list(include="offers")``, to a file, and return a report.

    ``format`` is one of `FORMATS`, by default that of the suffix of ``path``. Each type that ``include`` leads to goes
    to a file of its own beside it, ``customers.offers.parquet`` beside ``customers.parquet``, each resource once; the
    id columns say which row it belongs to. Included resources of types that were not requested are kept together in
    ``customers.other.parquet``, with their type, id and attributes. ``observer`` is called with an `ExportProgress`
    after every page, and when the export stalls and goes on. The export waits through a pause or an outage, as
    `get_many` does; after ``patience`` seconds without any answer, pauses that the API asked for not counted, the
    latest failure is raised.

    Until the end everything is kept in a folder of mode 0700 named ``path`` plus ``.partial``. Repeat a call that was
    killed or raised to resume from there; ``restart`` discards the folder's content instead. When complete, the file is
    created or replaced atomically, and the folder is removed. Files have mode 0600; one that replaces a file of yours
    takes its mode and group.

    Every page is read again after the next one, to find rows that shift while the export runs: in a list sorted by
    ``created_at`` (see `SORTED_BY`), no row that stays throughout is missing. Other lists may lose a row if one is
    removed and another added between two requests; the report says what was noticed. The export sets the sort, and the
    page size is 100 unless the list has one. With ``prefetch=n`` of the list up to n pages are fetched ahead, and n
    are read again at once.

    InvalidArgumentError for a format, a sort or a position that an export cannot have, for a file that is a link or
    cannot be replaced, and for a checkpoint that was started with other arguments; ConfigurationError if pyarrow is
    not installed; ExportError if a file cannot be written, another export is writing it, or other users can write to
    the folder of the checkpoint; and every error of the list. The checkpoint is valid after all of them.
    """
    started = time.monotonic()
    boolean(restart, of="restart")
    target = _checked_target(path)
    chosen = format_for(target, format)
    lister = _export_lister(pages)
    patience_seconds = checked_patience(patience)
    included = _included_files(target, lister)
    for each in (target, *included.values()):
        _check_replaceable(each)
    checkpoint = Checkpoint(target.with_name(f"{target.name}{_PARTIAL}"))
    async with _own_thread(checkpoint) as in_thread:
        await in_thread(checkpoint.open, _arguments(lister, chosen), restart=restart)
        resumed_from = checkpoint.rows if checkpoint.pages else None
        stall = Stall(patience_seconds, lister.context.clock, among=lister.context.stalls)
        walk = Walk(lister, checkpoint, in_thread, stall, prefetch=pages.prefetch)
        stall.changed = notify = _notifier(checkpoint, walk, observer, stall)
        try:
            await walk.run(notify)
        finally:
            stall.close()
        files = _files(target, included, chosen, lister, checkpoint)
        await write_batches(files, checkpoint, in_thread, notify)
        report: ExportReport = await in_thread(_report, checkpoint, files, walk.listed, resumed_from)
        await in_thread(checkpoint.discard)
    return attrs.evolve(report, seconds=time.monotonic() - started)


def _checked_target(path: str | os.PathLike[str]) -> Path:
    given = Path(path)
    # Links in the folder's path are the caller's; a link in place of the file may be another user's.
    target = given.parent.resolve() / given.name
    if target.is_dir() or not target.parent.is_dir():
        raise InvalidArgumentError(f"{target} cannot be written: it is a folder, or its folder does not exist")
    return target


def _included_files(target: Path, lister: ListRequest[Any]) -> dict[str, Path]:
    """Return the file of each requested type, and one for all others, so that the server never names a file."""
    types = included_types(lister)
    if len({name.casefold() for name in (*types, OTHER)}) <= len(types):
        raise InvalidArgumentError(f"the files of these types would have the same name: {', '.join(types)}, {OTHER}")
    try:
        names = [*(file_name_for_type(name, types) for name in types), OTHER]
    except ValueError as error:
        raise InvalidArgumentError(str(error)) from None
    return {name: target.with_name(f"{target.stem}.{name}{target.suffix}") for name in names}


def _check_replaceable(file: Path) -> None:
    try:
        check_replaceable(file)
    except OSError as error:
        raise InvalidArgumentError(f"{file} cannot be written: {error.strerror}") from None


def _export_lister(pages: Pages[Any]) -> ListRequest[Any]:
    """Return the lister of *pages* with the sort and the page size of an export."""
    lister = pages.lister
    start = Position(list_digest(lister.operation.path, lister.query), 0, lister.query.encode())
    if pages.position != str(start):
        raise InvalidArgumentError("an export starts with the first row: omit resume_from=, and pass a fresh list")
    name = _resource_name(lister)
    key = SORTED_BY.get(name)
    if key is not None and lister.query.sort not in {(), (key,)}:
        raise InvalidArgumentError(
            f"an export of {name} is sorted by {key}, so that rows keep their order while it runs: omit sort="
        )
    sort = lister.query.sort if key is None else (key,)
    size = None if name in _UNSIZED else lister.query.page_size or _PAGE_SIZE
    return attrs.evolve(lister, query=attrs.evolve(lister.query, sort=sort, page_size=size))


def _resource_name(lister: ListRequest[Any]) -> str:
    return lister.operation.name.partition(".")[0]


def _arguments(lister: ListRequest[Any], chosen: str) -> dict[str, str]:
    """Return the arguments that must be unchanged for a checkpoint to be resumed, by their public names."""
    query = lister.query
    columns = columns_for(lister.model, lister)
    return {
        "layout": _LAYOUT,
        "resource": _resource_name(lister),
        "base_url": lister.context.links.base_url,
        "include": ",".join(query.include),
        "fields": json.dumps({name: query.fields[name] for name in sorted(query.fields)}),
        "filters": json.dumps(query.filters),
        "sort": ",".join(query.sort),
        "page_size": str(query.page_size or ""),
        "format": chosen,
        "columns": " ".join(f"{column.name}:{column.kind.value}" for column in columns),
    }


@asynccontextmanager
async def _own_thread(checkpoint: Checkpoint) -> AsyncGenerator[InThread]:
    """Yield a function that calls others in a thread of its own, in which *checkpoint* is always closed at the end."""
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1, thread_name_prefix="kajabi_async export") as executor:

        def call(function: Any, *arguments: Any, **named: Any) -> Any:
            with export_errors(checkpoint.folder):
                return function(*arguments, **named)

        async def in_thread(function: Any, *arguments: Any, **named: Any) -> Any:
            return await loop.run_in_executor(executor, partial(call, function, *arguments, **named))

        try:
            yield in_thread
        finally:
            # Not awaited: it runs after the call in progress in the thread, even if this task is cancelled.
            executor.submit(checkpoint.close)


def _notifier(checkpoint: Checkpoint, walk: Walk, observer: ExportObserver | None, stall: Stall) -> Any:
    def notify(written: int = 0) -> None:
        if observer is not None:
            observer(
                ExportProgress(
                    rows=checkpoint.rows,
                    pages=checkpoint.pages,
                    listed=walk.listed,
                    written=written,
                    stalled_since=stall.since,
                    paused_until=stall.paused_until,
                )
            )

    return notify


@attrs.frozen
class ExportedFile:
    """One file to write."""

    path: Path
    chosen: str
    """The format."""
    columns: tuple[Column, ...]
    related_type: str | None
    """The included type it holds; None for the rows of the list."""


def _files(
    target: Path, included: Mapping[str, Path], chosen: str, lister: ListRequest[Any], checkpoint: Checkpoint
) -> list[ExportedFile]:
    """Return the files to write, that of the list last: once it exists, all of them do."""
    files = [
        ExportedFile(path, chosen, OTHER_COLUMNS if name == OTHER else columns_for(class_of(name), lister), name)
        for name, path in included.items()
        if name != OTHER or checkpoint.related[OTHER]
    ]
    return [*files, ExportedFile(target, chosen, columns_for(lister.model, lister), None)]


async def write_batches(
    files: Sequence[ExportedFile], checkpoint: Checkpoint, in_thread: InThread, notify: Callable[[int], None]
) -> None:
    """Write *files* from the checkpoint in batches; call *notify* with the rows written so far after each.

    Each is written completely in the folder of the checkpoint, then moved into place atomically. ExportError if that
    fails; existing files and the checkpoint are unchanged then.
    """
    written, folder = 0, checkpoint.files
    for file in files:
        in_file = partial(in_thread, _in_file, file, folder)
        writer: Writer = await in_file(_open, file, folder)
        try:
            batches = checkpoint.batches(file.related_type)
            while batch := await in_thread(next, batches, None):
                await in_file(writer.write, batch)
                written += len(batch)
                notify(written)
        finally:
            await in_file(writer.close)
        await in_file(folder.make_durable, file.path.name)
    for file in files:
        await in_thread(_in_file, file, folder, folder.move_out, file.path.name, file.path)


def _in_file(file: ExportedFile, folder: PrivateFolder, act: Callable[..., T], *arguments: Any) -> T:
    """Return the result of a step of writing *file*; an OSError of it is raised as ExportError."""
    try:
        return act(*arguments)
    except OSError as error:
        raise ExportError(
            f"{file.path} could not be written: {error.strerror or error}; the rows so far are kept in "
            f"{folder.path.name}, so correct that and run the same export again"
        ) from None


def _open(file: ExportedFile, folder: PrivateFolder) -> Writer:
    opened = folder.create(file.path.name)
    try:
        return open_writer(opened, file.columns, file.chosen)
    except BaseException:
        opened.close()
        raise


def _report(
    checkpoint: Checkpoint, files: list[ExportedFile], listed: int | None, resumed_from: int | None
) -> ExportReport:
    return ExportReport(
        paths=(files[-1].path, *(file.path for file in files[:-1])),
        rows=checkpoint.rows,
        pages=checkpoint.pages,
        related=dict(checkpoint.related),
        repeated=checkpoint.repeated,
        shifts=checkpoint.shifts,
        malformed=checkpoint.malformed,
        problems=checkpoint.problems,
        listed=listed,
        resumed_from=resumed_from,
        seconds=0.0,
    )
