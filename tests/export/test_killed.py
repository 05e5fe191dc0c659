"""A killed export resumes where it stopped, and its file equals that of an undisturbed one."""

import re
from pathlib import Path

import pytest

from kajabi_async.testing import FakeKajabi
from tests.export.killed import (
    ExportProcess,
    differences,
    kill_after,
    random_points,
    requests_seen,
    rows_in,
    rows_kept,
)

CUSTOMERS = 2500
KILLS = 6


async def _exported(fake: FakeKajabi, path: Path) -> int:
    before = requests_seen(fake)
    async with ExportProcess(fake, path) as process:
        code, err = await process.ended()
    assert code == 0, err
    return requests_seen(fake) - before


@pytest.mark.thorough
async def test_a_killed_export_ends_with_the_same_rows_in_the_same_places(tmp_path: Path) -> None:
    """SIGKILL at random points; the files of the list and of the included offers are compared row by row."""
    alone, killed = tmp_path / "alone.parquet", tmp_path / "killed.parquet"
    async with FakeKajabi(customers=CUSTOMERS) as fake:
        requests = await _exported(fake, alone)
        fake.reset_counts()
        kills = [
            await kill_after(fake, killed, point, pause)
            for point, pause in random_points(requests * 3 // 4, KILLS, seed=5)
        ]
        assert kills == [True] * KILLS
        assert 0 < rows_kept(killed) < CUSTOMERS
        assert not killed.exists()
        await _exported(fake, killed)
        repeated = requests_seen(fake) - requests
    assert rows_in(alone) == CUSTOMERS
    assert differences(alone, killed) == 0
    offers = tmp_path / "alone.offers.parquet", tmp_path / "killed.offers.parquet"
    assert rows_in(offers[0]) > 0
    assert differences(*offers) == 0
    # Only the pending requests of each kill are sent again.
    assert repeated <= 3 * KILLS


async def test_an_interrupted_export_says_how_to_resume(tmp_path: Path) -> None:
    """With the exit code of an interrupted command, and no traceback."""
    path = tmp_path / "customers.parquet"
    async with FakeKajabi(customers=CUSTOMERS, latency=0.02) as fake:
        async with ExportProcess(fake, path) as process:
            await process.seen(5)
            process.interrupt()
            code, err = await process.ended()
        assert code == 130
    first, last = err.splitlines()
    said = re.fullmatch(r"kajabi: ([0-9,]+) rows so far are kept; run the same command again to resume", first)
    assert said is not None, first
    assert 0 < int(said[1].replace(",", "")) <= rows_kept(path)
    assert last == "kajabi: interrupted"


@pytest.mark.thorough
async def test_a_full_disk_leaves_the_checkpoint_valid(tmp_path: Path) -> None:
    """The error says that the rows are kept; with free space the export resumes to the same file."""
    alone, full = tmp_path / "alone.parquet", tmp_path / "full.parquet"
    async with FakeKajabi(customers=CUSTOMERS) as fake:
        await _exported(fake, alone)
        async with ExportProcess(fake, full, size_limit=500_000) as process:
            code, err = await process.ended()
        assert code == 1
        assert "could not be written" in err
        assert "run the same export again" in err
        kept = rows_kept(full)
        assert 0 < kept < CUSTOMERS
        fake.reset_counts()
        requests = await _exported(fake, full)
        assert requests < 2 * (CUSTOMERS - kept) / 100 + 4
    assert differences(alone, full) == 0
