"""A checkpoint keeps a page completely or not at all."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from kajabi_async import ExportError, InvalidArgumentError
from kajabi_async.export.checkpoint import Checkpoint, Entry, PageRecord, export_errors

CONNECT = sqlite3.connect


@pytest.fixture
def checkpoint(tmp_path: Path) -> Iterator[Checkpoint]:
    checkpoint = Checkpoint(tmp_path / "customers.csv.partial")
    checkpoint.open({}, restart=False)
    yield checkpoint
    checkpoint.close()


def page_of(number: int, *ids: str) -> tuple[PageRecord, list[Entry]]:
    rows = [Entry("customers", each, [each, "text" * 2000]) for each in ids]
    return PageRecord(number, f"page={number}", f"page={number + 1}", None), rows


def test_a_page_that_does_not_fit_on_the_disk_leaves_what_was_there(checkpoint: Checkpoint) -> None:
    """Nothing of it is kept, the counts are unchanged, and with free space the same page is kept."""
    checkpoint.record(*page_of(1, "1", "2"), [], [])
    checkpoint._db.execute("PRAGMA max_page_count = 25")
    second = page_of(2, *map(str, range(3, 30)))
    with pytest.raises(ExportError, match="disk is full; its content is intact"), export_errors(checkpoint.folder):
        checkpoint.record(*second, [], [])
    assert (checkpoint.rows, checkpoint.pages) == (2, 1)
    latest = checkpoint.latest()
    assert latest is not None
    assert latest.number == 1
    assert checkpoint.known(["1", "2", "3"], up_to=9) == {"1", "2"}
    checkpoint._db.execute("PRAGMA max_page_count = 100000")
    checkpoint.record(*second, [], [])
    assert [row[0] for batch in checkpoint.batches() for row in batch] == [str(number) for number in range(1, 30)]


def test_pages_are_found_by_number_and_query(checkpoint: Checkpoint) -> None:
    """The latest page is where to resume; pages that need a second reading are listed in order."""
    assert checkpoint.latest() is None
    last = PageRecord(3, "page=3", None, 5)
    for page in (page_of(1, "1")[0], page_of(2, "2")[0], last):
        checkpoint.record(page, [Entry("customers", page.query, [])], [], [])
    assert checkpoint.latest() == last
    assert [checkpoint.query_of(number) for number in (1, 2, 3)] == ["page=1", "page=2", "page=3"]
    assert (checkpoint.has_read("page=2"), checkpoint.has_read("page=4")) == (True, False)
    assert (checkpoint.pages_to_read_again(3), checkpoint.pages_to_read_again(1)) == ([1, 2], [])
    checkpoint.look_back(1, [], [], is_done=False)
    assert checkpoint.pages_to_read_again(4) == [1, 2, 3]
    checkpoint.look_back(1, [], [], is_done=True)
    assert checkpoint.pages_to_read_again(4) == [2, 3]


def test_a_row_is_known_from_its_page_on(checkpoint: Checkpoint) -> None:
    """A row that moved belongs to the page after the one that was read again."""
    checkpoint.record(*page_of(1, "1", "2"), [], [])
    checkpoint.record(*page_of(2, "3"), [], [])
    ids = ["1", "2", "3", "4", "5"]
    assert (checkpoint.known(ids, up_to=1), checkpoint.known(ids, up_to=2)) == ({"1", "2"}, {"1", "2", "3"})
    checkpoint.look_back(1, [Entry("customers", each, [each]) for each in ("3", "4")], [], is_done=True)
    assert (checkpoint.known(ids, up_to=1), checkpoint.known(ids, up_to=2)) == ({"1", "2"}, {"1", "2", "3", "4"})
    assert (checkpoint.rows, [(each.page, each.moved, each.recovered) for each in checkpoint.shifts]) == (
        4,
        [(1, 2, 1)],
    )


def test_included_resources_of_a_second_reading_are_kept_only_if_a_row_had_moved(checkpoint: Checkpoint) -> None:
    """Includes are requested only then, and are known otherwise."""
    offer = Entry("offers", "1", ["1"])
    checkpoint.record(*page_of(1, "1"), [], [])
    checkpoint.look_back(1, [], [offer], is_done=True)
    assert (checkpoint.related, checkpoint.shifts) == ({}, ())
    checkpoint.look_back(1, [Entry("customers", "9", ["9"])], [offer, offer], is_done=True)
    assert checkpoint.related == {"offers": 1}
    assert list(checkpoint.batches("offers")) == [[["1"]]]
    assert list(checkpoint.batches("contacts")) == []


def test_rows_come_back_in_their_order_five_hundred_at_a_time(checkpoint: Checkpoint) -> None:
    """From pages of any size, with every JSON value; times as text."""
    time = datetime(2026, 8, 2, 20, 26, 32, 995, tzinfo=UTC)
    cells: list[Any] = ["é", None, True, 2**63 - 1, 0.5, ["a"], {"b": []}]
    sizes = [1, 499, 0, 500, 1001, 100]
    rows = iter([Entry("customers", str(number), [number, *cells, time]) for number in range(sum(sizes))])
    for number, size in enumerate(sizes):
        checkpoint.record(page_of(number)[0], list(islice(rows, size)), [], [])
    batches = list(checkpoint.batches())
    assert [len(batch) for batch in batches] == [500, 500, 500, 500, 101]
    expected = [[number, *cells, "2026-08-02T20:26:32.000995Z"] for number in range(sum(sizes))]
    assert [row for batch in batches for row in batch] == expected


def test_only_the_first_of_several_rows_with_one_id_comes_back(checkpoint: Checkpoint) -> None:
    """On one page or on several; those of an included type are another's."""
    entries = [Entry("customers", each[0], [each]) for each in ("1a", "2a", "1b", "3a")]
    checkpoint.record(page_of(1)[0], entries, [Entry("offers", "1", ["offer"])], [])
    again = [Entry("customers", each[0], [each]) for each in ("3b", "4a", "4b")]
    checkpoint.record(page_of(2)[0], again, [Entry("offers", each, [each]) for each in "12"], [])
    checkpoint.record(page_of(3)[0], again, [], [])
    assert [*checkpoint.batches()] == [[["1a"], ["2a"], ["3a"], ["4a"]]]
    assert [*checkpoint.batches("offers")] == [[["offer"], ["2"]]]
    assert (checkpoint.rows, checkpoint.repeated, checkpoint.related) == (4, 6, {"offers": 2})


