"""The checkpoint of an export: its content, which exports may resume it, and the errors of the others."""

import asyncio
import json
import stat
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import kajabi_async.export as package
from kajabi_async import (
    ConfigurationError,
    ExportError,
    InvalidArgumentError,
    Kajabi,
    PagingError,
    PermissionDeniedError,
)
from kajabi_async.export import ExportProgress, export
from kajabi_async.fetching import walk as novelty
from kajabi_async.testing import FakeKajabi
from kajabi_async.testing.replies import Reply
from tests.export.conftest import client_of, ids_in
from tests.export.killed import ExportProcess


class StopHere(Exception):  # noqa: N818 - it is no error
    """Raised by an observer to stop an export half done."""


async def half_done(api: Kajabi, path: Path) -> None:
    """Export 150 of 350 customers."""

    def stop(progress: ExportProgress) -> None:
        if progress.pages == 3:
            raise StopHere

    with pytest.raises(StopHere):
        await export(api.customers.list(include="offers", page_size=50), path, observer=stop)


def names_in(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir()}


async def test_an_export_resumes_where_it_stopped(api: Kajabi, fake: FakeKajabi, tmp_path: Path) -> None:
    """The report has the number of kept rows, and pages that were read are not requested again."""
    path = tmp_path / "customers.parquet"
    await half_done(api, path)
    fake.reset_counts()
    started = time.monotonic()
    report = await export(api.customers.list(include="offers", page_size=50), path)
    assert 0 < report.seconds <= time.monotonic() - started
    assert (report.resumed_from, report.rows, report.pages) == (150, 350, 7)
    assert fake.counts["customers.list"] == 4 + 5
    assert ids_in(path) == [str(number) for number in range(1, 351)]


async def test_nothing_is_left_behind_but_the_files(api: Kajabi, tmp_path: Path) -> None:
    """The checkpoint is removed at the end; until then the file does not exist, or is the previous one."""
    path = tmp_path / "customers.jsonl"
    path.write_text("from before\n")
    await half_done(api, path)
    assert path.read_text() == "from before\n"
    assert names_in(tmp_path) == {"customers.jsonl", "customers.jsonl.partial"}
    await export(api.customers.list(include="offers", page_size=50), path)
    assert names_in(tmp_path) == {"customers.jsonl", "customers.offers.jsonl"}
    assert len(path.read_text().splitlines()) == 350


async def test_what_is_kept_is_for_its_owner_alone(api: Kajabi, tmp_path: Path) -> None:
    """It holds personal data; no other user can open the folder."""
    path = tmp_path / "customers.jsonl"
    await half_done(api, path)
    assert stat.S_IMODE((tmp_path / "customers.jsonl.partial").stat().st_mode) == 0o700


async def test_another_export_does_not_resume_it(api: Kajabi, tmp_path: Path) -> None:
    """Resource, includes, fields, filters, page size and format must be unchanged; the error has the cure."""
    path = tmp_path / "customers.parquet"
    await half_done(api, path)
    customers = api.customers.list
    others = [
        ("include", export(customers(page_size=50), path)),
        ("page_size", export(customers(include="offers"), path)),
        ("filters", export(customers(include="offers", page_size=50, has_offer_id=3), path)),
        ("filters", export(customers(include="offers", page_size=50, site_id=1), path)),
        ("fields", export(customers(include="offers", page_size=50, fields={"customers": "name"}), path)),
        ("resource", export(api.contacts.list(include="offers", page_size=50), path)),
        ("format", export(customers(include="offers", page_size=50), path, format="jsonl")),
    ]
    for name, other in others:
        with pytest.raises(InvalidArgumentError, match=rf"started with {name} .*restart=True \(--restart\)"):
            await other


async def test_an_export_from_another_server_does_not_resume_it(api: Kajabi, tmp_path: Path) -> None:
    """The base URL is one of the arguments of a checkpoint."""
    path = tmp_path / "customers.parquet"
    await half_done(api, path)
    async with FakeKajabi(customers=350) as elsewhere, client_of(elsewhere) as other:
        with pytest.raises(InvalidArgumentError, match="started with base_url 'http://127"):
            await export(other.customers.list(include="offers", page_size=50), path)


async def test_restart_discards_what_was_kept(api: Kajabi, tmp_path: Path) -> None:
    """Whatever its arguments are."""
    path = tmp_path / "customers.parquet"
    await half_done(api, path)
    report = await export(api.customers.list(), path, restart=True)
    assert (report.resumed_from, report.rows, report.related) == (None, 350, {})


