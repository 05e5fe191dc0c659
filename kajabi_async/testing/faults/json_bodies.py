"""Faults of the document: invalid JSON, and valid JSON that is hard to decode."""

import json
from typing import Any, ClassVar, Final, Literal, get_args

import attrs
from aiohttp import web

from kajabi_async.testing.faults.incident import Fault, Incident
from kajabi_async.testing.json_shapes import is_array, is_object
from kajabi_async.testing.replies import Reply, encoded

__all__ = ["OddJson", "Oddity"]

Oddity = Literal[
    "malformed", "not_utf8", "nan", "infinity", "negative_infinity", "deep_nesting", "big_int", "big_float"
]
"""The oddity of a document: half of it is missing, it is not UTF-8, or one value is ``NaN``, ``Infinity``,
``-Infinity`` (none of which is JSON), a hundred thousand nested arrays, an integer of a thousand digits, or a number
beyond the range of a double."""

_DEPTH: Final = 100_000
_VALUES: Final[dict[Oddity, bytes]] = {
    "nan": b"NaN",
    "infinity": b"Infinity",
    "negative_infinity": b"-Infinity",
    "deep_nesting": b"[" * _DEPTH + b"]" * _DEPTH,
    "big_int": b"9" * 1000,
    "big_float": b"1e999",
}
_MARK: Final = "the odd value comes here"
_NEW_NAME: Final = "odd_value"


@attrs.frozen
class OddJson(Fault):
    """The real answer with one oddity in its JSON, in a body of the right length; the request takes effect.

    An odd value replaces the first number among the attributes of the first resource; without a number it gets a new
    name beside them, and in a document without resources at the top level.
    """

    oddity: Oddity = attrs.field(default="malformed", validator=attrs.validators.in_(get_args(Oddity)))

    kind: ClassVar[str] = "json"

    @property
    def name(self) -> str:
        """The oddity; ``malformed_json`` for ``malformed``."""
        return "malformed_json" if self.oddity == "malformed" else self.oddity

    def spoilt(self, body: bytes) -> bytes:
        """Return the bytes to send in place of *body*."""
        if self.oddity == "malformed":
            return body[: len(body) // 2] or b"{"
        if self.oddity == "not_utf8":
            return b'{"\xff\xfe":"\x80",' + (body[1:] if body.startswith(b"{") else b"}")
        document: Any = json.loads(body) if body else {}
        members = _members(document)
        members[_odd_name(members)] = _MARK
        return encoded(document).replace(encoded(_MARK), _VALUES[self.oddity])

    async def play(self, incident: Incident, /) -> web.StreamResponse:
        """Answer with the odd document; an answer that is not JSON stays unchanged."""
        reply = incident.process()
        return incident.reply(attrs.evolve(reply, body=self.spoilt(reply.body)) if _is_json(reply) else reply)


def _is_json(reply: Reply) -> bool:
    return reply.content_type is None or "json" in reply.content_type


def _members(document: Any) -> dict[str, Any]:
    found = document.get("data") if is_object(document) else document
    first = found[0] if is_array(found) and found else found
    if is_object(first):
        attributes = first.get("attributes")
        return attributes if is_object(attributes) else first
    return document if is_object(document) else {}


def _odd_name(members: dict[str, Any]) -> str:
    numbers = (name for name, value in members.items() if type(value) in {int, float})
    return next(numbers, _NEW_NAME)
