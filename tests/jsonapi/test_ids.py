import enum
import re
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajabi_async.errors import InvalidIdError, KajabiError
from kajabi_async.jsonapi.ids import checked_id, path_segment
from tests.jsonapi.outcomes import outcome_of


class Known(str, enum.Enum):  # noqa: UP042 - the older way to write it prints its member's name
    ANN = "123"


class Number(enum.IntEnum):
    ONE = 1


@pytest.mark.parametrize(
    "value",
    [
        "1",
        "2150966111",
        "0",
        "default",
        "po_1AbC",
        "hash-id",
        "XVI-J",
        "a.b",
        "a~b",
        "größe",
        pytest.param("x" * 255, id="255 letters"),
    ],
)
def test_returns_a_legal_id_as_it_is(value: str) -> None:
    """Ids are text: nothing about a legal one is changed."""
    assert checked_id(value) == value


@pytest.mark.parametrize("value", [0, 7, 2150966111, 2**63, 10**254])
def test_takes_whole_numbers(value: int) -> None:
    """A number from a database is the id that its digits spell, beyond 32 and 64 bits too."""
    assert checked_id(value) == str(value)


@pytest.mark.parametrize(("value", "text"), [(Known.ANN, "123"), (Number.ONE, "1")])
def test_takes_enumerations_by_their_value(value: Any, text: str) -> None:
    """A member of an enumeration stands for its value, and what comes back is plain text."""
    checked = checked_id(value)
    assert type(checked) is str
    assert f"{checked}" == text


@pytest.mark.parametrize("value", [None, True, False, 1.0, b"1", ["1"], {"id": "1"}, object()])
def test_refuses_what_is_neither_text_nor_a_whole_number(value: Any) -> None:
    """The error names the type that was given instead."""
    with pytest.raises(InvalidIdError, match=type(value).__name__):
        checked_id(value)


@pytest.mark.parametrize("value", [-1, 10**255, pytest.param(10**5000, id="5001 digits")])
def test_refuses_numbers_that_are_no_id(value: int) -> None:
    """Negative numbers and numbers with more digits than an id has are refused, not printed."""
    with pytest.raises(InvalidIdError, match="a number that is the id of customers must have at most 255 digits"):
        checked_id(value, of="customers")


@pytest.mark.parametrize(
    "value",
    ["", ".", "..", "...", "a..b", "../1", "1/..", "1/2", "/1", "1/", "\\", "1\\2", "1?x=1", "1#x", "%2e%2e", "1%00"],
)
@pytest.mark.parametrize("suffix", ["", "/"])
def test_refuses_what_could_climb_or_end_the_path(value: str, suffix: str) -> None:
    """Dots alone, slashes either way, ``?``, ``#`` and ``%`` are refused; encoding alone would not help."""
    for refuse in (checked_id, path_segment):
        with pytest.raises(InvalidIdError):
            refuse(f"{value}{suffix}")


@pytest.mark.parametrize("value", list('&=;:*{}[]|<>"^`'))
def test_refuses_what_urls_use_as_marks(value: str) -> None:
    """A character that has a meaning in URLs or templates is in no id, and the message shows which it was."""
    with pytest.raises(InvalidIdError, match=re.escape(repr(value))):
        checked_id(f"1{value}2")


@pytest.mark.parametrize("value", ["ada@example.com", "ada+x@example.com", "ada\uff20example.com", "@"])
def test_refuses_an_email_and_names_what_finds_it(value: str) -> None:
    """Whatever else in it is not allowed: an email is what people have at first."""
    with pytest.raises(InvalidIdError, match="an email is no id: customers and contacts have find_by_email"):
        checked_id(value)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (["1"], "must be one string, got list: get_many takes any number"),
        (("1", "2"), "must be one string, got tuple: get_many takes any number"),
        ({"id": "1"}, "must be one string, got dict: get_many takes any number"),
        (len, "must be a string, got builtin_function_or_method"),
        (None, "must be a string, got NoneType"),
        (SimpleNamespace(id="1"), "must be a string, got SimpleNamespace: pass its .id"),
    ],
)
def test_refuses_another_type_and_says_what_takes_it(value: object, problem: str) -> None:
    """Several ids are for another call; what has an id, such as a model, is named by it."""
    with pytest.raises(InvalidIdError) as caught:
        checked_id(value, of="customers")
    assert str(caught.value) == f"the id of customers {problem}"


@pytest.mark.parametrize(
    "value", [" ", " 1", "1 ", "1\n", "\r\n1", "1\t", "1\x00", "\x7f", "1\x85", "1\u2028", "\u200b1", "\xa0", "\ud800"]
)
def test_refuses_white_space_and_what_cannot_be_seen(value: str) -> None:
    """Line breaks, controls, zero-width characters and halves of surrogate pairs are in no id."""
    with pytest.raises(InvalidIdError, match="white space or control"):
        checked_id(value)


@pytest.mark.parametrize(
    "value",
    ["1\uff0f2", "\uff0e\uff0e", "\u2025", "1\uff1fx", "1\uff03", "\uff05\uff12\uff45", "\uff3c", "\u2024\u2024"],
)
def test_refuses_look_alikes_that_fold_into_a_path(value: str) -> None:
    """The full-width slash and its kin mean the plain one to a server that normalises text."""
    with pytest.raises(InvalidIdError):
        checked_id(value)


@pytest.mark.parametrize("letter", ["a", "-"])
def test_has_a_length_that_is_the_last_one_accepted(letter: str) -> None:
    """255 characters are an id, 256 are not, whatever they are."""
    assert path_segment(checked_id(letter * 255)) == letter * 255
    for refuse in (checked_id, path_segment):
        with pytest.raises(InvalidIdError, match="longer than 255"):
            refuse(letter * 256)


def test_refuses_what_is_longer_than_any_id() -> None:
    """The message shows the beginning of a long id, not all of it."""
    with pytest.raises(InvalidIdError, match="longer than 255") as caught:
        checked_id("x" * 100_000)
    assert str(caught.value).startswith(f"{'x' * 60!r} cannot be")


def test_says_whose_id_is_wrong() -> None:
    """The message names the resource whose id was refused, and the value."""
    with pytest.raises(InvalidIdError, match=r"'\.\.' cannot be the id of customers"):
        checked_id("..", of="customers")


def test_is_a_value_error() -> None:
    """`except ValueError` catches a refused id."""
    with pytest.raises(ValueError, match="empty"):
        checked_id("")


@pytest.mark.parametrize(
    ("value", "segment"), [("123", "123"), ("po_1", "po_1"), ("größe", "gr%C3%B6%C3%9Fe"), ("a+b", "a%2Bb")]
)
def test_encodes_one_path_segment(value: str, segment: str) -> None:
    """Everything beyond the unreserved characters is percent-encoded."""
    assert path_segment(value) == segment


@given(st.text(max_size=12) | st.text("./\\%?#0123456789e ", max_size=8))
def test_makes_one_segment_of_any_text_or_refuses_it(value: str) -> None:
    """Whatever gets through is one segment: the path around it has as many as its template."""
    segment = outcome_of(path_segment, value)
    checked = outcome_of(checked_id, value)
    if isinstance(segment, KajabiError):
        assert isinstance(segment, InvalidIdError)
        assert isinstance(checked, InvalidIdError)
        return
    path = urlsplit(f"https://api.kajabi.com/v1/customers/{segment}").path
    assert path.split("/") == ["", "v1", "customers", segment]
    assert unquote(segment) == checked == value
    assert segment.isascii()
    assert segment.strip(".")
