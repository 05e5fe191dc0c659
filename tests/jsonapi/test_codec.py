import enum
import json
import math
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajabi_async.errors import ConfigurationError, DecodeError, InvalidArgumentError, KajabiError
from kajabi_async.jsonapi.codec import (
    NO_MEMBERS,
    RawJson,
    brief,
    decode,
    decode_document,
    decode_loosely,
    decode_resource_object,
    decode_text,
    encode,
    encode_decoded,
    has_many_members,
    json_array,
    json_object,
    kind_of,
    kind_of_text,
    refuse_deep,
    spent_stack,
    split_members,
    split_rows,
)
from tests.jsonapi.outcomes import outcome_of
from tests.jsonapi.strategies import json_values


class Colour(enum.StrEnum):
    BLUE = "blue"


class SafeText(str):
    __slots__ = ()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"NaN",
        b'{"a": Infinity}',
        b"-Infinity",
        b"[1, 2",
        b"[1, 2,]",
        b'{"a": 1,}',
        b"{'a': 1}",
        b"[1] trailing",
        b"01",
        b"+1",
        b'"\x01"',
        b'"\xff\xfe"',
        b'"\\ud800"',
        b'"\\udc00 lone"',
        b"\xef\xbb\xbf{}",
        b"<html><body>Not found</body></html>",
        pytest.param(b"1" * 5000, id="5000 digits"),
        b"1e999",
    ],
)
def test_refuses_what_is_no_json(body: bytes) -> None:
    """NaN, halves of surrogate pairs, broken UTF-8, HTML and numbers without end are DecodeError, never a value."""
    with pytest.raises(DecodeError):
        decode(body)


def test_says_what_the_decoder_expected() -> None:
    """The error has the decoder's own words."""
    with pytest.raises(DecodeError, match=r"not the JSON that was expected: .*byte 3"):
        decode(b"[1 2]")


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
@pytest.mark.parametrize("depth", [2_000, 500_000])
def test_refuses_nesting_without_end(opening: bytes, depth: int) -> None:
    """A body that is nested very deeply is DecodeError and does not exhaust the stack."""
    closing = b"]" if opening == b"[" else b"}"
    with pytest.raises(DecodeError, match="nested too deeply"):
        decode(opening * depth + b"1" + closing * depth)


def test_refuses_nesting_without_end_in_a_member_that_is_skipped() -> None:
    """The limit of nesting holds for members that are never read as well."""
    deep = b"[" * 200_000 + b"]" * 200_000
    with pytest.raises(DecodeError, match=r"^GET /v1/customers: nested too deeply"):
        decode_document(b'{"data": null, "unknown": ' + deep + b"}", context="GET /v1/customers")


def test_keeps_large_whole_numbers_exactly() -> None:
    """A whole number beyond 64 bits loses no digit."""
    assert decode(b"123456789012345678901234567890") == 123456789012345678901234567890


def test_names_what_was_being_read() -> None:
    """The error says which answer could not be read."""
    with pytest.raises(DecodeError, match=r"^GET /v1/customers: ") as caught:
        decode(b"{", context="GET /v1/customers")
    assert caught.value.context == "GET /v1/customers"


def test_says_where_utf8_breaks() -> None:
    """Text that is not UTF-8 is called so, rather than malformed JSON."""
    with pytest.raises(DecodeError, match=r"^GET /v1/customers: not UTF-8 \(byte \d+\)$"):
        decode(b'"caf\xe9"', context="GET /v1/customers")


def test_hides_the_decoder_behind_the_error() -> None:
    """The exception of the decoder is no part of the error, so that the decoder can be replaced."""
    with pytest.raises(DecodeError) as caught:
        decode(b"{")
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("read", [decode_document, decode_loosely])
@pytest.mark.parametrize("body", [b"[]", b'"data"', b"null", b"1", b"true"])
def test_refuses_a_root_that_is_no_object(read: Callable[..., Any], body: bytes) -> None:
    """Row 11: the root of a document is an object."""
    with pytest.raises(DecodeError, match=r"^GET /v1/customers: "):
        read(body, context="GET /v1/customers")


