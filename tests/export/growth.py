"""The memory growth of a checkpoint and of writing its rows, in a process of its own.

``python -m tests.export.growth`` prints two numbers of bytes: the growth after the 100th page, and after
the first 20,000 rows written. `test_memory` runs it without coverage measurement.
"""

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import psutil

from kajabi_async.export.checkpoint import Checkpoint, Entry, PageRecord
from kajabi_async.export.columns import columns_of
from kajabi_async.export.job import ExportedFile, write_batches
from kajabi_async.models import ContactNote

PAGES = 800
SETTLED = 100
PAGE_SIZE = 100


def main(folder: Path) -> tuple[int, int]:
    """Keep 80,000 rows, write them, and return both numbers."""
    checkpoint = Checkpoint(folder / "notes.parquet.partial")
    checkpoint.open({}, restart=False)
    memory = psutil.Process().memory_info
    settled = 0
    for number in range(1, PAGES + 1):
        checkpoint.record(PageRecord(number, f"page={number}", f"page={number + 1}", None), _rows(number), [], [])
        if number == SETTLED:
            settled = memory().rss
    kept = memory().rss - settled
    sizes: dict[int, int] = {}
    file = ExportedFile(folder / "notes.parquet", "parquet", columns_of(ContactNote), None)

    def note_size(written: int) -> None:
        sizes[written] = memory().rss

    asyncio.run(write_batches([file], checkpoint, _here, note_size))
    checkpoint.discard()
    return kept, sizes[PAGES * PAGE_SIZE] - sizes[20_000]


def _rows(page: int) -> list[Entry]:
    time = "2026-08-02T20:26:32.995000Z"
    numbers = range(page * PAGE_SIZE, (page + 1) * PAGE_SIZE)
    return [
        Entry("contact_notes", str(number), [str(number), "text" * 100, time, time, "1", None]) for number in numbers
    ]


async def _here(function: Any, *arguments: Any) -> Any:
    return function(*arguments)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        print(*main(Path(temporary)))  # noqa: T201 - its result
