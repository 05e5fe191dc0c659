"""Many ids from a file or a pipe, with a line of JSON for each."""

import asyncio
import json
import signal
from pathlib import Path

import pytest

from kajabi_async.testing import FakeKajabi
from tests.cli.conftest import Command
from tests.cli.processes import settings, started


async def test_every_id_gets_a_line_and_missing_ones_decide_the_exit_code(kajabi: Command) -> None:
    """Comments and empty lines are skipped; the report goes to standard error."""
    done = await kajabi("customers", "lookup", "-", "--ordered", given="1\n\n2  # the second\n# none\n999\nbad/id\n")
    message = [json.loads(line) for line in done.lines]
    assert [(each["id"], each["found"]) for each in message] == [
        ("1", True),
        ("2", True),
        ("999", False),
        ("bad/id", False),
    ]
    assert [each.get("missing") for each in message[2:]] == [True, False]
    assert done.code == 1
    assert "4 looked up" in done.err
    assert "2 found, 1 missing, 1 failed" in done.err


async def test_a_file_of_existing_ids_is_a_success(kajabi: Command, tmp_path: Path) -> None:
    """Includes and fields are passed on."""
    path = tmp_path / "ids.txt"
    path.write_text("".join(f"{each}\n" for each in range(1, 51)))
    done = await kajabi(
        "customers", "lookup", str(path), "--include", "offers", "--fields", "name", "--concurrency", "5"
    )
    assert done.code == 0
    assert len(done.lines) == 50
    assert set(json.loads(done.lines[0])["customer"]) == {"id", "type", "name", "offers"}


async def test_the_mark_that_spreadsheets_put_before_a_text_is_no_part_of_an_id(
    kajabi: Command, tmp_path: Path
) -> None:
    """The byte order mark of UTF-8, with the line ends of the same programs."""
    path = tmp_path / "ids.csv"
    path.write_text("\ufeff1\r\n2\r\n", encoding="utf-8")
    done = await kajabi("customers", "lookup", str(path), "--ordered")
    assert [json.loads(line)["id"] for line in done.lines] == ["1", "2"]
    assert done.code == 0


async def test_a_file_that_cannot_be_read_is_reported(kajabi: Command, tmp_path: Path) -> None:
    """Before any request."""
    done = await kajabi("customers", "lookup", str(tmp_path / "nowhere"))
    assert done.code == 2
    assert "No such file" in done.err


async def test_ids_that_are_no_text_are_reported(kajabi: Command, tmp_path: Path) -> None:
    """Such as a spreadsheet; the error names the cure."""
    path = tmp_path / "ids.xlsx"
    path.write_bytes(b"PK\x03\x04\xff\xfe")
    done = await kajabi("customers", "lookup", str(path))
    message = (
        "kajabi: the ids cannot be read, as they are not text in UTF-8: save a spreadsheet as CSV, anything else as "
        "plain text with an id on each line\n"
    )
    assert (done.code, done.err) == (2, message)


async def test_a_folder_is_no_file_of_ids(kajabi: Command, tmp_path: Path) -> None:
    """It can be opened but not read."""
    done = await kajabi("customers", "lookup", str(tmp_path))
    assert (done.code, "Is a directory" in done.err) == (2, True)


async def test_more_ids_than_are_read_ahead_all_come(kajabi: Command) -> None:
    """The reader waits for space in its buffer and goes on."""
    done = await kajabi("customers", "lookup", "-", given="1\n" * 1500)
    assert (done.code, len(done.lines)) == (0, 1500)


async def test_explain_prints_the_cost_beforehand(kajabi: Command, fake: FakeKajabi, tmp_path: Path) -> None:
    """It requests one page of the list and no customer."""
    path = tmp_path / "ids.txt"
    path.write_text("".join(f"{each}\n" for each in range(1, 66)))
    done = await kajabi("customers", "lookup", str(path), "--explain")
    assert done.code == 0
    assert done.lines[0].startswith("lookup  65 requests")
    assert done.lines[1].startswith("scan    6 requests")
    assert done.lines[1].endswith("chosen")
    assert done.lines[2].startswith("because the list has 60 rows on 1 page; a scan takes all of it, and 5 lookups")
    assert done.lines[3].startswith("times estimated from 50 at a time, ")
    assert (fake.counts["customers.list"], fake.counts["customers.get"]) == (1, 0)


