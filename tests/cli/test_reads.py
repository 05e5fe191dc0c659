"""Every resource can be listed and shown, as tables for people and JSON for programs."""

import asyncio
import itertools
import json
import re

import pytest

from kajabi_async.testing import FakeKajabi
from tests.cli.conftest import Command
from tests.cli.processes import settings
from tests.cli.screens import on_terminal
from tests.every_resource import every_resource

STYLE = re.compile(r"\x1b\[[\d;]*m")


async def test_a_customer_is_shown_as_a_table_of_loaded_attributes(kajabi: Command, fake: FakeKajabi) -> None:
    """Relations that were not requested are marked so; nothing is wider than the terminal."""
    command = ("customers", "get", "5", "--include", "contact,offers", "--fields", "name,email")
    shown = await asyncio.to_thread(on_terminal, command, settings(fake), columns=80)
    out = STYLE.sub("", shown.out)
    assert shown.code == 0
    assert "customers 5" in out
    assert "not requested" in out
    assert "net_revenue" not in out
    assert max(map(len, out.splitlines())) <= 80
    piped = dict(line.split("\t") for line in (await kajabi(*command)).lines)
    assert (piped["id"], piped["type"], piped["products"]) == ("5", "customers", "not requested")


async def test_json_of_a_customer_has_included_resources_or_their_ids(kajabi: Command, fake: FakeKajabi) -> None:
    """In one line, with times in UTC and decimals as text."""
    shown = await kajabi("customers", "get", "5", "--include", "contact", "--json")
    (line,) = shown.lines
    members = json.loads(line)
    assert members["id"] == "5"
    assert members["type"] == "customers"
    assert members["contact"]["id"] == fake.contact_id_of("5")
    assert isinstance(members["offer_ids"], list)
    assert isinstance(members["net_revenue"], str)


async def test_a_list_takes_the_filters_of_the_resource(kajabi: Command) -> None:
    """They are options by the names of the API."""
    listed = await kajabi("contacts", "list", "--has-tag-id", "5", "--limit", "3", "--json")
    assert listed.code == 0
    rows = [json.loads(line) for line in listed.lines]
    assert 1 <= len(rows) <= 3
    assert all("5" in row["tag_ids"] for row in rows)


async def test_a_list_is_sorted_and_limited(kajabi: Command) -> None:
    """A leading minus of a sort key is not an option."""
    listed = await kajabi("customers", "list", "--sort", "-name", "--limit", "4", "--page-size", "2", "--json")
    names = [json.loads(line)["name"] for line in listed.lines]
    assert len(names) == 4
    assert names == sorted(names, reverse=True)


@pytest.mark.parametrize("name", [cls.name for cls in every_resource()])
async def test_every_resource_can_be_listed(name: str, kajabi: Command) -> None:
    """With rows on standard output, whose number and columns are always the same, and a note on standard error."""
    site = ("--site-id", "1") if name == "payouts" else ()
    listed = await kajabi(name.replace("_", "-"), "list", "--limit", "2", *site)
    words = name.replace("_", " ")
    assert listed.code == 0
    assert {line.count("\t") for line in listed.lines} <= {listed.out.count("\t", 0, listed.out.find("\n"))}
    if listed.err:
        assert listed.err.startswith(("2 of ", f"no {words}\n")), listed.err


async def test_the_user_and_the_version_are_shown(kajabi: Command) -> None:
    """As text and as JSON."""
    assert "role_level" in (await kajabi("me")).out
    assert json.loads((await kajabi("me", "--json")).out)["type"] == "me"
    assert "version\t" in (await kajabi("version")).out
    assert json.loads((await kajabi("version", "--json")).out)["jsonapi"] == "v1.1"


async def test_one_payout_is_of_a_site(kajabi: Command) -> None:
    """With its transactions."""
    shown = await kajabi("payouts", "get", "payout_1", "--site-id", "1", "--json")
    assert json.loads(shown.out)["transactions"]


@pytest.mark.parametrize("command", [(), ("login",), ("customers", "lookup"), ("export",), ("completion", "install")])
async def test_help_fits_80_columns_and_is_broken_by_the_terminal_alone(
    command: tuple[str, ...], kajabi: Command
) -> None:
    """Line ends in a docstring are not kept: every line but a paragraph's last is as full as possible."""
    done = await kajabi(*command, "--help")
    assert max(len(line) for line in done.lines if not line.startswith("  kajabi ")) <= 80
    headings = ("\nOptions:", "\nArguments:", "\nCommands:", "\nAccount:")
    end = min(done.out.find(each) for each in headings if each in done.out)
    prose = done.out[:end].splitlines()[2:]
    assert prose
    for line, following in itertools.pairwise(prose):
        if line.strip() and following.strip():
            assert len(line.rstrip()) + 1 + len(following.split()[0]) > 80


async def test_an_unreadable_value_is_marked(kajabi: Command, fake: FakeKajabi) -> None:
    """The other attributes are shown; JSON has the expected type."""
    attributes = {"name": "Ada", "email": ["a"], "created_at": "2024-01-10", "custom_1": "blue", "custom_2": ["x"]}
    fake.add({"type": "contacts", "id": "9001", "attributes": attributes})
    shown = await kajabi("contacts", "get", "9001")
    assert shown.code == 0
    assert "unreadable: expected a time with its zone" in " ".join(shown.out.split())
    assert "2024-01-10" in shown.out
    assert "blue" in shown.out
    members = json.loads((await kajabi("contacts", "get", "9001", "--json")).out)
    assert members["created_at"] == "2024-01-10"
    assert members["custom_fields"] == {"custom_1": "blue"}
    assert members["custom_2"] == ["x"]
    assert members["unreadable"] == {
        "email": "expected text, got an array",
        "created_at": "expected a time with its zone, got text",
        "custom_2": "expected text, got an array",
    }
    listed = await kajabi("contacts", "list", "--sort", "-created_at", "--limit", "1000")
    assert listed.code == 0
    (line,) = [line for line in listed.out.splitlines() if "9001" in line]
    assert "(unreadable)" in line
