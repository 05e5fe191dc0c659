"""A checkpoint takes a page whole or not at all."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from kajabi_async import ExportError
from kajabi_async.export.journal import Entry, Journal, PageRecord, telling


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "customers.csv.partial")
    journal.open({}, restart=False)
    yield journal
    journal.close()


def page_of(number: int, *ids: str) -> tuple[PageRecord, list[Entry]]:
    rows = [Entry("customers", each, [each, "text" * 2000]) for each in ids]
    return PageRecord(number, f"page={number}", f"page={number + 1}", None), rows


def test_a_page_that_does_not_fit_on_the_disk_leaves_what_was_there(journal: Journal) -> None:
    """Nothing of it is kept, the counts stay, and with room again the same page is taken."""
    journal.record(*page_of(1, "1", "2"), [], [])
    journal._db.execute("PRAGMA max_page_count = 25")
    second = page_of(2, *map(str, range(3, 30)))
    with pytest.raises(ExportError, match="disk is full; what it held before is intact"), telling(journal.folder):
        journal.record(*second, [], [])
    assert (journal.rows, journal.pages) == (2, 1)
    latest = journal.latest()
    assert latest is not None
    assert latest.number == 1
    assert journal.known(["1", "2", "3"], up_to=9) == {"1", "2"}
    journal._db.execute("PRAGMA max_page_count = 100000")
    journal.record(*second, [], [])
    assert [row[0] for batch in journal.batches() for row in batch] == [str(number) for number in range(1, 30)]


def test_counts_are_found_again_when_a_checkpoint_is_taken_up(journal: Journal) -> None:
    """Rows, pages, repeated and malformed rows, problems, shifts, and included resources by type."""
    included = [Entry("offers", "1", ["1"]), Entry("offers", "1", ["1"]), Entry("contacts", "1", ["1"])]
    journal.record(*page_of(1, "1", "2"), included, ["this was wrong"])
    journal.record(*page_of(2, "2", "3"), [], [])
    journal.look_back(1, page_of(1, "9")[1], [Entry("offers", "2", ["2"])], is_done=True)
    journal.close()
    again = Journal(journal.folder)
    again.open({}, restart=False)
    assert (again.rows, again.pages, again.repeated, again.malformed) == (4, 2, 1, 1)
    assert again.related == {"offers": 2, "contacts": 1}
    assert again.problems == ("this was wrong",)
    assert [(shift.page, shift.moved, shift.recovered) for shift in again.shifts] == [(1, 1, 1)]
    assert again.not_looked_back_at(9) == [2]
    again.close()


def _read_by_another(journal: Journal) -> list[tuple[str]]:
    with closing(sqlite3.connect(journal.folder / "journal.sqlite", timeout=0)) as other:
        return other.execute("SELECT name FROM sqlite_master").fetchall()


def test_a_checkpoint_is_held_alone_from_its_opening_to_its_closing(tmp_path: Path) -> None:
    """Before anything is written to it as well: two exports that go on from one would each take it for their own."""
    journal = Journal(tmp_path / "customers.csv.partial")
    for _ in ("laid out", "taken up"):
        journal.open({}, restart=False)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            _read_by_another(journal)
        second = Journal(journal.folder)
        for restart in (False, True):
            with pytest.raises(ExportError, match="another export is writing"), telling(journal.folder):
                second.open({}, restart=restart)
        journal.close()
        assert _read_by_another(journal)


def test_a_page_is_on_the_disk_before_it_counts(journal: Journal) -> None:
    """Each transaction waits for the disk (SQLite's synchronous = FULL), so that a page outlives a loss of power."""
    full = 2
    assert journal._db.execute("PRAGMA synchronous").fetchone() == (full,)
    assert journal._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_name_that_the_file_system_does_not_take_is_told(tmp_path: Path) -> None:
    """As it is with the suffix of the checkpoint behind it."""
    with pytest.raises(ExportError, match=r"cannot make .*too long"):
        Journal(tmp_path / ("long" * 64)).open({}, restart=False)


def test_a_checkpoint_that_is_not_open_says_so(tmp_path: Path) -> None:
    """Rather than failing somewhere inside."""
    with pytest.raises(ExportError, match="is not open"):
        Journal(tmp_path / "closed").latest()
