"""An answer's body as models: the primary resources, and in their scope whatever was included."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, Final, Generic, TypeVar, cast
from weakref import ref

import attrs

from kajabi_async.decoding.decoder import PLANS, Plan, class_of
from kajabi_async.errors import DecodeError
from kajabi_async.jsonapi.codec import ResourceObject, brief, spent_stack
from kajabi_async.jsonapi.document import Document, Included, MalformedRow, Row
from kajabi_async.jsonapi.linkage import MISSING, Identifier
from kajabi_async.models.relations import Relation
from kajabi_async.models.resource import Resource, Scope

__all__ = ["PageContent", "link_included", "read_page", "read_resource", "read_samples", "refuse_stranger"]

R = TypeVar("R", bound=Resource)

_DATA: Final = ("data",)
"""Where the primary resources stand."""


@attrs.frozen
class PageContent(Generic[R]):
    """One page of a list: its rows in order, a malformed one as the error it gave, and the top-level members."""

    rows: "tuple[R | DecodeError, ...]"
    links: Mapping[str, Any]
    meta: Mapping[str, Any]


def read_resource(body: bytes, *, cls: type[R], scope: Scope, context: str) -> R:
    """Read the answer of a show, create or update; DecodeError where it is not one resource object of *cls*.

    Like `read_page` and `read_samples`, ConfigurationError if the caller's own recursion leaves no room to read it.
    """
    plan: Plan[R] = PLANS[cls]
    try:
        row, included = Document.one_from(
            body, context=context, typed=plan.typed_document, most_elements=scope.most_elements
        )
        if row is None:
            raise DecodeError("a resource object was expected, null came", path="data", context=context)
        if row.type != cls.resource_type:
            _refuse_type(row, cls, "data", context)
        instance = plan.build(row, scope, context, _DATA)
    except RecursionError:
        raise spent_stack(context) from None
    if included:
        # Weakly, so that an answer nobody looks into is freed at once: whoever looks comes by way of this instance.
        scope.unread = _UnreadIncluded(included, ref(instance))
        if scope.fields_of(cls.resource_type) is not None:
            link_included(instance, scope.query.include)
    if plan.through and scope.query.include:
        _link_through(instance, plan.through, scope.query.include)
    return instance


def refuse_stranger(resource: Resource, asked_for: str, *, context: str) -> None:
    """DecodeError where *resource* is not the one that was *asked_for* by id.

    Acting on a stranger's record is worse than any error.
    """
    if resource.id != asked_for:
        raise DecodeError(f"asked for id {asked_for!r}, got {resource.id[:60]!r}", path="data.id", context=context)


def link_included(owner: Resource, paths: Collection[str]) -> None:
    """State relations of *owner*, the one primary resource, by what was included, if sparse fields dropped its linkage.

    What was included along *paths* belongs to *owner* only if it came along the path of that relation (JSON:API, "full
    linkage"). A relation to which another path may have brought resources of the same type stays unknown, and so does
    one that the answer mentions.
    """
    for name in dict.fromkeys(path.partition(".")[0] for path in paths):
        relation = type(owner).relations.get(name)
        if relation is None or owner.origin.relationship(name) is not MISSING:
            continue
        if _brought_by_another_path(type(owner), name, paths):
            continue
        found = _included_for(owner, relation.resource_type, paths)
        if found and (relation.to_many or len(found) == 1):
            owner.origin.set_relationship(name, relation.stated(found))


def _link_through(owner: Resource, relations: Iterable[Relation], paths: Collection[str]) -> None:
    """State those *relations* of *owner* that lead along one of *paths*, by what was included along it."""
    for relation in relations:
        if relation.through in paths and owner.origin.relationship(relation.name) is MISSING:
            known = owner.origin.scope.known
            found = tuple(each for each in known if each.type == relation.resource_type)
            owner.origin.set_relationship(relation.name, relation.stated(found))


def _brought_by_another_path(cls: type[Resource], name: str, paths: Iterable[str]) -> bool:
    """Return whether included resources of the type that relation *name* leads to may belong to somebody else."""
    leads_to = cls.relations[name].resource_type
    return any(
        resource_type in {leads_to, None} and (depth > 0 or step != name)
        for path in paths
        for depth, (step, resource_type) in enumerate(_steps(cls, path))
    )


def _steps(cls: type[Resource], path: str) -> Iterator[tuple[str, str | None]]:
    """Yield each step of *path* with the type it leads to, None if that is not known."""
    for step in path.split("."):
        relation = cls.relations.get(step)
        yield step, None if relation is None else relation.resource_type
        cls = Resource if relation is None else class_of(relation.resource_type)


def _included_for(owner: Resource, resource_type: str, paths: Iterable[str]) -> tuple[Identifier, ...]:
    """Return the included resources of a type, without those that belong to a resource that was not asked for."""
    requested = {leads_to for path in paths for _, leads_to in _steps(type(owner), path)}
    known = owner.origin.scope.known
    unrequested = (each for each in known.values() if each is not owner and each.resource_type not in requested)
    theirs = {
        linked
        for each in unrequested
        for relationship in each.origin.relationships.values()
        for linked in relationship.identifiers
    }
    return tuple(each for each in known if each.type == resource_type and each not in theirs)


def read_page(body: bytes, *, cls: type[R], scope: Scope, context: str) -> PageContent[R]:
    """Read one page of a list; a malformed row stands in its place as a DecodeError.

    AnswerTooLargeError if it has more rows than the limit of its scope allows.
    """
    plan: Plan[R] = PLANS[cls]
    try:
        document = Document.from_bytes(
            body, context=context, typed=plan.typed_document, most_elements=scope.most_elements
        )
        rows = tuple(_models(document.many(context=context), plan, scope, context))
    except RecursionError:
        raise spent_stack(context) from None
    if document.included:
        scope.unread = _UnreadIncluded(document.included, lambda: rows)
    return PageContent(rows, document.links, document.meta)


def read_samples(body: bytes, *, scope: Scope, context: str, within: tuple[str, ...] = ()) -> tuple[Resource, ...]:
    """Read a bare array of resource objects of any types, as hook samples and deliveries carry them.

    *within* are the names of the members that lead to it, from the top of what came.
    """
    try:
        resources = _samples_in(body, scope, context, within)
    except RecursionError:
        raise spent_stack(context) from None
    scope.known.update({resource.identifier: resource for resource in resources})
    return tuple(resources)


def _samples_in(body: bytes, scope: Scope, context: str, within: tuple[str, ...]) -> list[Resource]:
    document = Document.from_bytes(b'{"data":' + body + b"}", context=context, most_elements=scope.most_elements)
    resources: list[Resource] = []
    for index, row in enumerate(document.many(context=context)):
        if isinstance(row, MalformedRow):
            raise row.error
        resources.append(PLANS[class_of(row.type)].build(row, scope, context, within, index))
    return resources


def _models(rows: Iterable[Row], plan: Plan[R], scope: Scope, context: str) -> "Iterator[R | DecodeError]":
    build, expected = plan.build, plan.cls.resource_type
    for index, row in enumerate(rows):
        try:
            if isinstance(row, MalformedRow):
                yield row.error
            else:
                if row.type != expected:
                    _refuse_type(row, plan.cls, f"data[{index}]", context)
                yield build(row, scope, context, _DATA, index)
        except DecodeError as error:
            yield error


def _refuse_type(row: ResourceObject, cls: type[Resource], path: str, context: str) -> None:
    if cls.resource_type not in _TYPE_NOT_STATED:
        problem = f"expected a resource of type {cls.resource_type!r}, got {brief(row.type)}"
        raise DecodeError(problem, path=f"{path}.type", context=context)


_TYPE_NOT_STATED = frozenset({"me"})


@attrs.define(eq=False, repr=False)
class _UnreadIncluded:
    """What was included with the primary resources of an answer, kept as text."""

    parts: tuple[Included, ...]
    primary: Callable[[], object]
    """Returns the one primary resource, or the rows of a page."""

    def read_into(self, scope: Scope) -> None:
        """Add the primary resources and what was included with them to those that *scope* has loaded.

        A malformed included resource is left out, so that its relation can still fetch it.
        """
        known = scope.known
        primary = self.primary()
        rows = cast("tuple[object, ...]", primary) if isinstance(primary, tuple) else (primary,)
        known.update({row.identifier: row for row in rows if isinstance(row, Resource)})
        for part in self.parts:
            within = tuple(part.place.split("."))
            for index, row in enumerate(part.rows()):
                if isinstance(row, MalformedRow) or (row.type, row.id) in known:
                    continue
                try:
                    instance = PLANS[class_of(row.type)].build(row, scope, part.context, within, index)
                except DecodeError:
                    continue
                known[instance.identifier] = instance
