"""Whether a person has access, by the exit code."""

import json
from typing import Any

import pytest

from kajabi_async.cli.exit_codes import MEANINGS, ExitCode
from kajabi_async.testing import FakeKajabi
from tests.cli.conftest import Command


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
    assert "Kajabi could not be read (UnprocessableEntityError)" in result.out
