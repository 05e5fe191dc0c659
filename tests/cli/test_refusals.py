"""Pages and refused arguments need no command: what is said of them before equals what the commands say themselves."""

import random
from collections.abc import Iterator

import pytest
from cyclopts import App, CycloptsError

from kajabi_async.cli.calling import usage_error
from kajabi_async.cli.contents import COMMANDS, command_called
from kajabi_async.cli.descriptions import FOLDER, Argument, Description, description_of, file_of
from kajabi_async.cli.refusals import refuse
from kajabi_async.errors import InvalidArgumentError
from tests.cli.conftest import app_made_once
from tests.cli.pages import commands_in, text_of

VALUES = (
    "1",
    "x",
    "1.5",
    "-1",
    "0x1F",
    "none",
    "",
    "scan",
    "scn",
    "id,name",
    "a@b.c",
    "-",
    "-created_at",
    "yes",
    "inf",
)
UNKNOWN = ("--zzz", "--zzz=1", "-x", "-xyz", "--emial", "--site_id", "--Limit", "--no-json", "-5", "--", "-j", "--limi")
CALLS_OF_EACH = 60


@pytest.mark.parametrize("name", [command.name for command in COMMANDS])
def test_the_description_of_a_command_is_that_of_its_code(name: str) -> None:
    """If this fails after a change of a command, `python -m tests.cli.pages` writes it again."""
    command = command_called(name)
    assert command is not None
    assert file_of(name).read_text(encoding="utf-8") == text_of(command)


def test_every_description_is_of_a_command() -> None:
    """Also after one was renamed."""
    assert {path.name for path in FOLDER.iterdir()} == {file_of(command.name).name for command in COMMANDS}


@pytest.mark.parametrize("name", [command.name for command in COMMANDS])
def test_what_is_refused_at_once_is_what_the_parser_refuses(name: str) -> None:
    """In the same words, whatever was typed: the same problem of several, with the same suggestions."""
    command = command_called(name)
    assert command is not None
    app = app_made_once([command])
    for names, description in commands_in([name], description_of(name)):
        for tokens in _calls(names, description):
            at_once = _refused(description, names, tokens)
            if at_once is not None:
                assert at_once == _parsed(app, names, tokens), tokens


@pytest.mark.parametrize(
    "words",
    [
        "customers list --zzz",
        "customers list --zzz=1",
        "customers list -x",
        "customers list --limit x",
        "customers list --limit=x",
        "customers list --limit",
        "customers list --limit --json",
        "customers list 5",
        "customers get",
        "customers get 1 2",
        "customers get --zzz 1",
        "customers find a@b.c --strategy scn",
        "customers find a@b.c --patience soon",
        "contacts add-tags",
        "contact-notes create 1",
        "hooks create purchased https://example.com",
        "export customers --zzz",
        "completion show zs",
        "fake --port many",
        "whoami now",
    ],
)
def test_a_plain_mistake_is_refused_at_once(words: str) -> None:
    """An unknown option, a wrong or missing value, a missing or surplus argument; the parser would say the same."""
    command = command_called(words.split(maxsplit=1)[0])
    assert command is not None
    for names, description in commands_in([command.name], description_of(command.name)):
        tokens = words.split()[len(names) :]
        if words.startswith(" ".join(names)):
            at_once = _refused(description, names, tokens)
            assert at_once is not None
            assert at_once == _parsed(app_made_once([command]), names, tokens)
            return
    raise AssertionError(words)


