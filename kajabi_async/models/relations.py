"""Relations as handles: reading one never does I/O, awaiting it may.

``await customer.contact`` returns a contact or None, ``await customer.offers`` a tuple. A handle is a view of its owner
and keeps no state.
"""

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, Generic, NoReturn, Self, TypeVar, cast, overload

from kajabi_async.errors import RelationshipUnavailableError
from kajabi_async.hints import NamesCure, refusing
from kajabi_async.jsonapi.linkage import Identifier, LinkageState, Relationship

if TYPE_CHECKING:
    from kajabi_async.models.resource import Resource

__all__ = ["Relation", "ToMany", "ToManyRelation", "ToOne", "ToOneRelation"]

T = TypeVar("T", bound="Resource")


def _instead(doing: str, *patterns: str) -> Callable[[Any], str]:
    """Return the hint of a handle: what to write, with the name of the relation in place of ``%``."""

    def hint(handle: Any) -> str:
        label, name = handle._label, handle._relation.name  # noqa: SLF001 - of this module
        written = " or ".join(patterns).replace("%", f"...{name}")
        return f"{label} is awaited, not {doing}: write {written}"

    return hint


class _Handle(metaclass=NamesCure):
    """What both kinds of handle know without a request."""

    __slots__ = ("_owner", "_relation")
    _cure = "await it, then call .to_dict() of each resource"

    def __init__(self, owner: "Resource", relation: "Relation") -> None:
        self._owner = owner
        self._relation = relation

    @property
    def ids(self) -> tuple[str, ...] | None:
        """The ids of the related resources, empty if there are none, None while they are not known."""
        ids = self._relationship.ids
        return None if ids is None else tuple(ids)

    @property
    def loaded(self) -> bool:
        """Whether awaiting the handle sends no request."""
        return self.at_hand is not None

    @property
    def at_hand(self) -> "tuple[Resource, ...] | None":
        """The related resources if all are loaded, None if awaiting the handle would send a request."""
        relationship = self._relationship
        return self._owner.origin.scope.all_of(relationship.identifiers) if relationship.is_stated else None

    @property
    def partial(self) -> bool:
        """Whether only a part was requested, with ``offers_per`` or a similar filter: there may be more."""
        return self._owner.origin.scope.is_partial(self._owner.identifier, self._relation.name)

    @property
    def _relationship(self) -> Relationship:
        return self._owner.origin.relationship(self._relation.name)

    async def _resolve(self) -> "tuple[Resource, ...]":
        loaded = self.at_hand
        if loaded is not None:
            return loaded
        resolver = self._owner.origin.scope.resolver
        if resolver is None:
            raise RelationshipUnavailableError(
                f"{self._label} is not loaded and this object is detached from its client (it was pickled or copied); "
                "read it again through the client"
            )
        return await resolver.resolve(self._owner, self._relation)

    @property
    def _label(self) -> str:
        return f"{self._owner.resource_type} {self._owner.id}.{self._relation.name}"

    def __repr__(self) -> str:
        ids = self.ids
        state = "not known yet" if ids is None else f"ids={ids!r}{'' if self.loaded else ', not loaded'}"
        return f"<{type(self).__name__} {self._label}: {state}>"


@refusing(
    {
        "__bool__": _instead("tested", "'if await %'", "'if %.ids', which sends nothing"),
        "__len__": _instead("counted", "'await %', which is one resource or None"),
        "__getitem__": _instead("indexed", "'await %', which is one resource or None"),
        "__iter__": _instead("iterated", "'await %', which is one resource or None"),
        "__aiter__": _instead("iterated", "'await %', which is one resource or None"),
    }
)
class ToOne(_Handle, Generic[T]):
    """A relation to one resource or none; ``await`` returns the resource or None."""

    __slots__ = ()

    @property
    def id(self) -> str | None:
        """The id of the related resource; None if there is none or it is not known, which ``ids`` distinguishes."""
        ids = self.ids
        return ids[0] if ids else None

    def __await__(self) -> Generator[Any, None, T | None]:
        return self._one().__await__()

    if not TYPE_CHECKING:  # With it, type checkers would take any attribute for one of the handle.

        def __getattr__(self, name: str) -> NoReturn:
            message = f"{self._label} is a relation, which has no {name!r}"
            raise AttributeError(f"{message}; await it first: (await ...{self._relation.name}).{name}")

    async def _one(self) -> T | None:
        resources = await self._resolve()
        return cast("T", resources[0]) if resources else None


@refusing(
    {
        "__bool__": _instead("tested", "'if await %'", "'if %.ids', which sends nothing"),
        "__len__": _instead("counted", "len(await %)", "len(%.ids), which sends nothing"),
        "__getitem__": _instead("indexed", "(await %)[0]"),
        "__contains__": _instead("searched", "'in await %'", "compare with %.ids"),
        "__iter__": _instead("iterated", "'for each in await %'"),
        "__aiter__": _instead("iterated", "'for each in await %'"),
    }
)
class ToMany(_Handle, Generic[T]):
    """A relation to any number of resources; ``await`` returns a tuple."""

    __slots__ = ()

    def __await__(self) -> Generator[Any, None, tuple[T, ...]]:
        return self._many().__await__()

    async def _many(self) -> tuple[T, ...]:
        return cast("tuple[T, ...]", await self._resolve())

    if not TYPE_CHECKING:  # With it, type checkers would take any attribute for one of the handle.

        def __getattr__(self, name: str) -> NoReturn:
            message = f"{self._label} is a relation to any number of resources, which has no {name!r}"
            raise AttributeError(f"{message}; await it first: [each.{name} for each in await ...{self._relation.name}]")


class Relation:
    """The declaration of a relation: the type that it leads to, and whether ``include`` can load it."""

    to_many: bool

    def __init__(self, resource_type: str, *, includable: bool = False, through: str = "") -> None:
        """Lead to resources of ``resource_type``; ``includable`` if GET of one owner takes it in ``include``.

        ``through`` is the path of a relation that the API does not state itself, such as ``lessons.media`` for the
        media of a course: all included resources of the type belong to the owner if that path was included.
        """
        self.resource_type = resource_type
        self.includable = includable
        self.through = through
        self.name = ""

    @property
    def include(self) -> str:
        """The path to ``include`` to load it with its owner; empty if the API has none."""
        return self.through or (self.name if self.includable else "")

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def stated(self, identifiers: tuple[Identifier, ...]) -> Relationship:
        """Return a relationship of this kind with the linkage ``identifiers``."""
        return Relationship(LinkageState.TO_MANY if self.to_many else LinkageState.TO_ONE, identifiers)


class ToOneRelation(Relation, Generic[T]):
    """The declaration of a relation to one resource or none."""

    to_many = False

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: "Resource", owner: type) -> ToOne[T]: ...
    def __get__(self, instance: "Resource | None", owner: type) -> "Self | ToOne[T]":
        return self if instance is None else ToOne(instance, self)


class ToManyRelation(Relation, Generic[T]):
    """The declaration of a relation to any number of resources."""

    to_many = True

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: "Resource", owner: type) -> ToMany[T]: ...
    def __get__(self, instance: "Resource | None", owner: type) -> "Self | ToMany[T]":
        return self if instance is None else ToMany(instance, self)
