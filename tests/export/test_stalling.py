"""An export waits for the end of a pause or an outage, and keeps its rows if patience runs out first."""

from pathlib import Path

import pytest

from kajabi_async import Kajabi, RetryPolicy, ServerError
from kajabi_async.export import ExportProgress, export
from kajabi_async.testing import FakeKajabi
from tests.clocks import ManualClock
from tests.export.conftest import query
from tests.resources.fakes import client_of


def _client(fake: FakeKajabi) -> Kajabi:
    """Return a client that waits without taking time."""
    return client_of(fake, retry=RetryPolicy(max_attempts=1), clock=ManualClock())


@pytest.mark.parametrize(
    ("status", "headers", "times"), [(503, {}, 9), (429, {"retry-after": "1"}, 1), (429, {}, 6), (502, {}, 9)]
)
async def test_no_page_is_lost_to_an_outage(
    fake: FakeKajabi, tmp_path: Path, status: int, headers: dict[str, str], times: int
) -> None:
    """During the first or the second reading of a page; the observer is notified."""
    message: list[ExportProgress] = []

    def observe(progress: ExportProgress) -> None:
        message.append(progress)
        if progress.pages == 2 and not any(each.stalled_since for each in message):
            fake.fail("customers.list", status=status, headers=headers, times=times)

    path = tmp_path / "customers.csv"
    async with _client(fake) as api:
        report = await export(api.customers.list(), path, observer=observe)
    assert (report.rows, report.malformed, len(query("SELECT id FROM read_csv(?)", path))) == (350, 0, 350)
    assert any(each.stalled_since is not None for each in message)
    assert any(each.paused_until is not None for each in message) == ("retry-after" in headers)
    assert message[-1].stalled_since is None


async def test_the_failure_is_raised_when_patience_ends_and_the_rows_are_kept(fake: FakeKajabi, tmp_path: Path) -> None:
    """The same call resumes from there."""
    path = tmp_path / "customers.csv"

    def observe(progress: ExportProgress) -> None:
        if progress.pages == 2 and progress.stalled_since is None:
            fake.fail("customers.list", status=503, times=None)

    async with _client(fake) as api:
        with pytest.raises(ServerError):
            await export(api.customers.list(), path, observer=observe, patience=0.5)
        fake.clear_faults()
        fake.reset_counts()
        report = await export(api.customers.list(), path)
    assert (report.rows, report.resumed_from) == (350, 200)
    assert fake.counts["customers.list"] <= 6


async def test_an_observer_that_fails_during_a_stall_ends_the_export(fake: FakeKajabi, tmp_path: Path) -> None:
    """Its exception reaches the caller, and nothing hangs."""
    fake.fail("customers.list", status=503, times=None)

    def observe(progress: ExportProgress) -> None:
        raise LookupError(f"after {progress.pages} pages")

    async with _client(fake) as api:
        with pytest.raises(LookupError, match="after 0 pages"):
            await export(api.customers.list(), tmp_path / "customers.csv", observer=observe)
