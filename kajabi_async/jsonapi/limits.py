"""Limits on what a JSON text can become, checked on its bytes before it is decoded.

A decoder cannot be stopped once it has started, and an element of two bytes may become an object of two hundred.
Counting bytes costs about half a millisecond for each MiB, and nothing for a text too short for that many elements.
"""

import re
from itertools import accumulate
from typing import Final

__all__ = [
    "MAX_DEPTH",
    "MAX_ELEMENTS",
    "MOST_MEMBERS",
    "TooManyValuesError",
    "excess_in",
    "has_more_openings",
    "is_deeper",
    "most_containers",
    "most_conversions",
    "most_included",
    "most_rows",
    "surely_small",
    "width_in",
]

MAX_ELEMENTS: Final = 200_000
"""The default limit of elements in an answer. A page of 500 contacts with 150 custom fields each, and all that can be
included, has about 135,000 as the API documents it, and 185,000 with the linkage of all of it."""

MOST_MEMBERS: Final = 1_000
"""The number of attributes or relations that a resource object may have; a contact has at most 200."""

MAX_DEPTH: Final = 100
"""The number of levels that a value may be nested; the documents of the API have ten."""

_MAX_DIGITS: Final = 200
"""Decoding a number takes time that grows with the square of its digits."""
_FEW_BYTES: Final = 2**18
"""In a shorter text numbers of any length are decoded quickly enough."""
_MAX_WIDE_BYTES: Final = 8 * 2**20
"""One character beyond U+FFFF makes every character of its string take four bytes, and ten while it is decoded."""
_BYTES_OF_AN_ESCAPE: Final = 16
"""In a larger text one in that many bytes may escape a quote or a backslash: finding where strings end takes time."""
_ELEMENTS_OF_A_CONTAINER: Final = 5
"""Making an array or object takes several times as long as reading a number. That page has one for seven elements."""
_BYTES_OF_A_CONTAINER: Final = len("[]")
_ELEMENTS_OF_A_ROW: Final = 50
"""Each row becomes a model, or an error of its own. A customer has eighty."""
_ELEMENTS_OF_AN_INCLUDED_ROW: Final = 20
"""They may be smaller, and malformed ones are left out."""
_BYTES_OF_FEW_QUOTES: Final = 64
"""Strings of more bytes on average are removed one by one faster than the text is split at their quotes."""
_QUOTES_AT_ONCE: Final = 2**16
_BLOCK: Final = _MAX_DIGITS // 2

_EVERY_BYTE: Final = bytes(range(256))
_BEGINS: Final = re.compile(rb"[ \t\r\n]*+[\[{]")
"""The decoder stops at once at anything else, such as a web page."""
_TWO_DIGITS: Final = re.compile(rb"[0-9](?=[0-9])")
_SURROGATE: Final = re.compile(rb"\\u[dD]")
_WIDE: Final = re.compile(rb"[\xf0-\xf4]")
_STRING: Final = re.compile(rb'"[^"]*+"?')
_BRACKETS: Final = b"[]{}"
_SEPARATORS: Final = b",[{"
_DIGITS: Final = b"0123456789"
_STEPS: Final = bytes.maketrans(_BRACKETS, bytes(step % 256 for step in (1, -1, 1, -1)))
_ALL_BUT_DIGITS_BLANK: Final = bytes(byte if byte in _DIGITS else ord(" ") for byte in _EVERY_BYTE)


class TooManyValuesError(Exception):
    """The resources of an answer have more values to convert one by one than its limit allows."""


def surely_small(most_elements: int) -> int:
    """Return the size in bytes up to which a text needs no check by `excess_in` and `width_in`."""
    return min(_BYTES_OF_A_CONTAINER * most_containers(most_elements), _FEW_BYTES)


def excess_in(body: bytes, most_elements: int, option: str) -> str:
    """Return what *body* has too much of, empty if it may be decoded; *option* is the name of the limit.

    Each comma outside of text counts as one element, each opening bracket as two; there may be one array or object for
    five elements. Whatever the limit, a number in a text of more than 256 KiB may have 200 digits.
    """
    if len(body) <= surely_small(most_elements) or not _BEGINS.match(body):
        return ""
    # Text may hold separators and digits, too: a description full of commas is still one element.
    may_be_many = bool(_surplus(_only(body, _SEPARATORS), most_elements, option))
    may_be_long = len(body) > _FEW_BYTES and _block_of_digits(body, 0) >= 0
    text = _without_escapes(body) if may_be_many or may_be_long else body
    if len(body) > _MAX_WIDE_BYTES and (len(body) - len(text)) // 2 > len(body) // _BYTES_OF_AN_ESCAPE:
        return f"more than {_MAX_WIDE_BYTES} bytes, of which more than one in {_BYTES_OF_AN_ESCAPE} escapes a quote"
    if may_be_many and (surplus := _surplus_in(text, most_elements, option)):
        return surplus
    if may_be_long and _has_long_numbers(text):
        return f"a number of more than {_MAX_DIGITS} digits"
    return ""