async def test_a_plan_is_json_on_request(kajabi: Command) -> None:
    """One object on one line."""
    done = await kajabi("customers", "lookup", "-", "--explain", "--json", "--concurrency", "4", given="1\n2\n3\n")
    (line,) = done.lines
    plan = json.loads(line)["plan"]
    assert (plan["strategy"], plan["lookup_requests"], plan["scan_requests"]) == ("scan", 3, 1)
    assert plan["estimated_from"].startswith("4 at a time")


@pytest.mark.parametrize(
    ("strategy", "pages", "lookups"), [((), 0, 61), (("--strategy", "scan"), 1, 1), (("--strategy", "auto"), 1, 1)]
)
async def test_the_strategy_changes_the_requests_and_not_the_outcomes(
    strategy: tuple[str, ...], pages: int, lookups: int, kajabi: Command, fake: FakeKajabi
) -> None:
    """The default is one request per id."""
    ids = [*map(str, range(1, 61)), "999"]
    done = await kajabi("customers", "lookup", "-", "--include", "offers", *strategy, given="\n".join(ids))
    assert done.code == 1
    message = {each["id"]: each for each in map(json.loads, done.lines)}
    assert sorted(message, key=int) == ids
    assert all(message[each]["customer"]["name"] and "offers" in message[each]["customer"] for each in ids[:-1])
    assert message["999"]["missing"]
    assert (fake.counts["customers.list"], fake.counts["customers.get"]) == (pages, lookups)


async def test_an_unknown_strategy_is_reported(kajabi: Command) -> None:
    """With the known ones."""
    done = await kajabi("customers", "lookup", "-", "--strategy", "guess", given="1\n")
    assert done.code == 2
    assert 'Choose from: "lookup", "scan", "auto"' in done.err


@pytest.mark.usefixtures("fast_clock")
async def test_a_run_that_stalls_leaves_the_ids_that_the_next_call_takes(
    kajabi: Command, fake: FakeKajabi, tmp_path: Path
) -> None:
    """The pending and the unread ids, in their order; twice, until all are answered."""
    path = tmp_path / "ids.txt"
    path.write_text("# of March\n" + "".join(f"{each}\n" for each in [*range(1, 61)] * 20))
    outage = fake.fail("customers.get", status=503, times=None)
    done = await kajabi("customers", "lookup", str(path), "--patience", "1", "--concurrency", "3")
    left = tmp_path / "ids.txt.unanswered"
    assert (done.code, done.out) == (4, "")
    assert f"kajabi: 1,200 ids without an answer are in {left}; go on with" in done.err
    assert "nothing was answered for 1 s" in done.err
    assert left.read_text().split() == list(map(str, [*range(1, 61)] * 20))
    done = await kajabi("customers", "lookup", str(left), "--patience", "1", "--concurrency", "3")
    assert (done.code, len(left.read_text().split())) == (4, 1200)
    outage.cancel()
    done = await kajabi("customers", "lookup", str(left))
    assert (done.code, len(done.lines)) == (0, 1200)


@pytest.mark.usefixtures("fast_clock")
async def test_what_a_stall_leaves_is_named_in_a_command_that_takes_it(
    kajabi: Command, fake: FakeKajabi, tmp_path: Path
) -> None:
    """In quotes if a shell needs them; with --json in an object, and a second call replaces the file."""
    fake.fail("customers.get", status=503, times=None)
    path, left = tmp_path / "my ids", tmp_path / "my ids.unanswered"
    path.write_text("7\n")
    done = await kajabi("customers", "lookup", str(path), "--patience", "1")
    command = f"`kajabi customers lookup '{left}'`"
    assert f"kajabi: 1 id without an answer is in {left}; go on with {command}\n" in done.err
    path.write_text("7\n8\n")
    done = await kajabi("customers", "lookup", str(path), "--patience", "1")
    assert f"kajabi: 2 ids without an answer are in {left}; go on with {command}\n" in done.err
    done = await kajabi("customers", "lookup", str(path), "--patience", "1", "--json")
    (shown,) = (json.loads(line)["unanswered"] for line in done.err.splitlines() if '"unanswered"' in line)
    assert shown == {"ids": 2, "path": str(left), "is_all": True}
    assert left.read_text() == "7\n8\n"


