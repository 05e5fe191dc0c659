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
