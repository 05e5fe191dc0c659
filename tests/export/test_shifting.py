"""The list changes during an export: rows that stay throughout are in the file once, and shifts are reported."""

import logging
import random
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from kajabi_async.export import ExportProgress, export
from kajabi_async.testing import FakeKajabi
from kajabi_async.testing.replies import Reply
from tests.export.conftest import client_of, ids_in

CUSTOMERS = 400
PAGE = 20
MOST_ADDED = 200


class RestlessKajabi(FakeKajabi):
    """A fake that removes and adds customers before every page."""

    def __init__(self, seed: int, *, most: int) -> None:
        super().__init__(customers=CUSTOMERS)
        self._draw = random.Random(seed)
        self._most = most
        self._fresh = 0
        self.standing = {str(number) for number in range(1, CUSTOMERS + 1)}

    def _processed(self, record: Any, found: Any, **settings: Any) -> Reply:
        if record.operation == "customers.list":
            self._disturb()
        return super()._processed(record, found, **settings)

    def _disturb(self) -> None:
        for _ in range(self._draw.randint(0, self._most)):
            if len(self.standing) > CUSTOMERS // 3:
                gone = self._draw.choice(sorted(self.standing))
                self.standing.discard(gone)
                self.remove("customers", gone)
        # A list that grows faster than it is read has no end.
        for _ in range(min(self._draw.randint(0, self._most), MOST_ADDED - self._fresh)):
            self._fresh += 1
            attributes = {"name": "New", "created_at": "2031-01-01T00:00:00Z"}
            self.add({"type": "customers", "id": str(10_000 + self._fresh), "attributes": attributes})


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.thorough) for seed in (1, 2))])
@pytest.mark.parametrize("most", [1, 5, 2 * PAGE])
@pytest.mark.parametrize("ahead", [0, 4])
async def test_nothing_that_stood_throughout_is_missing(seed: int, most: int, ahead: int, tmp_path: Path) -> None:
    """Even if whole pages of rows are removed and added between two requests, and pages are fetched ahead."""
    path = tmp_path / "customers.parquet"
    async with RestlessKajabi(seed, most=most) as fake, client_of(fake) as api:
        report = await export(api.customers.list(include="offers", page_size=PAGE, prefetch=ahead), path)
    exported = ids_in(path)
    assert fake.standing - set(exported) == set()
    assert len(exported) == len(set(exported)) == report.rows
    # Pages that are fetched at once leave less time for shifts.
    assert report.recovered > 0 or ahead
    assert sum(shift.moved for shift in report.shifts) == report.moved >= report.recovered
    assert ahead or "had shifted to an earlier page" in report.warnings[0]


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.thorough) for seed in (2, 3))])
async def test_nothing_is_missing_over_many_runs(seed: int, tmp_path: Path) -> None:
    """With a stop after every few pages, while the list keeps changing."""
    path = tmp_path / "customers.parquet"
    stops = random.Random(seed)
    async with RestlessKajabi(seed, most=3) as fake, client_of(fake) as api:

        def maybe_stop(progress: ExportProgress) -> None:
            if stops.random() < 0.25 and progress.written == 0:
                raise InterruptedError

        report = None
        while report is None:
            with suppress(InterruptedError):
                report = await export(api.customers.list(page_size=PAGE), path, observer=maybe_stop)
    exported = ids_in(path)
    assert fake.standing - set(exported) == set()
    assert len(exported) == len(set(exported)) == report.rows


async def test_rows_that_go_and_come_in_equal_number_are_noticed(tmp_path: Path, caplog: Any) -> None:
    """The server's count stays the same then; the file has the rows on both sides of the gap."""
    path = tmp_path / "customers.parquet"
    async with FakeKajabi(customers=100) as fake, client_of(fake) as api:

        def swap(progress: ExportProgress) -> None:
            if progress.pages == 2 and not fake.resource("customers", "900"):
                fake.remove("customers", "3")
                fake.add({"type": "customers", "id": "900", "attributes": {"name": "New"}})

        with caplog.at_level(logging.WARNING, "kajabi_async"):
            report = await export(api.customers.list(page_size=10), path, observer=swap)
    exported = ids_in(path)
    untouched = [str(number) for number in range(1, 101)]
    assert exported == [*untouched[:20], *untouched[21:31], "21", *untouched[31:], "900"]
    assert [(shift.page, shift.moved, shift.recovered) for shift in report.shifts] == [(1, 1, 0), (2, 1, 1)]
    assert (report.listed, report.lacking) == (100, 0)
    assert "1 row had shifted to page 2" in caplog.text