def test_the_first_twenty_malformed_rows_are_described(checkpoint: Checkpoint) -> None:
    """From any number of pages; all are counted."""
    for number in (1, 2, 3):
        problems = [f"{number}.{row}" for row in range(9)]
        checkpoint.record(*page_of(number, str(number)), [], problems)
    assert checkpoint.malformed == 27
    assert checkpoint.problems == tuple(f"{number}.{row}" for number in (1, 2, 3) for row in range(9))[:20]


def test_a_problem_of_a_second_reading_counts_once(checkpoint: Checkpoint) -> None:
    """Not at all if the first reading had it, or if there are too many to know: their number has been reported then."""
    checkpoint.record(*page_of(1, "1"), [], ["a"])
    for problems in (["a"], ["a", "b"], ["b", "a"]):
        checkpoint.look_back(1, [], [], problems=problems, is_done=False)
    assert (checkpoint.malformed, checkpoint.problems, checkpoint.shifts) == (2, ("a", "b"), ())
    checkpoint.look_back(1, [], [], problems=[f"c{number}" for number in range(30)], is_done=True)
    checkpoint.look_back(1, [], [], problems=["d"], is_done=True)
    described = ("a", "b", *(f"c{number}" for number in range(18)))
    assert (checkpoint.malformed, checkpoint.problems) == (20, described)
    checkpoint.close()
    checkpoint.open({}, restart=False)
    assert (checkpoint.malformed, checkpoint.problems) == (20, described)


def test_the_arguments_must_be_those_of_the_start(tmp_path: Path) -> None:
    """The error has the first difference with both values, shortened if long; a missing argument is an empty one."""
    checkpoint = Checkpoint(tmp_path / "customers.csv.partial")
    checkpoint.open({"format": "csv", "filters": "x" * 300}, restart=False)
    checkpoint.close()
    for arguments, message in (
        ({"format": "jsonl", "filters": "x" * 300}, "format 'csv', and this export has 'jsonl'"),
        ({"format": "csv", "filters": "y" * 300}, f"filters '{'x' * 199}, and this export has '{'y' * 199}"),
        ({"format": "csv"}, f"filters '{'x' * 199}, and this export has ''"),
        ({"format": "csv", "filters": "x" * 300, "sort": "a"}, "sort '', and this export has 'a'"),
    ):
        start = f"the checkpoint {checkpoint.folder} was started with"
        with pytest.raises(
            InvalidArgumentError, match=rf"^{start} {message}: run it as .* restart=True \(--restart\)$"
        ):
            checkpoint.open(arguments, restart=False)
    checkpoint.open({"format": "csv", "filters": "x" * 300}, restart=False)
    checkpoint.close()
    checkpoint.open({"format": "jsonl"}, restart=True)
    checkpoint.close()


