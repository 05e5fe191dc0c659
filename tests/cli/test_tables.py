"""Lists as people read them: whole in a pipe, fitted to the width of a terminal."""

import asyncio
import re
import shlex

import pytest

from kajabi_async.cli.screens import clock_time
from kajabi_async.cli.terminal import TerminalScreen
from kajabi_async.testing import FakeKajabi
from kajabi_async.wording import counted
from tests.cli.conftest import Command
from tests.cli.processes import settings
from tests.cli.screens import on_terminal

STYLE = re.compile(r"\x1b\[[\d;]*m")
LONG = "A course on everything there is to know " * 10


def rows_of(shown: str) -> list[list[str]]:
    lines = STYLE.sub("", shown).splitlines()
    cells = [re.split("[│┃]", line)[1:-1] for line in lines]
    return [[cell.strip() for cell in row] for row in cells if row]


async def shown_at(columns: int, fake: FakeKajabi, *command: str) -> str:
    shown = await asyncio.to_thread(on_terminal, command, settings(fake), columns=columns)
    assert shown.code == 0, shown.out
    return shown.out


async def test_a_pipe_gets_whole_cells_with_tabs_and_no_header(kajabi: Command, fake: FakeKajabi) -> None:
    """A row is a line; nothing is cut or padded, and times are exact."""
    fake.add(
        {"type": "products", "id": "9001", "attributes": {"title": LONG, "created_at": "2024-01-10T12:00:30-05:00"}}
    )
    listed = await kajabi("products", "list", "--limit", "500", "--columns", "id,title,created_at")
    (row,) = [line.split("\t") for line in listed.lines if line.startswith("9001\t")]
    assert row == ["9001", LONG.strip() + r"\x20", "2024-01-10T17:00:30Z"]


async def test_a_terminal_shows_times_to_the_minute_in_utc(fake: FakeKajabi) -> None:
    """And says so, in lists and for one resource."""
    fake.add(
        {"type": "contacts", "id": "9001", "attributes": {"name": "Ada", "created_at": "2024-01-10T12:00:30-05:00"}}
    )
    for command in (("contacts", "get", "9001"), ("contacts", "list", "--columns", "id,created_at", "--limit", "500")):
        assert "2024-01-10 17:00 UTC" in await shown_at(80, fake, *command)


async def test_a_wide_terminal_shows_more_columns_and_longer_cells(fake: FakeKajabi) -> None:
    """Each row is one line that fits; what is too long is cut visibly."""
    fake.add({"type": "products", "id": "9001", "attributes": {"title": LONG, "status": "ready"}})
    command = ("products", "list", "--limit", "500")
    seen = {}
    for columns in (40, 80, 200):
        out = await shown_at(columns, fake, *command)
        assert max(len(line) for line in STYLE.sub("", out).splitlines() if line.startswith(("│", "┃"))) <= columns
        header, *rows = rows_of(out)
        (row,) = [row for row in rows if row[0] == "9001"]
        assert row[1].endswith("...")
        seen[columns] = (len(header), len(row[1]))
    assert seen[40][0] < seen[200][0]
    assert seen[80][1] < seen[200][1]


async def test_named_columns_are_all_shown_however_narrow_the_terminal(fake: FakeKajabi) -> None:
    """In their order, with relations and blank ones."""
    names = ["email", "id", "name", "public_website", "offers", "created_at"]
    header, *_ = rows_of(await shown_at(40, fake, "customers", "list", "--limit", "2", "--columns", ",".join(names)))
    assert len(header) == len(names)


async def test_columns_that_are_blank_in_every_row_do_not_show(fake: FakeKajabi) -> None:
    """On a terminal; a pipe keeps them, so that every column has its place."""
    for at in range(3):
        fake.add({"type": "contacts", "id": f"900{at}", "attributes": {"name": None, "email": f"{at}@x.example"}})
    command = ("contacts", "list", "--search", "x.example")
    header, *rows = rows_of(await shown_at(120, fake, *command))
    assert "name" not in header
    assert len(rows) == 3


async def test_included_relations_have_a_column(kajabi: Command, fake: FakeKajabi) -> None:
    """With the id and the title of each."""
    header, *_ = rows_of(await shown_at(120, fake, "customers", "list", "--limit", "3", "--include", "offers"))
    assert header[:3] == ["id", "name", "offers"]
    listed = await kajabi("customers", "list", "--limit", "30", "--include", "offers", "--columns", "offers")
    assert any(re.fullmatch(r"\d+ \w.*", line) for line in listed.lines)


@pytest.mark.parametrize(
    ("arguments", "note"),
    [
        (
            ("customers", "list", "--limit", "20"),
            "20 of 60 customers; --limit 60 prints all\n`kajabi export customers --out customers.csv` writes all to",
        ),
        (("customers", "list", "--limit", "60"), ""),
        (("customers", "list", "--search", "no such person"), "no customers"),
        (("customers", "list", "--limit", "5", "--json"), '{"report": {"rows": 5, "total": 60}}\n'),
        (("customers", "list", "--limit", "60", "--json"), ""),
        (("customers", "list", "--search", "no such person", "--json"), ""),
    ],
)
async def test_a_list_says_what_it_leaves_out(arguments: tuple[str, ...], note: str, kajabi: Command) -> None:
    """On standard error, so that a pipe has the rows alone."""
    done = await kajabi(*arguments)
    assert done.code == 0
    assert done.err.startswith(note)
    assert bool(done.err) is bool(note)


