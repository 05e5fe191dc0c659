"""Members read along with their types: what is as documented at once, anything else not at all."""

import json
import sys
from collections.abc import Collection, Mapping
from typing import Any

import pytest

from kajabi_async.decoding.fast import Members, TimeText, TypedReader, unread
from kajabi_async.jsonapi.codec import ABSENT, RawJson, ResourceObject, decode, decode_resource_object

TYPES = {"name": str, "count": int, "free": bool, "at": TimeText, "anything": Any}


def typed(text: str, *, required: Collection[str] = (), types: Mapping[str, Any] = TYPES) -> tuple[Any, ...] | None:
    members = TypedReader(types, required=required).read(RawJson(text.encode()))
    return None if members is None else members.values


def test_gives_typed_members_in_the_order_asked_for() -> None:
    """Whatever the order they came in; times are text still."""
    text = '{"anything": [1, {"a": null}], "at": "2024-01-09T08:00:00.1+05:30", "free": true, "count": 3, "name": "é"}'
    assert typed(text) == ("é", 3, True, "2024-01-09T08:00:00.1+05:30", [1, {"a": None}])


def test_tells_typed_members_that_are_null_from_absent_ones() -> None:
    """Null is None, and what did not come is ABSENT."""
    assert typed('{"name": null, "anything": null, "at": null}') == (None, ABSENT, ABSENT, None, None)
    assert typed("{}") == (ABSENT,) * 5


def test_refuses_an_object_that_lacks_what_is_required() -> None:
    """What is not required may be absent all the same."""
    assert typed('{"name": "a"}', required=["name"]) == ("a", ABSENT, ABSENT, ABSENT, ABSENT)
    assert typed('{"anything": 1}', required=["anything"]) == (ABSENT, ABSENT, ABSENT, ABSENT, 1)
    assert typed('{"count": 1}', required=["name"]) is None


@pytest.mark.parametrize(
    "text",
    [
        '{"of_tomorrow": 1}',
        '{"name": 5}',
        '{"count": "5"}',
        '{"count": 1.5}',
        '{"free": "true"}',
        '{"at": "2024-01-09T08:00:00.1234567890123Z"}',
        '{"at": "2024-01-09"}',
        '{"anything": ' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"name": "a"',
        "[]",
        "null",
        "5",
        "",
    ],
)
def test_leaves_any_other_object_to_who_reads_it_member_by_member(text: str) -> None:
    """None is no error: other forms of the same values may be fine."""
    assert typed(text) is None


def test_reads_typed_members_of_any_name() -> None:
    """Names of the wire need not be names of Python."""
    assert typed('{"a-b.c": 1, "class": 2}', types={"class": int, "a-b.c": int}) == (2, 1)


def document(text: str, *, required: Collection[str] = ()) -> Any:
    return TypedReader(TYPES, required=required).read_document(text.encode())


def row(**attributes: Any) -> str:
    return json.dumps({"type": "things", "id": "1", "attributes": attributes})


def test_reads_a_document_along_with_the_attributes_in_it() -> None:
    """The rest of it is as any decoder gives it."""
    read = document(f'{{"data": [{row(name="a")}, {row(count=2)}], "links": {{"next": null}}, "included": [1]}}')
    assert all(isinstance(each, ResourceObject) and isinstance(each.attributes, Members) for each in read.data)
    assert [each.attributes.values[:2] for each in read.data] == [("a", ABSENT), (ABSENT, 2)]
    assert [(each.type, each.id, bytes(each.relationships)) for each in read.data] == [("things", "1", b"{}")] * 2
    assert (bytes(read.links), bytes(read.included)) == (b'{"next": null}', b"[1]")
    assert document(f'{{"data": {row(name="a")}}}').data.attributes.values[0] == "a"
    assert document('{"data": null}').data is None


def test_reads_a_document_whose_rows_state_no_attributes() -> None:
    """There is nothing to read."""
    assert bytes(document('{"data": {"type": "things", "id": "1"}}', required=["name"]).data.attributes) == b"{}"


@pytest.mark.parametrize(
    "text",
    [
        f'{{"data": [{row(name="a")}, {row(name=5)}]}}',
        f'{{"data": {row(of_tomorrow=1)}}}',
        f'{{"data": {row(at="2024-01-09T08:00:00.1234567890123Z")}}}',
        '{"data": {"type": "things", "id": "1", "attributes": null}}',
        '{"data": [{"type": "things", "id": "1"}, 5]}',
        '{"data": {"type": "things"}}',
        '{"data": {"type": "things", "id": ""}}',
        '{"data": [{"type": "things", "id": 1}]}',
        '{"data": {"type": null, "id": "1"}}',
        '{"data": "things"}',
        '{"data": []',
        '{"data": null, "deep": ' + "[" * 100_000 + "]" * 100_000 + "}",
        "[]",
    ],
)
def test_leaves_any_other_document_to_who_reads_it_row_by_row(text: str) -> None:
    """The whole of it, even for one row."""
    assert document(text) is None


def test_tells_which_members_are_complete() -> None:
    """Only where something was required."""
    text = RawJson(b'{"name": "a", "count": null}')
    types = {"name": str, "count": int}
    assert [
        (members.complete, members.names, members.values)
        for members in (TypedReader(types, required=required).read(text) for required in ((), ("name", "count")))
        if members is not None
    ] == [(False, ("name", "count"), ("a", None)), (True, ("name", "count"), ("a", None))]


def test_a_raised_recursion_limit_does_not_reach_the_stack() -> None:
    """A program may raise it for purposes of its own; an answer must not end the process for that."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(10**6)
    try:
        deep = "[" * 200_000 + "]" * 200_000
        assert document(f'{{"data": null, "meta": {deep}}}') is None
        assert typed(f'{{"anything": {deep}}}') is None
    finally:
        sys.setrecursionlimit(before)


def test_gives_what_was_read_as_text_again() -> None:
    """Of the same meaning: what was absent is absent, and null is null."""
    text = '{"anything": {"a": [1.5, null]}, "at": "2024-01-09T08:00:00.1+05:30", "free": null, "name": "é\\n"}'
    read = document(f'{{"data": {{"type": "things", "id": "1", "attributes": {text}}}}}').data
    assert isinstance(read.attributes, Members)
    assert decode(unread(read)) == json.loads(text)


def test_gives_text_that_was_not_read_as_it_is() -> None:
    """Nothing to be done."""
    plain = decode_resource_object(b'{"type": "a", "id": "1", "attributes": {"b": 1}}', context="")
    assert unread(plain) is plain.attributes
