"""``kajabi export``: a list into a file, with messages for people on standard error."""

import asyncio
import json
from itertools import pairwise
from pathlib import Path

import pytest

from kajabi_async import Kajabi
from kajabi_async.export import ExportProgress, export
from kajabi_async.session import ClientCredentials
from kajabi_async.testing import FakeKajabi
from tests.cli.conftest import Command
from tests.cli.processes import settings
from tests.cli.screens import on_terminal
from tests.every_resource import every_resource


async def test_a_list_is_written_with_its_includes(kajabi: Command, tmp_path: Path) -> None:
    """The files are named; standard output stays empty, and without a terminal there is no progress bar."""
    path = tmp_path / "customers.parquet"
    done = await kajabi("export", "customers", "--include", "offers", "--out", str(path), "--page-size", "25")
    assert (done.code, done.out) == (0, "")
    summary, *paths = done.err.splitlines()
    assert summary.startswith("60 customers, ")
    assert " offers in 3 pages" in summary
    assert paths == [str(path), str(tmp_path / "customers.offers.parquet")]
    assert path.read_bytes()[:4] == b"PAR1"


async def test_a_terminal_gets_a_progress_bar(kajabi: Command, fake: FakeKajabi, tmp_path: Path) -> None:
    """It is on standard error, and removed when the export is done."""
    command = ("export", "customers", "--force", "--out", str(tmp_path / "customers.csv"))
    assert "60/60" not in (await kajabi(*command)).err
    shown = await asyncio.to_thread(on_terminal, command, settings(fake))
    assert (shown.code, "60/60" in shown.out) == (0, True)


async def test_filters_fields_and_format_are_options(kajabi: Command, tmp_path: Path) -> None:
    """The filters are those of the list; an explicit format takes precedence over the suffix."""
    path = tmp_path / "tagged.txt"
    done = await kajabi(
        *("export", "contacts", "--out", str(path), "--format", "jsonl"),
        *("--has-tag-id", "5", "--fields", "email,tags", "--include", "tags"),
    )
    assert done.code == 0
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert rows
    assert all(set(row) == {"id", "email", "tag_ids"} and "5" in row["tag_ids"] for row in rows)


@pytest.mark.parametrize("name", [cls.name for cls in every_resource()])
async def test_every_resource_can_be_exported(name: str, kajabi: Command, tmp_path: Path) -> None:
    """Every resource that can be listed has the command."""
    path = tmp_path / f"{name}.csv"
    site = ("--site-id", "1") if name == "payouts" else ()
    done = await kajabi("export", name.replace("_", "-"), "--out", str(path), *site)
    assert done.code == 0, done.err
    assert path.read_text().startswith("id,")


def _files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("customers*"))


async def _failed(kajabi: Command, fake: FakeKajabi, *command: str) -> None:
    """Run *command* while the API is down, so that it leaves a checkpoint, and restore the API."""
    fake.fail("customers.list", status=501, times=None)
    assert (await kajabi(*command)).code == 4
    fake.clear_faults()
    (path,) = (Path(after) for before, after in pairwise(command) if before == "--out")
    assert path.with_name(f"{path.name}.partial").is_dir()


@pytest.mark.usefixtures("fast_clock")
async def test_a_failed_export_is_resumed_by_the_same_command(
    kajabi: Command, fake: FakeKajabi, tmp_path: Path
) -> None:
    """The exit code is that of the failure."""
    command = ("export", "customers", "--out", str(tmp_path / "customers.csv"), "--page-size", "20")
    fake.fail("customers.list", status=501, times=None)
    failed = await kajabi(*command)
    assert failed.code == 4
    fake.clear_faults()
    assert (await kajabi(*command)).code == 0


async def test_an_export_resumes_where_an_earlier_one_stopped(
    kajabi: Command, fake: FakeKajabi, tmp_path: Path
) -> None:
    """It reports the kept rows; --restart discards them, and is required if the command differs."""
    path = tmp_path / "customers.jsonl"
    command = ("export", "customers", "--out", str(path), "--page-size", "20")
    for more, message in (
        ((), "resumed after 40 rows of an earlier run\n"),
        (("--restart",), "60 customers in 3 pages"),
    ):
        await _half_done(fake, path)
        done = await kajabi(*command, "--force", *more)
        assert (done.code, done.err.startswith(message)) == (0, True)
        assert len(path.read_text().splitlines()) == 60
    await _half_done(fake, path)
    other = await kajabi(*command, "--force", "--include", "offers")
    assert (other.code, "--restart" in other.err) == (2, True)
    restarted = await kajabi(*command, "--force", "--include", "offers", "--restart", "--json")
    report = json.loads(restarted.out)
    assert (restarted.code, report["resumed_from"], report["rows"]) == (0, None, 60)
    assert report["related"]["offers"] > 0


async def _half_done(fake: FakeKajabi, path: Path) -> None:
    """Leave the checkpoint of an export that was killed after two of three pages."""

    def stop(progress: ExportProgress) -> None:
        if progress.pages == 2:
            raise EOFError

    key = ClientCredentials(fake.client_id, fake.client_secret)
    async with Kajabi(credentials=key, base_url=fake.base_url) as api:
        with pytest.raises(EOFError):
            await export(api.customers.list(page_size=20), path, observer=stop)