_ARGUMENTS: list[Argument] = [
    {"names": ["ONE_ID"], "kind": "text", "is_required": True},
    {"names": ["MORE"], "kind": "text", "takes_many": True},
    {"names": ["--limit", "-l"], "kind": "whole number", "is_option": True},
    {"names": ["--share"], "kind": "number", "is_option": True},
    {"names": ["--json"], "kind": "flag", "is_option": True},
    {"names": ["--how"], "kind": "choice", "is_option": True, "choices": ["scan", "look-up"]},
    {"names": ["--tag"], "kind": "text", "is_option": True, "takes_many": True},
    {"names": ["--sort"], "kind": "text", "is_option": True, "takes_hyphens": True},
    {"names": ["--email-contains"], "kind": "text", "is_option": True},
    {"names": ["--email-starts"], "kind": "text", "is_option": True},
]


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("1", None),
        ("1 2 3 --json", None),
        ("--json 1 --limit 5 --share=0.5 --how scan --tag a --tag=b", None),
        ("--sort -name 1 -l 7", None),
        ("--sort=-name 1", None),
        ("", "Missing argument: ONE-ID."),
        ("--tag x", "Missing argument: ONE-ID."),
        ("1 --limit", "--limit needs a value."),
        ("1 --limit --json", "--limit needs a value."),
        ("1 --limit x", "--limit takes a whole number, got 'x'."),
        ("1 -l 1.5", "-l takes a whole number, got '1.5'."),
        ("1 --share x=y", "--share takes a number, got 'x=y'."),
        (f"1 --limit {'9x' * 60}", f"--limit takes a whole number, got '{'9x' * 50}'."),
        ("1 --how scna", 'Invalid value "scna" for --how. Choose from: "scan", "look-up". Did you mean "scan"?'),
        ("1 --how=zzz", 'Invalid value "zzz" for --how. Choose from: "scan", "look-up".'),
        ("1 --zzz", "Unknown option: --zzz."),
        ("--zzz=5 1", "Unknown option: --zzz=5."),
        ("--limt 5 1", "Unknown option: --limt. Did you mean --limit?"),
        ("1 --emial x", "Unknown option: --emial. Did you mean --email-contains or --email-starts?"),
        ("1 -xyz", "Unknown option: -xyz. -x is not a recognized option."),
        ("1 -x", "Unknown option: -x."),
        # In doubt: only the parser knows.
        ("1 -- --zzz", None),
        ("1 --limit 1 --limit 2", None),
        ("1 --json=yes", None),
        ("1 --Limit x", None),
        ("1 --limit none", None),
        ("1 --how null", None),
        ("-5 --zzz", None),
        ("1 --limit -5", None),
    ],
)
def test_a_call_is_refused_for_its_first_problem(typed: str, problem: str | None) -> None:
    """If there is one for sure."""
    description = description_of("whoami").copy()
    description["arguments"] = _ARGUMENTS
    refused = _refused(description, ["things", "do"], typed.split())
    assert refused == (problem and f"{problem} See `kajabi things do --help`")


@pytest.mark.parametrize("words", ["get 1", "list --limit 5 --json --sort -created_at", "find -", "lookup - --ordered"])
def test_a_right_call_is_not_refused(words: str) -> None:
    """Nor one in doubt, which the parser sees."""
    verb, *tokens = words.split()
    description = description_of("customers")["commands"][verb]
    assert _refused(description, ["customers", verb], tokens) is None
    assert _refused(description, ["customers", verb], [*tokens, "--", "--zzz"]) is None


def _calls(names: list[str], description: Description) -> Iterator[list[str]]:
    """Yield calls, right and wrong, of what the command has and of what it has not."""
    draw = random.Random(" ".join(names))
    options = [name for each in description["arguments"] if each.get("is_option") for name in each["names"]]
    for _ in range(CALLS_OF_EACH):
        tokens: list[str] = []
        for _ in range(draw.randrange(5)):
            if draw.random() < 0.5 and options:
                option = draw.choice(options)
                value = draw.choice(VALUES)
                tokens += draw.choice([[option], [option, value], [f"{option}={value}"]])
            else:
                tokens.append(draw.choice((*VALUES, *UNKNOWN)))
        yield tokens


def _refused(description: Description, names: list[str], tokens: list[str]) -> str | None:
    try:
        refuse(description, names, tokens)
    except InvalidArgumentError as error:
        return str(error)
    return None


def _parsed(app: App, names: list[str], tokens: list[str]) -> str | None:
    try:
        app.parse_args([*names, *tokens], exit_on_error=False, print_error=False, help_on_error=False)
    except CycloptsError as error:
        return str(usage_error(error, names))
    return None