def test_a_restart_leaves_nothing_of_what_was_kept(checkpoint: Checkpoint) -> None:
    """Also of a file that is no valid checkpoint, and of the files beside it."""
    checkpoint.record(*page_of(1, "1"), [Entry("offers", "1", [])], ["this was wrong"])
    checkpoint.close()
    for damage in (None, b"no database" * 1000):
        if damage is not None:
            for path in checkpoint.folder.iterdir():
                path.write_bytes(damage)
            (checkpoint.folder / "journal.sqlite-wal").write_bytes(damage)
            message = r"is damaged \(.*\): discard it with restart=True \(--restart\)$"
            with pytest.raises(ExportError, match=message), export_errors(checkpoint.folder):
                checkpoint.open({}, restart=False)
        checkpoint.open({}, restart=True)
        assert (checkpoint.rows, checkpoint.pages, checkpoint.malformed, checkpoint.related) == (0, 0, 0, {})
        assert (checkpoint.latest(), checkpoint.problems, list(checkpoint.batches())) == (None, (), [])
        checkpoint.close()


def test_a_checkpoint_is_removed_with_its_folder(checkpoint: Checkpoint) -> None:
    """Discarding and closing it again do nothing."""
    checkpoint.discard()
    assert not checkpoint.folder.exists()
    checkpoint.discard()
    checkpoint.close()
    with pytest.raises(ExportError, match=f"^the checkpoint {checkpoint.folder} is not open$"):
        checkpoint.latest()


def test_files_of_others_in_the_folder_are_left_alone(checkpoint: Checkpoint) -> None:
    """Only those of SQLite, and unfinished ones that are named after the file of the export, are removed."""
    ours = ("customers.csv", "customers.offers.csv", "journal.sqlite-shm")
    theirs = ("customers.notes", "notes.csv", "customers-old.csv")
    for name in (*ours, *theirs):
        (checkpoint.folder / name).touch()
    checkpoint.discard()
    assert {each.name for each in checkpoint.folder.iterdir()} == set(theirs)


@pytest.mark.parametrize("kind", ["file", "link"])
def test_a_file_or_link_in_place_of_the_folder_is_left_alone(kind: str, tmp_path: Path) -> None:
    """Also a link that leads elsewhere."""
    folder = tmp_path / "customers.csv.partial"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    if kind == "file":
        folder.write_text("mine")
    else:
        folder.symlink_to(elsewhere)
    with pytest.raises(
        ExportError,
        match=f"^the checkpoint folder {folder} is not safe: it is in the way, a link or no folder: remove it$",
    ):
        Checkpoint(folder).open({}, restart=True)
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize(
    ("raised", "message"),
    [
        (
            sqlite3.OperationalError("database is locked"),
            "^another export is writing to this file: it has /a open; wait",
        ),
        (
            sqlite3.OperationalError("disk I/O error"),
            "^the checkpoint /a could not be written: disk I/O error; its",
        ),
        (sqlite3.DatabaseError("malformed"), r"^the checkpoint /a is damaged \(malformed\): discard it"),
    ],
)
def test_errors_of_sqlite_are_reported_with_their_cure(raised: Exception, message: str) -> None:
    """Other exceptions pass through."""
    with pytest.raises(ExportError, match=message), export_errors(Path("/a")):
        raise raised
    with pytest.raises(KeyError), export_errors(Path("/a")):
        raise KeyError


