"""Missing and surplus files and metadata of a release are reported."""

import tomllib
from pathlib import Path

import pytest

from tests.packaging.files import (
    WITH_SOURCES,
    claimed_interpreters,
    metadata_problems,
    problems,
    sdist_problems,
    wheel_problems,
)

ROOT = Path(__file__).parents[2]
METADATA = (
    """\
Metadata-Version: 2.4
Name: kajabi-async
Project-URL: Homepage, https://pypi.org/project/kajabi-async/
Project-URL: Changelog, https://pypi.org/project/kajabi-async/#changelog
Project-URL: Kajabi Public API, https://developers.kajabi.com
License-Expression: Apache-2.0
Classifier: Programming Language :: Python :: 3 :: Only
Classifier: Programming Language :: Python :: 3.11
Classifier: Programming Language :: Python :: 3.12

# kajabi_async

[Kajabi](https://kajabi.com) and [below](#below)
"""
    + "words " * 200
)


def test_metadata_that_is_whole_has_no_problems() -> None:
    assert list(metadata_problems(METADATA, interpreters=["3.11", "3.12"])) == []


@pytest.mark.parametrize(
    ("part", "instead", "said"),
    [
        ("Project-URL: Homepage, https://pypi.org/project/kajabi-async/\n", "", "there is no URL for Homepage"),
        ("License-Expression: Apache-2.0\n", "", "no licence"),
        ("words ", "", "not the README"),
        ("(https://kajabi.com)", "(docs/index.md)", "links to docs/index.md, which leads nowhere"),
        ("Classifier: Programming Language :: Python :: 3.12\n", "", "name Python ['3.11'], the tests run on"),
    ],
)
def test_missing_metadata_is_reported(part: str, instead: str, said: str) -> None:
    """The problem names what is missing."""
    (problem,) = metadata_problems(METADATA.replace(part, instead), interpreters=["3.11", "3.12"])
    assert said in problem


def test_a_wheel_holds_the_package_and_nothing_else() -> None:
    """It has no tests and no compiled files, and it has py.typed."""
    whole = ["kajabi_async/__init__.py", "kajabi_async/py.typed", "kajabi_async-1.0.dist-info/METADATA"]
    assert list(wheel_problems(whole)) == []
    assert list(wheel_problems([*whole, "tests/conftest.py"])) == ["the wheel has tests/conftest.py"]
    compiled = "kajabi_async/__pycache__/x.cpython-311.pyc"
    assert list(wheel_problems([*whole, compiled])) == [f"the wheel has {compiled}"]
    assert list(wheel_problems(whole[:1])) == ["the wheel lacks py.typed, so type checkers ignore its types"]


@pytest.mark.parametrize("lacking", WITH_SOURCES)
def test_a_source_distribution_can_be_tested_from_it_alone(lacking: str) -> None:
    """It has the files that tests and packagers need."""
    assert list(sdist_problems(WITH_SOURCES)) == []
    names = [name for name in WITH_SOURCES if name != lacking]
    assert list(sdist_problems(names)) == [f"the source distribution lacks {lacking}"]


@pytest.mark.parametrize(
    "name", [".venv/bin/python", ".nox/x", "docs/_build/html/index.html", ".mypy_cache/x", "a.pyc"]
)
def test_a_source_distribution_has_nothing_that_was_made_here(name: str) -> None:
    assert list(sdist_problems([*WITH_SOURCES, name])) == [f"the source distribution has {name}"]


def test_both_files_are_needed() -> None:
    (problem,) = problems([], interpreters=[])
    assert problem == "one wheel and one source distribution are needed, not []"


def test_the_classifiers_name_the_interpreters_that_are_run() -> None:
    """The versions in pyproject.toml are those on which the matrix passes."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    prefix = "Programming Language :: Python :: 3."
    named = [f"3.{each.removeprefix(prefix)}" for each in project["classifiers"] if each.startswith(prefix)]
    assert named == claimed_interpreters()
    assert project["requires-python"] == f">={named[0]}"
