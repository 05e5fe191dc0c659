"""What the report of an export says of rows that moved, failed or are missing."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from kajabi_async.export.report import ExportReport, Shift


def report(**facts: Any) -> ExportReport:
    usual: dict[str, Any] = {"paths": (Path("rows.csv"),), "rows": 1, "pages": 1, "related": {}, "repeated": 0}
    usual |= {"shifts": (), "malformed": 0, "problems": (), "listed": None, "resumed_from": None, "seconds": 0.1}
    return ExportReport(**{**usual, **facts})


@pytest.mark.parametrize(
    ("facts", "warning"),
    [
        ({"malformed": 1, "problems": ("no id",)}, "1 row could not be read and is not in the file: no id"),
        ({"malformed": 2, "problems": ("no id",)}, "2 rows could not be read and are not in the file: no id"),
        ({"listed": 2}, "the server counts 2 rows, 1 more than it sent"),
        ({"listed": 1, "rows": 0}, "the server counts 1 row, 1 more than it sent"),
        (
            {"shifts": (Shift(page=1, moved=1, recovered=1),)},
            "1 row had shifted to an earlier page, of which 1 was found by reading again",
        ),
        (
            {"shifts": (Shift(page=1, moved=2, recovered=0),)},
            "2 rows had shifted to an earlier page, of which 0 were found by reading again",
        ),
        ({"repeated": 1}, "1 came twice and is written once"),
        ({"repeated": 2}, "2 came twice and are written once"),
    ],
)
def test_a_warning_fits_its_numbers(facts: dict[str, Any], warning: str) -> None:
    """Singular and plural."""
    (shown,) = report(**facts).warnings
    assert warning in shown


def test_a_report_is_plain_data_with_its_warnings() -> None:
    """Ready for JSON; without anything to warn of, the list is empty."""
    facts = report(listed=2, related={"offers": 3}, shifts=(Shift(page=1, moved=0, recovered=0),)).to_dict()
    assert facts["warnings"] == ["the server counts 2 rows, 1 more than it sent"]
    assert (facts["paths"], facts["related"]) == (["rows.csv"], {"offers": 3})
    assert facts["shifts"] == [{"page": 1, "moved": 0, "recovered": 0}]
    assert json.loads(json.dumps(facts)) == facts
    assert report().to_dict()["warnings"] == []


def test_a_notebook_shows_a_report_as_a_table() -> None:
    """A row for each fact; several values stand behind each other, and what is not known is empty."""
    shown = report(paths=(Path("a.csv"), Path("a.offers.csv")), related={"offers": 3}, listed=2)._repr_html_()
    rows = dict(re.findall(r"<tr><t[hd][^>]*>([^<]*)</t[hd]><t[hd][^>]*>([^<]*)</t[hd]></tr>", shown))
    assert shown.startswith("<table><caption>Export</caption><tbody><tr>")
    assert (rows["paths"], rows["rows"], rows["resumed_from"]) == ("a.csv; a.offers.csv", "1", "")
    assert rows["related"] == "{&#x27;offers&#x27;: 3}"
    assert rows["warnings"] == "the server counts 2 rows, 1 more than it sent"
