"""The threat model names tests that exist, and has every row."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "threat-model.md").read_text("utf-8")


def test_every_row_of_the_catalogue_is_there() -> None:
    """It has 28 failures and 12 leaks."""
    rows = re.findall(r"^\| ([RS]\d+) \|", TEXT, re.MULTILINE)
    assert rows == [*(f"S{number}" for number in range(1, 13)), *(f"R{number}" for number in range(1, 29))]


@pytest.mark.parametrize("path", sorted(set(re.findall(r"tests/[\w/]+\.py", TEXT))))
def test_the_files_it_names_exist(path: str) -> None:
    """The path is current."""
    assert (ROOT / path).exists()


@pytest.mark.parametrize("name", sorted(set(re.findall(r"test_\w+(?=`)", TEXT))))
def test_the_tests_it_names_exist(name: str) -> None:
    """Each is in one of the files named in the same row."""
    rows = [row for row in TEXT.splitlines() if name in row]
    assert rows
    for row in rows:
        files = [ROOT / path for path in re.findall(r"tests/[\w/]+\.py", row)] or [
            ROOT / "tests/session/test_resilience.py"
        ]
        assert any(re.search(rf"def {name}\b", file.read_text("utf-8")) for file in files), row[:80]
