"""An export in a process of its own that is killed repeatedly, compared with an undisturbed one.

``python -m tests.export.killed 100000 20`` exports 100,000 customers with their offers, once undisturbed and once
killed with SIGKILL at 20 random points, compares the files with DuckDB row by row, and prints the results.
"""

import asyncio
import os
import random
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Self

import psutil

from kajabi_async.testing import FakeKajabi
from tests.export.conftest import query

_ROWS = "SELECT * FROM read_parquet(?, file_row_number = true)"
"""With the place of each row, so that another order is another file."""
_SETTLED_AFTER = 50
"""Requests after which a process has imported and grown what it needs."""


class ExportProcess:
    """A process of ``kajabi export customers --include offers``."""

    def __init__(self, fake: FakeKajabi, path: Path, *, size_limit: int | None = None) -> None:
        self._fake = fake
        self._path = path
        self._size_limit = size_limit

    async def __aenter__(self) -> Self:
        arguments = ["export", "customers", "--include", "offers", "--out", str(self._path)]
        begin = "import sys; from kajabi_async.cli.app import run; sys.exit(run(sys.argv[1:]))"
        if self._size_limit is not None:
            limit = f"import resource as r; r.setrlimit(r.RLIMIT_FSIZE, ({self._size_limit}, {self._size_limit}))"
            begin = f"{limit}; {begin}"
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-W", "error", "-c", begin, *arguments),
            stderr=asyncio.subprocess.PIPE,
            env=self._environment(),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process.returncode is None:
            self.kill()
        await self._process.communicate()

    def _environment(self) -> dict[str, str]:
        # Measuring coverage would take most of the time, and a killed process reports none.
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("COVERAGE_", "COV_"))}
        credentials = {"KAJABI_CLIENT_ID": self._fake.client_id, "KAJABI_CLIENT_SECRET": self._fake.client_secret}
        return {**kept, **credentials, "KAJABI_BASE_URL": self._fake.base_url}

    @property
    def is_running(self) -> bool:
        return self._process.returncode is None

    @property
    def memory(self) -> int:
        """The resident memory in bytes; 0 once the process has ended."""
        try:
            resident: int = psutil.Process(self._process.pid).memory_info().rss
        except psutil.NoSuchProcess:
            return 0
        return resident

    async def seen(self, requests: int) -> None:
        """Wait until the fake has received that many requests, or the process has ended."""
        while self.is_running and requests_seen(self._fake) < requests:
            await asyncio.sleep(0.002)

    def interrupt(self) -> None:
        self._process.send_signal(signal.SIGINT)

    def kill(self) -> None:
        self._process.kill()

    async def ended(self) -> tuple[int, str]:
        """Return the exit code and the text of standard error."""
        _, err = await self._process.communicate()
        assert self._process.returncode is not None
        return self._process.returncode, err.decode()


def requests_seen(fake: FakeKajabi) -> int:
    return fake.counts["customers.list"]


async def kill_after(fake: FakeKajabi, path: Path, requests: int, pause: float) -> bool:
    """Start or resume, and kill *pause* seconds after that many *requests*; return False if the export ended before."""
    async with ExportProcess(fake, path) as process:
        await process.seen(requests)
        await asyncio.sleep(pause)
        was_running = process.is_running
        if was_running:
            process.kill()
    return was_running


def random_points(requests: int, kills: int, seed: int) -> Iterable[tuple[int, float]]:
    """Yield the points to kill at: ascending numbers of requests, with seconds to wait after each."""
    draw = random.Random(seed)
    for point in sorted(draw.sample(range(1, requests), kills)):
        yield point, draw.random() * 0.05


def rows_kept(path: Path) -> int:
    """Return the number of rows in the checkpoint of a killed export, read from a copy, since opening it repairs it."""
    folder = path.with_name(f"{path.name}.partial")
    if not folder.exists():
        return 0
    with tempfile.TemporaryDirectory() as elsewhere:
        copied = shutil.copytree(folder, Path(elsewhere, folder.name))
        with closing(sqlite3.connect(copied / "journal.sqlite")) as connection:
            is_laid_out = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'rows'").fetchone()
            return connection.execute("SELECT count(*) FROM rows").fetchone()[0] if is_laid_out else 0


def differences(one: Path, other: Path) -> int:
    """Return the number of rows that only one of two Parquet files has, or that have another position."""
    both_ways = f"SELECT count(*) FROM (({_ROWS} EXCEPT ALL {_ROWS}) UNION ALL ({_ROWS} EXCEPT ALL {_ROWS}))"
    count: int = query(both_ways, one, other, other, one)[0][0]
    return count


def rows_in(path: Path) -> int:
    count: int = query("SELECT count(*) FROM read_parquet(?)", path)[0][0]
    return count


def say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - what it saw is its result


async def main(customers: int, kills: int, seed: int = 1) -> int:
    """Run the experiment and return the number of rows that differ."""
    with tempfile.TemporaryDirectory() as folder:
        alone, killed = Path(folder, "alone", "customers.parquet"), Path(folder, "killed", "customers.parquet")
        alone.parent.mkdir()
        killed.parent.mkdir()
        async with FakeKajabi(customers=customers) as fake:
            await _left_alone(fake, alone)
            requests = requests_seen(fake)
            fake.reset_counts()
            for point, pause in random_points(requests, kills, seed):
                was_running = await kill_after(fake, killed, point, pause)
                say(f"killed: {was_running}, after {point:,} requests; {rows_kept(killed):,} rows kept")
            async with ExportProcess(fake, killed) as process:
                code, err = await process.ended()
            say(f"went on to the end: exit code {code}, {requests_seen(fake):,} requests in all; it said:\n{err}")
        offers = differences(*(path.with_name("customers.offers.parquet") for path in (alone, killed)))
        different = differences(alone, killed)
        say(f"{rows_in(killed):,} rows, {different} of them different; {offers} offers different")
    return different + offers + code


async def _left_alone(fake: FakeKajabi, path: Path) -> None:
    started = time.monotonic()
    most = {"in the first 50 requests": 0, "while reading": 0, "while writing": 0}
    is_writing = False
    async with ExportProcess(fake, path) as process:
        while process.is_running:
            await asyncio.sleep(0.02)
            is_writing = is_writing or _is_being_written(path)
            phase = "while writing" if is_writing else "while reading"
            phase = "in the first 50 requests" if requests_seen(fake) <= _SETTLED_AFTER else phase
            most[phase] = max(most[phase], process.memory)
        code, _ = await process.ended()
    say(
        f"left alone: exit code {code}, {rows_in(path):,} rows, {requests_seen(fake):,} requests, "
        f"{time.monotonic() - started:.1f} s; most memory in MiB: "
        f"{', '.join(f'{size / 2**20:.0f} {phase}' for phase, size in most.items())}"
    )


def _is_being_written(path: Path) -> bool:
    return (path.with_name(f"{path.name}.partial") / f"{path.stem}.offers{path.suffix}").exists()


if __name__ == "__main__":
    sys.exit(1 if asyncio.run(main(*map(int, sys.argv[1:]))) else 0)
