"""Many ids from a file or a pipe, a line of JSON for each."""

import json
from pathlib import Path

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
    """As where a spreadsheet is given."""
    path = tmp_path / "ids.xlsx"
    path.write_bytes(b"PK\x03\x04\xff\xfe")
    done = await kajabi("customers", "lookup", str(path))
    assert (done.code, done.err) == (2, "kajabi: the ids cannot be read: they are not text in UTF-8\n")


async def test_a_folder_is_no_file_of_ids(kajabi: Command, tmp_path: Path) -> None:
    """It can be opened by nobody."""
    done = await kajabi("customers", "lookup", str(tmp_path))
    assert (done.code, "Is a directory" in done.err) == (2, True)


async def test_more_ids_than_are_read_ahead_all_come(kajabi: Command) -> None:
    """The reader waits for room and goes on."""
    done = await kajabi("customers", "lookup", "-", given="1\n" * 2500)
    assert (done.code, len(done.lines)) == (0, 2500)
