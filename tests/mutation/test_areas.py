"""What is changed, and which tests are asked."""

import configparser
import tomllib
from pathlib import Path

import pytest

from tests.mutation.areas import Area, areas_named, module_of

ROOT = Path(__file__).parents[2]
AREAS = areas_named()


def test_every_area_is_there() -> None:
    """Code that is moved moves its area along: a pattern that fits nothing would be scored as nothing."""
    for area in AREAS:
        assert all(any(ROOT.glob(pattern)) for pattern in area.code), area.name
        named = [each.partition("=")[2] or each for each in area.tests]
        assert all((ROOT / each.partition("::")[0]).exists() for each in named), area.name


def test_an_area_can_be_named() -> None:
    """In the order given; the error for another name lists the known ones."""
    names = [area.name for area in AREAS]
    assert [area.name for area in areas_named([names[2], names[0]])] == [names[2], names[0]]
    with pytest.raises(ValueError, match=f"no area is called 'x'; known are {', '.join(names)}"):
        areas_named(["x"])


def test_what_is_required_is_covered() -> None:
    """Each package that users lean on, and the leaf for work that is shared."""
    code = {module_of(pattern) for area in AREAS for pattern in area.code}
    packages = (
        *("decoding", "export", "fetching", "jsonapi", "models", "relationships", "resources", "serialization"),
        *("session", "session.auth", "session.limits", "stores"),
    )
    assert code >= {f"kajabi_async.{name}" for name in (*packages, "concurrency", "cli.exit_codes", "cli.running")}


def test_every_reason_is_for_code_that_is_changed() -> None:
    """Only the run of its area finds out whether the change still lives."""
    prefixes = tuple(f"{module_of(pattern)}." for area in AREAS for pattern in area.code)
    table = tomllib.loads(Path(__file__).with_name("equivalents.toml").read_text("utf-8"))
    assert [each["function"] for each in table["equivalent"] if not each["function"].startswith(prefixes)] == []


@pytest.mark.parametrize("area", AREAS, ids=lambda area: area.name)
def test_mutmut_is_configured_for_the_area_alone(area: Area) -> None:
    """It reads ``setup.cfg`` if ``pyproject.toml`` has no section for it."""
    assert "mutmut" not in tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]
    parser = configparser.ConfigParser()
    parser.read_string(area.settings)
    settings = parser["mutmut"]
    assert tuple(settings["only_mutate"].split("\n")[1:]) == area.code
    assert tuple(settings["pytest_add_cli_args_test_selection"].split("\n")[1:]) == area.tests


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