def test_counts_are_restored_when_a_checkpoint_is_opened(checkpoint: Checkpoint) -> None:
    """Rows, pages, repeated and malformed rows, problems, shifts, and included resources by type."""
    included = [Entry("offers", "1", ["1"]), Entry("offers", "1", ["1"]), Entry("contacts", "1", ["1"])]
    checkpoint.record(*page_of(1, "1", "2"), included, ["this was wrong"])
    checkpoint.record(*page_of(2, "2", "3"), [], [])
    checkpoint.look_back(1, page_of(1, "9")[1], [Entry("offers", "2", ["2"])], is_done=True)
    checkpoint.close()
    again = Checkpoint(checkpoint.folder)
    again.open({}, restart=False)
    assert (again.rows, again.pages, again.repeated, again.malformed) == (4, 2, 1, 1)
    assert again.related == {"offers": 2, "contacts": 1}
    assert again.problems == ("this was wrong",)
    assert [(shift.page, shift.moved, shift.recovered) for shift in again.shifts] == [(1, 1, 1)]
    assert again.pages_to_read_again(9) == [2]
    again.close()


def _read_by_another(checkpoint: Checkpoint) -> list[tuple[str]]:
    with closing(sqlite3.connect(checkpoint.folder / "journal.sqlite", timeout=0)) as other:
        return other.execute("SELECT name FROM sqlite_master").fetchall()


def test_a_checkpoint_is_locked_from_its_opening_to_its_closing(tmp_path: Path) -> None:
    """Even before the first write: otherwise two exports could resume the same checkpoint."""
    checkpoint = Checkpoint(tmp_path / "customers.csv.partial")
    for _ in ("laid out", "taken up"):
        checkpoint.open({}, restart=False)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            _read_by_another(checkpoint)
        second = Checkpoint(checkpoint.folder)
        for restart in (False, True):
            with pytest.raises(ExportError, match="another export is writing"), export_errors(checkpoint.folder):
                second.open({}, restart=restart)
        checkpoint.close()
        assert _read_by_another(checkpoint)


def test_a_checkpoint_that_could_not_be_opened_is_free_for_others(checkpoint: Checkpoint) -> None:
    """The one that failed to open it neither keeps the lock nor has to be closed."""
    checkpoint.close()
    failed = Checkpoint(checkpoint.folder)
    with pytest.raises(InvalidArgumentError):
        failed.open({"format": "jsonl"}, restart=False)
    assert _read_by_another(checkpoint)
    with pytest.raises(ExportError, match="is not open"):
        failed.latest()


def test_a_page_is_on_the_disk_before_it_counts(checkpoint: Checkpoint) -> None:
    """Each transaction waits for the disk (SQLite's synchronous = FULL), so that a page survives a power failure."""
    full = 2
    assert checkpoint._db.execute("PRAGMA synchronous").fetchone() == (full,)
    assert checkpoint._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


@pytest.mark.parametrize("parts", [("journal.sqlite",), ("journal.sqlite", "journal.sqlite-wal")])
def test_a_folder_that_is_exchanged_while_sqlite_opens_its_files_is_noticed(
    parts: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any user can do that in a shared folder without the sticky bit; no row goes to the other folder."""
    checkpoint = Checkpoint(tmp_path / "c.csv.partial")
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    for name in parts:
        (theirs / name).touch()

    def connect(*arguments: Any, **options: Any) -> sqlite3.Connection:
        checkpoint.folder.rename(tmp_path / "ours")
        theirs.rename(checkpoint.folder)
        opened: sqlite3.Connection = CONNECT(*arguments, **options)
        opened.execute("PRAGMA locking_mode = EXCLUSIVE")
        opened.execute("PRAGMA journal_mode = WAL")
        opened.execute("PRAGMA user_version = 7")
        checkpoint.folder.rename(theirs)
        (tmp_path / "ours").rename(checkpoint.folder)
        return opened

    monkeypatch.setattr(sqlite3, "connect", connect)
    with pytest.raises(ExportError, match="was replaced by another folder"), export_errors(checkpoint.folder):
        checkpoint.open({"secret": "example.com"}, restart=False)
    checkpoint.close()
    assert all(b"example.com" not in each.read_bytes() for each in theirs.iterdir())


def test_a_name_that_the_file_system_rejects_is_reported(tmp_path: Path) -> None:
    """Such as one that is too long with the suffix of the checkpoint."""
    with pytest.raises(ExportError, match=r"cannot make .*too long"):
        Checkpoint(tmp_path / ("long" * 64)).open({}, restart=False)


def test_a_checkpoint_that_is_not_open_says_so(tmp_path: Path) -> None:
    """It does not fail with an unrelated error."""
    with pytest.raises(ExportError, match="is not open"):
        Checkpoint(tmp_path / "closed").latest()
