"""One person by email, or many from a file or a pipe."""

import asyncio
import json
import signal
from pathlib import Path
from typing import Any

import pytest

from kajabi_async.testing import FakeKajabi
from tests.cli.conftest import Command
from tests.cli.processes import settings, started
from tests.cli.screens import on_terminal

GROUPS = ("customers", "contacts")


async def _emails(kajabi: Command, name: str, number: int = 60) -> list[str]:
    listed = await kajabi(name, "list", "--limit", str(number), "--json")
    return [json.loads(line)["email"] for line in listed.lines]


def _outcomes(lines: list[str]) -> dict[str, dict[str, Any]]:
    return {each["email"]: each for each in map(json.loads, lines)}


@pytest.mark.parametrize("name", GROUPS)
async def test_a_person_is_found_by_email(kajabi: Command, name: str) -> None:
    """In any letter case; a missing one is an error with the way to prove it."""
    listed = await kajabi(name, "list", "--limit", "1", "--json")
    person = json.loads(listed.out)
    found = await kajabi(name, "find", person["email"].upper(), "--json")
    assert (found.code, json.loads(found.out)["id"]) == (0, person["id"])
    missing = await kajabi(name, "find", "nobody@example.com")
    assert missing.code == 1
    assert "--thorough reads the whole list" in missing.err
    assert (await kajabi(name, "find", "nobody@example.com", "--thorough")).code == 1
    nowhere = await kajabi(name, "find", "ada")
    assert nowhere.code == 2
    assert "No such file or directory): name a file with an email on each line, or - for standard input; a single" in (
        " ".join(nowhere.err.split())
    )


@pytest.mark.parametrize("name", GROUPS)
async def test_every_email_of_a_file_gets_a_line(kajabi: Command, name: str, tmp_path: Path) -> None:
    """As it stands there; a byte order mark, empty lines and comments are skipped, and a # inside an email is kept."""
    first, second = await _emails(kajabi, name, 2)
    path = tmp_path / "emails.txt"
    path.write_text(
        f"\ufeff{first.upper()}\r\n\r\n  {second} # of May\n# none\na#b@example.com\nada\n", encoding="utf-8"
    )
    done = await kajabi(name, "find", str(path), "--ordered")
    outcomes = [json.loads(line) for line in done.lines]
    assert [each["email"] for each in outcomes] == [first.upper(), second, "a#b@example.com", "ada"]
    assert [each["found"] for each in outcomes] == [True, True, False, False]
    assert outcomes[0][name.removesuffix("s")]["email"] == first
    assert [each["missing"] for each in outcomes[2:]] == [True, False]
    assert "'ada' is no email address" in outcomes[3]["error"]
    assert done.code == 1
    assert "4 looked up" in done.err
    assert "2 found, 1 missing, 1 failed" in done.err
    assert "0 duplicate emails;" in done.err


async def test_a_file_of_existing_people_is_a_success(kajabi: Command, fake: FakeKajabi) -> None:
    """From standard input, with options passed on; the list costs one request for all, and the sites another."""
    emails = await _emails(kajabi, "customers")
    fake.reset_counts()
    done = await kajabi(
        "customers", "find", "-", "--include", "offers", "--fields", "name", "--json", given="\n".join(emails)
    )
    assert done.code == 0
    outcomes = _outcomes(done.lines)
    assert list(outcomes) == emails
    assert all(each["customer"]["name"] and "offers" in each["customer"] for each in outcomes.values())
    report = json.loads(done.err)["report"]
    assert (report["found"], report["requests"]) == (60, fake.counts["customers.list"] + fake.counts["sites.list"])
    assert fake.counts["customers.list"] == 1


@pytest.mark.parametrize(("strategy", "pages"), [("lookup", 2), ("scan", 1), ("auto", 2)])
async def test_the_strategy_decides_what_is_proven(
    strategy: str, pages: int, kajabi: Command, fake: FakeKajabi
) -> None:
    """Two emails are searched for by default; the whole list proves that one is missing."""
    emails = await _emails(kajabi, "customers", 1)
    fake.reset_counts()
    done = await kajabi("customers", "find", "-", "--strategy", strategy, given=f"{emails[0]}\nnone@example.com\n")
    outcomes = _outcomes(done.lines)
    assert done.code == 1
    assert outcomes[emails[0]]["found"]
    assert outcomes["none@example.com"]["proven"] is (strategy == "scan")
    assert fake.counts["customers.list"] == pages