async def test_restart_leaves_nothing_of_an_earlier_run(api: Kajabi, tmp_path: Path) -> None:
    """Not even unfinished files of included resources, which hold personal data."""
    path = tmp_path / "customers.jsonl"
    await half_done(api, path)
    (tmp_path / "customers.jsonl.partial" / "customers.offers.jsonl").write_text("unfinished")
    await export(api.customers.list(), path, restart=True)
    assert names_in(tmp_path) == {"customers.jsonl"}


async def test_a_damaged_checkpoint_is_reported_and_can_be_discarded(api: Kajabi, tmp_path: Path) -> None:
    """It is never taken for an empty one."""
    path = tmp_path / "customers.jsonl"
    await half_done(api, path)
    (tmp_path / "customers.jsonl.partial" / "journal.sqlite").write_bytes(b"no database" * 1000)
    with pytest.raises(ExportError, match=r"is damaged .* restart=True"):
        await export(api.customers.list(), path)
    assert (await export(api.customers.list(), path, restart=True)).rows == 350


async def test_two_exports_to_one_file_are_refused(api: Kajabi, fake: FakeKajabi, tmp_path: Path) -> None:
    """Also from another process; restart= does not take the checkpoint from a running export."""
    path = tmp_path / "customers.parquet"
    fake.latency = 0.05
    async with ExportProcess(fake, path) as process:
        await process.seen(2)
        for restart in (False, True):
            with pytest.raises(ExportError, match="another export is writing to this file"):
                await export(api.customers.list(include="offers"), path, restart=restart)
        code, err = await process.ended()
    assert code == 0, err
    assert ids_in(path) == [str(number) for number in range(1, 351)]


async def test_two_exports_of_one_process_to_one_file_are_refused(api: Kajabi, tmp_path: Path) -> None:
    """The second one fails, the first goes on."""
    path = tmp_path / "customers.jsonl"
    started = asyncio.Event()
    first = asyncio.create_task(export(api.customers.list(), path, observer=lambda _progress: started.set()))
    await started.wait()
    with pytest.raises(ExportError, match="another export"):
        await export(api.customers.list(), path)
    assert (await first).rows == 350


async def test_an_export_that_failed_can_be_resumed(api: Kajabi, fake: FakeKajabi, tmp_path: Path) -> None:
    """The error of the API is raised unchanged."""
    path = tmp_path / "customers.jsonl"
    await half_done(api, path)
    fake.fail("customers.list", status=403, times=1)
    with pytest.raises(PermissionDeniedError):
        await export(api.customers.list(include="offers", page_size=50), path)
    assert (await export(api.customers.list(include="offers", page_size=50), path)).resumed_from == 150


async def test_an_export_that_fails_while_writing_requests_nothing_again(
    api: Kajabi, fake: FakeKajabi, tmp_path: Path
) -> None:
    """All pages were read before, and only the files are written again."""
    path = tmp_path / "customers.parquet"

    def stop(progress: ExportProgress) -> None:
        if progress.written:
            raise StopHere

    with pytest.raises(StopHere):
        await export(api.customers.list(include="offers"), path, observer=stop)
    assert names_in(tmp_path) == {"customers.parquet.partial"}
    fake.reset_counts()
    report = await export(api.customers.list(include="offers"), path)
    assert (report.rows, report.listed, fake.counts.total()) == (350, 350, 0)
    assert ids_in(path) == [str(number) for number in range(1, 351)]


async def test_a_cancelled_export_can_be_resumed(api: Kajabi, fake: FakeKajabi, tmp_path: Path) -> None:
    """At any point of the export."""
    path = tmp_path / "customers.parquet"
    fake.latency = 0.001
    for requests in range(1, 12, 2):
        fake.reset_counts()
        running = asyncio.create_task(export(api.customers.list(page_size=10), path))
        while fake.counts["customers.list"] < requests:
            await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    report = await export(api.customers.list(page_size=10), path)
    assert report.resumed_from
    assert (report.rows, report.shifts) == (350, ())
    assert ids_in(path) == [str(number) for number in range(1, 351)]


