"""The pages of help: in groups, with examples that run, and no word broken."""

import re
import textwrap
from collections.abc import Callable
from functools import cache

import pytest
from cyclopts import App

from kajabi_async.cli.app import run
from kajabi_async.cli.building import app_of
from kajabi_async.cli.contents import COMMANDS
from kajabi_async.cli.filter_help import filter_meaning
from kajabi_async.cli.front import ABOUT, listing, paragraphs, wrapped
from tests.cli.conftest import Command
from tests.cli.test_arguments import commands


@cache
def _app() -> App:
    return app_of()


Page = Callable[[tuple[str, ...], int], str]


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Page:
    """A function that returns the page of a command at a width; no page needs a fake."""

    def printed(path: tuple[str, ...], columns: int) -> str:
        monkeypatch.setenv("COLUMNS", str(columns))
        code = run([*path, "--help"])
        out, err = capsys.readouterr()
        assert (code, err) == (0, "")
        return out

    return printed


PATHS = [path for path, _ in commands(_app())]
GROUPS = [(command.name,) for command in COMMANDS if command.is_group]
SECTIONS = ["Account", "People", "Catalog", "Commerce", "Content", "Forms", "Tools"]


async def test_the_list_of_commands_is_in_sections(kajabi: Command) -> None:
    """Each command stands once, in its section, with a line about it; an empty line is between any two parts."""
    usage, *blocks = (await kajabi("--help")).out.split("\n\n")
    assert usage == "Usage: kajabi COMMAND [OPTIONS]"
    sections = {block.partition("\n")[0].removesuffix(":"): block.splitlines()[1:] for block in blocks[len(ABOUT) :]}
    assert list(sections) == [*SECTIONS, "Everywhere", "Variables", "Examples", "Exit codes"]
    for name in SECTIONS:
        expected = [
            rf"  {re.escape(each.name)} +{re.escape(each.summary)}" for each in COMMANDS if each.section == name
        ]
        assert re.fullmatch("\n".join(expected), "\n".join(sections[name]))
    assert [line.split()[0] for line in sections["Variables"]] == ["KAJABI_SITE_ID", "KAJABI_BASE_URL", "NO_COLOR"]
    assert all(line.startswith("  kajabi ") for line in sections["Examples"])


@pytest.mark.parametrize("path", [*PATHS, *GROUPS], ids=" ".join)
def test_every_page_has_examples_and_breaks_no_word(path: tuple[str, ...], page: Page) -> None:
    """Every option and filter is whole, on its line, with its meaning."""
    for columns in (80, 120):
        text = page(path, columns)
        assert max(map(len, text.splitlines())) <= columns
        examples = text.partition("\nExamples:\n")[2].partition("\n\n")[0].replace("\\\n", "").splitlines()
        assert 1 <= len(examples) <= 2
        assert all(example.startswith(f"  kajabi {' '.join(path[:1])}") for example in examples)


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_every_option_of_every_page_has_its_meaning(path: tuple[str, ...], page: Page) -> None:
    """Also every filter; the names are those that the parser knows."""
    app = _app()
    for name in path:
        app = app[name]
    text = page(path, 80)
    options = [argument for argument in app.assemble_argument_collection() if argument.index is None]
    assert options
    for option in options:
        assert option.parameter.help, option.name
        # A flag that is set by default is named by the option that unsets it.
        name = option.negatives[0] if option.field_info.default is True else option.name
        assert re.search(rf"^  {re.escape(name)}[ ,\n]", text, re.MULTILINE), name


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


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        (("api",), "Usage: kajabi api [METHOD] PATH [OPTIONS]"),
        (("contacts", "create"), "  --set NAME=VALUE  "),
        (("contacts", "grant-offers"), "  --no-welcome-email  Do not let"),
        (("completion", "install"), "  --no-startup  Do not add"),
        (("customers", "lookup"), "Relations to include: contact, offers, products."),
        (("contacts", "find"), "[default: 600]"),
        (("doctor",), "  --json  Print a line of JSON for each check; errors, too."),
        (("courses",), "only with --include."),
    ],
)
async def test_a_page_names_what_a_command_takes(path: tuple[str, ...], shown: str, kajabi: Command) -> None:
    """In the words of the command; a flag that is set by default by what unsets it."""
    assert shown in (await kajabi(*path, "--help", COLUMNS="80")).out


