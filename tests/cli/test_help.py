"""The pages of help: in groups, with examples that run, and no word broken."""

import re
from functools import cache

import pytest
from cyclopts import App

from kajabi_async.cli.app import make_app
from kajabi_async.cli.contents import COMMANDS
from kajabi_async.cli.filter_help import filter_meaning
from tests.cli.conftest import Command
from tests.cli.test_arguments import commands


@cache
def _app() -> App:
    return make_app()


PATHS = [path for path, _ in commands(_app())]
GROUPS = [(command.name,) for command in COMMANDS if command.is_group]
SECTIONS = ["Account", "People", "Catalog", "Commerce", "Content", "Forms", "Tools"]


async def test_the_list_of_commands_is_in_sections(kajabi: Command) -> None:
    """Each command stands once, with a line about it."""
    page = (await kajabi("--help")).lines
    headings = [line.removesuffix(":") for line in page if line.endswith(":") and not line.startswith(" ")]
    assert headings[: len(SECTIONS)] == SECTIONS
    for command in COMMANDS:
        assert [line for line in page if re.match(rf"  {re.escape(command.name)} +{re.escape(command.summary)}$", line)]


@pytest.mark.parametrize("path", [*PATHS, *GROUPS], ids=" ".join)
@pytest.mark.parametrize("columns", ["80", "120"])
async def test_every_page_has_examples_and_breaks_no_word(path: tuple[str, ...], columns: str, kajabi: Command) -> None:
    """Every option and filter is whole, on its line, with its meaning."""
    done = await kajabi(*path, "--help", COLUMNS=columns)
    assert (done.code, done.err) == (0, "")
    assert max(len(line) for line in done.lines if not line.startswith("  kajabi ")) <= int(columns)
    examples = done.out.partition("\nExamples:\n")[2].partition("\n\n")[0].splitlines()
    assert 1 <= len(examples) <= 2
    assert all(example.startswith(f"  kajabi {' '.join(path[:1])}") for example in examples)


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
async def test_every_option_of_every_page_has_its_meaning(path: tuple[str, ...], kajabi: Command) -> None:
    """Also every filter; the names are those that the parser knows."""
    app = _app()
    for name in path:
        app = app[name]
    page = (await kajabi(*path, "--help")).out
    options = [argument for argument in app.assemble_argument_collection() if argument.index is None]
    assert options
    for option in options:
        assert option.parameter.help, option.name
        assert re.search(rf"^  {re.escape(option.name)}[ ,\n]", page, re.MULTILINE), option.name


@pytest.mark.parametrize(
    ("typed", "usage"),
    [
        (("help",), "Usage: kajabi COMMAND"),
        (("-h",), "Usage: kajabi COMMAND"),
        (("help", "customers"), "Usage: kajabi customers COMMAND"),
        (("customers", "help"), "Usage: kajabi customers COMMAND"),
        (("customers",), "Usage: kajabi customers COMMAND"),
        (("help", "customers", "get"), "Usage: kajabi customers get ID"),
        (("customers", "help", "get"), "Usage: kajabi customers get ID"),
        (("customers", "get", "-h"), "Usage: kajabi customers get ID"),
        (("customers", "get", "1", "--json", "--help"), "Usage: kajabi customers get ID"),
        (("help", "export"), "Usage: kajabi export COMMAND"),
        (("help", "whoami"), "Usage: kajabi whoami"),
        (("help", "exit-codes"), "Exit codes:"),
    ],
)
async def test_help_is_found_wherever_it_is_looked_for(typed: tuple[str, ...], usage: str, kajabi: Command) -> None:
    """By the word in front or after a group, and by the option anywhere."""
    done = await kajabi(*typed, KAJABI_CLIENT_ID="", KAJABI_CLIENT_SECRET="")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(usage)


@pytest.mark.parametrize("typed", [("--version",), ("-V",), ("customers", "-V"), ("customers", "get", "--version")])
async def test_the_version_shows_wherever_it_is_asked_for(typed: tuple[str, ...], kajabi: Command) -> None:
    """One line."""
    done = await kajabi(*typed)
    assert (done.code, done.err, len(done.lines)) == (0, "", 1)
    assert re.match(r"\d+\.\d+", done.out)


async def test_help_after_the_end_of_options_is_an_argument(kajabi: Command) -> None:
    """Text may look like an option."""
    done = await kajabi("contact-notes", "create", "9", "--", "--help")
    assert done.code == 3
    assert "Usage:" not in done.out


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("created_in_last", "Created in the last DAYS days."),
        ("not_opened_email_in_last", "Not opened an email in the last DAYS days."),
        ("no_sent_email_broadcast_ids", "Who were not sent this broadcast, or any of several."),
        ("created_at_gteq", "`created_at` is at this time or later."),
        ("quantity_gteq", "`quantity` is this or more."),
        ("title_null", "Whether `title` is empty."),
        ("something_new", "Something new."),
    ],
)
def test_a_filter_is_described_by_its_name(name: str, meaning: str) -> None:
    """The names of the API are an attribute and a comparison."""
    assert filter_meaning(name) == meaning
