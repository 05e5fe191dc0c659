"""What is changed, and which tests are asked."""

import ast
import configparser
import re
import sys
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import pytest

from kajabi_async import Customer
from kajabi_async.decoding.decoder import DECODERS
from kajabi_async.decoding.values import hook_for
from tests.mutation.areas import Area, areas_named, module_of
from tests.mutation.fresh import called, drop_what_is_kept, note_no_caller
from tests.mutation.score import lines_of

ROOT = Path(__file__).parents[2]
AREAS = areas_named()
_MOST_WORDS = 5


def test_every_area_is_there() -> None:
    """Code that is moved moves its area along: a pattern that fits nothing would be scored as nothing."""
    for area in AREAS:
        assert area.code, area.name
        assert area.tests, area.name
        assert all(any(ROOT.glob(pattern)) for pattern in area.code), area.name
        named = [each.partition("=")[2] or each for each in area.tests]
        assert all((ROOT / each.partition("::")[0]).exists() for each in named), area.name


def test_an_area_can_be_named() -> None:
    """In the order given; the error for another name lists the known ones."""
    names = [area.name for area in AREAS]
    assert [area.name for area in areas_named([names[2], names[0]])] == [names[2], names[0]]
    with pytest.raises(ValueError, match=f"no area is called 'x'; known are {', '.join(names)}"):
        areas_named(["x"])


COMMAND = ("cli.error_lines", "cli.filter_help", "cli.front", "cli.running")


def test_what_is_required_is_covered() -> None:
    """Each package that users lean on, and the leaf for work that is shared."""
    code = {module_of(pattern) for area in AREAS for pattern in area.code}
    packages = (
        *(
            "access",
            "changes",
            "decoding",
            "export",
            "fetching",
            "jsonapi",
            "models",
            "relationships",
            "resources",
            "serialization",
        ),
        *("session", "session.auth", "session.limits", "stores", "stores.redis"),
    )
    assert code >= {f"kajabi_async.{name}" for name in (*packages, "concurrency", *COMMAND)}


EQUIVALENT = tomllib.loads(Path(__file__).with_name("equivalents.toml").read_text("utf-8"))["equivalent"]


def test_every_reason_is_for_code_that_is_changed() -> None:
    """Only the run of its area finds out whether the change still lives."""
    prefixes = tuple(f"{module_of(pattern)}." for area in AREAS for pattern in area.code)
    assert [each["function"] for each in EQUIVALENT if not each["function"].startswith(prefixes)] == []


@pytest.mark.parametrize("entry", EQUIVALENT, ids=lambda entry: entry["function"].removeprefix("kajabi_async."))
def test_every_reason_is_for_a_line_of_the_function(entry: dict[str, Any]) -> None:
    """Code that is edited takes its reasons along: each is for a line that one small change makes another."""
    lines = lines_of(_function(entry["function"]))
    assert entry["changes"]
    for change in entry["changes"]:
        assert change == "(less)" or any(_is_one_change(line.strip(), change) for line in lines), change


def test_a_reason_for_other_code_is_found() -> None:
    """Another name in the same line is a second change, and no line at all is none."""
    line = "return broken(error, request, timeouts)"
    assert _is_one_change(line, "return broken(error, request, None)")
    assert _is_one_change(line, "return broken(error, request)")
    assert not _is_one_change(line, line)
    assert not _is_one_change(line, "return _broken(error, request, None)")
    with pytest.raises(LookupError):
        _function("kajabi_async.session.transport.Transport.no_method")


def _function(name: str) -> ast.AST:
    """Return the function with this dotted name; LookupError if there is none."""
    parts = name.split(".")
    module = next(n for n in range(len(parts), 0, -1) if ROOT.joinpath(*parts[:n]).with_suffix(".py").exists())
    node: Any = ast.parse(ROOT.joinpath(*parts[:module]).with_suffix(".py").read_text("utf-8"))
    for part in parts[module:]:
        inner = [each for each in node.body if getattr(each, "name", None) == part]
        if not inner:
            raise LookupError(name)
        node = inner[-1]
    return node  # type: ignore[no-any-return]


