"""Bytes to JSON values and JSON:API documents; only this module and `decoding.fast` name the JSON decoder."""

import math
import sys
from collections.abc import Collection, Iterable, Mapping
from gc import get_referents
from itertools import islice
from typing import Annotated, Any, Final, TypeGuard, TypeVar

import msgspec

from kajabi_async.errors import ConfigurationError, DecodeError, InvalidArgumentError
from kajabi_async.jsonapi.limits import MAX_DEPTH, MOST_MEMBERS, has_more_openings, is_deeper

__all__ = [
    "ABSENT",
    "NO_MEMBERS",
    "SAFE_DEPTH",
    "DocumentShape",
    "JunkRow",
    "LooseShape",
    "PlainRelationship",
    "RawJson",
    "ResourceObject",
    "UnsetType",
    "brief",
    "decode",
    "decode_document",
    "decode_loosely",
    "decode_plain_relationships",
    "decode_resource_object",
    "decode_rows",
    "decode_text",
    "encode",
    "encode_decoded",
    "exhausts_the_stack",
    "has_many_members",
    "json_array",
    "json_object",
    "kind_of",
    "kind_of_text",
    "refuse_deep",
    "spent_stack",
    "split_members",
    "split_rows",
]

T = TypeVar("T")

RawJson = msgspec.Raw
"""JSON text that was checked but not decoded yet."""

UnsetType = msgspec.UnsetType
"""The type of `ABSENT`."""

ABSENT: Final = msgspec.UNSET
"""The value of an absent member."""

NO_MEMBERS: Final = msgspec.Raw(b"{}")
"""An object without members, in place of an absent one."""


class ResourceObject(msgspec.Struct, gc=False):
    """A resource object as it came (section "Resource Objects"): nothing is converted, most of it is not decoded."""

    type: Any = None
    id: Any = None
    attributes: msgspec.Raw = NO_MEMBERS
    """`Members` if the decoder knows the types of the attributes."""
    relationships: msgspec.Raw = NO_MEMBERS
    links: msgspec.Raw = NO_MEMBERS
    meta: msgspec.Raw = NO_MEMBERS
    included: msgspec.Raw | msgspec.UnsetType = ABSENT
    """Not of the standard: courses are documented with ``included`` inside ``data``."""


_Name = Annotated[str, msgspec.Meta(min_length=1)]