def width_in(body: bytes) -> str:
    """Return what makes *body* take several times its bytes in memory; empty if nothing does, or if it is small."""
    if len(body) > _MAX_WIDE_BYTES and _is_wide(body):
        return f"more than {_MAX_WIDE_BYTES} bytes, which with characters beyond U+FFFF take four times as many"
    return ""


def most_containers(most_elements: int) -> int:
    """Return the number of arrays and objects that a text of *most_elements* may have."""
    return max(1, most_elements // _ELEMENTS_OF_A_CONTAINER)


def most_rows(most_elements: int) -> int:
    """Return the number of rows that a document of *most_elements* may have."""
    return max(1, most_elements // _ELEMENTS_OF_A_ROW)


def most_included(most_elements: int) -> int:
    """Return the number of included resources that a document of *most_elements* may have."""
    return max(1, most_elements // _ELEMENTS_OF_AN_INCLUDED_ROW)


def most_conversions(most_elements: int) -> int:
    """Return the number of values that may be converted one by one, which takes several times as long as to decode."""
    return max(MOST_MEMBERS, most_elements // 2)


def is_deeper(body: bytes, most: int) -> bool:
    """Return whether *body* is nested more than *most* levels deep."""
    if len(body) <= most or not has_more_openings(body, most):
        return False
    text = _without_escapes(body)
    steps = _outside_text(text, text.count(b'"'), _BRACKETS).translate(_STEPS)
    return max(accumulate(memoryview(steps).cast("b")), default=0) > most


def has_more_openings(body: bytes, most: int) -> bool:
    """Return whether *body* has more than *most* opening brackets, those in strings included."""
    # With find, as there are few of them: counting every byte takes many times as long.
    for bracket in b"[{":
        at = -1
        while (at := body.find(bracket, at + 1)) >= 0:
            if not most:
                return True
            most -= 1
    return False


def _surplus_in(text: bytes, most: int, option: str) -> str:
    quotes = text.count(b'"')
    # An element has at most two strings, its name and its value.
    if quotes > 4 * most:
        return _too_many(most, option)
    return _surplus(_outside_text(text, quotes, _SEPARATORS), most, option)


def _surplus(separators: bytes, most: int, option: str) -> str:
    number = len(separators)
    if number > most:
        return _too_many(most, option)
    openings, containers = separators.count(b"[") + separators.count(b"{"), most_containers(most)
    if number + openings > most:
        return _too_many(most, option)
    if openings > containers:
        return f"more than {containers} arrays and objects, which is what a limit of {most} elements allows"
    return ""


def _too_many(most: int, option: str) -> str:
    return f"more than {most} elements, the limit that {option}= sets"


def _has_long_numbers(text: bytes) -> bool:
    at, start = 0, _block_of_digits(text, 0)
    while start >= 0:
        if text.count(b'"', at, start) % 2:
            # Inside a string: continue after its end; the decoder stops if it has none.
            at = text.find(b'"', start) + 1
            if not at:
                return False
            start = _block_of_digits(text, at)
        else:
            at = start
            around = text[max(0, start - _MAX_DIGITS) : start + _MAX_DIGITS + 1].translate(_ALL_BUT_DIGITS_BLANK)
            if max(map(len, around.split())) > _MAX_DIGITS:
                return True
            start = _block_of_digits(text, start + _BLOCK)
    return False


def _block_of_digits(body: bytes, start: int) -> int:
    """Return the index of the next block of digits from *start* on, or -1; any number twice as long covers one."""
    # A sample of the bytes is searched first: such a number covers two neighbours in it.
    first = -(-start // _BLOCK)
    for found in _TWO_DIGITS.finditer(body[first * _BLOCK :: _BLOCK]):
        at = (first + found.start()) * _BLOCK
        if body[at : at + _BLOCK].isdigit():
            return at
    return -1


def _is_wide(body: bytes) -> bool:
    return _SURROGATE.search(body) is not None or (not body.isascii() and _WIDE.search(body) is not None)


def _outside_text(text: bytes, quotes: int, kept: bytes) -> bytes:
    """Return those of the bytes *kept* that are outside of strings in *text*, which has no escaped *quotes*."""
    if len(text) > _BYTES_OF_FEW_QUOTES * quotes:
        return _only(_STRING.sub(b"", text), kept)
    # Two quotes in a row: a string without any of the bytes, or two strings without any between them.
    rest, outside = _only(text, kept + b'"').replace(b'""', b""), bytearray()
    while rest:
        # Every second piece is a string. In portions: a million pieces take much more memory than the text.
        *pieces, rest = rest.split(b'"', _QUOTES_AT_ONCE)
        outside += b"".join(pieces[::2])
        if len(pieces) < _QUOTES_AT_ONCE:
            return bytes(outside + rest) if len(pieces) % 2 == 0 else bytes(outside)
    return bytes(outside)


def _without_escapes(body: bytes) -> bytes:
    """Return *body* without the escapes that hide where a string ends."""
    return body.replace(b"\\\\", b"").replace(b'\\"', b"") if b'\\"' in body else body


def _only(body: bytes, kept: bytes) -> bytes:
    return body.translate(None, _EVERY_BYTE.translate(None, kept))