async def test_rows_that_the_server_counts_but_does_not_send_decide_the_exit_code(
    kajabi: Command, fake: FakeKajabi, tmp_path: Path
) -> None:
    """The received rows are in the file, and the missing ones are counted, so that a script notices them."""
    path = tmp_path / "customers.jsonl"
    row = {"type": "customers", "id": "1", "attributes": {"name": "Ada"}}
    fake.answer_with("GET", "/v1/customers", body={"data": [row], "meta": {"total_count": 3}}, times=None)
    done = await kajabi("export", "customers", "--out", str(path))
    assert (done.code, len(path.read_text().splitlines())) == (1, 1)
    assert "warning: the server counts 3 rows, 2 more than it sent" in done.err
    message = await kajabi("export", "customers", "--force", "--out", str(path), "--json")
    assert (message.code, json.loads(message.out)["rows"]) == (1, 1)


@pytest.mark.usefixtures("fast_clock")
async def test_restart_discards_what_another_command_left(kajabi: Command, fake: FakeKajabi, tmp_path: Path) -> None:
    """A command that is rejected without it writes its own files, and no checkpoint remains."""
    path = tmp_path / "customers.csv"
    command = ("export", "customers", "--out", str(path), "--page-size", "20")
    await _failed(kajabi, fake, *command)
    other = (*command, "--include", "offers")
    assert (await kajabi(*other)).code == 2
    assert (await kajabi(*other, "--restart")).code == 0
    assert len(path.read_text().splitlines()) == 61
    assert _files(tmp_path) == ["customers.csv", "customers.offers.csv"]


async def test_rows_that_cannot_be_read_decide_the_exit_code(kajabi: Command, fake: FakeKajabi, tmp_path: Path) -> None:
    """The other rows are in the file."""
    path = tmp_path / "customers.jsonl"
    fake.add({"type": "customers", "id": "900", "attributes": {"created_at": "yesterday"}})
    done = await kajabi("export", "customers", "--out", str(path))
    assert done.code == 1
    assert "warning: 1 row could not be read and is not in the file" in done.err
    assert len(path.read_text().splitlines()) == 60


async def test_mistakes_are_reported_with_their_cure(kajabi: Command, tmp_path: Path) -> None:
    """In one line, with the exit code of wrong usage."""
    unknown = await kajabi("export", "customers", "--out", str(tmp_path / "customers.xlsx"))
    assert (unknown.code, len(unknown.err.splitlines())) == (2, 1)
    assert ".parquet" in unknown.err
    nowhere = await kajabi("export", "customers")
    assert nowhere.code == 2
    assert "--out" in nowhere.out + nowhere.err


async def test_the_report_is_one_object_with_json(kajabi: Command, tmp_path: Path) -> None:
    """On standard output, without the messages for people, also if the export is rejected."""
    path = tmp_path / "customers.csv"
    done = await kajabi("export", "customers", "--include", "offers", "--out", str(path), "--json")
    report = json.loads(done.out)
    assert (done.code, done.err) == (0, "")
    assert report["paths"] == [str(path), str(tmp_path / "customers.offers.csv")]
    assert (report["rows"], report["malformed"], report["warnings"]) == (60, 0, [])
    refused = await kajabi("export", "customers", "--out", str(tmp_path / "customers.nonsense"), "--json")
    assert (refused.code, json.loads(refused.err)["error"]["exit_code"]) == (2, 2)


@pytest.mark.usefixtures("fast_clock")
async def test_an_export_reports_when_it_waits(kajabi: Command, fake: FakeKajabi, tmp_path: Path) -> None:
    """And when it goes on."""
    fake.fail("customers.list", status=429, times=1, headers={"retry-after": "1"})
    fake.fail("customers.list", status=503, times=8)
    done = await kajabi("export", "customers", "--out", str(tmp_path / "customers.csv"), "--page-size", "20")
    assert done.code == 0
    assert "no answer since " in done.err or "the API asked to wait until " in done.err
    assert "the API answers again, going on" in done.err


async def test_an_existing_file_is_replaced_only_if_that_is_said(
    kajabi: Command, fake: FakeKajabi, tmp_path: Path
) -> None:
    """By --force, or by a yes on a terminal; otherwise nothing is sent."""
    path = tmp_path / "customers.csv"
    path.write_text("mine")
    command = ("export", "customers", "--out", str(path))
    refused = await kajabi(*command)
    assert (refused.code, "--force does it" in refused.err, path.read_text()) == (2, True, "mine")
    assert fake.counts.total() == 0
    assert (await kajabi(*command, "--force")).code == 0
    assert path.read_text().startswith("id,")


@pytest.mark.parametrize("form", ["jsonl", "csv"])
async def test_standard_output_gets_the_rows_alone(form: str, kajabi: Command, tmp_path: Path) -> None:
    """The same as in a file; messages go to standard error."""
    path = tmp_path / f"customers.{form}"
    assert (await kajabi("export", "customers", "--out", str(path))).code == 0
    done = await kajabi("export", "customers", "--out", "-", "--format", form)
    assert (done.code, done.out) == (0, path.read_text())
    assert done.err.startswith("60 customers in 1 page, ")
    assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--format", "parquet"), "standard output takes jsonl and csv, not 'parquet'"),
        (("--include", "offers"), "included resources go to files of their own"),
        (("--json",), "the rows go to standard output"),
    ],
)
async def test_standard_output_refuses_what_it_cannot_hold(
    arguments: tuple[str, ...], message: str, kajabi: Command, fake: FakeKajabi
) -> None:
    """Before anything is sent."""
    done = await kajabi("export", "customers", "--out", "-", *arguments)
    assert (done.code, message in done.err) == (2, True)
    assert fake.counts.total() == 0
