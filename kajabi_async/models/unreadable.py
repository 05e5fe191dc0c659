"""Attributes whose values cannot be read: what is recorded of each, and the error that reading it raises."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from kajabi_async.errors import UnreadableAttributeError
from kajabi_async.plain import plain

__all__ = ["NONE_UNREADABLE", "PartlyRead", "Steps", "Unreadable", "dotted"]

Steps = tuple[str | int, ...]
"""The names and indices that lead from the top of a document to a value."""


class Unreadable(NamedTuple):
    """One value that cannot be read, without the value."""

    expected: str
    kind: str
    """The kind of the value, such as ``text``."""
    steps: Steps

    def error(self, name: str, resource_type: str, resource_id: str) -> UnreadableAttributeError:
        """Return the error for reading the attribute called ``name``."""
        return UnreadableAttributeError(
            name,
            resource_type=resource_type,
            resource_id=resource_id,
            path=dotted(self.steps),
            pointer=_pointer(self.steps),
            expected=self.expected,
            kind=self.kind,
        )


NONE_UNREADABLE: Final[Mapping[str, Unreadable]] = {}


class PartlyRead(Mapping[str, Any]):
    """A mapping with values that cannot be read: their names are in it, reading one raises UnreadableAttributeError."""

    __slots__ = ("_owner", "_unreadable", "readable")

    def __init__(
        self, readable: Mapping[str, Any], unreadable: Mapping[str, Unreadable], *, owner: tuple[str, str]
    ) -> None:
        """Hold the ``readable`` values and those ``unreadable``, of the ``owner`` with this type and id."""
        self.readable = dict(readable)
        self._unreadable = dict(unreadable)
        self._owner = owner

    def __getitem__(self, name: str) -> Any:
        unreadable = self._unreadable.get(name)
        if unreadable is not None:
            raise unreadable.error(name, *self._owner)
        return self.readable[name]

    def __contains__(self, name: object) -> bool:
        return name in self.readable or name in self._unreadable

    def __iter__(self) -> Iterator[str]:
        yield from self.readable
        yield from self._unreadable

    def __len__(self) -> int:
        return len(self.readable) + len(self._unreadable)

    def to_dict(self) -> dict[str, Any]:
        """Return the values that can be read, JSON-ready."""
        return {name: plain(value) for name, value in self.readable.items()}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PartlyRead):
            return NotImplemented
        return self.readable == other.readable and self._unreadable == other._unreadable

    __hash__ = None  # type: ignore[assignment]  # like a dict

    def __repr__(self) -> str:
        shown = [f"{name!r}: {value!r}" for name, value in self.readable.items()]
        shown += [f"{name!r}: <unreadable: {each.kind}>" for name, each in self._unreadable.items()]
        return f"{{{', '.join(shown)}}}"


def dotted(steps: Iterable[str | int]) -> str:
    """Return the path of ``steps`` as text, such as ``data[3].attributes.name``."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).removeprefix(".")


def _pointer(steps: Steps) -> str:
    # The two escapes of RFC 6901, section 3, in its order.
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in steps)