async def test_the_export_that_a_list_names_has_its_filters(kajabi: Command, fake: FakeKajabi) -> None:
    """Quoted for the shell, so that it writes what the list shows."""
    for at in range(2):
        fake.add(
            {"type": "contacts", "id": f"900{at}", "attributes": {"name": "Ada O'Neil", "email": f"{at}@x.example"}}
        )
    options = ("--include", "offers", "--no-is-hidden", "--name-contains", "da O'Ne")
    shown = await kajabi("contacts", "list", "--limit", "1", "--sort", "name", *options)
    (command,) = re.findall("`(.*)`", shown.err)
    assert shlex.split(command) == ["kajabi", "export", "contacts", *options, "--out", "contacts.csv"]


async def test_numbers_stand_flush_right(fake: FakeKajabi) -> None:
    """Ids and text stand left."""
    for at, revenue in enumerate(("7.5", "12345.67")):
        attributes = {"name": "Ada", "email": f"{at}@x.example", "net_revenue": revenue}
        fake.add({"type": "customers", "id": f"900{at}", "attributes": attributes})
    out = STYLE.sub("", await shown_at(120, fake, "customers", "list", "--columns", "id,net_revenue", "--limit", "2"))
    assert "│ 9001 │    12345.67 │" in out
    assert "│ 9000 │         7.5 │" in out


async def test_included_relations_show_even_if_all_are_empty(fake: FakeKajabi) -> None:
    """Otherwise it would look as if the option was not known."""
    attributes = {"name": "Ada", "email": "ada@x.example"}
    fake.add({"type": "contacts", "id": "9001", "attributes": attributes, "relationships": {"tags": {"data": []}}})
    command = ("contacts", "list", "--search", "ada@x.example", "--include", "tags")
    header, row = rows_of(await shown_at(120, fake, *command))
    assert dict(zip(header, row, strict=True))["tags"] == "-"


async def test_one_long_cell_takes_no_room_from_the_columns_that_tell_more(fake: FakeKajabi) -> None:
    """It is cut."""
    fake.add({"type": "contacts", "id": "2150009001", "attributes": {"name": LONG, "email": "ada@x.example"}})
    header, *_ = rows_of(await shown_at(80, fake, "contacts", "list", "--limit", "3"))
    assert header[:3] == ["id", "name", "email"]


async def test_yes_and_no_are_the_words_of_json(kajabi: Command, fake: FakeKajabi) -> None:
    """On a terminal and in a pipe."""
    fake.add({"type": "contacts", "id": "9001", "attributes": {"name": "Ada", "subscribed": True}})
    assert "subscribed\ttrue" in (await kajabi("contacts", "get", "9001")).out
    assert re.search(r"subscribed +│ true", STYLE.sub("", await shown_at(80, fake, "contacts", "get", "9001")))


async def test_a_list_without_a_count_says_that_there_is_more(kajabi: Command) -> None:
    """The server does not have to count."""
    async with FakeKajabi(customers=30, meta="none") as uncounted:
        done = await kajabi("customers", "list", "--limit", "5", **settings(uncounted))
    assert "5 customers, and there are more: raise --limit" in done.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--columns", "nmae"), "--columns has an unknown name 'nmae'; did you mean 'name'?"),
        (("--columns", ","), "--columns names no column"),
        (("--columns", "id", "--json"), "--columns is for tables"),
        (("--limit", "0"), "--limit must be a whole number of at least 1, got 0"),
        (("--limit", "-1"), "--limit must be a whole number of at least 1, got -1"),
    ],
)
async def test_options_that_make_no_sense_are_refused(
    arguments: tuple[str, ...], message: str, kajabi: Command, fake: FakeKajabi
) -> None:
    """Before anything is sent."""
    done = await kajabi("customers", "list", *arguments)
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert fake.counts.total() == 0


@pytest.mark.parametrize(("number", "text"), [(0, "0 customers"), (1, "1 customer"), (1001, "1,001 customers")])
def test_a_noun_fits_its_number(number: int, text: str) -> None:
    """Singular and plural."""
    assert counted(number, "customer") == text


def test_a_time_of_day_says_its_zone() -> None:
    """Whatever the zone of the machine."""
    assert clock_time(0) == "00:00:00 UTC"


def test_the_screen_of_a_terminal_is_one() -> None:
    """Commands see no difference but this."""
    assert TerminalScreen.is_terminal


async def test_an_address_has_more_room_than_other_columns(fake: FakeKajabi) -> None:
    """Hooks of one site differ at the end of their addresses; their times show on a wider terminal."""
    narrow, wide = [rows_of(await shown_at(columns, fake, "hooks", "list")) for columns in (80, 120)]
    assert narrow[0] == ["id", "event", "target_url"]
    assert wide[0][:4] == ["id", "event", "target_url", "created_at"]
    assert [row[2] for row in narrow[1:]] == [row[2] for row in wide[1:]]
    assert narrow[1][2] == "https://hooks.example.com/kajabi/1"
