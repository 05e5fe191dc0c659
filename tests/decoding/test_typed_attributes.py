"""Documents decoded along with the types of their attributes: any other document is refused as a whole."""

import json
from collections.abc import Collection, Mapping
from typing import Any

import msgspec
import pytest

from kajabi_async.decoding.fast import Members, TimeText, TypedReader
from kajabi_async.jsonapi.codec import ABSENT, NO_MEMBERS, RawJson, ResourceObject

TYPES = {"name": str, "count": int, "free": bool, "at": TimeText, "anything": Any}


def document(text: str, *, required: Collection[str] = (), types: Mapping[str, Any] = TYPES) -> Any:
    return TypedReader(types, required=required).decode(text.encode())


def members(attributes: str, *, required: Collection[str] = (), types: Mapping[str, Any] = TYPES) -> Members:
    text = f'{{"data": {{"type": "things", "id": "1", "attributes": {attributes}}}}}'
    read: Members = document(text, required=required, types=types).data.attributes
    assert isinstance(read, Members)
    return read


def row(**attributes: Any) -> str:
    return json.dumps({"type": "things", "id": "1", "attributes": attributes})


def test_returns_members_in_the_order_of_their_types() -> None:
    """Whatever the order they came in; times are still text."""
    text = '{"anything": [1, {"a": null}], "at": "2024-01-09T08:00:00.1+05:30", "free": true, "count": 3, "name": "é"}'
    assert members(text).values == ("é", 3, True, "2024-01-09T08:00:00.1+05:30", [1, {"a": None}])


def test_null_members_are_none_and_missing_ones_absent() -> None:
    """The two are never confused."""
    assert members('{"name": null, "anything": null, "at": null}').values == (None, ABSENT, ABSENT, None, None)
    assert members("{}").values == (ABSENT,) * 5


def test_raw_members_are_left_as_text() -> None:
    """Null as well."""
    types = {"a": RawJson, "b": RawJson, "c": RawJson}
    a, b, c = members('{"a": [1, 2], "b": null}', types=types).values
    assert (bytes(a), bytes(b), c) == (b"[1, 2]", b"null", ABSENT)


def test_an_absent_required_member_is_refused() -> None:
    """The others may be absent all the same."""
    assert members('{"name": "a"}', required=["name"]).values == ("a", ABSENT, ABSENT, ABSENT, ABSENT)
    assert members('{"anything": 1}', required=["anything"]).values == (ABSENT, ABSENT, ABSENT, ABSENT, 1)
    with pytest.raises(msgspec.ValidationError, match="missing required field"):
        members('{"count": 1}', required=["name"])


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
        '{"name": "a"',
        "[]",
        "null",
        "5",
        "",
    ],
)
def test_attributes_of_another_shape_are_refused(text: str) -> None:
    """Other forms of the same values are for the decoder that reads one attribute after the other."""
    with pytest.raises(msgspec.MsgspecError):
        members(text)


def test_members_may_have_any_name() -> None:
    """Names on the wire need not be names of Python."""
    read = members('{"a-b.c": 1, "class": 2}', types={"class": int, "a-b.c": int})
    assert (read.names, read.values) == (("class", "a-b.c"), (2, 1))


def test_the_rest_of_the_document_is_as_from_any_decoder() -> None:
    """Rows, links and what is included."""
    read = document(f'{{"data": [{row(name="a")}, {row(count=2)}], "links": {{"next": null}}, "included": [1]}}')
    assert all(isinstance(each, ResourceObject) and isinstance(each.attributes, Members) for each in read.data)
    assert [each.attributes.values[:2] for each in read.data] == [("a", ABSENT), (ABSENT, 2)]
    assert [(each.type, each.id, bytes(each.relationships)) for each in read.data] == [("things", "1", b"{}")] * 2
    assert (bytes(read.links), bytes(read.included)) == (b'{"next": null}', b"[1]")
    assert document('{"data": null}').data is None


def test_rows_may_have_no_attributes() -> None:
    """Even if some are required."""
    read = document('{"data": {"type": "things", "id": "1"}}', required=["name"])
    assert read.data.attributes is NO_MEMBERS


@pytest.mark.parametrize(
    "text",
    [
        f'{{"data": [{row(name="a")}, {row(name=5)}]}}',
        '{"data": {"type": "things", "id": "1", "attributes": null}}',
        '{"data": [{"type": "things", "id": "1"}, 5]}',
        '{"data": {"type": "things"}}',
        '{"data": {"type": "things", "id": ""}}',
        '{"data": [{"type": "things", "id": 1}]}',
        '{"data": {"type": null, "id": "1"}}',
        '{"data": "things"}',
        '{"data": []',
        "[]",
    ],
)
def test_one_odd_row_refuses_the_document(text: str) -> None:
    """It is then read row by row."""
    with pytest.raises(msgspec.MsgspecError):
        document(text)


@pytest.mark.parametrize("required", [(), ("name", "count")])
def test_members_are_complete_if_some_are_required(required: Collection[str]) -> None:
    """None of those can be absent."""
    read = members('{"name": "a", "count": null}', types={"name": str, "count": int}, required=required)
    assert (read.complete, read.values) == (bool(required), ("a", None))