async def test_a_file_that_cannot_be_written_leaves_the_rows(api: Kajabi, tmp_path: Path) -> None:
    """A folder that takes the path of the file during the export is an error; once it is removed, no row is lost."""
    path = tmp_path / "customers.jsonl"

    def get_in_the_way(progress: ExportProgress) -> None:
        if progress.pages == 7 and not path.exists():
            (path / "full").mkdir(parents=True)

    with pytest.raises(ExportError, match=r"customers.jsonl could not be written: .* run the same export again"):
        await export(api.customers.list(page_size=50), path, observer=get_in_the_way)
    (path / "full").rmdir()
    path.rmdir()
    report = await export(api.customers.list(page_size=50), path)
    assert (report.resumed_from, report.rows) == (350, 350)


async def test_something_else_under_the_name_of_the_checkpoint_is_left_alone(api: Kajabi, tmp_path: Path) -> None:
    """A link is not followed: another user may have put it there."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "customers.jsonl.partial").symlink_to(elsewhere)
    with pytest.raises(ExportError, match="is in the way"):
        await export(api.customers.list(), tmp_path / "customers.jsonl")
    assert names_in(elsewhere) == set()


async def test_mistakes_are_reported_before_anything_is_sent(api: Kajabi, fake: FakeKajabi, tmp_path: Path) -> None:
    """Formats, folders, sorts and positions that an export cannot have."""
    position = api.customers.list(page_size=7).position
    wrong: Any = "yes"
    mistakes = [
        (
            r"the suffix '.xlsx' of customers.xlsx is unknown: .* \.parquet",
            export(api.customers.list(), tmp_path / "customers.xlsx"),
        ),
        ("format 'excel' is unknown", export(api.customers.list(), tmp_path / "customers", format="excel")),
        ("cannot be written", export(api.customers.list(), tmp_path / "nowhere" / "customers.csv")),
        ("cannot be written", export(api.customers.list(), tmp_path, format="csv")),
        ("cannot be written", export(api.customers.list(), "/", format="csv")),
        ("^restart must be True or False", export(api.customers.list(), tmp_path / "a.csv", restart=wrong)),
        ("sorted by created_at.* omit sort=", export(api.customers.list(sort="name"), tmp_path / "a.csv")),
    ]
    for message, mistake in mistakes:
        with pytest.raises(InvalidArgumentError, match=message):
            await mistake
    half_read = api.customers.list(page_size=7, resume_from=position.replace(".0.", ".3.") if position else None)
    with pytest.raises(InvalidArgumentError, match="omit resume_from="):
        await export(half_read, tmp_path / "a.csv")
    assert not fake.requests
    assert names_in(tmp_path) == set()


async def test_pages_that_lead_in_a_circle_end_in_an_error(api: Kajabi, fake: FakeKajabi, tmp_path: Path) -> None:
    """As with any list."""
    row = {"type": "customers", "id": "1"}
    again: dict[str, Any] = {"data": [row], "links": {"next": "https://api.kajabi.com/v1/customers?page%5Bnumber%5D=2"}}
    fake.answer_with("GET", "/v1/customers", body=again)
    with pytest.raises(PagingError, match="already read"):
        await export(api.customers.list(), tmp_path / "customers.jsonl")


class EmptyKajabi(FakeKajabi):
    """A fake that answers every page without rows and with a link to the next."""

    def _processed(self, record: Any, found: Any, **settings: Any) -> Reply:
        if record.operation != "customers.list":
            return super()._processed(record, found, **settings)
        number = int(record.query.get("page[number]", ["1"])[0])
        following = f"https://api.kajabi.com/v1/customers?page%5Bnumber%5D={number + 1}"
        return Reply.of({"data": [], "links": {"next": following}})


async def test_empty_pages_without_end_end_in_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a hundred in a row; here after twenty, as each of them is read again from every later one."""
    monkeypatch.setattr(novelty, "MOST_FRUITLESS", 20)
    async with EmptyKajabi(customers=0) as fake, client_of(fake) as api:
        with pytest.raises(PagingError, match=r"^21 empty pages in a row, each with a next link"):
            await export(api.customers.list(), tmp_path / "customers.jsonl")


async def test_without_pyarrow_the_extra_is_named(api: Kajabi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parquet and Arrow need it; JSON lines and CSV do not."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.delitem(sys.modules, "kajabi_async.export.arrow", raising=False)
    monkeypatch.delattr(package, "arrow", raising=False)
    for name in ("customers.parquet", "customers.arrow"):
        with pytest.raises(ConfigurationError, match=r"pip install 'kajabi-async\[arrow\]'"):
            await export(api.customers.list(), tmp_path / name)
    report = await export(api.customers.list(), tmp_path / "customers.jsonl")
    assert len([json.loads(line) for line in report.paths[0].read_text().splitlines()]) == 350
