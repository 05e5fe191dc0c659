"""Error objects of a document, in the forms that they come in."""

from typing import Any

import pytest

from kajabi_async.errors import ErrorObject
from kajabi_async.jsonapi.error_objects import error_objects, error_text


def test_keeps_every_member_of_an_error_object() -> None:
    """Row 89: id, links, status, code, title, detail, source and meta are all there to be read."""
    entry: dict[str, Any] = {
        "id": "e1",
        "links": {"about": "https://x", "type": {"href": "https://y"}},
        "status": "422",
        "code": "taken",
        "title": "Invalid",
        "detail": "Email has already been taken",
        "source": {"pointer": "/data/attributes/email"},
        "meta": {"tries": 1},
    }
    assert error_objects([entry]) == (ErrorObject(**entry),)


def test_takes_a_number_for_the_status_of_an_error() -> None:
    """Row 90: a status that is a number is read as the text it should have been."""
    assert error_objects([{"status": 400}]) == (ErrorObject(status="400"),)


def test_keeps_the_good_entries_beside_odd_ones() -> None:
    """The others are read beside one odd entry."""
    assert error_objects([None, {"title": "Invalid"}, 5]) == (ErrorObject(title="Invalid"),)


def test_takes_one_error_object_for_an_array_of_one() -> None:
    """An ``errors`` member that is one object is that one error."""
    assert error_objects({"title": "Invalid"}) == (ErrorObject(title="Invalid"),)


@pytest.mark.parametrize("errors", ["Site is required", ["Site is required"]])
def test_takes_bare_text_for_the_detail(errors: Any) -> None:
    """Text in the place of error objects is not lost."""
    assert error_objects(errors) == (ErrorObject(detail="Site is required"),)


@pytest.mark.parametrize("odd", [5, "text", [], True])
def test_takes_members_of_another_shape_for_absent(odd: Any) -> None:
    """A source, links or meta that is no object is as good as none."""
    (error,) = error_objects([{"title": "Invalid", "source": odd, "links": odd, "meta": odd}])
    assert (error.source, error.links, error.meta) == (None, None, None)


@pytest.mark.parametrize("entry", [{"title": "Invalid"}, "Invalid", {}])
def test_reads_a_hundred_errors_and_counts_the_rest(entry: Any) -> None:
    """The last one says how many were left out."""
    for number, rest in ((1, "1 further error was left out"), (900, "900 further errors were left out")):
        errors = error_objects([entry] * (100 + number))
        assert len(errors) == 101
        assert errors[-1] == ErrorObject(detail=rest)
    assert len(error_objects([entry] * 100)) == 100


@pytest.mark.parametrize("errors", [[], 5, True, [None], [5], [[]], [[{"title": "x"}]]])
def test_entries_that_are_no_error_objects_are_left_out(errors: Any) -> None:
    """Numbers, null and arrays carry no error."""
    assert error_objects(errors) == ()


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, None), ("a", "a"), ("x" * 501, "x" * 500), (5, "5"), ([[[1]]], "[[[...]]]"), (False, "False")],
)
def test_a_member_of_an_error_is_short_text(value: Any, text: str | None) -> None:
    """Of any JSON value, however long."""
    assert error_text(value) == text