class PlainIdentifier(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """A resource identifier as documented."""

    type: _Name
    id: _Name


class PlainLinks(msgspec.Struct, gc=False, forbid_unknown_fields=True, rename={"self_link": "self"}):
    """The links of a relation, as documented."""

    self_link: str | None = None
    related: str | None = None


class PlainRelationship(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """A relation as documented: any other form of it is decoded as any value."""

    data: PlainIdentifier | list[PlainIdentifier] | UnsetType | None = ABSENT
    links: PlainLinks | None = None


JunkRow = str | int | float | bool | list[msgspec.Raw] | None
"""What an array of resource objects may hold beside them: every JSON value is one or the other."""


class DocumentShape(msgspec.Struct, gc=False):
    """The top level of a document; everything beside its rows is kept as text."""

    data: ResourceObject | list[ResourceObject | JunkRow] | str | int | float | bool | msgspec.UnsetType | None = ABSENT
    included: msgspec.Raw | msgspec.UnsetType = ABSENT
    links: msgspec.Raw = NO_MEMBERS
    meta: msgspec.Raw = NO_MEMBERS
    errors: msgspec.Raw | msgspec.UnsetType = ABSENT


class LooseShape(msgspec.Struct, gc=False):
    """The top level of a document with rows that cannot be decoded, all kept as text."""

    data: msgspec.Raw
    included: msgspec.Raw | msgspec.UnsetType = ABSENT
    links: msgspec.Raw = NO_MEMBERS
    meta: msgspec.Raw = NO_MEMBERS


SAFE_DEPTH: Final = 10_000
"""The decoder stops at the interpreter's recursion limit, which a program may raise beyond what the stack can hold."""
_BYTES_OF_MOST_MEMBERS: Final = 6 * MOST_MEMBERS
_MOST_NESTED: Final = 20
"""How many times as many members a resource may have if those of nested objects are counted, too."""
_LONGEST_SHOWN: Final = 40
_MOST_SHOWN: Final = 4
_FIRST_NOT_SHOWN: Final = 10**100
_LONGEST_PROBLEM: Final = 300
"""The decoder quotes names of members, which may be of any length."""
_KINDS: Final[Mapping[bytes, str]] = {
    b"n": "null",
    b"t": "true or false",
    b"f": "true or false",
    b'"': "text",
    b"{": "an object",
    b"[": "an array",
}
_CONTAINERS: Final = frozenset({dict, list})
_ANYTHING = msgspec.json.Decoder()
_DOCUMENT = msgspec.json.Decoder(DocumentShape)
_LOOSE = msgspec.json.Decoder(LooseShape)
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ROWS = msgspec.json.Decoder(list[msgspec.Raw])
_RESOURCE_OBJECTS = msgspec.json.Decoder(list[ResourceObject | JunkRow] | None)
_RESOURCE_OBJECT = msgspec.json.Decoder(ResourceObject)
_RELATIONSHIPS = msgspec.json.Decoder(dict[str, PlainRelationship])


def decode(body: bytes | RawJson, *, context: str = "the answer") -> Any:
    """Return the value of *body*; DecodeError if it is not JSON, or is nested more than a hundred levels deep.

    NaN and lone surrogates are not JSON. ConfigurationError if the caller's own recursion leaves no room to read it.
    """
    value = _read(_ANYTHING, body, context)
    if len(body) > MAX_DEPTH and has_more_openings(bytes(body), MAX_DEPTH) and _is_deeper_than(value, MAX_DEPTH):
        raise DecodeError("nested too deeply", context=context)
    return value


def refuse_deep(members: Mapping[str, Any]) -> None:
    """Raise DecodeError if the value of one of *members* is nested more than a hundred levels deep."""
    if _is_deeper_than(members, MAX_DEPTH + 1):
        raise DecodeError("nested too deeply")


def decode_text(text: bytes | RawJson, *, context: str) -> Any:
    """Return the value of *text*, nested as deeply as the interpreter allows; DecodeError beyond that."""
    return _read(_ANYTHING, text, context)


def decode_document(body: bytes, *, context: str) -> DocumentShape:
    """Decode a whole document; DecodeError if it is no object, or a row holds a number that cannot be decoded."""
    return _read(_DOCUMENT, body, context)


def decode_loosely(body: bytes, *, context: str) -> LooseShape:
    """Decode the top level of a document whose rows may be malformed; DecodeError if that level is no object."""
    return _read(_LOOSE, body, context)


def decode_resource_object(raw: RawJson | bytes, *, context: str) -> ResourceObject:
    """Decode one row; DecodeError if it is not an object."""
    return _read(_RESOURCE_OBJECT, raw, context)


def decode_plain_relationships(raw: RawJson | bytes) -> dict[str, PlainRelationship] | None:
    """Decode relations that all have the documented form; None for any others."""
    if exhausts_the_stack(raw):
        return None
    try:
        return _RELATIONSHIPS.decode(raw)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def json_object(value: Any) -> dict[str, Any] | None:
    """Return *value* if it is a JSON object, else None."""
    return value if _is_object(value) else None


def json_array(value: Any) -> list[Any] | None:
    """Return *value* if it is a JSON array, else None."""
    return value if _is_array(value) else None


def encode(value: Any) -> bytes:
    """Return the JSON text of *value*; InvalidArgumentError for one that JSON cannot carry, such as NaN or bytes."""
    try:
        _refuse_lossy(value)
        return _ENCODER.encode(value)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise InvalidArgumentError(f"the body of the request cannot be written as JSON: {error}") from None


def encode_decoded(value: Any) -> bytes:
    """Return the JSON text of *value*, which was made of decoded JSON: nothing in it needs a look. Times are in UTC."""
    return _ENCODER.encode(value)


def _refuse_lossy(value: Any) -> None:
    """Raise an error for what the encoder would write as something else: NaN as null, bytes as base64."""
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value} is no JSON number")
    if isinstance(value, bytes | bytearray | memoryview):
        raise TypeError("bytes are not text")
    for element in _elements(value):
        _refuse_lossy(element)


def _elements(value: Any) -> Iterable[Any]:
    if _is_mapping(value):
        return value.values()
    return value if _is_collection(value) else ()


def _written(value: Any) -> Any:
    """Return what to write for a type that the encoder does not know: a subclass of str, or any mapping."""
    if isinstance(value, str):
        return str.__str__(value)
    if _is_mapping(value):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def _is_object(value: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def _is_array(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def _is_mapping(value: object) -> TypeGuard[Mapping[Any, Any]]:
    return isinstance(value, Mapping)


def _is_collection(value: object) -> TypeGuard[Collection[Any]]:
    return isinstance(value, list | tuple | set | frozenset)


_ENCODER = msgspec.json.Encoder(enc_hook=_written)


def decode_rows(raw: RawJson | bytes, *, context: str) -> list[ResourceObject | JunkRow]:
    """Decode an array of rows, null for an empty one; DecodeError if it is another value."""
    return _read(_RESOURCE_OBJECTS, raw, context) or []


def split_members(body: bytes, *, context: str = "") -> dict[str, RawJson]:
    """Split an object into its members, their values not decoded; DecodeError if it is another value."""
    return _read(_MEMBERS, body, context)


def has_many_members(raw: RawJson | bytes) -> bool:
    """Return whether *raw* is an object with more members than a resource may have; no value is decoded."""
    if len(raw) <= _BYTES_OF_MOST_MEMBERS:
        return False
    text = bytes(raw)
    if text.count(b":") <= MOST_MEMBERS:
        return False
    # Counting names is much quicker than splitting; it counts those of nested objects, too.
    names = text.count(b'":') - text.count(b'\\":')
    if names > _MOST_NESTED * MOST_MEMBERS:
        return text[:1] == b"{"
    try:
        return len(split_members(text)) > MOST_MEMBERS
    except DecodeError:
        return False


def split_rows(raw: RawJson | bytes, *, context: str) -> list[RawJson]:
    """Split an array into its undecoded elements; null has none."""
    return [] if bytes(raw).strip() == b"null" else _read(_ROWS, raw, context)


def brief(value: Any, levels: int = 2) -> str:
    """Return a short text that shows *value*, in constant time."""
    array, members = json_array(value), json_object(value)
    if array is not None:
        return f"[{_some((brief(each, levels - 1) for each in array), len(array), levels)}]"
    if members is not None:
        pairs = (f"{brief(name)}: {brief(each, levels - 1)}" for name, each in members.items())
        return f"{{{_some(pairs, len(members), levels)}}}"
    if isinstance(value, int) and not -_FIRST_NOT_SHOWN < value < _FIRST_NOT_SHOWN:
        return "a number of more than 100 digits"
    shown = repr(value[: _LONGEST_SHOWN + 1] if isinstance(value, str) else value)
    return shown if len(shown) <= _LONGEST_SHOWN else f"{shown[:_LONGEST_SHOWN]}..."


def kind_of(value: Any) -> str:
    """Return the kind of a JSON value in words, without its content."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if json_object(value) is not None:
        return "an object"
    if json_array(value) is not None:
        return "an array"
    return "text" if isinstance(value, str) else "a number"


def kind_of_text(raw: RawJson) -> str:
    """Return the kind of the value of valid JSON text, by its first character."""
    return _KINDS.get(bytes(raw).lstrip()[:1], "a number")


def _some(shown: Iterable[str], number: int, levels: int) -> str:
    most = min(number, _MOST_SHOWN if levels else 0)
    return ", ".join((*islice(shown, most), *(["..."] if number > most else [])))


def _read(decoder: msgspec.json.Decoder[T], body: bytes | RawJson, context: str) -> T:
    if exhausts_the_stack(body):
        raise DecodeError("nested too deeply", context=context)
    try:
        return decoder.decode(body)
    except RecursionError:
        raise (DecodeError("nested too deeply", context=context) if _has_stack() else spent_stack(context)) from None
    except UnicodeDecodeError as error:
        raise DecodeError(f"not UTF-8 (byte {error.start})", context=context) from None
    except (msgspec.MsgspecError, ValueError) as error:
        problem = str(error)[:_LONGEST_PROBLEM]
        raise DecodeError(f"not the JSON that was expected: {problem}", context=context) from None


def _is_deeper_than(value: Any, most: int) -> bool:
    # Of the values and not of the text: its strings may be large, and full of brackets.
    level: list[Any] = [value]
    for _ in range(most):
        # Without a step of Python for each of them: there may be tens of thousands, one inside the other.
        level = [inner for inner in get_referents(*level) if type(inner) in _CONTAINERS]
        if not level:
            return False
    return True


def _has_stack() -> bool:
    """Return whether the stack has room here for a value as deep as any may be."""
    try:
        _ANYTHING.decode(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    except RecursionError:
        return False
    return True


def exhausts_the_stack(body: bytes | RawJson) -> bool:
    """Return whether decoding *body* might take more stack than there is.

    The decoder relies on the interpreter's recursion limit, so this is checked only if a program has raised that.
    """
    return sys.getrecursionlimit() > SAFE_DEPTH and is_deeper(bytes(body), SAFE_DEPTH)


def spent_stack(context: str) -> ConfigurationError:
    """Return the error for an answer that is fine, but could not be read as no stack was left."""
    problem = "called too deep in a recursion: the interpreter's recursion limit leaves no room to read this"
    return ConfigurationError(f"{context}: {problem}" if context else problem)
