"""The checkpoint: every row that came and every page that was read, in one SQLite file beside the export.

A page and its rows are one transaction, so a process killed at any moment leaves whole pages; SQLite's own lock keeps
a second export out for as long as the first one lives, and no longer. What is kept does not depend on memory: ids are
compared in the file.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import attrs

from kajabi_async.errors import ExportError, InvalidArgumentError
from kajabi_async.export.report import Shift
from kajabi_async.private_files import PrivateFolder, UnsafePathError

__all__ = ["Entry", "Journal", "PageRecord", "telling"]

_FILE: Final = "journal.sqlite"
_LOG_FILE: Final = f"{_FILE}-wal"
_FILES: Final = (_FILE, _LOG_FILE, f"{_FILE}-journal", f"{_FILE}-shm")
_SHOWN_PROBLEMS: Final = 20
_ROWS_AT_ONCE: Final = 10_000
_TABLES: Final = """
CREATE TABLE arguments (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE pages (number INTEGER PRIMARY KEY, query TEXT NOT NULL UNIQUE, following TEXT, listed INTEGER,
                    repeated INTEGER NOT NULL, malformed INTEGER NOT NULL, looked_back INTEGER NOT NULL DEFAULT 0);
CREATE INDEX pages_to_look_back_at ON pages (number) WHERE looked_back = 0;
CREATE TABLE rows (place INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, page INTEGER NOT NULL, cells TEXT NOT NULL);
CREATE TABLE related (place INTEGER PRIMARY KEY, type TEXT NOT NULL, id TEXT NOT NULL, cells TEXT NOT NULL,
                      UNIQUE (type, id));
CREATE TABLE shifts (page INTEGER NOT NULL, moved INTEGER NOT NULL, recovered INTEGER NOT NULL);
CREATE TABLE problems (problem TEXT NOT NULL);
"""


@attrs.frozen
class Entry:
    """One resource as it is kept."""

    type: str
    id: str
    cells: list[Any]

    @property
    def text(self) -> str:
        """The cells as JSON."""
        return json.dumps(self.cells, ensure_ascii=False, separators=(",", ":"))


@attrs.frozen
class PageRecord:
    """One page as it is kept, without its rows."""

    number: int
    """Counted from 1 in the order of reading; the server's own numbers are not looked at."""
    query: str
    following: str | None
    """The query of the page after it; None for the last one."""
    listed: int | None


class Journal:
    """What an export has come to so far; used from one thread, and within `telling`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows = self.pages = self.repeated = self.malformed = 0
        self.related: Counter[str] = Counter()
        self._connection: sqlite3.Connection | None = None
        self._files: PrivateFolder | None = None

    def open(self, arguments: Mapping[str, str], *, restart: bool) -> None:
        """Take the checkpoint for this run, or make one; with *restart* what it holds is discarded.

        ExportError if another export holds it, if it is damaged, or if others can get at the folder or have put
        something there; InvalidArgumentError if it was begun with other *arguments*.
        """
        # What a failed opening left open would hold its own lock against this one.
        self.close()
        try:
            self._files = PrivateFolder(self.folder)
            for name in _FILES[:2]:
                self._files.prepare(name)
        except UnsafePathError as error:
            raise ExportError(f"{self.folder}, where rows are kept meanwhile, is not safe: {error.strerror}") from None
        except OSError as error:
            raise ExportError(f"cannot make {self.folder}: {error.strerror}") from None
        self._take(restart=restart)
        self._refuse_to_be_elsewhere()
        if not self._has_tables:
            self._lay_out(arguments)
        self._refuse_other(arguments)
        self._count()

    def close(self) -> None:
        """Let the checkpoint go, for another run to go on from."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._files is not None:
            self._files.close()
            self._files = None

    def discard(self) -> None:
        """Let the checkpoint go and remove it."""
        files, self._files = self._files, None
        self.close()
        if files is None:
            return
        files.remove(*filter(self._is_ours, files.names()))
        files.discard()

    def _is_ours(self, name: str) -> bool:
        """Tell whether *name* is of SQLite's files or an unfinished one of an earlier run: no more is removed."""
        target = Path(self.folder.stem)
        is_unfinished = name.startswith(f"{target.stem}.") and name.endswith(target.suffix)
        return name in _FILES or is_unfinished

    @property
    def files(self) -> PrivateFolder:
        """The folder of the checkpoint, which unfinished files go to as well."""
        if self._files is None:
            raise ExportError(f"the checkpoint {self.folder} is not open")
        return self._files

    def latest(self) -> PageRecord | None:
        """Give the page that was read last; None before the first."""
        found = self._db.execute(
            "SELECT number, query, following, listed FROM pages ORDER BY number DESC LIMIT 1"
        ).fetchone()
        return None if found is None else PageRecord(*found)

    def query_of(self, number: int) -> str:
        """Give the query that page *number* was asked for with."""
        query: str = self._db.execute("SELECT query FROM pages WHERE number = ?", (number,)).fetchone()[0]
        return query

    def has_read(self, query: str) -> bool:
        """Tell whether a page was asked for with *query* before."""
        return self._db.execute("SELECT 1 FROM pages WHERE query = ?", (query,)).fetchone() is not None

    def not_looked_back_at(self, before: int) -> list[int]:
        """Give the numbers of the pages before page *before* that have not been looked at again since the next came."""
        found = self._db.execute(
            "SELECT number FROM pages WHERE looked_back = 0 AND number < ? ORDER BY number", (before,)
        )
        return [number for (number,) in found]

    def known(self, ids: Iterable[str], *, up_to: int) -> set[str]:
        """Give those of *ids* that came on page *up_to* or before it."""
        statement = "SELECT 1 FROM rows WHERE id = ? AND page <= ?"
        return {each for each in ids if self._db.execute(statement, (each, up_to)).fetchone()}

    def record(self, page: PageRecord, rows: list[Entry], related: Iterable[Entry], problems: list[str]) -> None:
        """Keep a page and what it carried, all or nothing; a row that is there already is counted as repeated."""
        with self._transaction() as db:
            added = self._add_rows(db, rows, page.number)
            more = self._add_related(db, related)
            repeated = len(rows) - added
            db.execute(
                "INSERT INTO pages (number, query, following, listed, repeated, malformed) VALUES (?, ?, ?, ?, ?, ?)",
                (page.number, page.query, page.following, page.listed, repeated, len(problems)),
            )
            shown = problems[: max(0, _SHOWN_PROBLEMS - self.malformed)]
            db.executemany("INSERT INTO problems VALUES (?)", [(problem,) for problem in shown])
        self.rows += added
        self.related += more
        self.pages += 1
        self.repeated += repeated
        self.malformed += len(problems)

    def look_back(self, number: int, moved: list[Entry], related: Iterable[Entry], *, is_done: bool) -> None:
        """Keep what looking at page *number* again, or at one before it, has shown.

        *moved* are the rows that did not stand there before: what no other page had, is kept as the first of what
        follows the page. With *is_done* nothing is missing any more between the page and the one after it.
        """
        with self._transaction() as db:
            added = self._add_rows(db, moved, number + 1)
            more = self._add_related(db, related) if moved else Counter[str]()
            if moved:
                db.execute("INSERT INTO shifts VALUES (?, ?, ?)", (number, len(moved), added))
            if is_done:
                db.execute("UPDATE pages SET looked_back = 1 WHERE number = ?", (number,))
        self.rows += added
        self.related += more

    @property
    def shifts(self) -> tuple[Shift, ...]:
        """Every shift that was noticed, oldest first."""
        found = self._db.execute("SELECT page, moved, recovered FROM shifts ORDER BY rowid")
        return tuple(Shift(*each) for each in found)

    @property
    def problems(self) -> tuple[str, ...]:
        """What was wrong with the first malformed rows."""
        return tuple(problem for (problem,) in self._db.execute("SELECT problem FROM problems ORDER BY rowid"))

    def batches(self, related_type: str | None = None) -> Iterator[list[list[Any]]]:
        """Give the cells of all rows, or of the included resources of a type, some thousands at a time."""
        if related_type is None:
            cursor = self._db.execute("SELECT cells FROM rows ORDER BY place")
        else:
            cursor = self._db.execute("SELECT cells FROM related WHERE type = ? ORDER BY place", (related_type,))
        while batch := cursor.fetchmany(_ROWS_AT_ONCE):
            yield [json.loads(text) for (text,) in batch]

    @property
    def _db(self) -> sqlite3.Connection:
        if self._connection is None:
            raise ExportError(f"the checkpoint {self.folder} is not open")
        return self._connection

    def _take(self, *, restart: bool) -> None:
        try:
            self._connect()
            if restart:
                self._drop_tables()
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            if not restart:
                raise
            self._db.close()
            self.files.remove(*_FILES)
            for name in _FILES[:2]:
                self.files.prepare(name)
            self._connect()

    def _connect(self) -> None:
        self._connection = db = sqlite3.connect(self.folder / _FILE, timeout=0, isolation_level=None)
        # Exclusive before WAL, so that SQLite takes the lock with it: a file lock alone, which dies with the process.
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA temp_store = MEMORY")

    def _refuse_to_be_elsewhere(self) -> None:
        """Raise ExportError unless it is the files in the folder held open that SQLite writes to.

        SQLite opens them by name, once: in a folder where everyone may rename what belongs to others, the name may
        have led elsewhere at that moment. So something is written, and looked for, before any row is.
        """
        is_here = self._is_written(_LOG_FILE, "PRAGMA user_version = 1", "PRAGMA user_version = 2")
        if not is_here or not self._is_written(_FILE, "PRAGMA wal_checkpoint(TRUNCATE)"):
            raise ExportError(f"{self.folder} was exchanged for another folder meanwhile: export to a folder of yours")

    def _is_written(self, name: str, *statements: str) -> bool:
        try:
            self.files.forget_writes(name)
        except FileNotFoundError:
            return False
        for statement in statements:
            self._db.execute(statement)
        return self.files.was_written(name)

    @property
    def _has_tables(self) -> bool:
        return bool(self._db.execute("SELECT 1 FROM sqlite_master WHERE type = 'table'").fetchone())

    def _drop_tables(self) -> None:
        tables = self._db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        with self._transaction() as db:
            for (table,) in tables:
                db.execute(f'DROP TABLE "{table}"')

    def _lay_out(self, arguments: Mapping[str, str]) -> None:
        with self._transaction() as db:
            for statement in _TABLES.split(";"):
                db.execute(statement)
            db.executemany("INSERT INTO arguments VALUES (?, ?)", arguments.items())

    def _refuse_other(self, arguments: Mapping[str, str]) -> None:
        begun: dict[str, str] = dict(self._db.execute("SELECT name, value FROM arguments").fetchall())
        for name in {**begun, **arguments}:
            before, now = begun.get(name, ""), arguments.get(name, "")
            if before != now:
                raise InvalidArgumentError(
                    f"the checkpoint {self.folder} was begun with {name} {before!r:.200}, and this export has "
                    f"{now!r:.200}: run it as it was begun, or discard the checkpoint with restart=True (--restart)"
                )

    def _count(self) -> None:
        (self.rows,) = self._db.execute("SELECT count(*) FROM rows").fetchone()
        self.related = Counter(dict(self._db.execute("SELECT type, count(*) FROM related GROUP BY type").fetchall()))
        self.pages, self.repeated, self.malformed = self._db.execute(
            "SELECT count(*), coalesce(sum(repeated), 0), coalesce(sum(malformed), 0) FROM pages"
        ).fetchone()

    @contextmanager
    def _transaction(self) -> Generator[sqlite3.Connection]:
        db = self._db
        db.execute("BEGIN")
        try:
            yield db
            db.execute("COMMIT")
        except BaseException:
            # SQLite has rolled back by itself where the disk is full.
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise

    @staticmethod
    def _add_rows(db: sqlite3.Connection, rows: Iterable[Entry], page: int) -> int:
        before = db.total_changes
        db.executemany(
            "INSERT OR IGNORE INTO rows (id, page, cells) VALUES (?, ?, ?)", ((row.id, page, row.text) for row in rows)
        )
        return db.total_changes - before

    @staticmethod
    def _add_related(db: sqlite3.Connection, related: Iterable[Entry]) -> Counter[str]:
        added: Counter[str] = Counter()
        for each in related:
            done = db.execute(
                "INSERT OR IGNORE INTO related (type, id, cells) VALUES (?, ?, ?)", (each.type, each.id, each.text)
            )
            added[each.type] += done.rowcount
        return +added


@contextmanager
def telling(folder: Path) -> Generator[None]:
    """Tell what SQLite raises as ExportError, with what to do about it."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise ExportError(
                f"another export is writing to this file: it holds {folder}; wait for it to end"
            ) from None
        raise ExportError(
            f"the checkpoint {folder} could not be written: {error}; what it held before is intact, so mend that and "
            "run the same export again to go on"
        ) from None
    except sqlite3.DatabaseError as error:
        raise ExportError(
            f"the checkpoint {folder} is damaged ({error}): discard it with restart=True (--restart)"
        ) from None
