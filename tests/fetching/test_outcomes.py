"""What a run reports: the outcome of each id, the state of the run, and its totals."""

from collections.abc import Iterator
from typing import Any

import pytest

from kajabi_async import Customer, Failed, Found, NotFoundError, Report, ServerError
from kajabi_async.exchange import Tally
from kajabi_async.fetching import outcomes
from kajabi_async.fetching.outcomes import Counts
from kajabi_async.models import Offer
from tests.models.building import build
from tests.sending import linkage

ADA = build(Customer, {"name": "Ada"}, id="7", relationships={"offers": linkage("offers", "1")})
FOUND: Found[Customer] = Found("7", ADA)
MISSING = Failed("8", NotFoundError(status=404))
FAILED = Failed("9", ServerError(status=500))
TALLY = Tally(operations=1, attempts=1234, retries=5, waiting_seconds=6.25, wire_seconds=7.125)


def test_an_outcome_is_found_missing_or_failed() -> None:
    """One of the three, and what it has is under the same names."""
    assert [(each.found, each.missing, each.error is None) for each in (FOUND, MISSING, FAILED)] == [
        (True, False, True),
        (False, True, False),
        (False, False, False),
    ]
    assert (FOUND.id, FOUND.resource, FOUND.customer) == ("7", ADA, ADA)
    assert MISSING.resource is MISSING.customer is None


def test_an_outcome_is_a_dict_with_the_resource_under_its_own_name() -> None:
    """Relations included, unless they are left out."""
    assert ADA.to_dict() != ADA.to_dict(relations=False)
    assert FOUND.to_dict() == {"id": "7", "found": True, "customer": ADA.to_dict()}
    assert FOUND.to_dict(relations=False) == {"id": "7", "found": True, "customer": ADA.to_dict(relations=False)}
    offer = build(Offer, {"title": "a"})
    assert Found("1", offer).to_dict() == {"id": "1", "found": True, "resource": offer.to_dict()}
    assert MISSING.to_dict() == {"id": "8", "found": False, "missing": True, "error": str(MISSING.error)}
    assert FAILED.to_dict(relations=False) == {"id": "9", "found": False, "missing": False, "error": str(FAILED.error)}


@pytest.fixture
def moments(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that the clock shows, one after the other."""
    left: list[float] = []

    class Clock:
        @staticmethod
        def monotonic() -> float:
            return left.pop(0)

    monkeypatch.setattr(outcomes, "time", Clock)
    return left


def _counted(noted: Iterator[Any]) -> Counts:
    counts = Counts()
    counts.start()
    counts.duplicates = 2
    for each in noted:
        counts.note(each)
    return counts


def test_every_outcome_is_counted_by_its_kind(moments: list[float]) -> None:
    """The duration is from the start to the latest outcome, whenever the report is asked for."""
    moments += [100.0, 101.0, 101.5, 103.0, 103.0, 103.5, 103.75, 104.0]
    counts = _counted(iter([FOUND, MISSING, FAILED, FOUND, FOUND, MISSING, FAILED]))
    progress = counts.progress(5.0, 6.0)
    assert progress.to_dict() == {
        "given": 7,
        "found": 3,
        "missing": 2,
        "failed": 2,
        "duplicates": 2,
        "stalled_since": 5.0,
        "paused_until": 6.0,
    }
    assert (counts.progress().stalled_since, counts.progress().paused_until) == (None, None)
    assert counts.report(TALLY).to_dict() == {
        "total": 7,
        "found": 3,
        "missing": 2,
        "failed": 2,
        "duplicates": 2,
        "requests": 1234,
        "retries": 5,
        "waiting_seconds": 6.25,
        "wire_seconds": 7.125,
        "elapsed_seconds": 4.0,
    }


def test_a_run_without_an_outcome_took_no_time(moments: list[float]) -> None:
    """Started or not."""
    assert Counts().report(Tally()).elapsed_seconds == 0.0
    moments += [100.0]
    assert _counted(iter(())).report(Tally()).elapsed_seconds == 0.0


def test_a_report_has_readable_numbers() -> None:
    """With commas; seconds to the hundredth."""
    report = Report(
        total=4000,
        found=3000,
        missing=998,
        failed=2,
        duplicates=1,
        requests=5000,
        retries=1000,
        waiting_seconds=1234.5,
        wire_seconds=0.125,
        elapsed_seconds=2000.0,
    )
    assert repr(report) == (
        "<Report: 4,000 looked up in 2,000.00 s; 3,000 found, 998 missing, 2 failed, 1 duplicate; 5,000 requests, "
        "1,000 of them retries>"
    )
    table = report._repr_html_().replace(' style="text-align: left"', "")
    for name, figure in (("total", "4,000"), ("waiting seconds", "1,234.50"), ("wire seconds", "0.12")):
        assert f"<th>{name}</th><td>{figure}</td>" in table
    assert "<caption>Report</caption>" in table
