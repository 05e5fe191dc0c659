"""What changes, on the command line."""

import asyncio
import json
import re
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kajabi_async.testing import FakeKajabi
from tests.cli.conftest import Command
from tests.cli.processes import settings, started
from tests.cli.screens import on_terminal


def add(fake: FakeKajabi, resource_id: str) -> None:
    now = datetime.now(UTC).isoformat()
    attributes = {"created_at": now, "updated_at": now, "email": f"{resource_id}@example.com"}
    fake.add({"type": "contacts", "id": resource_id, "attributes": attributes})


async def test_one_poll_prints_what_has_changed_since(kajabi: Command, fake: FakeKajabi) -> None:
    """A line for each change, or with --json a line of JSON."""
    add(fake, "3000000000")
    shown = await kajabi("changes", "--since", "1h", "--once", "--watch", "contacts,orders")
    assert shown.code == 0
    at, *cells = shown.lines[-1].split("\t")
    assert datetime.fromisoformat(at).tzinfo is not None
    assert cells == ["contact_added", "contacts", "3000000000", "3000000000@example.com"]
    printed = await kajabi("changes", "--since", "1h", "--once", "--watch", "contacts", "--json")
    change: dict[str, Any] = json.loads(printed.lines[-1])
    assert (change["change"], change["resource"]["id"]) == ("contact_added", "3000000000")
    assert change["key"] == "contacts:3000000000:contact_added"


async def test_a_file_keeps_the_place_between_two_calls(kajabi: Command, fake: FakeKajabi, tmp_path: Path) -> None:
    """--since counts for the first call only; a call without a change keeps the place, too."""
    file = tmp_path / "place"
    options = ("changes", "--once", "--watch", "contacts", "--cursor", str(file), "--json")
    assert (await kajabi(*options)).out == ""
    add(fake, "3000000000")
    assert [json.loads(each)["resource"]["id"] for each in (await kajabi(*options)).lines] == ["3000000000"]
    assert (await kajabi(*options, "--since", "7d")).out == ""
    assert file.stat().st_mode & 0o777 == 0o600


async def test_a_file_that_holds_no_cursor_is_a_wrong_use(kajabi: Command, tmp_path: Path) -> None:
    """It is left as it is."""
    file = tmp_path / "notes"
    file.write_text("shopping list", "utf-8")
    refused = await kajabi("changes", "--once", "--cursor", str(file))
    assert refused.code == 2
    assert "--cursor names a file that `kajabi changes` did not write" in refused.err
    assert file.read_text("utf-8") == "shopping list"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--since", "yesterday"), "such as 90s, 15m, 1h or 7d"),
        (("--since", "1654w"), "--since goes back 11,574 days at most"),
        (("--since", "999999999w"), "--since goes back 11,574 days at most"),
        (("--watch", "contact"), "did you mean 'contacts'"),
        (("--every", "0"), "--every must be"),
        (("--sweep", "0"), "--sweep must be"),
    ],
)
async def test_wrong_options_say_what_is_right(kajabi: Command, arguments: tuple[str, ...], problem: str) -> None:
    """With the exit code of misuse."""
    refused = await kajabi("changes", *arguments)
    assert refused.code == 2
    assert problem in refused.err


@pytest.mark.parametrize("arguments", [("--every", "0"), ("--sweep", "0"), ("--watch", "contact"), ("--since", "x")])
async def test_wrong_options_are_refused_before_credentials_are_looked_for(
    kajabi: Command, arguments: tuple[str, ...]
) -> None:
    """They are wrong with any."""
    refused = await kajabi("changes", *arguments, KAJABI_CLIENT_ID="", KAJABI_CLIENT_SECRET="")
    assert refused.code == 2
    assert "credentials" not in refused.err
    assert arguments[0].strip("-") in refused.err or "can be watched; did you mean 'contacts'?" in refused.err


async def test_a_list_to_watch_may_be_called_as_its_command(kajabi: Command) -> None:
    """With - or _."""
    assert (await kajabi("changes", "--once", "--watch", "contact-notes,form_submissions")).code == 0


async def test_a_terminal_shows_changes_in_columns_with_times_to_the_second(fake: FakeKajabi) -> None:
    """A long last column goes on below itself."""
    add(fake, "3000000000")
    command = ("changes", "--since", "1h", "--once", "--watch", "contacts")
    shown = await asyncio.to_thread(on_terminal, command, settings(fake), columns=80)
    first, second = (line.rstrip() for line in shown.out.splitlines()[-2:])
    assert re.fullmatch(r"[\d-]{10} [\d:]{8} UTC  contact_added     contacts 3000000000", first)
    assert second == f"{'':43}3000000000@example.com"


async def test_changes_are_followed_until_interrupted(tmp_path: Path) -> None:
    """Each is printed as it is noticed; Ctrl-C ends with 130 and keeps the place."""
    async with FakeKajabi(customers=20) as fake:
        file = tmp_path / "place"
        options = ("changes", "--every", "1", "--watch", "contacts", "--cursor", str(file), "--json")
        process = await started(*options, environment=settings(fake))
        assert process.stdout is not None
        while not fake.counts["contacts.list"]:
            await asyncio.sleep(0.02)
        add(fake, "3000000000")
        line = await asyncio.wait_for(process.stdout.readline(), 30)
        process.send_signal(signal.SIGINT)
        _, errors = await process.communicate()
    assert json.loads(line)["resource"]["id"] == "3000000000"
    assert process.returncode == 130
    assert b"interrupted" in errors
    assert file.read_text("utf-8").startswith("kajabi-changes-1.")


async def test_a_poll_without_changes_says_so(kajabi: Command) -> None:
    """On standard error, and not with --json."""
    quiet = await kajabi("changes", "--once", "--watch", "orders")
    assert (quiet.code, quiet.out, quiet.err) == (0, "", "no changes\n")
    assert (await kajabi("changes", "--once", "--watch", "orders", "--json")).err == ""
