"""A whole list into a file: read it with a checkpoint, then write the file at one stroke."""

import asyncio
import json
import os
import time
from collections.abc import AsyncGenerator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import attrs

from kajabi_async.checks import boolean
from kajabi_async.decoding.decoder import class_of
from kajabi_async.errors import InvalidArgumentError
from kajabi_async.escaping.text import file_name_for_type
from kajabi_async.export.checkpoint import Journal, telling
from kajabi_async.export.columns import OTHER_COLUMNS
from kajabi_async.export.files import PARTIAL, ExportedFile, write_batches
from kajabi_async.export.formats import format_for
from kajabi_async.export.report import ExportObserver, ExportProgress, ExportReport
from kajabi_async.export.walk import OTHER, InThread, Walk, columns_for, included_types
from kajabi_async.fetching.page import ListRequest
from kajabi_async.fetching.pages import Pages, Position, list_digest
from kajabi_async.private_files import check_replaceable
from kajabi_async.stall import PATIENCE_SECONDS, Stall, checked_patience

__all__ = ["SORTED_BY", "export"]

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
"""What each list is sorted by for an export; transactions, payouts and hooks cannot be sorted (API document)."""
_PAGE_SIZE: Final = 100
"""Rows to ask for at a time: the largest size that is documented, for contact notes."""
_UNSIZED: Final = frozenset({"payouts"})
_LAYOUT: Final = "2"
"""Grows when what a checkpoint holds changes its meaning."""


async def export(
    pages: Pages[Any],
    path: str | os.PathLike[str],
    *,
    format: str | None = None,
    restart: bool = False,
    observer: ExportObserver | None = None,
    patience: float = PATIENCE_SECONDS,
) -> ExportReport:
    """Write every row of a list, such as ``api.customers.list(include="offers")``, to a file, and give a report.

    *format* is one of `FORMATS`; unless given, the suffix of *path* says it. Each type that *include* leads to goes to
    a file of its own beside it, ``customers.offers.parquet`` beside ``customers.parquet``, each resource once; which
    one belongs to which row is in the columns of ids. Included resources of other types, which nobody asked for, are
    kept together in ``customers.other.parquet``, with their type, id and attributes. *observer* is called with an
    `ExportProgress` after every page, and when the export stalls and goes on. A pause or an outage is waited out, as in
    `get_many`; after *patience* seconds without any answer, pauses that the API asked for not counted, the latest
    failure is raised.

    Until the end everything is kept in a folder called *path* with ``.partial`` behind it, of mode 0700. A call that
    was killed, or raised, is made again to go on from there; *restart* discards what is there instead. The file
    appears, or is replaced, at one stroke when it is whole, and the folder goes. Files have mode 0600; one that
    replaces a file of yours takes its mode and group.

    Every page is looked at once more after the next one, so that rows which shift while the export runs are found:
    nothing that stood throughout is missing from a list that is sorted by ``created_at`` (see `SORTED_BY`). Others
    may lose a row where one is removed and another added between two requests; the report says what was noticed.
    The sort is set here, the page size is 100 unless the list has one, and ``prefetch=`` has no effect.

    InvalidArgumentError for a format, a sort or a position that an export cannot have, for a file that is a link or
    cannot be replaced, and for a checkpoint that was begun with other arguments; ConfigurationError where pyarrow is
    missing; ExportError where a file cannot be written, another export is writing it, or others can get at the
    folder of the checkpoint; and whatever the list raises. The checkpoint is good after all of them.
    """
    begun = time.monotonic()
    boolean(restart, of="restart")
    target = _checked_target(path)
    chosen = format_for(target, format)
    lister = _prepared(pages)
    patient = checked_patience(patience)
    included = _included_files(target, lister)
    for each in (target, *included.values()):
        _refuse_irreplaceable(each)
    journal = Journal(target.with_name(f"{target.name}{PARTIAL}"))
    async with _own_thread(journal) as in_thread:
        await in_thread(journal.open, _arguments(lister, chosen), restart=restart)
        resumed_from = journal.rows if journal.pages else None
        stall = Stall(patient, lister.context.clock, among=lister.context.stalls)
        walk = Walk(lister, journal, in_thread, stall)
        stall.changed = tell = _teller(journal, walk, observer, stall)
        try:
            await walk.run(tell)
        finally:
            stall.close()
        files = _files(target, included, chosen, lister, journal)
        await write_batches(files, journal, in_thread, tell)
        report: ExportReport = await in_thread(_report, journal, files, walk.listed, resumed_from)
        await in_thread(journal.discard)
    return attrs.evolve(report, seconds=time.monotonic() - begun)


