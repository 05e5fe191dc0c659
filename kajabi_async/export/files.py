"""The files of an export: written completely under another name, then moved into place atomically."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import attrs

from kajabi_async.errors import ExportError
from kajabi_async.export.checkpoint import Checkpoint
from kajabi_async.export.collect import InThread
from kajabi_async.export.columns import Column
from kajabi_async.export.formats import Writer, open_writer
from kajabi_async.private_files import PrivateFolder

__all__ = ["PARTIAL", "ExportedFile", "write_batches"]

PARTIAL: Final = ".partial"
"""The suffix that the folder of a checkpoint adds to the name of the file."""


@attrs.frozen
class ExportedFile:
    """One file to write."""

    path: Path
    chosen: str
    """The format."""
    columns: tuple[Column, ...]
    related_type: str | None
    """The included type it holds; None for the rows of the list."""


async def write_batches(
    files: Sequence[ExportedFile], checkpoint: Checkpoint, in_thread: InThread, notify: Callable[[int], None]
) -> None:
    """Write *files* from the checkpoint in batches; call *notify* with the rows written so far after each.

    ExportError if writing fails; existing files and the checkpoint are unchanged then.
    """
    written = 0
    for file in files:
        writer = await in_thread(_open, file, checkpoint.files)
        try:
            batches = checkpoint.batches(file.related_type)
            while batch := await in_thread(_next_batch, batches):
                await in_thread(_write, writer, batch, file, checkpoint.files)
                written += len(batch)
                notify(written)
        finally:
            await in_thread(_close, writer, file, checkpoint.files)
        await in_thread(_make_durable, file, checkpoint.files)
    for file in files:
        await in_thread(_move_into_place, file, checkpoint.files)


def _open(file: ExportedFile, folder: PrivateFolder) -> Writer:
    with _write_errors(file, folder):
        opened = folder.create(file.path.name)
        try:
            return open_writer(opened, file.columns, file.chosen)
        except BaseException:
            opened.close()
            raise


def _next_batch(batches: Any) -> Any:
    return next(batches, None)


def _write(writer: Writer, batch: list[list[Any]], file: ExportedFile, folder: PrivateFolder) -> None:
    with _write_errors(file, folder):
        writer.write(batch)


def _close(writer: Writer, file: ExportedFile, folder: PrivateFolder) -> None:
    with _write_errors(file, folder):
        writer.close()


def _make_durable(file: ExportedFile, folder: PrivateFolder) -> None:
    with _write_errors(file, folder):
        folder.make_durable(file.path.name)


def _move_into_place(file: ExportedFile, folder: PrivateFolder) -> None:
    with _write_errors(file, folder):
        folder.move_out(file.path.name, file.path)


@contextmanager
def _write_errors(file: ExportedFile, folder: PrivateFolder) -> Generator[None]:
    """Raise an OSError as ExportError."""
    try:
        yield
    except OSError as error:
        raise ExportError(
            f"{file.path} could not be written: {error.strerror or error}; the rows so far are kept in "
            f"{folder.path.name}, so correct that and run the same export again"
        ) from None