@pytest.mark.parametrize("body", [b"1", b"null", b"[]", b'"1"'])
def test_refuses_a_row_that_is_no_object(body: bytes) -> None:
    """A resource object is an object."""
    with pytest.raises(DecodeError, match=r"^GET /v1/customers: "):
        decode_resource_object(body, context="GET /v1/customers")


def test_leaves_the_parts_of_a_row_unread() -> None:
    """Links, meta and relationships of a row stay text until they are needed."""
    row = decode_resource_object(b'{"type": "a", "id": "1", "links": {"self": 1}}', context="")
    assert isinstance(row.links, RawJson)
    assert bytes(row.links) == b'{"self": 1}'
    assert bytes(row.meta) == b"{}"


def test_splits_an_array_without_reading_its_elements() -> None:
    """Every element is its own text, whatever it is; null has no elements."""
    (raw,) = split_rows(RawJson(b'[{"a": [1, null]}]'), context="")
    assert bytes(raw) == b'{"a": [1, null]}'
    assert split_rows(RawJson(b" null "), context="") == []


def test_refuses_to_split_what_is_no_array() -> None:
    """An object has members, not elements."""
    with pytest.raises(DecodeError, match=r"^GET /v1/customers: "):
        split_rows(RawJson(b"{}"), context="GET /v1/customers")


def test_a_copy_of_text_stands_apart_from_the_answer_it_came_in() -> None:
    """It does not hold the whole answer in memory; what was left out is one shared object."""
    row = decode_resource_object(b'{"type": "a", "id": "1", "links": {"self": null}}', context="")
    assert row.links.copy() is not row.links
    assert bytes(row.links.copy()) == b'{"self": null}'
    assert row.meta.copy() is NO_MEMBERS


@pytest.mark.parametrize("value", [None, 1, "text", [], True])
def test_takes_only_objects_for_objects(value: Any) -> None:
    """A JSON object is a mapping; everything else is None."""
    assert json_object(value) is None
    assert json_object({"a": value}) == {"a": value}


@pytest.mark.parametrize("value", [None, 1, "text", {}, True])
def test_takes_only_arrays_for_arrays(value: Any) -> None:
    """A JSON array is a list; everything else, text among it, is None."""
    assert json_array(value) is None
    assert json_array([value]) == [value]


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("place", ["alone", "in an array", "in an object", "deep"])
def test_refuses_to_write_numbers_that_json_has_not(number: float, place: str) -> None:
    """NaN is refused rather than written as null, which would clear the attribute on the server."""
    value: Any = {"alone": number, "in an array": [number], "in an object": {"a": number}}.get(
        place, {"a": [{"b": number}]}
    )
    with pytest.raises(InvalidArgumentError, match="no JSON number"):
        encode(value)


@pytest.mark.parametrize("value", [b"bytes", bytearray(b"bytes"), memoryview(b"bytes"), object(), {None: 1}, "\ud800"])
def test_refuses_to_write_what_has_no_form_in_json(value: Any) -> None:
    """Bytes, objects and half a surrogate pair are refused before anything is sent, with an error of the tree."""
    with pytest.raises(InvalidArgumentError, match="body of the request"):
        encode({"data": [value]})


@pytest.mark.parametrize(
    ("value", "reason"), [(b"bytes", "bytes are not text"), (object(), "object has no form in JSON")]
)
def test_says_what_has_no_form_in_json(value: Any, reason: str) -> None:
    """The error names the kind of value that cannot be sent."""
    with pytest.raises(InvalidArgumentError, match=reason):
        encode({"data": [value]})


def test_refuses_to_write_what_contains_itself() -> None:
    """A list within itself is refused, not followed for ever."""
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(InvalidArgumentError):
        encode(endless)


def test_writes_text_of_other_classes_as_text() -> None:
    """A template engine's safe string and an enumeration of strings are text like any other."""
    written = encode({"name": SafeText("Ann"), "colour": Colour.BLUE, "names": [SafeText("Bo")]})
    assert json.loads(written) == {"name": "Ann", "colour": "blue", "names": ["Bo"]}


def test_writes_mappings_of_other_classes_as_objects() -> None:
    """A read-only view of a mapping is an object like any other."""
    assert encode(MappingProxyType({"custom_1": None})) == b'{"custom_1":null}'


def test_writes_times_as_iso_text() -> None:
    """A time is written in the form the API prints."""
    assert encode(datetime(2026, 8, 2, 20, 26, tzinfo=UTC)) == b'"2026-08-02T20:26:00Z"'