async def test_explain_prints_the_cost_of_emails(kajabi: Command, fake: FakeKajabi) -> None:
    """It requests one page of the list."""
    emails = await _emails(kajabi, "customers")
    fake.reset_counts()
    done = await kajabi("customers", "find", "-", "--explain", "--strategy", "scan", given="\n".join(emails))
    assert done.code == 0
    assert done.lines[0].startswith("lookup  60 requests")
    assert done.lines[1].startswith("scan    1 request,")
    assert fake.counts.total() - fake.counts["oauth.token"] == 1
    done = await kajabi("customers", "find", "-", "--explain", "--json", given="\n".join(emails))
    assert json.loads(done.out)["plan"]["ids"] == 60


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("ada@example.com", "--strategy", "scan"), "--strategy is for a file of emails"),
        (("ada@example.com", "--ordered"), "--ordered is for a file of emails"),
        (("ada@example.com", "--explain"), "--explain is for a file of emails"),
        (("ada@example.com", "--column", "mail"), "--column is for a file of emails"),
        (("-", "--concurrency", "0"), "--concurrency must be a whole number"),
        (("-", "--patience", "0"), "--patience must be a positive number"),
        (("-", "--thorough"), "--thorough is for a single email: --strategy scan reads the whole list"),
    ],
)
async def test_options_of_the_other_form_are_refused(
    options: tuple[str, ...], message: str, kajabi: Command, fake: FakeKajabi
) -> None:
    """Before anything is sent, with what to write."""
    done = await kajabi("customers", "find", *options, given="ada@example.com\n")
    assert (done.code, fake.counts.total()) == (2, 0)
    assert message in " ".join(done.err.split())


@pytest.mark.parametrize("name", GROUPS)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
async def test_a_file_from_a_spreadsheet_is_looked_up(
    encoding: str, name: str, kajabi: Command, tmp_path: Path
) -> None:
    """By the column called email, or another; without one the error says what to write, as for the cost."""
    emails = await _emails(kajabi, name, 2)
    path = tmp_path / "people.csv"
    path.write_text(f"Name\tE-mail\r\n#1\t{emails[0]}\r\nBob\t{emails[1]}\r\n", encoding=encoding, newline="")
    for options in ((), ("--explain",)):
        refused = await kajabi(name, "find", str(path), *options)
        assert (refused.code, "name one with --column; the first line has Name, E-mail" in refused.err) == (2, True)
    done = await kajabi(name, "find", str(path), "--column", "e-mail")
    assert (done.code, list(_outcomes(done.lines))) == (0, emails)
    explained = await kajabi(name, "find", str(path), "--column", "2", "--explain", "--json")
    assert json.loads(explained.out)["plan"]["ids"] == 2
    path.write_text(f"Email\r\n{emails[0]} # of May\r\n", encoding=encoding, newline="")
    done = await kajabi(name, "find", str(path))
    assert (done.code, list(_outcomes(done.lines))) == (0, emails[:1])


@pytest.mark.usefixtures("fast_clock")
async def test_what_is_left_of_a_file_is_read_again_whatever_is_in_it(
    kajabi: Command, fake: FakeKajabi, tmp_path: Path
) -> None:
    """A comma makes no column of it; the command to go on with is quoted for a shell."""
    path = tmp_path / "my people.csv"
    emails = ["a,b@example.com", "c@example.com"]
    path.write_text('name,email\nAda,"a,b@example.com"\nBob,c@example.com\n')
    outage = fake.fail("contacts.list", status=503, times=None)
    done = await kajabi("contacts", "find", str(path), "--patience", "1")
    assert (done.code, done.out) == (4, "")
    assert f"go on with `kajabi contacts find '{path}.unanswered'`" in done.err
    outage.cancel()
    done = await kajabi("contacts", "find", f"{path}.unanswered", "--ordered")
    assert list(_outcomes(done.lines)) == emails


