"""One person by email."""

import json

import pytest

from tests.cli.conftest import Command


@pytest.mark.parametrize("name", ["customers", "contacts"])
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
    assert (await kajabi(name, "find", "ada")).code == 2
