"""Every command has --json, which prints results and errors for programs."""

import json

import pytest

from kajabi_async.cli import demo
from kajabi_async.testing import FakeKajabi
from tests.cli.conftest import Command
from tests.cli.pages import described_commands


def test_every_command_takes_json() -> None:
    """Without exception."""
    found = list(described_commands())
    assert len(found) > 60
    without = [
        " ".join(path)
        for path, description in found
        if not any("--json" in argument["names"] for argument in description["arguments"])
    ]
    assert without == []


@pytest.mark.parametrize(
    ("arguments", "kind", "code"),
    [
        (("customers", "get", "999", "--json"), "NotFoundError", 1),
        (("customers", "get", "1", "--include", "offer", "--json"), "UnknownIncludeError", 2),
        (("contacts", "list", "--has-tagid", "5", "--json"), "InvalidArgumentError", 2),
        (("contacts", "list", "--limit", "many", "--json"), "InvalidArgumentError", 2),
        (("nonsense", "--json"), "InvalidArgumentError", 2),
        (("customers", "lookup", "/nowhere/ids.txt", "--json"), "ConfigurationError", 2),
    ],
)
async def test_an_error_is_one_object_on_standard_error(
    arguments: tuple[str, ...], kind: str, code: int, kajabi: Command
) -> None:
    """With its class, its text and the exit code; standard output stays empty."""
    done = await kajabi(*arguments)
    (line,) = done.err.splitlines()
    error = json.loads(line)["error"]
    assert (done.code, done.out) == (code, "")
    assert (error["type"], error["exit_code"]) == (kind, code)
    assert error["message"]


async def test_an_answer_of_the_api_is_printed_with_its_facts(kajabi: Command, fake: FakeKajabi) -> None:
    """Status, request id, requested wait, attempts, and whether a write may have been applied."""
    fake.fail("contacts.update", status=429, headers={"Retry-After": "600"})
    done = await kajabi("contacts", "update", "1", "--set", "name=Zoe", "--json")
    error = json.loads(done.err)["error"]
    assert done.code == 3
    assert (error["type"], error["status"], error["retry_after"]) == ("RateLimitError", 429, 600.0)
    assert (error["attempts"], error["maybe_applied"]) == (1, False)
    assert error["request_id"]


async def test_missing_credentials_come_with_their_cure(kajabi: Command) -> None:
    """The cure is a member of its own."""
    done = await kajabi("me", "--json", KAJABI_CLIENT_ID="", KAJABI_CLIENT_SECRET="")
    error = json.loads(done.err)["error"]
    assert error["cure"].startswith("set KAJABI_CLIENT_ID and KAJABI_CLIENT_SECRET")


async def test_writes_of_links_print_one_object(kajabi: Command, fake: FakeKajabi) -> None:
    """Its member is named after the type of the ids."""
    contact_id = fake.contact_id_of("1")
    added = await kajabi("contacts", "add-tags", contact_id, "1", "2", "--json")
    assert {"1", "2"} <= set(json.loads(added.out)["tags"])
    removed = await kajabi("contacts", "remove-tags", contact_id, "1", "--json")
    assert set(json.loads(removed.out)["tags"]) == set(json.loads(added.out)["tags"]) - {"1"}
    granted = await kajabi("contacts", "grant-offers", contact_id, "1", "2", "3", "--json")
    assert set(json.loads(granted.out)["granted_offers"]) == {"1", "2", "3"}


async def test_the_report_of_lookups_is_json_too(kajabi: Command) -> None:
    """On standard error; the rows are on standard output."""
    done = await kajabi("customers", "lookup", "-", "--json", given="1\n2\n999\n")
    assert [json.loads(line)["found"] for line in done.lines].count(True) == 2
    report = json.loads(done.err)["report"]
    assert (report["total"], report["found"], report["missing"]) == (3, 2, 1)


async def test_the_demo_prints_its_numbers(kajabi: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one line, and nothing else."""
    for name, number in (("_CUSTOMERS", 150), ("_FAILING_IDS", 50), ("_WITHOUT_OFFER", "2150000110")):
        monkeypatch.setattr(demo, name, number)
    done = await kajabi("demo", "--json")
    message = json.loads(done.out)
    assert (done.code, done.err) == (0, "")
    assert message["customer"]["id"] == "123"
    assert message["requests_of_awaiting_a_relation"] == {"first_time": 1, "second_time": 0}
    assert (message["report"]["found"], message["token_requests"]) == (150, 1)


def _help_of(text: str) -> str:
    return " ".join(text.split())


async def test_help_describes_the_format(kajabi: Command) -> None:
    """One object, or a line for each row; errors on standard error."""
    message = _help_of((await kajabi("--help")).out)
    for expected in ("one JSON object on one line", "one such line for each row", '"exit_code"', "NO_COLOR"):
        assert expected in message
