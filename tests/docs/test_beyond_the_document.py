"""The tables of deviations from the API document are complete, and each row names an existing test."""

import re
from pathlib import Path

import attrs
import pytest

from kajabi_async.testing import FakeKajabi, Quirks

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "beyond-the-document.md").read_text("utf-8")
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| ")]
POINTS = {row[0]: row for row in ROWS if re.fullmatch(r"[CO]\d+", row[0])}
SURE = {"document", "seen", "seen once", "help", "inferred", "contradicted", "the 405 once"}


def test_every_contradiction_and_every_observation_has_its_row() -> None:
    """33 contradictions and 19 observations, in order."""
    assert list(POINTS) == [f"C{number}" for number in range(1, 34)] + [f"O{number}" for number in range(1, 20)]


@pytest.mark.parametrize("point", POINTS)
def test_a_row_says_how_sure_it_is_and_names_its_test(point: str) -> None:
    """The test is named by file and function, so that readers can run it."""
    _, seen, how_sure, does, test = POINTS[point]
    assert seen
    assert does
    assert set(re.split(r"[,;] ", how_sure)) <= SURE
    path, _, name = test.strip("`").partition("::")
    assert re.search(rf"^(async )?def {name}\(", (ROOT / path).read_text("utf-8"), re.MULTILINE)


def test_every_option_of_the_fake_is_listed() -> None:
    """Each with what is known about the live server."""
    listed = {row[0].strip("`") for row in ROWS if row[0].startswith("`")}
    assert {f"Quirks.{field.name}" for field in attrs.fields(Quirks)} <= listed
    options = {name for name in listed if "." not in name}
    assert options
    assert options <= set(FakeKajabi.__init__.__annotations__)
