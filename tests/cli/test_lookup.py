"""Many ids from a file or a pipe, a line of JSON for each."""

import json
from pathlib import Path

import pytest

from kajabi_async.testing import FakeKajabi
from tests.cli.conftest import Command


async def test_every_id_gets_a_line_and_missing_ones_decide_the_exit_code(kajabi: Command) -> None:
    """Comments and empty lines are skipped; the report goes to standard error."""
    done = await kajabi("customers", "lookup", "-", "--ordered", given="1\n\n2  # the second\n# none\n999\nbad/id\n")
    told = [json.loads(line) for line in done.lines]
    assert [(each["id"], each["found"]) for each in told] == [
        ("1", True),
        ("2", True),
        ("999", False),
        ("bad/id", False),
    ]
    assert [each.get("missing") for each in told[2:]] == [True, False]
    assert done.code == 1
    assert "4 looked up" in done.err
    assert "2 found, 1 missing, 1 failed" in done.err


async def test_a_file_of_ids_that_are_all_there_is_a_success(kajabi: Command, tmp_path: Path) -> None:
    """Includes and fields go along."""
    path = tmp_path / "ids.txt"
    path.write_text("".join(f"{each}\n" for each in range(1, 51)))
    done = await kajabi(
        "customers", "lookup", str(path), "--include", "offers", "--fields", "name", "--concurrency", "5"
    )
    assert done.code == 0
    assert len(done.lines) == 50
    assert set(json.loads(done.lines[0])["customer"]) == {"id", "type", "name", "offers"}


async def test_a_file_that_cannot_be_read_is_told(kajabi: Command, tmp_path: Path) -> None:
    """Before anything is asked of the API."""
    done = await kajabi("customers", "lookup", str(tmp_path / "nowhere"))
    assert done.code == 2
    assert "No such file" in done.err


async def test_ids_that_are_no_text_are_told(kajabi: Command, tmp_path: Path) -> None:
    """As where a spreadsheet is given; with the cure."""
    path = tmp_path / "ids.xlsx"
    path.write_bytes(b"PK\x03\x04\xff\xfe")
    done = await kajabi("customers", "lookup", str(path))
    told = (
        "kajabi: the ids cannot be read, as they are not text in UTF-8: save them as plain text, an id on each line\n"
    )
    assert (done.code, done.err) == (2, told)


async def test_a_folder_is_no_file_of_ids(kajabi: Command, tmp_path: Path) -> None:
    """It can be opened by nobody."""
    done = await kajabi("customers", "lookup", str(tmp_path))
    assert (done.code, "Is a directory" in done.err) == (2, True)


async def test_more_ids_than_are_read_ahead_all_come(kajabi: Command) -> None:
    """The reader waits for room and goes on."""
    done = await kajabi("customers", "lookup", "-", given="1\n" * 2500)
    assert (done.code, len(done.lines)) == (0, 2500)


async def test_what_it_would_take_can_be_asked_first(kajabi: Command, fake: FakeKajabi, tmp_path: Path) -> None:
    """One page of the list is asked for, and no customer."""
    path = tmp_path / "ids.txt"
    path.write_text("".join(f"{each}\n" for each in range(1, 66)))
    done = await kajabi("customers", "lookup", str(path), "--explain")
    assert done.code == 0
    assert done.lines[0].startswith("lookup  65 requests")
    assert done.lines[1].startswith("scan    6 requests")
    assert done.lines[1].endswith("chosen")
    assert done.lines[2].startswith("because the list has 60 rows on 1 page; a scan takes all of it, and 5 lookups")
    assert done.lines[3].startswith("times from 50 at a time, ")
    assert (fake.counts["customers.list"], fake.counts["customers.get"]) == (1, 0)


async def test_a_plan_is_json_where_that_is_asked_for(kajabi: Command) -> None:
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
    """Single lookups unless told otherwise."""
    ids = [*map(str, range(1, 61)), "999"]
    done = await kajabi("customers", "lookup", "-", "--include", "offers", *strategy, given="\n".join(ids))
    assert done.code == 1
    told = {each["id"]: each for each in map(json.loads, done.lines)}
    assert sorted(told, key=int) == ids
    assert all(told[each]["customer"]["name"] and "offers" in told[each]["customer"] for each in ids[:-1])
    assert told["999"]["missing"]
    assert (fake.counts["customers.list"], fake.counts["customers.get"]) == (pages, lookups)


async def test_a_strategy_that_there_is_not_is_told(kajabi: Command) -> None:
    """With those there are."""
    done = await kajabi("customers", "lookup", "-", "--strategy", "guess", given="1\n")
    assert done.code == 2
    assert 'Choose from: "lookup", "scan", "auto"' in done.err