@pytest.mark.usefixtures("fast_clock")
async def test_a_stall_is_reported_while_it_lasts(kajabi: Command, fake: FakeKajabi) -> None:
    """On standard error, and its end too; with --json as JSON."""
    ids = "".join(f"{each}\n" for each in range(1, 61))
    fake.fail("customers.get", status=429, times=1, headers={"retry-after": "10"})
    done = await kajabi("customers", "lookup", "-", given=ids)
    assert done.code == 0
    assert "the API asked to wait until " in done.err
    assert "the API answers again, going on" in done.err
    fake.fail("customers.get", status=429, times=1, headers={"retry-after": "10"})
    done = await kajabi("customers", "lookup", "-", "--json", given=ids)
    message = [json.loads(line) for line in done.err.splitlines()]
    paused, over = (each["progress"] for each in message if "progress" in each)
    assert paused["paused_until"] == pytest.approx(paused["stalled_since"] + 10.0, abs=5.0)
    assert over == {"stalled_since": None, "paused_until": None}


async def test_credentials_rejected_at_the_start_leave_no_file(
    kajabi: Command, fake: FakeKajabi, tmp_path: Path
) -> None:
    """No id was read from the source."""
    path = tmp_path / "ids.txt"
    path.write_text("1\n2\n")
    fake.fail("oauth.token", status=401, times=None)
    done = await kajabi("customers", "lookup", str(path))
    assert done.code == 3
    assert not path.with_name("ids.txt.unanswered").exists()


async def test_an_interrupted_run_leaves_the_ids_that_the_next_call_takes(
    kajabi_fake: FakeKajabi, tmp_path: Path
) -> None:
    """Exactly the ids that have no line of output."""
    path = tmp_path / "ids.txt"
    path.write_text("".join(f"{each}\n" for each in range(1, 1001)))
    kajabi_fake.latency = 0.02
    process = await started("customers", "lookup", str(path), "--concurrency", "2", environment=settings(kajabi_fake))
    assert process.stdout is not None
    lines = [await process.stdout.readline() for _ in range(5)]
    process.send_signal(signal.SIGINT)
    out, err = await process.communicate()
    assert process.returncode == 130
    message = [json.loads(line)["id"] for line in [*lines, *out.splitlines()]]
    left = (tmp_path / "ids.txt.unanswered").read_text().split()
    assert sorted([*message, *left], key=int) == [str(each) for each in range(1, 1001)]
    assert left == sorted(left, key=int)
    assert b"ids without an answer are in" in err
    assert err.endswith(b"kajabi: interrupted\n")


async def test_an_interrupted_run_does_not_wait_for_the_rest_of_a_pipe(
    kajabi_fake: FakeKajabi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pipe may never end; the ids received so far are kept."""
    monkeypatch.chdir(tmp_path)
    kajabi_fake.hang("customers.get", times=None)
    process = await started(
        "customers", "lookup", "-", stdin=asyncio.subprocess.PIPE, environment=settings(kajabi_fake)
    )
    assert process.stdin is not None
    process.stdin.write(b"1\n2\n3\n")
    await process.stdin.drain()
    while not kajabi_fake.counts["customers.get"]:
        await asyncio.sleep(0.01)
    process.send_signal(signal.SIGINT)
    assert await asyncio.wait_for(process.wait(), 10) == 130
    assert process.stderr is not None
    err = await process.stderr.read()
    assert b"standard input may have more" in err, err
    assert (tmp_path / "ids.unanswered").read_text() == "1\n2\n3\n"
    process.stdin.close()


async def test_a_file_without_ids_says_so(kajabi: Command, tmp_path: Path) -> None:
    """In place of figures that are all 0; --json reports as ever."""
    path = tmp_path / "ids.txt"
    path.write_text("# none\n\n")
    done = await kajabi("customers", "lookup", str(path))
    assert (done.code, done.out, done.err) == (0, "", "no ids to look up\n")
    as_json = await kajabi("customers", "lookup", str(path), "--json")
    assert json.loads(as_json.err)["report"]["total"] == 0


async def test_the_error_of_an_outcome_speaks_of_commands(kajabi: Command, tmp_path: Path) -> None:
    """As the errors of the command do."""
    path = tmp_path / "ids.txt"
    path.write_text("ada@example.com\n")
    done = await kajabi("customers", "lookup", str(path))
    assert "`kajabi customers find`" in json.loads(done.out)["error"]
