"""The files of an export appear complete, and only once all of them are written."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kajabi_async import ExportError
from kajabi_async.export import job
from kajabi_async.export.checkpoint import Checkpoint, Entry, PageRecord
from kajabi_async.export.columns import Column, Kind
from kajabi_async.export.formats import JsonLinesWriter
from kajabi_async.export.job import ExportedFile, write_batches

COLUMNS = (Column("id", Kind.TEXT, lambda _resource: None),)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Iterator[Checkpoint]:
    checkpoint = Checkpoint(tmp_path / "customers.jsonl.partial")
    checkpoint.open({}, restart=False)
    rows = [Entry("customers", str(number), [str(number)]) for number in range(10_003)]
    checkpoint.record(PageRecord(1, "", None, None), rows, [Entry("offers", "4", ["4"])], [])
    yield checkpoint
    checkpoint.close()


def files_in(folder: Path) -> list[ExportedFile]:
    names = {"customers.offers.jsonl": "offers", "customers.jsonl": None}
    return [ExportedFile(folder / name, "jsonl", COLUMNS, related) for name, related in names.items()]


async def at_once(function: Any, *arguments: Any) -> Any:
    return function(*arguments)


async def test_all_files_are_written_and_the_rows_counted(checkpoint: Checkpoint, tmp_path: Path) -> None:
    """Rows are counted over all files, after each batch; existing files are replaced."""
    (tmp_path / "customers.jsonl").write_text("from before")
    message: list[int] = []
    await write_batches(files_in(tmp_path), checkpoint, at_once, message.append)
    assert message == [1, *range(501, 10_002, 500), 10_004]
    assert (tmp_path / "customers.offers.jsonl").read_text() == '{"id":"4"}\n'
    lines = (tmp_path / "customers.jsonl").read_text().splitlines()
    assert (len(lines), lines[-1]) == (10_003, '{"id":"10002"}')


async def test_no_file_appears_before_all_are_on_the_disk(
    checkpoint: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The contents are synced first, then the names; that of the list comes last, so once it exists, all do."""
    synced: list[str] = []
    sync = os.fsync

    def noted(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        put_in_place = sorted(each.name for each in tmp_path.iterdir() if each.is_file())
        synced.append(f"{path.relative_to(tmp_path)} {put_in_place}")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    await write_batches(files_in(tmp_path), checkpoint, at_once, lambda _: None)
    assert synced == [
        "customers.jsonl.partial/customers.offers.jsonl []",
        "customers.jsonl.partial/customers.jsonl []",
        ". ['customers.offers.jsonl']",
        ". ['customers.jsonl', 'customers.offers.jsonl']",
    ]


@pytest.mark.parametrize(
    ("owner", "step"),
    [(job, "open_writer"), (JsonLinesWriter, "write"), (JsonLinesWriter, "close"), (os, "fsync"), (os, "replace")],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_failure_at_any_step_leaves_what_was_there(
    owner: Any, step: str, checkpoint: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error has the file, the reason, the folder with the rows and the cure."""
    (tmp_path / "customers.jsonl").write_text("from before")

    close = JsonLinesWriter.close

    def fail(*arguments: Any, **_: Any) -> None:
        if step == "close":
            close(*arguments)
        raise OSError(28, "No space left on device")

    message = (
        f"{tmp_path / 'customers.offers.jsonl'} could not be written: No space left on device; the rows so far are "
        f"kept in {checkpoint.folder.name}, so correct that and run the same export again"
    )
    with monkeypatch.context() as patched:
        patched.setattr(owner, step, fail)
        with pytest.raises(ExportError, match=f"^{re.escape(message)}$"):
            await write_batches(files_in(tmp_path), checkpoint, at_once, lambda _: None)
    assert (tmp_path / "customers.jsonl").read_text() == "from before"
    await write_batches(files_in(tmp_path), checkpoint, at_once, lambda _: None)
    assert len((tmp_path / "customers.jsonl").read_text().splitlines()) == 10_003


async def test_a_reason_without_strerror_is_reported_as_text(
    checkpoint: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Libraries raise OSError with a text alone."""

    def fail(*_: object) -> None:
        raise OSError("out of ink")

    monkeypatch.setattr(JsonLinesWriter, "write", fail)
    with pytest.raises(ExportError, match="could not be written: out of ink; the rows"):
        await write_batches(files_in(tmp_path), checkpoint, at_once, lambda _: None)


async def test_a_file_is_closed_whatever_stops_the_writing(checkpoint: Checkpoint, tmp_path: Path) -> None:
    """Such as an observer that raises; its exception is raised unchanged."""
    opened: list[Any] = []

    async def noted(function: Any, *arguments: Any) -> Any:
        done = function(*arguments)
        if isinstance(done, JsonLinesWriter):
            opened.append(done)
        return done

    def stop(written: int) -> None:
        if written > 1:
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        await write_batches(files_in(tmp_path), checkpoint, noted, stop)
    assert [writer._file.closed for writer in opened] == [True, True]
    assert not (tmp_path / "customers.offers.jsonl").exists()