def _checked_target(path: str | os.PathLike[str]) -> Path:
    given = Path(path)
    # The folder's links are the caller's way to name it; one in the place of the file may be another user's.
    target = given.parent.resolve() / given.name
    if target.is_dir() or not given.name or not target.parent.is_dir():
        raise InvalidArgumentError(f"{target} cannot be written: it is a folder itself, or is in none that exists")
    return target


def _included_files(target: Path, lister: ListRequest[Any]) -> dict[str, Path]:
    """Give the file of each included type, and of all others together: what a server says names none."""
    types = included_types(lister)
    if len({name.casefold() for name in (*types, OTHER)}) <= len(types):
        raise InvalidArgumentError(f"the files of these types would be called the same: {', '.join(types)}, {OTHER}")
    try:
        names = [*(file_name_for_type(name, types) for name in types), OTHER]
    except ValueError as error:
        raise InvalidArgumentError(str(error)) from None
    return {name: target.with_name(f"{target.stem}.{name}{target.suffix}") for name in names}


def _refuse_irreplaceable(file: Path) -> None:
    try:
        check_replaceable(file)
    except OSError as error:
        raise InvalidArgumentError(f"{file} cannot be written: {error.strerror}") from None


def _prepared(pages: Pages[Any]) -> ListRequest[Any]:
    """Give what *pages* lists in the order that an export needs."""
    lister = pages.lister
    start = Position(list_digest(lister.operation.path, lister.query), 0, lister.query.encode())
    if pages.position != str(start):
        raise InvalidArgumentError("an export begins with the first row: leave resume_from= out, and take a fresh list")
    name = _resource_name(lister)
    key = SORTED_BY.get(name)
    if key is not None and lister.query.sort not in {(), (key,)}:
        raise InvalidArgumentError(
            f"an export of {name} is sorted by {key}, so that rows keep their places while it runs: leave sort= out"
        )
    sort = lister.query.sort if key is None else (key,)
    size = None if name in _UNSIZED else lister.query.page_size or _PAGE_SIZE
    return attrs.evolve(lister, query=attrs.evolve(lister.query, sort=sort, page_size=size))


def _resource_name(lister: ListRequest[Any]) -> str:
    return lister.operation.name.partition(".")[0]


def _arguments(lister: ListRequest[Any], chosen: str) -> dict[str, str]:
    """Give what a checkpoint must have been begun with to be gone on with, by the names that users know."""
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
async def _own_thread(journal: Journal) -> AsyncGenerator[InThread]:
    """Give a way to use *journal* in one thread of its own, where it is closed at the end, whatever happens."""
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1, thread_name_prefix="kajabi_async export") as executor:

        def call(function: Any, *arguments: Any, **named: Any) -> Any:
            with telling(journal.folder):
                return function(*arguments, **named)

        async def in_thread(function: Any, *arguments: Any, **named: Any) -> Any:
            return await loop.run_in_executor(executor, partial(call, function, *arguments, **named))

        try:
            yield in_thread
        finally:
            # Not awaited: it must happen after whatever was under way in the thread, cancelled or not.
            executor.submit(journal.close)


def _teller(journal: Journal, walk: Walk, observer: ExportObserver | None, stall: Stall) -> Any:
    def tell(written: int = 0) -> None:
        if observer is not None:
            observer(
                ExportProgress(
                    rows=journal.rows,
                    pages=journal.pages,
                    listed=walk.listed,
                    written=written,
                    stalled_since=stall.since,
                    paused_until=stall.paused_until if stall.is_on else None,
                )
            )

    return tell


def _files(
    target: Path, included: Mapping[str, Path], chosen: str, lister: ListRequest[Any], journal: Journal
) -> list[ExportedFile]:
    """Give the files to write: that of the list last, since its being there says that all of them are."""
    files = [
        ExportedFile(path, chosen, OTHER_COLUMNS if name == OTHER else columns_for(class_of(name), lister), name)
        for name, path in included.items()
        if name != OTHER or journal.related[OTHER]
    ]
    return [*files, ExportedFile(target, chosen, columns_for(lister.model, lister), None)]


def _report(journal: Journal, files: list[ExportedFile], listed: int | None, resumed_from: int | None) -> ExportReport:
    return ExportReport(
        paths=(files[-1].path, *(file.path for file in files[:-1])),
        rows=journal.rows,
        pages=journal.pages,
        related=dict(journal.related),
        repeated=journal.repeated,
        shifts=journal.shifts,
        malformed=journal.malformed,
        problems=journal.problems,
        listed=listed,
        resumed_from=resumed_from,
        seconds=0.0,
    )