async def test_an_export_can_be_looked_up_by_its_emails(kajabi: Command, tmp_path: Path) -> None:
    """Its column is called email."""
    path = tmp_path / "contacts.csv"
    assert (await kajabi("export", "contacts", "--out", str(path))).code == 0
    done = await kajabi("contacts", "find", str(path))
    assert (done.code, len(done.lines)) == (0, len(path.read_text("utf-8").splitlines()) - 1)


async def test_progress_knows_the_number_of_emails_in_a_file(fake: FakeKajabi, tmp_path: Path) -> None:
    """If the rows go to a file."""
    path = tmp_path / "emails.csv"
    path.write_text("name,email\n" + "".join(f"x,nobody{each}@example.com\n" for each in range(41)))
    with (tmp_path / "rows").open("w") as rows:
        shown = await asyncio.to_thread(on_terminal, ("contacts", "find", str(path)), settings(fake), out=rows)
    assert "/41" in shown.out
    assert len((tmp_path / "rows").read_text().splitlines()) == 41


async def test_a_file_with_an_at_sign_in_its_name_is_a_file(kajabi: Command, tmp_path: Path) -> None:
    """If it exists."""
    [email] = await _emails(kajabi, "customers", 1)
    path = tmp_path / "list@home"
    path.write_text(f"{email}\n")
    done = await kajabi("customers", "find", str(path))
    assert (done.code, len(done.lines)) == (0, 1)


async def test_emails_that_are_no_text_are_reported(kajabi: Command, tmp_path: Path) -> None:
    """In the words of the command."""
    path = tmp_path / "emails.xlsx"
    path.write_bytes(b"PK\x03\x04\xff\xfe")
    done = await kajabi("customers", "find", str(path))
    assert done.code == 2
    assert done.err == (
        "kajabi: the emails cannot be read, as they are not text in UTF-8: save a spreadsheet as CSV, anything "
        "else as plain text with an email on each line\n"
    )


@pytest.mark.usefixtures("fast_clock")
@pytest.mark.parametrize("strategy", ["lookup", "scan"])
async def test_a_run_that_stalls_leaves_the_emails_that_the_next_call_takes(
    strategy: str, kajabi: Command, fake: FakeKajabi, tmp_path: Path
) -> None:
    """As they stand in the file, in their order."""
    emails = [each.upper() for each in await _emails(kajabi, "contacts")]
    path = tmp_path / "emails.txt"
    path.write_text("# of March\n" + "".join(f"{each}\n" for each in emails))
    outage = fake.fail("contacts.list", status=503, times=None)
    done = await kajabi("contacts", "find", str(path), "--patience", "1", "--strategy", strategy)
    left = tmp_path / "emails.txt.unanswered"
    assert (done.code, done.out) == (4, "")
    assert f"kajabi: 60 emails without an answer are in {left}; go on with `kajabi contacts find {left}`" in done.err
    assert left.read_text().split() == emails
    outage.cancel()
    done = await kajabi("contacts", "find", str(left), "--json")
    assert (done.code, len(done.lines)) == (0, 60)


@pytest.mark.thorough
async def test_an_interrupted_run_leaves_the_emails_that_the_next_call_takes(
    kajabi_fake: FakeKajabi, tmp_path: Path
) -> None:
    """Exactly those that have no line of output."""
    path = tmp_path / "emails.txt"
    emails = [f"Person{each}@example.com" for each in range(1000)]
    path.write_text("".join(f"{each}\n" for each in emails))
    kajabi_fake.latency = 0.02
    arguments = ("customers", "find", str(path), "--strategy", "lookup", "--concurrency", "2", "--json")
    process = await started(*arguments, environment=settings(kajabi_fake))
    assert process.stdout is not None
    lines = [await process.stdout.readline() for _ in range(5)]
    process.send_signal(signal.SIGINT)
    out, err = await process.communicate()
    assert process.returncode == 130
    answered = [json.loads(line)["email"] for line in [*lines, *out.splitlines()]]
    left = (tmp_path / "emails.txt.unanswered").read_text().split()
    assert sorted([*answered, *left]) == sorted(emails)
    report, message, _ = (json.loads(line) for line in err.splitlines())
    assert report["report"]["total"] == len(answered)
    assert message["unanswered"] == {"emails": len(left), "path": f"{path}.unanswered", "is_all": True}