async def test_a_long_example_goes_on_as_a_shell_reads_it(kajabi: Command) -> None:
    """It can be copied whole, and no word of it is broken."""
    page = (await kajabi("hooks", "create", "--help", COLUMNS="80")).out
    assert "https://example.com/kajabi --site-id 1 \\\n    --resource-id 5\n" in page


async def test_a_page_states_facts_without_their_source(kajabi: Command) -> None:
    """Where a fact comes from is said where the SDK is described."""
    for group in GROUPS:
        page = (await kajabi(*group, "--help")).out
        assert "(observed)" not in page
        assert "(API document)" not in page


def test_commands_in_backticks_stay_on_one_line() -> None:
    """So that they can be copied; one that is longer than the screen is broken by the terminal alone."""
    text = "Something that is rather long. See `kajabi customers list --help` for more of it."
    assert wrapped(text, 40) == [
        "Something that is rather long. See",
        "`kajabi customers list --help` for more",
        "of it.",
    ]
    assert wrapped("`one two three four five six seven`", 20) == ["`one two three four five six seven`"]
    assert wrapped("a well-known https://example.com/a/long/way", 5) == [
        "a well-known",
        "https://example.com/a/long/way",
    ]


@pytest.mark.parametrize("option", ["--help", "--version"])
async def test_an_option_after_the_end_of_options_is_an_argument(option: str, kajabi: Command) -> None:
    """Text may look like an option."""
    done = await kajabi("contact-notes", "create", "9", "--", option)
    assert (done.code, done.out) == (3, "")


@pytest.mark.parametrize(("columns", "width"), [(30, 40), (41, 41), (99, 99), (101, 100)])
def test_a_page_is_as_wide_as_the_terminal_within_what_is_easily_read(
    columns: int, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between 40 and 100 characters; a paragraph is followed by an empty line."""
    monkeypatch.setenv("COLUMNS", str(columns))
    assert list(paragraphs(["a " * 80, "b"])) == [*textwrap.wrap("a " * 80, width), "", "b", ""]


def test_names_stand_beside_their_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Below each other; a name of more than 30 characters has a line of its own, and no line ends with a space."""
    monkeypatch.setenv("COLUMNS", "50")
    long = "--" + "n" * 29
    assert list(listing([("--one", "The first."), (long, "Of a long name."), ("--three", "")])) == [
        "  --one    The first.",
        f"  {long}",
        "           Of a long name.",
        "  --three",
    ]
    just = long[:-1]
    assert list(listing([(just, "Goes on below itself."), ("-x", "")])) == [
        f"  {just}  Goes on below",
        f"{' ' * 34}itself.",
        "  -x",
    ]
    assert list(listing([(long, "x")])) == [f"  {long}", "    x"]


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("created_in_last", "Created in the last DAYS days."),
        ("not_opened_email_in_last", "Did not open an email in the last DAYS days."),
        ("delivered_email_in_last", "Got an email in the last DAYS days."),
        ("not_clicked_email_in_last", "Did not click in an email in the last DAYS days."),
        ("not_created_in_last", "Not created in the last DAYS days."),
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


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("required_eq", "Whether `required` is true."),
        ("opt_in_not_eq", "Whether `opt_in` is not true."),
        ("title_null", "Whether `title` is empty."),
    ],
)
def test_a_filter_that_takes_no_value_says_when_it_holds(name: str, meaning: str) -> None:
    """Yes or no is the option itself."""
    assert filter_meaning(name, is_flag=True) == meaning


@pytest.mark.parametrize("command", ["list", "export"])
async def test_a_page_with_dates_says_how_one_is_typed(command: str, kajabi: Command) -> None:
    """Pages without a DATE do not."""
    for name in ("orders", "forms"):
        words = ("export", name) if command == "export" else (name, "list")
        page = (await kajabi(*words, "--help")).out
        assert ("A DATE is a day such as 2024-05-01" in page) == (" DATE" in page.partition("Filters:")[2])
