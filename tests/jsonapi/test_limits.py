"""What a text can become is counted from its bytes, exactly, whatever its strings hold."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajabi_async.jsonapi import limits
from kajabi_async.jsonapi.codec import json_array, json_object
from kajabi_async.jsonapi.limits import (
    excess_in,
    has_more_openings,
    is_deeper,
    most_containers,
    most_conversions,
    most_included,
    most_rows,
    width_in,
)
from tests.jsonapi.strategies import json_values

_TEXTS = st.text(alphabet='a,[{"\\]}:é', max_size=6)
_VALUES = st.recursive(
    json_values | _TEXTS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXTS, inner, max_size=4)
)


def weight(value: Any) -> int:
    inner = _inner(value)
    return 0 if inner is None else 2 + max(0, len(inner) - 1) + sum(map(weight, inner))


def containers(value: Any) -> int:
    inner = _inner(value)
    return 0 if inner is None else 1 + sum(map(containers, inner))


def depth(value: Any) -> int:
    inner = _inner(value)
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)


def _inner(value: Any) -> list[Any] | None:
    members = json_object(value)
    return json_array(value) if members is None else list(members.values())


def excess(body: bytes, most: int) -> str:
    return excess_in(body, most, "max_answer_elements")


@given(_VALUES, st.booleans())
def test_elements_are_counted_exactly(value: Any, ascii: bool) -> None:
    """Commas and brackets in text are text: a description full of them is one element."""
    value = [value, [[], "a,b[{"], [0] * 5 * (containers(value) + 4)]
    body = json.dumps(value, ensure_ascii=ascii).encode() + b" " * limits._FEW_BYTES
    assert excess(body, weight(value)) == ""
    assert excess(body, weight(value) - 1) == (
        f"more than {weight(value) - 1} elements, the limit that max_answer_elements= sets"
    )


@given(_VALUES, st.booleans())
def test_there_may_be_one_array_or_object_for_five_elements(value: Any, ascii: bool) -> None:
    """Making one takes several times as long as reading a number; brackets in text are text."""
    value = [value, [[], "a,b[{"], [[]] * (weight(value) + 8)]
    number = containers(value)
    body = json.dumps(value, ensure_ascii=ascii).encode() + b" " * limits._FEW_BYTES
    assert excess(body, 5 * number) == ""
    assert excess(body, 5 * number - 1) == (
        f"more than {number - 1} arrays and objects, which is what a limit of {5 * number - 1} elements allows"
    )


@given(_VALUES)
def test_levels_are_counted_exactly(value: Any) -> None:
    """Brackets in text are text."""
    for _ in range(30):
        value = [value]
    body = json.dumps(value).encode()
    assert not is_deeper(body, depth(value))
    assert is_deeper(body, depth(value) - 1)


@pytest.mark.parametrize(
    ("body", "number"), [(b"", 0), (b"1", 0), (b"]}X,", 0), (b"[", 1), (b"{[", 2), (b'[{"[{": [{}]}]', 6)]
)
def test_opening_brackets_are_counted_wherever_they_are(body: bytes, number: int) -> None:
    """Of both kinds, and in strings."""
    assert not has_more_openings(body, number)
    assert not number or has_more_openings(body, number - 1)


@pytest.mark.parametrize("body", [b"", b"1", b'"' + b"[{" * 200 + b'"', b'"\\"[["'])
def test_text_and_numbers_have_no_levels(body: bytes) -> None:
    """Whatever the text holds."""
    assert not is_deeper(body, 0)
    assert not is_deeper(body, 100)


@pytest.mark.parametrize("end", [b"", b',"a,[', b',"",""', b',"a,"', b'"'])
def test_a_string_is_found_wherever_its_portion_ends(monkeypatch: pytest.MonkeyPatch, end: bytes) -> None:
    """Texts are split by portions, which end between a quote and the next, and may end within a string or with it."""
    body = json.dumps([["a,", {"b[": '"'}, "\\"]] * 7).encode() + end
    seen: list[bytes] = []
    for quotes in (2, 4, 6, 1000):
        monkeypatch.setattr(limits, "_QUOTES_AT_ONCE", quotes)
        text = limits._without_escapes(body)
        seen.append(limits._outside_text(text, len(text), b",[{]}"))
    assert set(seen) == {limits._outside_text(text, 0, b",[{]}")}


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(95, 450), st.booleans()), max_size=6), st.booleans())
def test_long_numbers_are_distinguished_from_long_texts(pieces: list[tuple[int, int, bool]], hidden: bool) -> None:
    """At any place, with any number of digits in strings before and after them."""
    values = [
        str(digit) * length if is_text else int(f"1{str(digit) * (length - 1)}") for digit, length, is_text in pieces
    ]
    body = json.dumps([*values, '\\"' if hidden else ""]).encode() + b" " * limits._FEW_BYTES
    has_long = any(length > 200 and not is_text for _, length, is_text in pieces)
    assert excess(body, 200_000) == ("a number of more than 200 digits" if has_long else "")


@pytest.mark.parametrize("unit", [b'"",', b'"":"a[",', b'"\\"",', b'"\\\\",'])
def test_a_million_strings_are_too_many_by_their_quotes_alone(unit: bytes) -> None:
    """An element has at most two strings."""
    too_many = "more than 1000 elements, the limit that max_answer_elements= sets"
    assert excess(b"[" + unit * 400_000 + b"0]", 1000) == too_many
    assert excess(b"[" + b"0," * 1000 + b"0]", 1000) == too_many


def test_what_is_too_short_to_hold_many_is_not_counted() -> None:
    """The ordinary answer costs one comparison: an array takes two bytes and more."""
    assert limits.surely_small(200_000) == 80_000
    assert excess(b"[" * 40_000 + b"]" * 40_000, 200_000) == ""
    assert "more than 40000 arrays and objects" in excess(b"[" * 40_001 + b"]" * 40_001, 200_000)
    assert excess(b"[" * 80_000, 200_000) == ""
    assert "more than 40000 arrays and objects" in excess(b"[" * 80_001, 200_000)


@pytest.mark.parametrize("body", [b"<p>,</p>" * 200_000, b'"' + b"," * 500_000 + b'"', b"," * 500_000])
def test_what_is_no_array_or_object_is_left_to_the_decoder(body: bytes) -> None:
    """Such as a web page, whose error is about its status and not about its size."""
    assert excess(body, 1000) == ""


@pytest.mark.parametrize("digits", [100, 199, 200])
def test_numbers_of_two_hundred_digits_are_read(digits: int) -> None:
    """In a text of any size, and more of them in strings, also in one that has no end."""
    body = b'["' + b"7" * 300_000 + b'",' + b",".join([b"1" * digits] * 600) + b"]"
    assert excess(body, 200_000) == ""
    assert excess(body[:300_000], 200_000) == ""


def test_a_longer_number_in_a_short_text_is_read() -> None:
    """Up to 256 KiB it is decoded quickly enough, whatever the limit of elements."""
    body = b"[" + b"1" * 300 + b"]"
    body += b" " * (2**18 - len(body))
    for most in (10, 200_000):
        assert excess(body, most) == ""
        assert excess(body + b" ", most) == "a number of more than 200 digits"


@pytest.mark.parametrize("offset", [0, 1, 99])
def test_a_longer_number_in_a_large_text_is_too_long(offset: int) -> None:
    """At any place: decoding it takes time that grows with the square of its digits."""
    body = b'["' + b"a" * (300_000 + offset) + b'",-' + b"1" * 201 + b"]"
    assert excess(body, 200_000) == "a number of more than 200 digits"


def test_a_number_is_too_long_though_the_text_ends_in_a_string() -> None:
    """The decoder would read the number before it finds that."""
    assert excess(b"[" + b"1" * 300_000 + b',"', 200_000) == "a number of more than 200 digits"


@pytest.mark.parametrize("wide", ["\U0001f600".encode(), b"\\ud83d\\ude00", b"\\uD83D\\uDE00"])
def test_a_large_text_is_not_made_four_times_as_large_by_one_character(wide: bytes) -> None:
    """In Python every character of a string takes as much memory as the largest one."""
    assert "characters beyond U+FFFF" in width_in(b'["' + b"a" * (8 * 2**20) + wide + b'"]')
    assert width_in(b'["' + b"a" * (8 * 2**20) + "é\u20ac".encode() + b'"]') == ""
    body = b'["' + wide + b"a" * (8 * 2**20 - len(wide) - 4) + b'"]'
    assert width_in(body) == ""
    assert "characters beyond U+FFFF" in width_in(body + b" ")


def _text_of(unit: bytes, size: int) -> bytes:
    return b'["' + unit * (size // len(unit)) + b'"]'


def test_a_large_text_of_hidden_quotes_is_refused() -> None:
    """Distinguishing them from the quotes that end a string takes longer than reading a letter."""
    size = 8 * 2**20 + 100
    for escapes in (b'\\"', b'\\\\\\"'):
        assert "more than one in 16 escapes a quote" in excess(_text_of(escapes + b",", size), 10)
        assert excess(_text_of(escapes + b",", size - 200), 10) == ""
        assert excess(_text_of(escapes + b",[{" * 16, size), 10) == ""
    assert excess(_text_of(b"\\u003c,[{", size), 10) == ""


def test_the_bounds_of_hidden_quotes_are_exact() -> None:
    """A text of 8 MiB may have any number, a larger one a quote for each 16 bytes."""
    largest = _text_of(b'\\",', 8 * 2**20 - 4)
    largest += b" " * (8 * 2**20 - len(largest))
    assert excess(largest, 10) == ""
    assert excess(largest + b" ", 10) == "more than 8388608 bytes, of which more than one in 16 escapes a quote"
    one_in_16 = _text_of(b'\\",,,,,,,[{[{[{,', 8 * 2**20 + 64)
    assert excess(one_in_16, 10) == ""
    assert "more than one in 16 escapes a quote" in excess(b'["\\"' + one_in_16[2:], 10)


def test_hidden_backslashes_do_no_harm() -> None:
    """A string ends at the next quote, if none is hidden."""
    assert excess(_text_of(b"\\\\,[{", 8 * 2**20 + 100), 10) == ""


def test_hidden_quotes_do_no_harm_if_no_string_need_be_found() -> None:
    """As there are few separators, whether in strings or not."""
    assert excess(_text_of(b'\\"', 8 * 2**20 + 100), 200_000) == ""


def test_rows_are_limited_along_with_elements() -> None:
    """Each becomes a model, so there are fewer of them; a page has hundreds, and thousands included."""
    assert (most_rows(200_000), most_included(200_000)) == (4000, 10_000)
    assert (most_rows(2_000_000), most_included(2_000_000)) == (40_000, 100_000)
    assert (most_rows(1), most_included(1)) == (1, 1)
    assert [most_containers(most) for most in (1, 9, 10, 200_000)] == [1, 1, 2, 40_000]


def test_half_as_many_values_as_elements_may_be_converted_one_by_one() -> None:
    """However low the limit, one resource with as many members as it may have is converted."""
    assert [most_conversions(most) for most in (200_000, 2_003, 2_000, 1)] == [100_000, 1_001, 1_000, 1_000]
