"""The checkpoint: every row received and every page read, in one SQLite file beside the export.

A page and its rows are one transaction, so a process killed at any moment leaves complete pages. SQLite's lock keeps a
second export out exactly as long as the first one runs. Ids are compared in the file, so memory does not grow with the
list.
"""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import attrs

from kajabi_async.errors import ExportError, InvalidArgumentError
from kajabi_async.export.report import Shift
from kajabi_async.jsonapi.codec import decode_text, encode_decoded
from kajabi_async.private_files import PrivateFolder, UnsafePathError
from kajabi_async.structs import FrozenStruct

__all__ = ["Checkpoint", "Entry", "PageRecord", "export_errors"]

_FILE: Final = "journal.sqlite"
_LOG_FILE: Final = f"{_FILE}-wal"
_FILES: Final = (_FILE, _LOG_FILE, f"{_FILE}-journal", f"{_FILE}-shm")
_MAX_PROBLEMS: Final = 20
_ROWS_AT_ONCE: Final = 500
"""It divides the rows of a group in Arrow and Parquet files."""
_TABLES: Final = """
CREATE TABLE arguments (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE pages (number INTEGER PRIMARY KEY, query TEXT NOT NULL UNIQUE, following TEXT, listed INTEGER,
                    repeated INTEGER NOT NULL, malformed INTEGER NOT NULL, looked_back INTEGER NOT NULL DEFAULT 0);
CREATE INDEX pages_to_look_back_at ON pages (number) WHERE looked_back = 0;
CREATE TABLE rows (id TEXT PRIMARY KEY, page INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE related (type TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (type, id)) WITHOUT ROWID;
CREATE TABLE cells (place INTEGER PRIMARY KEY, type TEXT, of_each BLOB NOT NULL);
CREATE INDEX cells_by_type ON cells (type);
CREATE TABLE shifts (page INTEGER NOT NULL, moved INTEGER NOT NULL, recovered INTEGER NOT NULL);
CREATE TABLE problems (problem TEXT NOT NULL);
"""
_LOOKED_BACK: Final = "UPDATE pages SET looked_back = 1 WHERE number = ?"


class Entry(FrozenStruct, frozen=True, gc=False):
    """One resource as kept in the checkpoint."""

    type: str
    id: str
    cells: Sequence[Any]


@attrs.frozen
class PageRecord:
    """One page as kept in the checkpoint, without its rows."""

    number: int
    """The number of the page, counted from 1 in the order of reading; the server's own is ignored."""
    query: str
    following: str | None
    """The query of the next page; None for the last one."""
    listed: int | None