async def test_rows_added_at_the_front_of_another_order_come_once(tmp_path: Path) -> None:
    """Offers are sorted by title, so a new one pushes others to the next page: they are counted as repeated."""
    path = tmp_path / "offers.parquet"
    async with FakeKajabi(offers=30) as fake, client_of(fake) as api:

        def push(progress: ExportProgress) -> None:
            fake.add({"type": "offers", "id": f"{900 + progress.pages}", "attributes": {"title": " first"}})

        report = await export(api.offers.list(page_size=10), path, observer=push)
    exported = ids_in(path)
    assert {str(number) for number in range(1, 31)} <= set(exported)
    assert len(exported) == len(set(exported))
    assert report.repeated > 0
    assert f"{report.repeated} came twice" in report.warnings[0]


async def test_an_unchanged_list_has_nothing_to_report(tmp_path: Path) -> None:
    """No shift, no warning; each page but the last is requested twice, the second time without includes."""
    async with FakeKajabi(customers=250) as fake, client_of(fake) as api:
        report = await export(api.customers.list(include="offers"), tmp_path / "customers.parquet")
        with_offers = [request for request in fake.requests if "include=offers" in request.query_string]
        assert (fake.counts["customers.list"], len(with_offers)) == (5, 3)
    assert (report.rows, report.pages, report.shifts, report.warnings) == (250, 3, (), ())
    assert (report.listed, report.repeated, report.malformed, report.resumed_from) == (250, 0, 0, None)


async def test_hundreds_that_go_between_two_runs_are_no_gap(tmp_path: Path) -> None:
    """The next run reads earlier pages again until it finds a known row."""
    path = tmp_path / "customers.parquet"
    async with FakeKajabi(customers=500) as fake, client_of(fake) as api:

        def stop(progress: ExportProgress) -> None:
            if progress.pages == 10:
                raise InterruptedError

        with pytest.raises(InterruptedError):
            await export(api.customers.list(page_size=20), path, observer=stop)
        for number in range(1, 151):
            fake.remove("customers", str(number))
        report = await export(api.customers.list(page_size=20), path)
    assert set(ids_in(path)) == {str(number) for number in range(1, 501)}
    assert report.resumed_from == 200
    assert report.recovered == 150


async def test_a_list_that_has_shrunk_to_nothing_between_two_runs_ends(tmp_path: Path) -> None:
    """The page to resume from is past the end then."""
    path = tmp_path / "customers.parquet"
    async with FakeKajabi(customers=100) as fake, client_of(fake) as api:

        def stop(progress: ExportProgress) -> None:
            if progress.pages == 5:
                raise InterruptedError

        with pytest.raises(InterruptedError):
            await export(api.customers.list(page_size=10), path, observer=stop)
        for number in range(1, 101):
            fake.remove("customers", str(number))
        report = await export(api.customers.list(page_size=10), path)
    assert (report.rows, report.listed) == (50, 0)


async def test_a_server_that_counts_more_rows_than_it_sends_is_reported(tmp_path: Path) -> None:
    """The file has the received rows; the report has the difference."""
    row = {"type": "customers", "id": "1", "attributes": {"name": "One"}}
    async with FakeKajabi(customers=5) as fake, client_of(fake) as api:
        document = {"data": [row], "links": {"next": None}, "meta": {"total_count": 3}}
        fake.answer_with("GET", "/v1/customers", body=document)
        report = await export(api.customers.list(), tmp_path / "customers.jsonl")
    assert (report.rows, report.lacking) == (1, 2)
    assert report.warnings == ("the server counts 3 rows, 2 more than it sent",)
