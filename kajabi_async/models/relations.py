"""Relations as handles: reading one never does I/O, awaiting it does where it must.

``await customer.contact`` gives a contact or None, ``await customer.offers`` a tuple. A handle is a view on what its
owner knows; nothing is kept in it.
"""

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Generic, NoReturn, Self, TypeVar, cast, overload

from kajabi_async.errors import RelationshipUnavailableError
from kajabi_async.jsonapi.linkage import Identifier, LinkageState, Relationship

if TYPE_CHECKING:
    from kajabi_async.models.resource import Resource

__all__ = ["Relation", "ToMany", "ToManyRelation", "ToOne", "ToOneRelation"]

T = TypeVar("T", bound="Resource")


class _Handle:
    """What both kinds of handle tell without asking anybody."""

    __slots__ = ("_owner", "_relation")

    def __init__(self, owner: "Resource", relation: "Relation") -> None:
        self._owner = owner
        self._relation = relation

    @property
    def ids(self) -> tuple[str, ...] | None:
        """The ids of the related resources, empty where there are none, None while they are not known."""
        relationship = self._relationship
        return tuple(identifier.id for identifier in relationship.identifiers) if relationship.is_stated else None

    @property
    def loaded(self) -> bool:
        """Whether awaiting the handle costs no request."""
        return self.at_hand is not None

    @property
    def at_hand(self) -> "tuple[Resource, ...] | None":
        """The related resources where all of them are known, None where awaiting the handle would cost a request."""
        relationship = self._relationship
        return self._owner.origin.scope.all_of(relationship.identifiers) if relationship.is_stated else None

    @property
    def partial(self) -> bool:
        """Whether only a part was asked for, with ``offers_per`` and its like: there may be more than these."""
        return self._owner.origin.scope.is_partial(self._owner.identifier, self._relation.name)

    @property
    def _relationship(self) -> Relationship:
        return self._owner.origin.relationship(self._relation.name)

    async def _resolve(self) -> "tuple[Resource, ...]":
        at_hand = self.at_hand
        if at_hand is not None:
            return at_hand
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


class ToOne(_Handle, Generic[T]):
    """A relation to one resource or none; ``await`` gives the resource or None."""

    __slots__ = ()

    @property
    def id(self) -> str | None:
        """The id of the related resource; None where there is none or it is not known: ``ids`` tells the two apart."""
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


class ToMany(_Handle, Generic[T]):
    """A relation to any number of resources; ``await`` gives a tuple."""

    __slots__ = ()

    def __await__(self) -> Generator[Any, None, tuple[T, ...]]:
        return self._many().__await__()

    async def _many(self) -> tuple[T, ...]:
        return cast("tuple[T, ...]", await self._resolve())

    if not TYPE_CHECKING:  # With it, type checkers would let it be iterated.

        def __iter__(self) -> Any:
            return self.__aiter__()

    def __aiter__(self) -> Any:
        raise TypeError(f"{self._label} is awaited, not iterated: write 'for each in await ...{self._relation.name}'")


class Relation:
    """A relation of a class of resources: where it leads, and whether an answer can carry it with ``include``."""

    to_many: bool

    def __init__(self, resource_type: str, *, includable: bool = False, through: str = "") -> None:
        """Lead to resources of *resource_type*; *includable* if GET of one owner takes it in ``include``.

        *through* is the path of a relation that the API does not state itself, such as ``lessons.media`` for the media
        of a course: whatever of the type an answer about one owner includes along that path is the owner's.
        """
        self.resource_type = resource_type
        self.includable = includable
        self.through = through
        self.name = ""

    @property
    def include(self) -> str:
        """What to ask for in ``include`` to have it along; empty if the API offers nothing."""
        return self.through or (self.name if self.includable else "")

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def identify(self, resource_id: str) -> Identifier:
        """Give the identifier of a resource this relation leads to."""
        return Identifier(self.resource_type, resource_id)

    def stated(self, identifiers: tuple[Identifier, ...]) -> Relationship:
        """Give a relationship of this kind whose linkage is *identifiers*."""
        return Relationship(LinkageState.TO_MANY if self.to_many else LinkageState.TO_ONE, identifiers)


class ToOneRelation(Relation, Generic[T]):
    """Declares a relation to one resource or none."""

    to_many = False

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: "Resource", owner: type) -> ToOne[T]: ...
    def __get__(self, instance: "Resource | None", owner: type) -> "Self | ToOne[T]":
        return self if instance is None else ToOne(instance, self)


class ToManyRelation(Relation, Generic[T]):
    """Declares a relation to any number of resources."""

    to_many = True

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: "Resource", owner: type) -> ToMany[T]: ...
    def __get__(self, instance: "Resource | None", owner: type) -> "Self | ToMany[T]":
        return self if instance is None else ToMany(instance, self)
