"""Each mistake is reported with its cure in one line, and has its exit code."""

import asyncio
import io
import os
import pty
import sys
import termios

import pytest

from kajabi_async.cli.front import screen_width
from kajabi_async.testing import FakeKajabi
from tests.cli.conftest import Command
from tests.cli.processes import settings
from tests.cli.screens import on_terminal


@pytest.mark.parametrize(
    "arguments", [("me",), ("customers", "get", "1"), ("offers", "list"), ("contacts", "add-tags", "1", "2")]
)
async def test_without_credentials_every_command_says_what_to_set(arguments: tuple[str, ...], kajabi: Command) -> None:
    """The variables are named; the exit code is that of wrong configuration."""
    done = await kajabi(*arguments, KAJABI_CLIENT_ID="", KAJABI_CLIENT_SECRET="")
    assert done.code == 2
    assert done.err.startswith("kajabi: there are no credentials: set KAJABI_CLIENT_ID and KAJABI_CLIENT_SECRET")
    assert len(done.err.splitlines()) == 1


async def test_a_wrong_secret_is_reported_and_not_shown(kajabi: Command) -> None:
    """The error says what to check."""
    done = await kajabi("me", KAJABI_CLIENT_SECRET="not-the-secret")
    assert done.code == 3
    assert "KAJABI_CLIENT_SECRET" in done.err
    assert "not-the-secret" not in done.err


async def test_a_misspelt_filter_gets_a_suggestion(kajabi: Command) -> None:
    """Nothing is sent."""
    done = await kajabi("contacts", "list", "--has-tagid", "5")
    assert done.code == 2
    assert "--has-tag-id" in done.out + done.err


async def test_a_misspelt_include_gets_a_suggestion(kajabi: Command) -> None:
    """With the exit code of wrong usage."""
    done = await kajabi("customers", "get", "1", "--include", "offer")
    assert (done.code, "did you mean 'offers'" in done.err) == (2, True)


async def test_not_found_has_an_exit_code_of_its_own(kajabi: Command) -> None:
    """Scripts can distinguish it from a rejected request."""
    done = await kajabi("customers", "get", "999")
    assert (done.code, "404" in done.err) == (1, True)


@pytest.mark.usefixtures("fast_clock")
async def test_an_api_that_cannot_be_reached_has_an_exit_code_of_its_own(kajabi: Command, fake: FakeKajabi) -> None:
    """An API that fails has the same one."""
    await fake.aclose()
    done = await kajabi("version")
    assert (done.code, "could not connect" in done.err) == (4, True)


async def test_help_lists_commands_and_exit_codes(kajabi: Command) -> None:
    """Also without credentials."""
    done = await kajabi("--help", KAJABI_CLIENT_ID="")
    assert done.code == 0
    for expected in ("customers", "demo", "fake", "contact-tags", "130  interrupted"):
        assert expected in done.out


@pytest.mark.parametrize("setting", ["name", "=x"])
async def test_a_malformed_setting_is_reported(setting: str, kajabi: Command) -> None:
    """An attribute is NAME=VALUE."""
    done = await kajabi("contacts", "update", "1", "--set", setting)
    assert (done.code, "NAME=VALUE" in done.err) == (2, True)


async def test_a_misspelt_command_gets_a_suggestion_and_the_help_to_read(kajabi: Command) -> None:
    """In one line, without credentials."""
    done = await kajabi("custmers", "list", KAJABI_CLIENT_ID="", KAJABI_CLIENT_SECRET="")
    assert (done.code, done.out) == (2, "")
    (line,) = done.err.splitlines()
    assert 'Did you mean "customers"' in line
    assert line.endswith("See `kajabi --help`")


async def test_a_missing_argument_is_named(kajabi: Command) -> None:
    """With the command of its help."""
    done = await kajabi("customers", "get")
    assert (done.code, "`kajabi customers get --help`" in done.err) == (2, True)


async def test_a_new_user_is_led_from_one_mistake_to_the_next_cure(kajabi: Command, fake: FakeKajabi) -> None:
    """From no settings, login, a wrong secret and a second login to a result: each message names the next step."""
    unset = {"KAJABI_CLIENT_ID": "", "KAJABI_CLIENT_SECRET": ""}
    assert "kajabi login" in (await kajabi("whoami", **unset)).err
    assert "kajabi login --stdin" in (await kajabi("login", **unset)).err
    stored = await kajabi("login", "--stdin", given=f"{fake.client_id}\nwrong\n", **unset)
    assert "kajabi doctor" in stored.out
    refused = await kajabi("doctor", **unset)
    assert refused.code == 3
    # The home folder of a test may have a path longer than a line.
    assert "credentials.toml" in "".join(refused.out.split())
    await kajabi("login", "--stdin", given=f"{fake.client_id}\n{fake.client_secret}\n", **unset)
    assert (await kajabi("doctor", **unset)).code == 0
    assert "Robin Owner" in (await kajabi("whoami", **unset)).out


async def test_a_sentence_on_a_terminal_breaks_no_word(fake: FakeKajabi) -> None:
    """Answers in words, too."""
    command = ("access", "check", "nobody@example.com")
    shown = await asyncio.to_thread(on_terminal, command, settings(fake), columns=80)
    assert max(map(len, shown.out.splitlines())) <= 80
    assert "which is no proof that\n" in shown.out.replace(" \r", "").replace("\r", "")


def test_an_error_on_a_terminal_breaks_no_word(fake: FakeKajabi) -> None:
    """It is wrapped at the width; the command that it names is whole, to be copied."""
    shown = on_terminal(("customers", "list", "--emial", "x"), settings(fake), columns=80)
    lines = shown.out.splitlines()
    assert lines == [
        "kajabi: Unknown option: --emial. Did you mean --email-contains? See",
        "  `kajabi customers list --help`",
    ]
    for columns in range(50, 62):
        shown = on_terminal(("customers", "list", "--created-at-gt=yesterday"), settings(fake), columns=columns)
        assert columns - 12 < max(map(len, shown.out.splitlines())) <= columns


