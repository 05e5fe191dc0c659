"""No command takes a secret as an argument, and errors do not repeat one."""

from collections.abc import Iterator

import pytest
from cyclopts import App

from kajabi_async import InvalidArgumentError
from kajabi_async.cli.usage import refuse_secrets, wants_json
from tests.cli.conftest import Command
from tests.cli.pages import described_commands

REAL = "s3cr3t-of-mine"


def commands(app: App, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], App]]:
    """Yield every command that does something, with its path of names."""
    names = [name for name in app if not name.startswith("-")]
    if not names:
        yield path, app
    for name in names:
        yield from commands(app[name], (*path, name))


@pytest.mark.parametrize(
    "arguments",
    [
        ("me", "--client-secret", REAL),
        ("me", f"--client-secret={REAL}"),
        ("me", f"--clientSecret={REAL}"),
        ("--client_secret", REAL, "me"),
        ("me", "-client-id", REAL),
        ("contacts", "list", "--api-key", REAL),
        ("customers", "get", "1", f"--TOKEN={REAL}"),
        ("doctor", "--password", REAL),
        ("me", f"KAJABI_CLIENT_SECRET={REAL}"),
        ("me", f"client_secret={REAL}"),
        ("login", REAL),
        ("login", "my-id", REAL),
        ("login", "--keyring", REAL),
        ("login", f"--keyring={REAL}"),
        ("login", "--id", REAL),
    ],
)
@pytest.mark.parametrize("form", [(), ("--json",)])
async def test_a_secret_among_the_arguments_is_refused_and_not_repeated(
    arguments: tuple[str, ...], form: tuple[str, ...], kajabi: Command
) -> None:
    """The error says how to pass secrets."""
    done = await kajabi(*arguments, *form)
    assert done.code == 2
    assert done.out == ""
    assert REAL not in done.err
    for expected in ("never taken from arguments", "KAJABI_CLIENT_SECRET", "kajabi login", "--stdin"):
        assert expected in done.err


def test_no_option_of_any_command_is_taken_for_a_secret() -> None:
    """A command with such an option would be unusable."""
    seen = 0
    for path, description in described_commands():
        for argument in description["arguments"]:
            names = [name for name in argument["names"] if name.startswith("-")]
            refuse_secrets([*path, *names])
            seen += len(names)
    assert seen > 500


@pytest.mark.parametrize(
    "arguments",
    [
        ("login", "--stdin", "--keyring", "--json"),
        ("login", "--help"),
        ("contacts", "update", "1", "--set", "custom_token=blue"),
        ("contact-notes", "create", "1", "--", "--client-secret"),
        ("contacts", "list", "--search", "secret"),
    ],
)
def test_what_is_no_secret_is_let_through(arguments: tuple[str, ...]) -> None:
    """Values may be about secrets, and everything after -- is a value; the same command with a secret is refused."""
    refuse_secrets(arguments)
    with pytest.raises(InvalidArgumentError, match="never taken from arguments"):
        refuse_secrets([*arguments[:1], f"--client-secret={REAL}", *arguments[1:]])


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [(("me", "--json"), True), (("me",), False), (("contact-notes", "create", "1", "--", "--json"), False)],
)
def test_json_is_an_option_only_before_the_values(arguments: tuple[str, ...], expected: bool) -> None:
    """Arguments after -- are text."""
    assert wants_json(arguments) is expected
