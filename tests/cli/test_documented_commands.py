"""Every `kajabi` command in the README, the guides and the examples works as written."""

import re
import shlex
from collections.abc import AsyncIterator, Iterator
from functools import cache
from pathlib import Path

import pytest
import pytest_asyncio
from cyclopts import App, CycloptsError

from kajabi_async.cli import usage
from kajabi_async.cli.building import app_of
from kajabi_async.testing import FakeKajabi
from tests.blocks import commands_of, documents
from tests.cli.conftest import Command

_INLINE = re.compile(r"`(kajabi [a-z-]+(?: [^`]*)?)`")
# Names of traces, which start with "kajabi".
_NO_COMMANDS = {"kajabi customers.get"}
_SERVES = "fake"
_RUN_ELSEWHERE = "demo"


@pytest_asyncio.fixture
async def fake() -> AsyncIterator[FakeKajabi]:
    """A fake with the data that the documents use."""
    async with FakeKajabi() as server:
        yield server


def _written_out() -> list[str]:
    return sorted({command for command in commands_of(*documents()) if command.startswith("kajabi ")})


def _mentioned() -> list[str]:
    found = {command for path in documents() for command in _INLINE.findall(path.read_text("utf-8"))}
    return sorted(found - _NO_COMMANDS)


def _words(command: str) -> list[str]:
    """Return the arguments of the command, without comments and redirections."""
    words = shlex.split(command, comments=True)[1:]
    end = next((index for index, word in enumerate(words) if word in {">", "|", "&"}), len(words))
    return words[:end]


@cache
def _app() -> App:
    return app_of()


def _unknown(words: list[str]) -> Iterator[str]:
    """Yield those of *words* that are neither a command nor an option of the command before them."""
    words = usage.without_help(usage.take_profile(words)[1])
    if not words:
        return
    names, apps, rest = _app().parse_commands(words)
    options = [word.partition("=")[0] for word in rest if word.startswith("-") and word != "-"]
    is_command = any(not name.startswith("-") for name in names) and apps[-1].default_command is not None
    if rest and not rest[0].startswith("-") and not is_command:
        yield " ".join(words)
    known = {"--version", "-V"}
    if is_command:
        known.update(name for argument in apps[-1].assemble_argument_collection() for name in argument.names)
    yield from (option for option in options if option not in known)


def test_there_are_commands_to_try() -> None:
    """In the README, in a guide, and inline in sentences."""
    assert len(_written_out()) >= 5
    assert len(_mentioned()) >= 5


@pytest.mark.parametrize("command", _written_out())
async def test_a_command_that_is_written_out_succeeds(
    command: str, kajabi: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its options and their values, against the fake."""
    words = _words(command)
    # One would serve until interrupted, the other is run by tests/cli/test_demo.py; only their arguments are parsed.
    if words[0] in {_SERVES, _RUN_ELSEWHERE}:
        _app().parse_args(words, exit_on_error=False, print_error=False)
        return
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ids.txt").write_text("1\n2\n")
    (tmp_path / "emails.txt").write_text("Mateo.Park.123@example.com\n")
    done = await kajabi(*words)
    assert (done.code, "error" in done.err.lower()) == (0, False), done.err


@pytest.mark.parametrize("command", [*_written_out(), *_mentioned()])
def test_a_command_that_is_mentioned_exists_with_its_options(command: str) -> None:
    """Also inline in sentences, where values may be missing."""
    assert list(_unknown(_words(command))) == []


@pytest.mark.parametrize(
    ("command", "unknown"),
    [
        ("kajabi custmers list", ["custmers list"]),
        ("kajabi customers lst", ["customers lst"]),
        ("kajabi customers list --limt 5", ["--limt"]),
        ("kajabi customers lookup ids.txt --strategy auto --explian > rows.jsonl", ["--explian"]),
        ("kajabi export customers --inclde offers --out customers.csv", ["--inclde"]),
        ("kajabi doctr", ["doctr"]),
    ],
)
def test_a_misspelt_command_would_be_noticed(command: str, unknown: list[str]) -> None:
    """An unknown resource, verb or option is found."""
    assert list(_unknown(_words(command))) == unknown


@pytest.mark.parametrize("command", ["kajabi fake --port eighty", "kajabi customers list --limit many"])
def test_a_value_that_makes_no_sense_would_be_noticed(command: str) -> None:
    """As an error of running the command."""
    with pytest.raises(CycloptsError):
        _app().parse_args(_words(command), exit_on_error=False, print_error=False)
