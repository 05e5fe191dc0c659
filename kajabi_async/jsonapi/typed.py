"""Attributes decoded straight to the types they are documented with, by themselves or along with their document."""

import re
import sys
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar, Final, TypeVar

import msgspec
from msgspec.structs import astuple

from kajabi_async.jsonapi.decoding import (
    ABSENT,
    NO_MEMBERS,
    SAFE_DEPTH,
    DocumentShape,
    RawJson,
    ResourceObject,
    UnsetType,
    is_too_deep,
)

__all__ = ["Members", "TypedReader", "unread"]

T = TypeVar("T")

_FINER_THAN_MICROSECONDS: Final = re.compile(rb"\.[0-9]{7}")


class Members(msgspec.Struct, gc=False):
    """The members of an object whose types were known."""

    complete: ClassVar[bool]
    """Whether all that were required are there."""

    @property
    def names(self) -> tuple[str, ...]:
        """What they are called, in the order the types were given in."""
        return self.__struct_encode_fields__

    values = property(astuple)
    """Their values in that order, `ABSENT` for one that did not come."""


class TypedReader:
    """Reads objects whose members are of given types (str, int, bool, datetime or Any), or null.

    It gives None for any other: one with other members, values of other types, times that are without zone or finer
    than microseconds.
    """

    def __init__(self, types: Mapping[str, Any], *, required: Collection[str]) -> None:
        """Take the *types* by name; a member that is not *required* may be `ABSENT`."""
        called = {f"member_{index}": name for index, name in enumerate(types)}
        fields: list[Any] = [
            (field, _member_type(types[name])) if name in required else (field, _member_type(types[name]), ABSENT)
            for field, name in called.items()
        ]
        self._members: Any = msgspec.defstruct(
            "TypedMembers",
            fields,
            bases=(Members,),
            namespace={"complete": bool(required)},
            rename=called,
            forbid_unknown_fields=True,
            kw_only=True,
            gc=False,
        )
        self._has_times = datetime in types.values()
        self._decode: Callable[[Any], Any] = msgspec.json.Decoder(self._members).decode
        self._decode_document: Callable[[Any], Any] | None = None

    def read(self, raw: RawJson) -> Members | None:
        """Give the members of one object."""
        return self._read(self._decode, raw)

    def read_document(self, body: bytes) -> DocumentShape | None:
        """Give a document whose primary resource objects have such `Members` for attributes, or state none."""
        if self._decode_document is None:
            self._decode_document = msgspec.json.Decoder(_document_of(self._members)).decode
        return self._read(self._decode_document, body)

    def _read(self, decode: Callable[[Any], T], text: bytes | RawJson) -> T | None:
        if sys.getrecursionlimit() > SAFE_DEPTH and is_too_deep(text):
            return None
        if self._has_times and _FINER_THAN_MICROSECONDS.search(text):
            return None
        try:
            return decode(text)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return None


def unread(row: ResourceObject) -> RawJson:
    """Give the attributes of *row* as JSON text, in other words of the same meaning where they were read already."""
    attributes: Any = row.attributes
    return RawJson(msgspec.json.encode(attributes)) if isinstance(attributes, Members) else attributes


def _document_of(members: type[msgspec.Struct]) -> Any:
    row: Any = msgspec.defstruct(
        "TypedResourceObject", [("attributes", members, NO_MEMBERS)], bases=(ResourceObject,), gc=False
    )
    data = row | list[row] | UnsetType | None
    return msgspec.defstruct("TypedDocument", [("data", data, ABSENT)], bases=(DocumentShape,), gc=False)


def _member_type(wanted: Any) -> Any:
    exact: Any = Annotated[datetime, msgspec.Meta(tz=True)] if wanted is datetime else wanted
    return exact | None | UnsetType
