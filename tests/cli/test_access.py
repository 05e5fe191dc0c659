"""Whether a person has access, by the exit code."""

import asyncio
import json
import re
from typing import Any

import pytest

from kajabi_async.cli import access
from kajabi_async.cli.contents import command_called
from kajabi_async.cli.front import MEANINGS, ExitCode
from kajabi_async.testing import FakeKajabi
from tests.cli.conftest import Command
from tests.cli.processes import settings
from tests.cli.screens import on_pipe, on_terminal


def holder(fake: FakeKajabi) -> tuple[str, str]:
    """Return the email of a customer, and an offer that it holds."""
    customer: Any = fake.resource("customers", "7")
    return customer["attributes"]["email"], customer["relationships"]["offers"]["data"][0]["id"]


async def test_the_exit_code_tells_the_three_answers_apart(kajabi: Command, fake: FakeKajabi) -> None:
    """0, 5 and 6, which mean nothing else."""
    email, offer = holder(fake)
    allowed = await kajabi("access", "check", email.upper(), "--offer", "999", "--offer", offer)
    assert (allowed.code, allowed.err) == (0, "")
    assert allowed.out.startswith(f"allowed: holds offer {offer}; purchase ")
    denied = await kajabi("access", "check", email, "--offer", "999", "--product", "999")
    assert denied.code == 5
    assert denied.out.startswith("denied: does not hold offer 999, product 999 (customer 7, as of 2")
    unknown = await kajabi("access", "check", "nobody@example.com", "--offer", offer)
    assert unknown.code == 6
    assert unknown.out.startswith("unknown: the search found no customer with this email")
    assert unknown.out.endswith("; --thorough reads the whole list\n")
    assert {ExitCode.DENIED, ExitCode.NOT_KNOWN} <= MEANINGS.keys()


async def test_a_customer_is_checked_by_id_and_shown_as_json(kajabi: Command, fake: FakeKajabi) -> None:
    """The members are those of `Access.to_dict`."""
    _, offer = holder(fake)
    result = await kajabi("access", "check", "--customer-id", "7", "--offer", offer, "--json")
    shown = json.loads(result.out)
    assert (result.code, shown["allowed"], shown["denied"], shown["unknown"]) == (0, True, False, False)
    assert (shown["person"], shown["error"]) == ("7", None)


async def test_thorough_proves_that_a_person_is_no_customer(kajabi: Command) -> None:
    """The whole list was read."""
    result = await kajabi("access", "check", "nobody@example.com", "--thorough")
    assert (result.code, result.out.partition(" (")[0]) == (5, "denied: no customer has this email")


@pytest.mark.parametrize(
    "arguments", [(), ("ada",), ("a@b.c", "--customer-id", "7"), ("--customer-id", "a/b"), ("a@b.c", "--offer", "a/b")]
)
async def test_misuse_is_reported(kajabi: Command, arguments: tuple[str, ...]) -> None:
    """With the exit code of wrong usage."""
    result = await kajabi("access", "check", *arguments)
    assert (result.code, result.out) == (2, "")
    assert "check()" not in result.err
    without = await kajabi("access", "check", *arguments, KAJABI_CLIENT_ID="", KAJABI_CLIENT_SECRET="")
    assert (without.code, without.err) == (2, result.err)


def test_the_group_has_one_command() -> None:
    """Under the name in the list of commands, with the help of its page."""
    command = command_called("access")
    assert command is not None
    group = access.access_group(command)
    assert group.name == ("access",)
    assert group.help.startswith("Check whether a person has access")
    assert [name for name in group if not name.startswith("-")] == ["check"]


async def test_rejected_credentials_are_an_error_and_no_answer(kajabi: Command) -> None:
    """Asking again would not help."""
    result = await kajabi("access", "check", "a@b.c", KAJABI_CLIENT_SECRET="not-the-secret")
    assert (result.code, result.out) == (3, "")
    assert "/v1/oauth/token" in result.err


async def test_an_api_that_fails_is_no_answer_either(kajabi: Command, fake: FakeKajabi) -> None:
    """It is not known, and the line says why."""
    fake.fail("customers.get", status=422, times=None)
    result = await kajabi("access", "check", "--customer-id", "7")
    assert result.code == 6
    assert "Kajabi could not be read (UnprocessableEntityError) (GET /v1/customers/7 was" in result.out
    assert "--thorough" not in result.out


@pytest.mark.parametrize(("form", "seconds"), [((), "0.05"), (("--thorough",), "0.07")])
async def test_a_check_ends_if_the_api_is_silent(
    form: tuple[str, ...], seconds: str, kajabi: Command, fake: FakeKajabi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After half a minute, and with --thorough, after ten; here after a moment. Reading the list would not help."""
    assert (access._BUDGET_SECONDS, access._THOROUGH_SECONDS) == (30, 600)
    monkeypatch.setattr(access, "_BUDGET_SECONDS", 0.05)
    monkeypatch.setattr(access, "_THOROUGH_SECONDS", 0.07)
    fake.hang("customers.list", times=None)
    result = await kajabi("access", "check", "ada@example.com", *form)
    assert (result.code, result.out) == (6, f"unknown: Kajabi did not answer within {seconds} s\n")


async def test_the_time_of_an_answer_is_shown_as_it_is_read(fake: FakeKajabi) -> None:
    """On a terminal in words, in a pipe as programs write it."""
    arguments = ("access", "check", "--customer-id", "7")
    shown = await asyncio.to_thread(on_terminal, arguments, settings(fake), columns=200)
    assert re.search(r" \(customer 7, as of \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\)$", shown.out.strip()), shown.out
    piped = await asyncio.to_thread(on_pipe, arguments, settings(fake))
    assert re.search(r" \(customer 7, as of \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z\)$", piped.out.strip()), piped.out