def test_an_error_is_as_wide_as_the_terminal_that_shows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """That of standard error if only that goes to one; 80 if no width is known."""
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr(sys, "__stdout__", io.StringIO())
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert screen_width() == 80
    controlling, terminal = pty.openpty()
    with os.fdopen(controlling, "rb"), os.fdopen(terminal, "w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        for columns, width in ((0, 80), (132, 132), (7, 7)):
            termios.tcsetwinsize(terminal, (24, columns))
            assert screen_width() == width
        monkeypatch.setenv("COLUMNS", "50")
        assert screen_width() == 50


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("customers list --limit 1.5", "--limit takes a whole number, got '1.5'"),
        ("customers list --limit 1.5 --", "--limit takes a whole number, got '1.5'"),
        ("fake --port 22.7", "--port takes a whole number, got '22.7'"),
        ("hooks ensure https://example.com/kajabi purchs", 'Invalid value "purchs" for EVENT. '),
        ("api", "Missing argument: PATH. See `kajabi api --help`"),
        ("api customers", "the path must begin with /v1/, got 'customers'"),
        ("landing-pages list --created-at-gt yesterday", "takes a date such as 2024-05-01, or a time with its zone"),
        ("customers list --net-revenue-less-than x", "takes an amount such as 12.50, got 'x'"),
        ("contact-notes update a@b.c x", "`kajabi customers find` and `kajabi contacts find` take emails"),
        ("access check --customer-id a@b.c", "`kajabi customers find` and `kajabi contacts find` take emails"),
        ("export payouts --out payouts.csv", "kajabi: export payouts needs --site-id or KAJABI_SITE_ID"),
        ("export sites --out sites", "kajabi: sites has no suffix: end the file in .parquet, "),
        ("export sites --out sites.txt", "or write --format and one of parquet, arrow, jsonl, csv"),
    ],
)
async def test_mistakes_are_reported_in_the_words_of_the_command(command: str, message: str, kajabi: Command) -> None:
    """Options and commands, and no types or methods of Python; nothing is rounded."""
    refused = await kajabi(*command.split())
    assert (refused.code, message in refused.err) == (2, True), refused.err


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        ("customers list --zzz --", "Unknown option: --zzz."),
        ("customers list --emial x --", "Unknown option: --emial. Did you mean --email-contains?"),
        ("customers list --no-json", "Unknown option: --no-json. Did you mean --json?"),
        ("customers list -xyz --", "Unknown option: -xyz. -x is not a recognized option."),
        ("customers list --limit --", "--limit needs a value."),
        ("customers list --limit None", "--limit takes a whole number, got 'None'."),
        (f"customers list --limit {'9x' * 60} --", f"--limit takes a whole number, got '{'9x' * 50}'."),
        ("fake --latency x --", "--latency takes a number, got 'x'."),
        ("customers lookup - --concurrency soon --", "--concurrency takes a whole number, got 'soon'."),
        ("access check --offer --", "--offer needs a value."),
        ("customers find --", "Missing argument: EMAIL-OR-FILE."),
        ("customers list --json=maybe", 'Invalid value for --json: unable to convert "maybe" into bool.'),
        ("customers get --", "Missing argument: ID."),
        ("export customers --", "Missing option: --out."),
        ("customers get -- 1 2", "Unexpected argument: 2."),
        ("customers get -- 1 2 3", "Unexpected arguments: 2 3."),
        ("customers list --limit 5 --limit 6", "Parameter --limit specified multiple times."),
        (
            "customers lookup - --strategy scna --",
            'Invalid value "scna" for --strategy. Choose from: "lookup", "scan", "auto". Did you mean "scan"?',
        ),
    ],
)
async def test_what_only_the_parser_refuses_is_reported_in_the_same_way(
    command: str, problem: str, kajabi: Command
) -> None:
    """One line with the problem and the page to read, and nothing of the parser's own; long values are shortened."""
    refused = await kajabi(*command.split())
    page = f"kajabi {' '.join(command.split()[: 1 if command.startswith('fake') else 2])} --help"
    assert (refused.code, refused.out, refused.err) == (2, "", f"kajabi: {problem} See `{page}`\n")


async def test_an_error_of_the_api_is_shown_in_its_own_words(kajabi: Command, fake: FakeKajabi) -> None:
    """Only what the SDK says is put into words of the command."""
    problem = "site_id= must be True or False"
    fake.fail("customers.get", status=422, body={"errors": [{"status": "422", "title": problem}]})
    refused = await kajabi("customers", "get", "1")
    assert (refused.code, problem in refused.err) == (3, True)


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("--zzz", "Unknown option --zzz."),
        ("-z", "Unknown option -z."),
        ("hepl", 'Unknown command "hepl".'),
        ("offer", 'Unknown command "offer". Did you mean "offers"?'),
        ("x" * 150, f'Unknown command "{"x" * 99}.'),
    ],
)
async def test_an_unknown_command_is_named_as_it_was_typed(typed: str, problem: str, kajabi: Command) -> None:
    """With the one that is closest, if one is close; a long one is shortened."""
    assert (await kajabi(typed)).err == f"kajabi: {problem} See `kajabi --help`\n"


async def test_the_page_of_exit_codes_is_found_by_help_alone(kajabi: Command) -> None:
    """By itself the word is no command."""
    assert (await kajabi("exit-codes")).err == 'kajabi: Unknown command "exit-codes". See `kajabi --help`\n'