class Checkpoint:
    """The state of an export so far; used from one thread, and within `export_errors`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows = self.pages = self.repeated = self.malformed = 0
        self.related: Counter[str] = Counter()
        self._connection: sqlite3.Connection | None = None
        self._files: PrivateFolder | None = None

    def open(self, arguments: Mapping[str, str], *, restart: bool) -> None:
        """Open the checkpoint for this run, or create one; *restart* discards its content.

        ExportError if another export has it open, if it is damaged, or if other users can write to the folder or have
        put something there; InvalidArgumentError if it was started with other *arguments*.
        """
        try:
            self._open_folder()
            self._open_database(restart=restart)
            self._check_location()
            if not self._has_tables:
                self._create_tables(arguments)
            self._check_arguments(arguments)
            self._count()
        except BaseException:
            # An open database would still hold the lock.
            self.close()
            raise

    def _open_folder(self) -> None:
        try:
            self._files = PrivateFolder(self.folder)
            for name in _FILES[:2]:
                self._files.prepare(name)
        except UnsafePathError as error:
            raise ExportError(f"the checkpoint folder {self.folder} is not safe: {error.strerror}") from None
        except OSError as error:
            raise ExportError(f"cannot make {self.folder}: {error.strerror}") from None

    def close(self) -> None:
        """Close the checkpoint and keep it for another run to resume."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._files is not None:
            self._files.close()
            self._files = None

    def discard(self) -> None:
        """Close the checkpoint and remove it."""
        files, self._files = self._files, None
        self.close()
        if files is None:
            return
        files.remove(*filter(self._is_ours, files.names()))
        files.discard()

    def _is_ours(self, name: str) -> bool:
        """Return whether *name* is a file of SQLite or an unfinished one of an export: only these are removed."""
        target = Path(self.folder.stem)
        is_unfinished = name.startswith(f"{target.stem}.") and name.endswith(target.suffix)
        return name in _FILES or is_unfinished

    @property
    def files(self) -> PrivateFolder:
        """The folder of the checkpoint, which also holds unfinished files."""
        if self._files is None:
            raise ExportError(f"the checkpoint {self.folder} is not open")
        return self._files

    def latest(self) -> PageRecord | None:
        """Return the page that was read last, or None before the first."""
        found = self._db.execute(
            "SELECT number, query, following, listed FROM pages ORDER BY number DESC LIMIT 1"
        ).fetchone()
        return None if found is None else PageRecord(*found)

    def query_of(self, number: int) -> str:
        """Return the query of page *number*."""
        query: str = self._db.execute("SELECT query FROM pages WHERE number = ?", (number,)).fetchone()[0]
        return query

    def has_read(self, query: str) -> bool:
        """Return whether a page with *query* was read before."""
        return self._db.execute("SELECT 1 FROM pages WHERE query = ?", (query,)).fetchone() is not None

    def pages_to_read_again(self, before: int) -> list[int]:
        """Return the numbers of the pages before page *before* not yet read again since the page after them came."""
        found = self._db.execute(
            "SELECT number FROM pages WHERE looked_back = 0 AND number < ? ORDER BY number", (before,)
        )
        return [number for (number,) in found]

    def known(self, ids: Iterable[str], *, up_to: int) -> set[str]:
        """Return those of *ids* that are kept from page *up_to* or an earlier one."""
        statement = "SELECT 1 FROM rows WHERE id = ? AND page <= ?"
        return {each for each in ids if self._db.execute(statement, (each, up_to)).fetchone()}

    def record(
        self,
        page: PageRecord,
        rows: list[Entry],
        related: Sequence[Entry],
        problems: list[str],
        *,
        looked_back: Iterable[int] = (),
    ) -> None:
        """Keep a page and its content in one transaction; a row that is already kept counts as repeated.

        The pages *looked_back* need no further reading.
        """
        with self._transaction() as db:
            added = self._add_rows(db, rows, page.number)
            more = self._add_related(db, related)
            repeated = len(rows) - added
            db.execute(
                "INSERT INTO pages (number, query, following, listed, repeated, malformed) VALUES (?, ?, ?, ?, ?, ?)",
                (page.number, page.query, page.following, page.listed, repeated, len(problems)),
            )
            db.executemany(_LOOKED_BACK, [(number,) for number in looked_back])
            shown = problems[: max(0, _MAX_PROBLEMS - self.malformed)]
            db.executemany("INSERT INTO problems VALUES (?)", [(problem,) for problem in shown])
        self.rows += added
        self.related += more
        self.pages += 1
        self.repeated += repeated
        self.malformed += len(problems)

    def look_back(
        self,
        number: int,
        moved: list[Entry],
        related: Sequence[Entry],
        *,
        is_done: bool,
        problems: Iterable[str] = (),
    ) -> None:
        """Keep the result of reading page *number*, or one before it, again.

        *moved* are the rows that were not there before; those that no other page had are kept as rows of the next
        page. *problems* that are not yet described count as malformed rows of page *number*, as long as all are
        described. *is_done* marks page *number* as needing no further reading.
        """
        with self._transaction() as db:
            found = self._add_problems(db, problems, number)
            added = self._add_rows(db, moved, number + 1)
            more = self._add_related(db, related) if moved else Counter[str]()
            if moved:
                db.execute("INSERT INTO shifts VALUES (?, ?, ?)", (number, len(moved), added))
            if is_done:
                db.execute(_LOOKED_BACK, (number,))
        self.rows += added
        self.related += more
        self.malformed += found

    @property
    def shifts(self) -> tuple[Shift, ...]:
        """Every shift that was noticed, oldest first."""
        found = self._db.execute("SELECT page, moved, recovered FROM shifts ORDER BY rowid")
        return tuple(Shift(*each) for each in found)

    @property
    def problems(self) -> tuple[str, ...]:
        """The problems of the first malformed rows, one sentence each."""
        return tuple(problem for (problem,) in self._db.execute("SELECT problem FROM problems ORDER BY rowid"))

    def batches(self, related_type: str | None = None) -> Iterator[list[list[Any]]]:
        """Yield the cells of all rows, or of the included resources of a type, in batches of 500.

        With larger ones the garbage collector takes most of the time.
        """
        batch: list[list[Any]] = []
        for (text,) in self._db.execute("SELECT of_each FROM cells WHERE type IS ? ORDER BY place", (related_type,)):
            batch += decode_text(text, context="the checkpoint")
            while len(batch) >= _ROWS_AT_ONCE:
                yield batch[:_ROWS_AT_ONCE]
                del batch[:_ROWS_AT_ONCE]
        if batch:
            yield batch

    @property
    def _db(self) -> sqlite3.Connection:
        if self._connection is None:
            raise ExportError(f"the checkpoint {self.folder} is not open")
        return self._connection

    def _open_database(self, *, restart: bool) -> None:
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
        # Exclusive before WAL, so that SQLite takes the lock with it: a file lock, which ends with the process.
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA temp_store = MEMORY")

    def _check_location(self) -> None:
        """Raise ExportError unless SQLite writes to the files in the open folder.

        SQLite opens them by name: in a parent folder where other users may rename ours, the name may have led to
        another folder at that moment. So a write is made and verified before any row is written.
        """
        is_here = self._is_written(_LOG_FILE, "PRAGMA user_version = 1", "PRAGMA user_version = 2")
        if not is_here or not self._is_written(_FILE, "PRAGMA wal_checkpoint(TRUNCATE)"):
            raise ExportError(f"{self.folder} was replaced by another folder meanwhile: export to a folder of your own")

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

    def _create_tables(self, arguments: Mapping[str, str]) -> None:
        with self._transaction() as db:
            for statement in _TABLES.split(";"):
                db.execute(statement)
            db.executemany("INSERT INTO arguments VALUES (?, ?)", arguments.items())

    def _check_arguments(self, arguments: Mapping[str, str]) -> None:
        kept: dict[str, str] = dict(self._db.execute("SELECT name, value FROM arguments").fetchall())
        for name in {**kept, **arguments}:
            before, now = kept.get(name, ""), arguments.get(name, "")
            if before != now:
                raise InvalidArgumentError(
                    f"the checkpoint {self.folder} was started with {name} {before!r:.200}, and this export has "
                    f"{now!r:.200}: run it as before, or discard the checkpoint with restart=True (--restart)"
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
            # SQLite has already rolled back if the disk is full.
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise

    def _add_rows(self, db: sqlite3.Connection, rows: Sequence[Entry], page: int) -> int:
        added = self._new(db, "INSERT OR IGNORE INTO rows VALUES (?, ?)", [(row.id, page) for row in rows], rows)
        self._add_cells(db, None, added)
        return len(added)

    def _add_problems(self, db: sqlite3.Connection, problems: Iterable[str], page: int) -> int:
        described = {*self.problems}
        found = [problem for problem in problems if problem not in described]
        found = found[: max(0, _MAX_PROBLEMS - self.malformed)]
        db.executemany("INSERT INTO problems VALUES (?)", [(problem,) for problem in found])
        db.execute("UPDATE pages SET malformed = malformed + ? WHERE number = ?", (len(found), page))
        return len(found)

    def _add_related(self, db: sqlite3.Connection, related: Sequence[Entry]) -> Counter[str]:
        keys = [(each.type, each.id) for each in related]
        added: defaultdict[str, list[Entry]] = defaultdict(list)
        for each in self._new(db, "INSERT OR IGNORE INTO related VALUES (?, ?)", keys, related):
            added[each.type].append(each)
        for related_type, entries in added.items():
            self._add_cells(db, related_type, entries)
        return Counter({related_type: len(entries) for related_type, entries in added.items()})

    @staticmethod
    def _new(
        db: sqlite3.Connection, statement: str, keys: Sequence[tuple[Any, ...]], entries: Sequence[Entry]
    ) -> Sequence[Entry]:
        """Insert *keys* with *statement*, and return those of *entries* whose key was not there."""
        db.execute("SAVEPOINT keys")
        new = entries
        # Nearly always all are new, and inserting them together takes half the time.
        if db.executemany(statement, keys).rowcount < len(keys):
            db.execute("ROLLBACK TO keys")
            new = [each for each, key in zip(entries, keys, strict=True) if db.execute(statement, key).rowcount]
        db.execute("RELEASE keys")
        return new

    @staticmethod
    def _add_cells(db: sqlite3.Connection, related_type: str | None, entries: Sequence[Entry]) -> None:
        """Add the cells of all *entries* as one text, which takes half the time of one for each."""
        if entries:
            text = encode_decoded([each.cells for each in entries])
            db.execute("INSERT INTO cells (type, of_each) VALUES (?, ?)", (related_type, text))


@contextmanager
def export_errors(folder: Path) -> Generator[None]:
    """Raise an error of SQLite as ExportError, with the cure."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise ExportError(
                f"another export is writing to this file: it has {folder} open; wait for it to end"
            ) from None
        raise ExportError(
            f"the checkpoint {folder} could not be written: {error}; its content is intact, so correct that and "
            "run the same export again to resume"
        ) from None
    except sqlite3.DatabaseError as error:
        raise ExportError(
            f"the checkpoint {folder} is damaged ({error}): discard it with restart=True (--restart)"
        ) from None
