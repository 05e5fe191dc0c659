"""What changes, on the command line."""

import asyncio
import json
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kajabi_async.testing import FakeKajabi
from tests.cli.conftest import Command
from tests.cli.processes import settings, started


def add(fake: FakeKajabi, resource_id: str) -> None:
    now = datetime.now(UTC).isoformat()
    attributes = {"created_at": now, "updated_at": now, "email": f"{resource_id}@example.com"}
    fake.add({"type": "contacts", "id": resource_id, "attributes": attributes})


async def test_one_poll_prints_what_has_changed_since(kajabi: Command, fake: FakeKajabi) -> None:
    """A line for each change, or with --json a line of JSON."""
    add(fake, "3000000000")
    shown = await kajabi("changes", "--since", "1h", "--once", "--watch", "contacts,orders")
    assert shown.code == 0
    assert shown.lines[-1].split()[1:] == ["contact_added", "contacts", "3000000000", "3000000000@example.com"]
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
