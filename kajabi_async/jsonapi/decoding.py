"""Bytes to JSON values and JSON:API documents; with `typed` the only module that knows which decoder does it."""

import math
import re
import sys
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final, TypeGuard

import msgspec

from kajabi_async.errors import DecodeError, InvalidArgumentError

__all__ = [
    "ABSENT",
    "NO_MEMBERS",
    "SAFE_DEPTH",
    "DocumentShape",
    "LooseShape",
    "RawJson",
    "ResourceObject",
    "UnsetType",
    "decode",
    "decode_document",
    "decode_loosely",
    "decode_resource_object",
    "decode_rows",
    "encode",
    "is_too_deep",
    "json_array",
    "json_object",
    "split_rows",
]

RawJson = msgspec.Raw
"""JSON text that was checked but not read yet."""

UnsetType = msgspec.UnsetType
"""The type of `ABSENT`."""

ABSENT: Final = msgspec.UNSET
"""What stands for a member that did not come."""

NO_MEMBERS: Final = msgspec.Raw(b"{}")
"""An object without members, in place of one that was left out."""


class ResourceObject(msgspec.Struct, gc=False):
    """A resource object as it came (section "Resource Objects"): nothing converted, the rest of it not read yet."""

    type: Any = None
    id: Any = None
    attributes: msgspec.Raw = NO_MEMBERS
    """`Members` where the decoder was told of their types."""
    relationships: msgspec.Raw = NO_MEMBERS
    links: msgspec.Raw = NO_MEMBERS
    meta: msgspec.Raw = NO_MEMBERS
    included: msgspec.Raw | msgspec.UnsetType = ABSENT
    """Not of the standard: courses are documented with ``included`` inside ``data``."""


class DocumentShape(msgspec.Struct, gc=False):
    """The top level of a document whose rows all have the shape of a resource object or of null."""

    data: ResourceObject | list[ResourceObject] | msgspec.UnsetType | None = ABSENT
    included: msgspec.Raw | msgspec.UnsetType = ABSENT
    links: Any = None
    meta: Any = None
    jsonapi: Any = None
    errors: Any = None


class LooseShape(msgspec.Struct, gc=False):
    """The top level of a document with rows that have another shape, none of them read yet."""

    data: msgspec.Raw
    included: msgspec.Raw | msgspec.UnsetType = ABSENT
    links: Any = None
    meta: Any = None


SAFE_DEPTH: Final = 10_000
"""No decoder gets deeper than the interpreter's recursion limit, which may be raised to more than the stack bears."""
_BRACKETS: Final = re.compile(rb'"(?:[^"\\\\]|\\\\.)*+"|[\[\]{}]')
_ANYTHING = msgspec.json.Decoder()
_DOCUMENT = msgspec.json.Decoder(DocumentShape)
_LOOSE = msgspec.json.Decoder(LooseShape)
_ROWS = msgspec.json.Decoder(list[msgspec.Raw])
_RESOURCE_OBJECTS = msgspec.json.Decoder(list[ResourceObject] | None)
_RESOURCE_OBJECT = msgspec.json.Decoder(ResourceObject)


def decode(body: bytes | RawJson, *, context: str = "the answer") -> Any:
    """Decode *body*; DecodeError for anything that is not JSON: NaN, lone surrogates, nesting without end."""
    return _read(_ANYTHING, body, context)


def decode_document(body: bytes, *, context: str) -> DocumentShape:
    """Decode a whole document; DecodeError where the top level or any row has another shape."""
    shape: DocumentShape = _read(_DOCUMENT, body, context)
    return shape


def decode_loosely(body: bytes, *, context: str) -> LooseShape:
    """Decode the top level of a document whose rows may be malformed; DecodeError where that level is no object."""
    shape: LooseShape = _read(_LOOSE, body, context)
    return shape


def decode_resource_object(raw: RawJson | bytes, *, context: str) -> ResourceObject:
    """Decode one row; DecodeError where it is not an object."""
    resource_object: ResourceObject = _read(_RESOURCE_OBJECT, raw, context)
    return resource_object


def json_object(value: Any) -> dict[str, Any] | None:
    """Give *value* where it is a JSON object, else None."""
    return value if _is_object(value) else None


def json_array(value: Any) -> list[Any] | None:
    """Give *value* where it is a JSON array, else None."""
    return value if _is_array(value) else None


def encode(value: Any) -> bytes:
    """Give the JSON text of *value*; InvalidArgumentError for one that JSON cannot carry, NaN and bytes among them."""
    try:
        _refuse_lossy(value)
        return _ENCODER.encode(value)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise InvalidArgumentError(f"the body of the request cannot be written as JSON: {error}") from None


def _refuse_lossy(value: Any) -> None:
    """Refuse what the encoder would write as something else: NaN and infinity as null, bytes as base64."""
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
    """Give what to write for a type that the encoder does not know: text and mappings of other classes."""
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


def decode_rows(raw: RawJson, *, context: str) -> list[ResourceObject]:
    """Decode an array of resource objects, null for an empty one; DecodeError where one has another shape."""
    rows: list[ResourceObject] | None = _read(_RESOURCE_OBJECTS, raw, context)
    return rows or []


def split_rows(raw: RawJson, *, context: str) -> list[RawJson]:
    """Split an array into its undecoded elements; null has none."""
    if bytes(raw).strip() == b"null":
        return []
    rows: list[RawJson] = _read(_ROWS, raw, context)
    return rows


def _read(decoder: msgspec.json.Decoder[Any], body: bytes | RawJson, context: str) -> Any:
    if is_too_deep(body):
        raise DecodeError("nested too deeply", context=context)
    try:
        return decoder.decode(body)
    except RecursionError:
        raise DecodeError("nested too deeply", context=context) from None
    except UnicodeDecodeError as error:
        raise DecodeError(f"not UTF-8 (byte {error.start})", context=context) from None
    except (msgspec.MsgspecError, ValueError) as error:
        raise DecodeError(f"not the JSON that was expected: {error}", context=context) from None


def is_too_deep(body: bytes | RawJson) -> bool:
    """Tell whether decoding *body* might take more stack than there is, which the decoder does not notice itself."""
    return sys.getrecursionlimit() > SAFE_DEPTH and _depth(bytes(body)) > SAFE_DEPTH


def _depth(body: bytes) -> int:
    """Give how deep *body* is nested.

    Counted only where a program has raised the interpreter's limit, on which the decoder relies to keep to its stack.
    """
    depth = deepest = 0
    for found in _BRACKETS.finditer(body):
        bracket = found[0]
        if bracket in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif bracket in b"]}":
            depth -= 1
    return deepest
