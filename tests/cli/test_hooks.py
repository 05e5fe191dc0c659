"""Hooks: created, deleted after a question, and ensured."""

import asyncio
import json

import pytest

from kajabi_async.testing import FakeKajabi
from tests.cli import processes
from tests.cli.conftest import Command
from tests.cli.processes import settings
from tests.cli.screens import on_terminal

URL = "https://app.example.com/kajabi"


async def test_a_hook_is_created_and_deleted(kajabi: Command) -> None:
    """A deletion needs a yes."""
    made = await kajabi("hooks", "create", "purchase", URL, "--site-id", "1", "--json")
    hook = json.loads(made.out)
    assert (hook["event"], hook["target_url"]) == ("purchase", URL)
    refused = await kajabi("hooks", "delete", hook["id"])
    assert (refused.code, f"this would delete hook {hook['id']}" in refused.err) == (2, True)
    deleted = await kajabi("hooks", "delete", hook["id"], "--yes", "--json")
    assert json.loads(deleted.out) == {"deleted": {"type": "hooks", "id": hook["id"]}}
    assert (await kajabi("hooks", "get", hook["id"])).code == 1


async def test_hooks_are_ensured(kajabi: Command, fake: FakeKajabi) -> None:
    """Twice is as once; what is superfluous is deleted after a yes."""
    both = ("hooks", "ensure", URL, "purchase", "order_created", "--site-id", "1")
    made = json.loads((await kajabi(*both, "--json")).out)
    assert [hook["event"] for hook in made["created"]] == ["purchase", "order_created"]
    again = await kajabi(*both)
    assert (again.code, again.err) == (0, "2 hooks kept\n")
    one = ("hooks", "ensure", URL, "purchase", "--site-id", "1")
    refused = await kajabi(*one)
    assert (refused.code, "delete 1 hook of" in refused.err, fake.counts["hooks.delete"]) == (2, True, 0)
    done = await kajabi(*one, "--yes")
    assert (done.code, done.err) == (0, "1 hook kept, 1 hook deleted\n")


async def test_an_unknown_event_names_the_known_ones(kajabi: Command) -> None:
    """And a missing site its option."""
    unknown = await kajabi("hooks", "create", "purchased", URL)
    assert (unknown.code, '"purchase"' in unknown.err) == (2, True)
    without = await kajabi("hooks", "create", "purchase", URL)
    assert (without.code, "hooks create needs --site-id or KAJABI_SITE_ID" in without.err) == (2, True)


async def test_a_grant_asks_on_a_terminal_alone(fake: FakeKajabi) -> None:
    """Its mail cannot be called back; a script has decided before."""
    contact = str(fake.contact_id_of("1"))
    command = ("contacts", "grant-offers", contact, "1", "2")
    shown = await asyncio.to_thread(on_terminal, command, settings(fake), typed=("[y/N] ", "n\n"))
    assert (shown.code, f"grant 2 offers to contact {contact}" in shown.out) == (1, True)
    assert fake.counts["contacts.POST.offers"] == 0


@pytest.mark.parametrize(("keys", "code", "message"), [("\x03", 130, "interrupted"), ("\x04", 1, "not done")])
async def test_a_question_can_be_interrupted(keys: str, code: int, message: str, fake: FakeKajabi) -> None:
    """By Ctrl-C at once; the end of the input is no yes, and its message has a line of its own."""
    shown = await processes.on_terminal(
        *(*processes.COMMAND, "hooks", "delete", "2"), typed=(("Go on? [y/N] ", keys),), environment=settings(fake)
    )
    assert (shown.code, fake.counts["hooks.delete"]) == (code, 0)
    assert f"kajabi: {message}" in shown.screen
    assert keys == "\x03" or f"[y/N] \r\nkajabi: {message}" in shown.screen
