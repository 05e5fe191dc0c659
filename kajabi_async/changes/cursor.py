"""The cursor: what has been yielded, as text of at most 4 KiB that only the client that made it accepts.

It is compressed JSON behind a version. It comes back from files and databases, so it is checked like an answer: its
length, what it inflates to, every member, and whose it is.
"""

import base64
import binascii
import json
import re
import zlib
from collections.abc import Mapping
from typing import Any, Final

import attrs

from kajabi_async.changes.watched import WATCHED
from kajabi_async.changes.window import Block, Version, Window
from kajabi_async.checks import string
from kajabi_async.errors import DecodeError, InvalidArgumentError
from kajabi_async.jsonapi.codec import decode, json_array, json_object

__all__ = ["State", "parse_cursor"]

_FORM: Final = re.compile(r"kajabi-changes-([0-9]{1,4})\.([A-Za-z0-9_-]{1,16000})")
_VERSION: Final = "1"
_MOST_BYTES: Final = 65_536
_MOST: Final = 1 << 63
_LONGEST_ID: Final = 200
_ENDS: Final = "ends"
_FOREIGN: Final = (
    "the cursor belongs to other credentials, another site or another base_url: store one cursor for each client"
)


@attrs.define
class State:
    """What has been yielded of each list, and of the ends of access."""

    windows: dict[str, Window] = attrs.field(factory=dict[str, Window])
    """By the name of the list."""
    ends: Window = attrs.field(factory=Window)
    """The ends of purchases that were yielded, by the time of the end."""
    next_end: int | None = None
    """The stamp from which on a planned end may have come; None if no end is planned."""
    knows_plans: bool = False
    """Whether `next_end` also covers the ends that were planned before the first poll."""

    def cursor(self, owner: str) -> str:
        """Return the text of the state, for the client that *owner* identifies."""
        windows = {**self.windows, _ENDS: self.ends}
        members = {
            "owner": owner,
            "next_end": self.next_end,
            "knows_plans": self.knows_plans,
            "lists": {name: _written(window) for name, window in windows.items() if window.settled is not None},
        }
        packed = zlib.compress(json.dumps(members, separators=(",", ":")).encode(), 9)
        return f"kajabi-changes-{_VERSION}.{base64.urlsafe_b64encode(packed).rstrip(b'=').decode()}"


def parse_cursor(text: Any, owner: str) -> State:
    """Return the state in the *text* of a cursor; InvalidArgumentError if it is none, or of another client."""
    match = _FORM.fullmatch(string(text, of="cursor"))
    if match is None:
        raise InvalidArgumentError("cursor is not text that api.changes() wrote, or not all of it")
    if match[1] != _VERSION:
        raise InvalidArgumentError(
            f"the cursor has the version {match[1]}, and this SDK writes version {_VERSION}: start with since= instead"
        )
    try:
        members = _members(decode(_unpacked(match[2]), context="cursor"))
        _refuse_foreign(members["owner"], owner)
        lists, next_end = _members(members["lists"]), members["next_end"]
        windows = {name: _read(lists[name]) for name in WATCHED if name in lists}
        ends = _read(lists[_ENDS]) if _ENDS in lists else Window()
        return State(windows, ends, None if next_end is None else _whole(next_end), members["knows_plans"] is True)
    except InvalidArgumentError:
        raise
    except (ArithmeticError, LookupError, TypeError, ValueError, DecodeError, zlib.error):
        raise InvalidArgumentError("cursor is damaged: it is not what api.changes() wrote") from None


def _refuse_foreign(of: Any, owner: str) -> None:
    if of != owner:
        raise InvalidArgumentError(_FOREIGN)


def _unpacked(text: str) -> bytes:
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None
    inflater = zlib.decompressobj()
    # Bounded: a few bytes can inflate to gigabytes.
    content = inflater.decompress(packed, _MOST_BYTES)
    if not inflater.eof or inflater.unused_data:
        raise ValueError("too long, cut, or followed by something else")
    return content


def _written(window: Window) -> list[Any]:
    rows: list[Any] = []
    # Relative to each other the stamps are short.
    before = window.settled or 0
    for version in window.named:
        rows += [version.stamp - before, _short(version.id), version.digest]
        before = version.stamp
    block = window.block
    return [
        window.settled,
        rows,
        None if block is None else [block.stamp, _short(block.id), block.count, block.total],
    ]


def _short(resource_id: str) -> int | str:
    """Return an id as a number if that is shorter and means the same."""
    is_plain = resource_id.isascii() and resource_id.isdecimal() and str(int(resource_id)) == resource_id
    return int(resource_id) if is_plain and len(resource_id) <= len(str(_MOST)) - 1 else resource_id


def _read(given: Any) -> Window:
    settled, rows, block = _elements(given, 3)
    numbers = _elements(rows)
    if len(numbers) % 3:
        raise ValueError("rows have three members")
    before, named = _whole(settled), list[Version]()
    for index in range(0, len(numbers), 3):
        before += _whole(numbers[index])
        named.append(Version(_whole(before), _id(numbers[index + 1]), _whole(numbers[index + 2])))
    return Window(_whole(settled), named, None if block is None else _block(block))


def _block(given: Any) -> Block:
    stamp, resource_id, count, total = _elements(given, 4)
    return Block(_whole(stamp), _id(resource_id), _whole(count), _whole(total, most=1 << 64))


def _members(value: Any) -> Mapping[str, Any]:
    members = json_object(value)
    if members is None:
        raise TypeError("an object is expected")
    return members


def _elements(value: Any, number: int | None = None) -> list[Any]:
    elements = json_array(value)
    if elements is None or number not in {None, len(elements)}:
        raise TypeError("an array is expected")
    return elements


def _whole(value: Any, *, most: int = _MOST) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not -_MOST <= value < most:
        raise TypeError("a whole number is expected")
    return value


def _id(value: Any) -> str:
    if isinstance(value, str) and 0 < len(value) <= _LONGEST_ID:
        return value
    return str(_whole(value))
