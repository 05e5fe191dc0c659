"""The files of an export: written whole under another name, then put in place at one stroke."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import attrs

from kajabi_async.errors import ExportError
from kajabi_async.export.checkpoint import Journal
from kajabi_async.export.columns import Column
from kajabi_async.export.formats import Writer, open_writer
from kajabi_async.export.walk import InThread
from kajabi_async.private_files import PrivateFolder

__all__ = ["PARTIAL", "ExportedFile", "write_batches"]

PARTIAL: Final = ".partial"
"""What the folder of a checkpoint has behind the name of the file."""


@attrs.frozen
class ExportedFile:
    """One file to write."""

    path: Path
    chosen: str
    """The format."""
    columns: tuple[Column, ...]
    related_type: str | None
    """Which included type it holds; None for the rows of the list."""


async def write_batches(
    files: Sequence[ExportedFile], journal: Journal, in_thread: InThread, tell: Callable[[int], None]
) -> None:
    """Write *files* from what is in the *journal*, some thousand rows at a time; *tell* is told how many so far.

    ExportError where that fails: what was there before is untouched, and so is the journal.
    """
    written = 0
    for file in files:
        begun = await in_thread(_begin, file, journal.files)
        try:
            batches = journal.batches(file.related_type)
            while batch := await in_thread(_next_batch, batches):
                await in_thread(_write, begun, batch, file, journal.files)
                written += len(batch)
                tell(written)
        finally:
            await in_thread(_end, begun, file, journal.files)
        await in_thread(_make_durable, file, journal.files)
    for file in files:
        await in_thread(_put_in_place, file, journal.files)


def _begin(file: ExportedFile, folder: PrivateFolder) -> Writer:
    with _told(file, folder):
        opened = folder.create(file.path.name)
        try:
            return open_writer(opened, file.columns, file.chosen)
        except BaseException:
            opened.close()
            raise


def _next_batch(batches: Any) -> Any:
    return next(batches, None)


def _write(begun: Writer, batch: list[list[Any]], file: ExportedFile, folder: PrivateFolder) -> None:
    with _told(file, folder):
        begun.write(batch)


def _end(begun: Writer, file: ExportedFile, folder: PrivateFolder) -> None:
    with _told(file, folder):
        begun.close()


def _make_durable(file: ExportedFile, folder: PrivateFolder) -> None:
    with _told(file, folder):
        folder.make_durable(file.path.name)


def _put_in_place(file: ExportedFile, folder: PrivateFolder) -> None:
    with _told(file, folder):
        folder.move_out(file.path.name, file.path)


@contextmanager
def _told(file: ExportedFile, folder: PrivateFolder) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise ExportError(
            f"{file.path} could not be written: {error.strerror or error}; the rows that came are kept in "
            f"{folder.path.name}, so mend that and run the same export again"
        ) from None
