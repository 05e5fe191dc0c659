"""What of the tests coverage measures."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType, SimpleNamespace
from typing import Any

import pytest

from tests.measuring import pytest_collection_modifyitems, pytest_runtest_protocol

HERE = Path(__file__).parent


def _items(*nodeids: str) -> list[Any]:
    return [
        SimpleNamespace(
            nodeid=each,
            path=HERE.parent / each.partition("::")[0],
            stash=pytest.Stash(),
            obj=SimpleNamespace(is_hypothesis_test=each.endswith("drawn")),
        )
        for each in nodeids
    ]


def _tracer(_frame: FrameType, _event: str, _argument: object) -> None:
    return None


@pytest.fixture
def traced() -> Iterator[None]:
    before = sys.gettrace()
    sys.settrace(_tracer)
    yield
    sys.settrace(before)


def _traced_in(item: Any) -> bool:
    """Return whether the tracer is there while *item* runs; it is there afterwards in any case."""
    run = pytest_runtest_protocol(item)
    next(run)
    is_traced = sys.gettrace() is _tracer
    with pytest.raises(StopIteration):
        run.send(None)
    assert sys.gettrace() is _tracer
    return is_traced


@pytest.mark.usefixtures("traced")
def test_coverage_measures_one_case_of_each_test_of_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same one in every worker, in whatever order they run; drawn examples and the tests of other things never."""
    monkeypatch.setenv("COVERAGE_RUN", "true")
    nodeids = (
        "tests/session/test_retry.py::test_a[2]",
        "tests/session/test_retry.py::test_a[1]",
        "tests/session/auth/test_token.py::test_a",
        "tests/test_checks.py::test_a",
        "tests/test_checks.py::test_drawn",
        "tests/docs/test_pages.py::test_a",
        "tests/examples/test_load.py::test_a",
        "project/test_elsewhere.py::test_a",
    )
    for order in (nodeids, nodeids[::-1]):
        items = _items(*order)
        pytest_collection_modifyitems(items)
        assert [item.nodeid for item in items] == list(order)
        assert {item.nodeid for item in items if _traced_in(item)} == set(nodeids[1:4])


@pytest.mark.usefixtures("traced")
def test_a_debugger_sees_every_case(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is suspended if coverage does not run the tests."""
    monkeypatch.delenv("COVERAGE_RUN", raising=False)
    items = _items("tests/docs/test_pages.py::test_a[1]", "tests/docs/test_pages.py::test_a[2]")
    pytest_collection_modifyitems(items)
    assert [_traced_in(item) for item in items] == [True, True]