@given(json_values)
def test_reads_back_what_it_wrote(value: Any) -> None:
    """Whatever JSON can carry goes to text and back without a change."""
    assert decode(encode(value)) == value


@given(st.binary(max_size=200))
def test_any_bytes_are_a_value_or_an_error_of_the_tree(body: bytes) -> None:
    """Random bytes are JSON or DecodeError."""
    for read in (decode, decode_document, decode_loosely):
        outcome = outcome_of(read, body, context="")
        assert isinstance(outcome, DecodeError) or not isinstance(outcome, KajabiError)


def test_refuses_nesting_without_end_if_a_program_has_raised_the_limit() -> None:
    """The decoder would run out of stack and take the process along."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(10**6)
    try:
        for deep in (b"[" * 200_000, b'{"a":' * 200_000, b'["]",' * 200_000):
            with pytest.raises(DecodeError, match=r"^GET /v1/me: nested too deeply$"):
                decode(deep, context="GET /v1/me")
        assert decode(b'{"a": ["[[[", {"b": "}}\\"]"}]}') == {"a": ["[[[", {"b": '}}"]'}]}
    finally:
        sys.setrecursionlimit(before)


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]")])
def test_a_value_may_be_a_hundred_levels_deep_and_no_deeper(opening: bytes, closing: bytes) -> None:
    """Far from what the interpreter bears, so that nothing done with the value afterwards runs out of stack."""
    levels = 100 // len(closing)
    decode(opening * levels + b"1" + closing * levels)
    with pytest.raises(DecodeError, match="nested too deeply"):
        decode(opening * (levels + 1) + b"1" + closing * (levels + 1))


def test_many_values_beside_each_other_are_not_deep() -> None:
    """Levels count, not the brackets."""
    assert decode(b"[" + b"[[]]," * 200 + b"1]") == [[[]]] * 200 + [1]


def test_members_of_an_object_may_be_as_deep_as_a_value_that_is_decoded_alone() -> None:
    """A hundred levels each, and one error for all."""
    deepest: Any = 1
    for _ in range(100):
        deepest = [deepest]
    refuse_deep({"a": 1, "b": deepest, "c": {"d": "[" * 200}})
    with pytest.raises(DecodeError) as caught:
        refuse_deep({"a": 1, "b": {"c": deepest}})
    assert str(caught.value) == "nested too deeply"


def test_a_caller_deep_in_a_recursion_gets_an_error_about_it() -> None:
    """Nothing is wrong with the answer, so it is not called malformed; and nothing foreign is raised."""
    body = b'{"a":' * 90 + b"1" + b"}" * 90

    def descend(levels: int) -> Any:
        return decode(body, context="GET /v1/me") if levels == 0 else descend(levels - 1)

    seen: set[str] = set()
    for levels in range(sys.getrecursionlimit() - 20, 100, -1):
        try:
            descend(levels)
        except (KajabiError, RecursionError) as error:
            seen.add(f"{type(error).__name__}: {error}")
        else:
            break
    problem = "called too deep in a recursion: the interpreter's recursion limit leaves no room to read this"
    # From 3.12 on the decoder has a stack of its own, which is not nearly spent here.
    reported = {each for each in seen if not each.startswith("RecursionError")}
    assert reported <= {f"ConfigurationError: GET /v1/me: {problem}"}
    assert reported or sys.version_info >= (3, 12)
    assert issubclass(ConfigurationError, KajabiError)


@pytest.mark.parametrize(("context", "place"), [("GET /v1/me", "GET /v1/me: "), ("", "")])
def test_the_error_of_a_spent_stack_names_what_was_read(context: str, place: str) -> None:
    """If that is known."""
    assert str(spent_stack(context)).startswith(f"{place}called too deep in a recursion: ")


def test_an_error_does_not_repeat_a_long_name() -> None:
    """The decoder's own text does, and the sender of the answer chose the name."""
    with pytest.raises(DecodeError) as caught:
        decode_document(b'{"data": [], "%s": {"a": tru}}' % (b"k" * 100_000), context="")
    assert len(str(caught.value)) < 500


