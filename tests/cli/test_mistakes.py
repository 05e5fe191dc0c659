"""Each mistake is told its cure in one line, and has its exit code."""

import pytest

from kajabi_async.testing import FakeKajabi
from tests.cli.conftest import Command


@pytest.mark.parametrize(
    "arguments", [("me",), ("customers", "get", "1"), ("offers", "list"), ("contacts", "add-tags", "1", "2")]
)
async def test_without_credentials_every_command_says_what_to_set(arguments: tuple[str, ...], kajabi: Command) -> None:
    """The variables are named; the exit code is that of wrong configuration."""
    done = await kajabi(*arguments, KAJABI_CLIENT_ID="", KAJABI_CLIENT_SECRET="")
    assert done.code == 2
    assert done.err.startswith("kajabi: there are no credentials: set KAJABI_CLIENT_ID and KAJABI_CLIENT_SECRET")
    assert len(done.err.splitlines()) == 1


async def test_a_wrong_secret_is_told_and_not_shown(kajabi: Command) -> None:
    """What to check is named."""
    done = await kajabi("me", KAJABI_CLIENT_SECRET="not-the-secret")
    assert done.code == 3
    assert "KAJABI_CLIENT_SECRET" in done.err
    assert "not-the-secret" not in done.err


async def test_a_misspelt_filter_is_told_the_right_one(kajabi: Command) -> None:
    """Nothing is sent."""
    done = await kajabi("contacts", "list", "--has-tagid", "5")
    assert done.code == 2
    assert "--has-tag-id" in done.out + done.err


async def test_a_misspelt_include_is_told_the_right_one(kajabi: Command) -> None:
    """With the exit code of wrong usage."""
    done = await kajabi("customers", "get", "1", "--include", "offer")
    assert (done.code, "did you mean 'offers'" in done.err) == (2, True)


async def test_what_is_not_there_has_an_exit_code_of_its_own(kajabi: Command) -> None:
    """Scripts tell it from a refusal."""
    done = await kajabi("customers", "get", "999")
    assert (done.code, "404" in done.err) == (1, True)


async def test_an_api_that_cannot_be_reached_has_an_exit_code_of_its_own(kajabi: Command, fake: FakeKajabi) -> None:
    """So has one that fails."""
    await fake.aclose()
    done = await kajabi("version")
    assert (done.code, "could not connect" in done.err) == (4, True)


async def test_help_lists_commands_and_exit_codes(kajabi: Command) -> None:
    """Without credentials, too."""
    done = await kajabi("--help", KAJABI_CLIENT_ID="")
    assert done.code == 0
    for wanted in ("customers", "demo", "fake", "contact-tags", "130  interrupted"):
        assert wanted in done.out


@pytest.mark.parametrize("setting", ["name", "=x"])
async def test_a_malformed_setting_is_told(setting: str, kajabi: Command) -> None:
    """An attribute is NAME=VALUE."""
    done = await kajabi("contacts", "update", "1", "--set", setting)
    assert (done.code, "NAME=VALUE" in done.err) == (2, True)


async def test_a_misspelt_command_is_told_the_right_one_and_where_to_read_on(kajabi: Command) -> None:
    """In one line, without credentials."""
    done = await kajabi("custmers", "list", KAJABI_CLIENT_ID="", KAJABI_CLIENT_SECRET="")
    assert (done.code, done.out) == (2, "")
    (line,) = done.err.splitlines()
    assert 'Did you mean "customers"' in line
    assert line.endswith("`kajabi --help` tells what there is")


async def test_a_missing_argument_is_named(kajabi: Command) -> None:
    """With the help that tells of it."""
    done = await kajabi("customers", "get")
    assert (done.code, "`kajabi customers get --help`" in done.err) == (2, True)


async def test_a_new_user_is_led_from_one_mistake_to_the_next_cure(kajabi: Command, fake: FakeKajabi) -> None:
    """Nothing set, login as told, a wrong secret, login again, and it works: each step is in the text before it."""
    unset = {"KAJABI_CLIENT_ID": "", "KAJABI_CLIENT_SECRET": ""}
    assert "kajabi login" in (await kajabi("whoami", **unset)).err
    assert "kajabi login --stdin" in (await kajabi("login", **unset)).err
    stored = await kajabi("login", "--stdin", given=f"{fake.client_id}\nwrong\n", **unset)
    assert "kajabi doctor" in stored.out
    refused = await kajabi("doctor", **unset)
    assert refused.code == 3
    # The path of the home of a test may be too long for a line.
    assert "credentials.toml" in "".join(refused.out.split())
    await kajabi("login", "--stdin", given=f"{fake.client_id}\n{fake.client_secret}\n", **unset)
    assert (await kajabi("doctor", **unset)).code == 0
    assert "Robin Owner" in (await kajabi("whoami", **unset)).out
