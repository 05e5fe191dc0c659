"""Attributes decoded straight to the types they are documented with, by themselves or along with their document."""

from collections.abc import Callable, Collection, Mapping
from functools import cached_property
from sys import getrecursionlimit
from typing import Annotated, Any, ClassVar

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
    exhausts_the_stack,
)

__all__ = ["Members", "TimeText", "TypedReader", "unread"]

TimeText: Any = Annotated[str, msgspec.Meta(min_length=20, max_length=32)]
"""Text as long as an ISO 8601 time in UTC without a fraction is, up to as long as one with microseconds and offset."""

_NAME: Any = Annotated[str, msgspec.Meta(min_length=1)]


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
    """Reads objects whose members are of given types (scalars, `TimeText`, Any, or `RawJson` to read later), or null.

    It gives None for any other: one with other members, or values of other types.
    """

    def __init__(self, types: Mapping[str, Any], *, required: Collection[str]) -> None:
        """Take the *types* by name; a member that is not *required* may be `ABSENT`."""
        called = {f"member_{index}": name for index, name in enumerate(types)}
        member_types = {field: _or_absent(types[name]) for field, name in called.items()}
        fields: list[Any] = [
            (field, member_types[field]) if name in required else (field, member_types[field], ABSENT)
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

    @cached_property
    def read(self) -> Callable[[RawJson], Members | None]:
        """Gives the members of one object."""
        return _attempt(msgspec.json.Decoder(self._members).decode)

    @cached_property
    def read_document(self) -> Callable[[bytes], DocumentShape | None]:
        """Gives a document whose primary resource objects have such `Members` for attributes, or state none.

        They have a type and an id.
        """
        return _attempt(msgspec.json.Decoder(_document_of(self._members)).decode)


def _or_absent(member_type: Any) -> Any:
    # Raw text is null by itself.
    return member_type | UnsetType if member_type is RawJson else member_type | None | UnsetType


def _attempt(decode: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def read(text: bytes | RawJson) -> Any:
        # Looked at here as well, as a call takes longer.
        if getrecursionlimit() > SAFE_DEPTH and exhausts_the_stack(text):
            return None
        try:
            return decode(text)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return None

    return read


def unread(row: ResourceObject) -> RawJson:
    """Give the attributes of *row* as JSON text, in other words of the same meaning where they were read already."""
    attributes: Any = row.attributes
    return RawJson(msgspec.json.encode(attributes)) if isinstance(attributes, Members) else attributes


def _document_of(members: type[msgspec.Struct]) -> Any:
    row: Any = msgspec.defstruct(
        "TypedResourceObject",
        [("type", _NAME), ("id", _NAME), ("attributes", members, NO_MEMBERS)],
        bases=(ResourceObject,),
        kw_only=True,
        gc=False,
    )
    data = row | list[row] | UnsetType | None
    return msgspec.defstruct("TypedDocument", [("data", data, ABSENT)], bases=(DocumentShape,), gc=False)