_NESTED: list[Any] = [[[[]]], []]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("Ada", "'Ada'"),
        ("x" * 38, f"'{'x' * 38}'"),
        ("x" * 39, f"'{'x' * 39}..."),
        ("x" * 10**6 + "'", f"'{'x' * 39}..."),
        (10**100 - 1, f"{'9' * 40}..."),
        (1 - 10**100, f"-{'9' * 39}..."),
        (10**100, "a number of more than 100 digits"),
        (-(10**100), "a number of more than 100 digits"),
        (-(10**4000), "a number of more than 100 digits"),
        (True, "True"),
        (None, "None"),
        ([1, 2], "[1, 2]"),
        ([0] * 5, "[0, 0, 0, 0, ...]"),
        ([0] * 10**6, "[0, 0, 0, 0, ...]"),
        (_NESTED, "[[[...]], []]"),
        ({"a": {"b": {"c": 1}}}, "{'a': {'b': {...}}}"),
        (dict.fromkeys("abcdef"), "{'a': None, 'b': None, 'c': None, 'd': None, ...}"),
    ],
)
def test_a_value_is_shown_in_brief(value: Any, shown: str) -> None:
    """Whatever its size, and without following it down."""
    assert brief(value) == shown


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (None, "null"),
        (True, "true or false"),
        (False, "true or false"),
        ({}, "an object"),
        ([], "an array"),
        ("", "text"),
        (0, "a number"),
        (-1.5, "a number"),
    ],
)
def test_the_kind_of_a_value_is_named_as_json_names_it(value: Any, kind: str) -> None:
    """By the value, and by its text."""
    assert kind_of(value) == kind
    assert kind_of_text(RawJson(encode(value))) == kind
    assert kind_of_text(RawJson(b" \n" + encode(value))) == kind


def test_splits_an_object_without_reading_its_values() -> None:
    """A value that cannot be decoded does no harm until it is read; another value than an object is refused."""
    members = split_members(b'{"a": [1], "b": 1e999}', context="the answer")
    assert {name: bytes(text) for name, text in members.items()} == {"a": b"[1]", "b": b"1e999"}
    with pytest.raises(DecodeError, match=r"^the answer: "):
        split_members(b"[1]", context="the answer")
    with pytest.raises(DecodeError, match=r"^not the JSON"):
        split_members(b"[1]")


def test_text_of_our_own_may_be_nested_more_deeply_than_answers() -> None:
    """What was written here is read here; the error names what was read."""
    text = b"[" * 200 + b"]" * 200
    value = decode_text(text, context="the file")
    for _ in range(199):
        (value,) = value
    assert value == []
    with pytest.raises(DecodeError, match=r"^the file: "):
        decode_text(b"[", context="the file")


@pytest.mark.parametrize(
    ("text", "many"),
    [
        (b"{" + b",".join(b'"a%d":1' % number for number in range(1_000)) + b"}", False),
        (b"{" + b",".join(b'"a%d":1' % number for number in range(1_001)) + b"}", True),
        (b"{" + b",".join(b'"a%d" : 1' % number for number in range(1_001)) + b"}", True),
        (b'{"a":{' + b",".join(b'"a%d":1' % number for number in range(20_000)) + b"}}", True),
        (b'{"a":{' + b",".join(b'"a%d":1' % number for number in range(19_999)) + b"}}", False),
        (b"{" + b",".join(b'"a%d":":"' % number for number in range(1_000)) + b"}", False),
        (b"[" + b",".join(b'{"a":1}' for _ in range(2_000)) + b"]", False),
        (b'{"a":"' + b'\\":' * 30_000 + b'"}', False),
        (b"[" + b",".join(b'{"a":1}' for _ in range(30_000)) + b"]", False),
        (b'{"a":1}' + b" " * 7_000, False),
        (b"{" * 7_000, False),
    ],
)
def test_members_of_a_resource_are_counted_before_their_values_are_decoded(text: bytes, many: bool) -> None:
    """Up to a thousand; twenty times as many with those of nested objects."""
    assert has_many_members(text) is many


@given(json_values)
def test_what_was_decoded_is_written_so_that_it_is_read_again(value: Any) -> None:
    """Numbers of any size and text in any script included."""
    decoded = decode(json.dumps(value).encode())
    assert decode(encode_decoded(decoded)) == decoded
