"""Storing credentials and removing them again."""

import json
import sys
from pathlib import Path

import pytest

from kajabi_async.cli.credentials import keyring as keyring_store
from kajabi_async.cli.credentials import toml_file as credentials_file
from kajabi_async.cli.credentials.chain import find_credentials
from kajabi_async.session import ClientCredentials
from tests.cli.conftest import Command
from tests.cli.processes import COMMAND, on_terminal

KEY = ClientCredentials("the-id", "the-secret")
NOTHING_SET = {"KAJABI_CLIENT_ID": "", "KAJABI_CLIENT_SECRET": ""}


def _mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


async def test_login_reads_a_key_from_a_pipe_into_a_file_of_mode_0600(kajabi: Command, credentials_path: Path) -> None:
    """Line ends of either kind are stripped; the key is not printed."""
    done = await kajabi("login", "--stdin", given="the-id\r\nthe-secret\n", **NOTHING_SET)
    assert (done.code, done.err) == (0, "")
    assert done.out == f"Stored in the file {credentials_path}. `kajabi doctor` tests them.\n"
    assert _mode(credentials_path) == 0o600
    assert find_credentials().credentials == KEY


async def test_login_stores_in_the_keyring_on_request(kajabi: Command, credentials_path: Path) -> None:
    """And nowhere else."""
    done = await kajabi("login", "--stdin", "--keyring", "--json", given="the-id\nthe-secret\n", **NOTHING_SET)
    assert json.loads(done.out) == {
        "stored_in": "keyring",
        "place": "the system keyring",
        "environment_wins": False,
    }
    assert keyring_store.read() == KEY
    assert credentials_file.read(credentials_path) is None


async def test_login_says_that_the_environment_takes_precedence(kajabi: Command) -> None:
    """Otherwise the user would wonder why the new key is not used."""
    done = await kajabi("login", "--stdin", given="the-id\nthe-secret\n")
    assert "override what is stored" in done.out


@pytest.mark.parametrize("given", ["", "the-id\n", "\n\n", "the-id\n\n"])
async def test_login_with_less_than_two_lines_stores_nothing(
    given: str, kajabi: Command, credentials_path: Path
) -> None:
    """The error says what to pipe in."""
    done = await kajabi("login", "--stdin", given=given, **NOTHING_SET)
    assert (done.code, "the client id and the client secret" in done.err) == (2, True)
    assert credentials_file.read(credentials_path) is None


async def test_login_without_a_terminal_says_how_to_pipe(kajabi: Command) -> None:
    """Instead of reading the secret with echo."""
    done = await kajabi("login", given="the-id\nthe-secret\n", **NOTHING_SET)
    assert (done.code, "kajabi login --stdin" in done.err) == (2, True)


async def test_login_prompts_on_a_terminal_without_echo(credentials_path: Path) -> None:
    """Neither id nor secret is shown."""
    shown = await on_terminal(*COMMAND, "login", typed=(("Client id:", "the-id\n"), ("Client secret:", "the-secret\n")))
    assert shown.code == 0
    assert "Settings, Security, User API Keys" in shown.screen
    assert "the-id" not in shown.screen
    assert "the-secret" not in shown.screen
    assert credentials_file.read(credentials_path) == KEY


async def test_interrupting_the_prompt_ends_with_130(credentials_path: Path) -> None:
    """Nothing is stored and no traceback is shown."""
    shown = await on_terminal(*COMMAND, "login", typed=(("Client id:", "\x03"),))
    assert (shown.code, "Traceback" in shown.screen) == (130, False)
    assert "\nkajabi: interrupted" in shown.screen.replace("\r", "")
    assert credentials_file.read(credentials_path) is None


async def test_ending_the_input_at_the_prompt_stores_nothing(credentials_path: Path) -> None:
    """With a sentence instead of a traceback, on a line of its own."""
    shown = await on_terminal(*COMMAND, "login", typed=(("Client id:", "\x04"),))
    assert shown.code == 2
    assert "\nkajabi: nothing was typed, so nothing is stored: run `kajabi login` again" in shown.screen.replace(
        "\r", ""
    )
    assert credentials_file.read(credentials_path) is None


async def test_logout_removes_the_key_from_both_places(kajabi: Command, credentials_path: Path) -> None:
    """A second logout finds nothing, which is not an error."""
    credentials_file.write(credentials_path, KEY)
    keyring_store.write(KEY)
    done = await kajabi("logout", **NOTHING_SET)
    assert done.out == f"Removed from the file {credentials_path} and the system keyring.\n"
    assert credentials_file.read(credentials_path) is None
    assert keyring_store.read() is None
    again = await kajabi("logout", **NOTHING_SET)
    assert (again.code, again.out) == (0, "Nothing was stored.\n")


async def test_logout_says_what_remains_in_the_environment(kajabi: Command) -> None:
    """It cannot change the environment."""
    assert "still set in the environment" in (await kajabi("logout")).out
    done = await kajabi("logout", "--json")
    assert json.loads(done.out) == {"removed_from": [], "environment_remains": True}


async def test_without_the_extra_the_keyring_is_reported_with_its_cure(
    kajabi: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other sources are still read."""
    monkeypatch.setitem(sys.modules, "keyring.errors", None)
    done = await kajabi("login", "--stdin", "--keyring", given="the-id\nthe-secret\n", **NOTHING_SET)
    assert (done.code, "pip install 'kajabi-async[keyring]'" in done.err) == (2, True)
    assert keyring_store.read() is None
    assert (await kajabi("logout", **NOTHING_SET)).out == "Nothing was stored.\n"