def _is_one_change(line: str, change: str) -> bool:
    """Return whether *change* is *line* with one run of at most five words replaced, as mutmut replaces it."""
    one, other = (re.findall(r"\w+|'[^']*'|\S", text) for text in (line, change))
    head = _same(one, other)
    tail = _same(one[head:][::-1], other[head:][::-1])
    return one != other and max(len(one), len(other)) - head - tail <= _MOST_WORDS


def _same(one: list[str], other: list[str]) -> int:
    """Return how many words at the beginning are the same."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((n for n, (word, other_word) in pairs if word != other_word), min(len(one), len(other)))


@pytest.mark.parametrize("area", AREAS, ids=lambda area: area.name)
def test_mutmut_is_configured_for_the_area_alone(area: Area) -> None:
    """It reads ``setup.cfg`` if ``pyproject.toml`` has no section for it."""
    assert "mutmut" not in tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]
    parser = configparser.ConfigParser()
    parser.read_string(area.settings)
    settings = parser["mutmut"]
    assert tuple(settings["only_mutate"].split("\n")[1:]) == area.code
    assert tuple(settings["pytest_add_cli_args_test_selection"].split("\n")[1:]) == area.tests


@pytest.mark.parametrize("area", [area for area in AREAS if area.before or area.drops], ids=lambda area: area.name)
def test_what_an_area_names_of_its_tests_is_there(area: Area) -> None:
    """Functions that build something once, and the caches that keep it."""
    for function, cache_of_it in area.before.items():
        drop_what_is_kept([cache_of_it])
        assert called(function)() is called(function)()
        assert called(cache_of_it).cache_info().currsize == 1
    drop_what_is_kept(area.drops)
    assert all(len(called(name)) == 0 for name in area.drops)


BUILT = {"app": object()}


@cache
def built() -> object:
    return object()


def test_what_the_package_keeps_for_the_process_is_dropped() -> None:
    """So that a change of what makes it shows; and what the tests keep, if it is named."""
    decoder = DECODERS[Customer]
    hook, _ = hook_for(Mapping[str, str])
    built()
    drop_what_is_kept(["tests.mutation.test_areas.BUILT", "tests.mutation.test_areas.built"])
    assert DECODERS[Customer] is not decoder
    assert hook_for(Mapping[str, str])[0] is not hook
    assert (BUILT, built.cache_info().currsize) == ({}, 0)


def test_mutmut_notes_no_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    """No area asks for the callers of a function, and the interpreter crashes when they are noted."""

    class MutmutCallStack:
        noted: ClassVar[list[object]] = []

        @classmethod
        def set(cls, value: object) -> object:
            cls.noted.append(value)
            return value

        @classmethod
        def reset(cls, token: object) -> None:
            cls.noted.append(token)

    core = ModuleType("mutmut.core")
    monkeypatch.setitem(sys.modules, "mutmut.core", core)
    monkeypatch.setattr(core, "MutmutCallStack", MutmutCallStack, raising=False)
    note_no_caller()
    MutmutCallStack.reset(MutmutCallStack.set(("kajabi_async.exchange.x_request", 1)))
    assert MutmutCallStack.noted == []
    assert all("track_dependencies = false" in area.settings for area in AREAS)


@pytest.mark.parametrize(
    ("pattern", "module"),
    [
        ("kajabi_async/session/*.py", "kajabi_async.session"),
        ("kajabi_async/concurrency.py", "kajabi_async.concurrency"),
    ],
)
def test_a_pattern_stands_for_a_package_or_a_module(pattern: str, module: str) -> None:
    """By its dotted name, under which mutants are counted."""
    assert module_of(pattern) == module
