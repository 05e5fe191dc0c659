"""The one entry: the body of an answer becomes models.

The fast reader is asked for the whole body. Only if it returns None, the body becomes a `Document` and its resource
objects are decoded one by one. What was included stays text until a relation needs it.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, Final, Generic, TypeVar, cast
from weakref import ref

import attrs

from kajabi_async.decoding.decoder import DECODERS, Decoder, class_of
from kajabi_async.errors import AnswerTooLargeError, DecodeError, KajabiError
from kajabi_async.jsonapi.codec import ABSENT, RawJson, ResourceObject, brief, spent_stack
from kajabi_async.jsonapi.document import Document, Included, MalformedRow, Row, included_text, members_of, read_rows
from kajabi_async.jsonapi.limits import TooManyValuesError, most_conversions
from kajabi_async.jsonapi.linkage import MISSING, Identifier
from kajabi_async.models.origin import Scope
from kajabi_async.models.relations import Relation
from kajabi_async.models.resource import Resource
from kajabi_async.models.unreadable import dotted
from kajabi_async.structs import Struct

__all__ = ["PageContent", "link_included", "read_page", "read_resource", "read_samples", "refuse_stranger"]

R = TypeVar("R", bound=Resource)

_DATA: Final = ("data",)
"""The path of the primary resources."""
_OF_A_RELATION: Final = 4
"""How many values that are converted take as long as one relation."""
_TYPE_NOT_STATED: Final = frozenset({"me"})
"""The classes whose resources may be of any type."""


@attrs.frozen
class PageContent(Generic[R]):
    """One page of a list: its rows in order, each malformed one as its error, and the top-level members."""

    rows: "tuple[R | DecodeError, ...]"
    links: Mapping[str, Any]
    meta: Mapping[str, Any]


def read_resource(body: bytes, *, cls: type[R], scope: Scope, context: str) -> R:
    """Read the answer of a show, create or update.

    DecodeError if it is not one resource object of *cls*. ConfigurationError, as from `read_page` and `read_samples`,
    if the caller's own recursion leaves no room on the stack.
    """
    decoder: Decoder[R] = DECODERS[cls]
    try:
        read = None if decoder.fast is None else decoder.fast.read_one(body, scope)
        if read is None:
            document = Document.from_bytes(body, context=context, most_elements=scope.most_elements)
            resource, included = _only_resource(document, decoder, scope, context), document.included
        else:
            resource, text = read
            included = () if text is ABSENT else _included(text, scope, context)
    except (RecursionError, TooManyValuesError) as error:
        raise _ended(error, scope, context) from None
    if included:
        # A weak reference, so that the answer is freed at once if no relation is read: only its resource leads here.
        scope.unread = _UnreadIncluded(included, ref(resource))
        if scope.query.fields and scope.fields_of(cls.resource_type) is not None:
            link_included(resource, scope.query.include)
    if decoder.through and scope.query.include:
        _link_through(resource, decoder.through, scope.query.include)
    return resource


def _ended(error: RecursionError | TooManyValuesError, scope: Scope, context: str) -> KajabiError:
    if isinstance(error, RecursionError):
        return spent_stack(context)
    most = most_conversions(scope.most_elements)
    problem = f"more than {most} values to convert, which is what a limit of {scope.most_elements} elements allows"
    return AnswerTooLargeError(problem, context=context)


def refuse_stranger(resource: Resource, requested_id: str, *, context: str) -> None:
    """Raise DecodeError if *resource* does not have the *requested_id*.

    Acting on another record than the requested one is worse than any error.
    """
    if resource.id != requested_id:
        raise DecodeError(f"asked for id {requested_id!r}, got {resource.id[:60]!r}", path="data.id", context=context)


def read_page(body: bytes, *, cls: type[R], scope: Scope, context: str) -> PageContent[R]:
    """Read one page of a list; each malformed row is a DecodeError in its place.

    DecodeError if it is no page at all, AnswerTooLargeError if it has more rows than the limit of *scope* allows.
    """
    decoder: Decoder[R] = DECODERS[cls]
    rows: tuple[R | DecodeError, ...]
    try:
        read = None if decoder.fast is None else decoder.fast.read_page(body, scope)
        if read is None:
            document = Document.from_bytes(body, context=context, most_elements=scope.most_elements)
            rows = tuple(_each(document.many(context=context), decoder, scope, context))
            links, meta, included = document.links, document.meta, document.included
        else:
            rows, shape = read
            links, meta = members_of(shape.links, context), members_of(shape.meta, context)
            included = () if shape.included is ABSENT else _included(shape.included, scope, context)
    except (RecursionError, TooManyValuesError) as error:
        raise _ended(error, scope, context) from None
    if included:
        scope.unread = _UnreadIncluded(included, lambda: rows)
    return PageContent(rows, links, meta)


def read_samples(
    array: bytes | RawJson, *, scope: Scope, context: str, within: tuple[str, ...] = ()
) -> tuple[Resource, ...]:
    """Read a bare *array* of resource objects of any types, as hook samples and deliveries carry it.

    *within* is the path that leads to it. DecodeError for the first malformed one.
    """
    resources: list[Resource] = []
    try:
        rows = read_rows(array, place=dotted(within), context=context, most_elements=scope.most_elements)
        for index, row in enumerate(rows):
            if isinstance(row, MalformedRow):
                raise row.error
            resources.append(DECODERS[class_of(row.type)].read(row, scope, context, within, index))
    except (RecursionError, TooManyValuesError) as error:
        raise _ended(error, scope, context) from None
    scope.known.update({resource.identifier: resource for resource in resources})
    return tuple(resources)


def _only_resource(document: Document, decoder: Decoder[R], scope: Scope, context: str) -> R:
    row = document.one(context=context)
    if row is None:
        raise DecodeError("a resource object was expected, null came", path="data", context=context)
    _refuse_type(row, decoder.cls, "data", context)
    return decoder.read(row, scope, context, _DATA)


def _each(rows: Iterable[Row], decoder: Decoder[R], scope: Scope, context: str) -> "Iterator[R | DecodeError]":
    for index, row in enumerate(rows):
        try:
            if isinstance(row, MalformedRow):
                yield row.error
            else:
                _refuse_type(row, decoder.cls, f"data[{index}]", context)
                yield decoder.read(row, scope, context, _DATA, index)
        except DecodeError as error:
            yield error


def _refuse_type(row: ResourceObject, cls: type[Resource], path: str, context: str) -> None:
    if row.type != cls.resource_type and cls.resource_type not in _TYPE_NOT_STATED:
        problem = f"expected a resource of type {cls.resource_type!r}, got {brief(row.type)}"
        raise DecodeError(problem, path=f"{path}.type", context=context)


def _included(text: RawJson, scope: Scope, context: str) -> tuple[Included, ...]:
    # In a shorter text there cannot be too many.
    if len(text) > scope.most_elements:
        return (included_text(text, "included", context, scope.most_elements),)
    return (Included("included", text.copy(), context),)


class _UnreadIncluded(Struct):
    """What was included with the primary resources of an answer, kept as text."""

    parts: tuple[Included, ...]
    primary: Callable[[], object]
    """Returns the one primary resource, or the rows of a page."""

    def read_into(self, scope: Scope) -> None:
        """Add the primary resources and what was included with them to those that *scope* has loaded.

        A malformed included resource is left out, so that its relation can still fetch it; so are the rest of them if
        they have too many values to convert.
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
                    resource = DECODERS[class_of(row.type)].read(row, scope, part.context, within, index)
                except DecodeError:
                    continue
                except TooManyValuesError:
                    return
                known[resource.identifier] = resource


def link_included(owner: Resource, paths: Collection[str]) -> None:
    """Link *owner*, the one primary resource, to what was included along *paths*, if sparse fields dropped its linkage.

    Included resources belong to *owner* only if they came along the path of that relation (JSON:API, "full linkage").
    A relation to which another path may have brought resources of the same type stays unknown, and so does one that
    the answer mentions.
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
    """Link *owner* through those *relations* that lead along one of *paths* to what was included along it."""
    for relation in relations:
        if relation.through in paths and owner.origin.relationship(relation.name) is MISSING:
            known = owner.origin.scope.known
            found = tuple(each for each in known if each.type == relation.resource_type)
            owner.origin.set_relationship(relation.name, relation.stated(found))


def _brought_by_another_path(cls: type[Resource], name: str, paths: Iterable[str]) -> bool:
    """Return whether included resources of the type that relation *name* leads to may belong to another owner."""
    leads_to = cls.relations[name].resource_type
    return any(
        resource_type in {leads_to, None} and (depth > 0 or step != name)
        for path in paths
        for depth, (step, resource_type) in enumerate(_steps(cls, path))
    )


def _steps(cls: type[Resource], path: str) -> Iterator[tuple[str, str | None]]:
    """Yield each step of *path* with the type that it leads to; the last one with None if that is not known."""
    for step in path.split("."):
        relation = cls.relations.get(step)
        if relation is None:
            yield step, None
            return
        yield step, relation.resource_type
        cls = class_of(relation.resource_type)


def _included_for(owner: Resource, resource_type: str, paths: Iterable[str]) -> tuple[Identifier, ...]:
    """Return the included resources of a type, without those linked by a resource that was not requested.

    None if these link to too many to find that out.
    """
    requested = {leads_to for path in paths for _, leads_to in _steps(type(owner), path)}
    known = owner.origin.scope.known
    unrequested = (each for each in known.values() if each is not owner and each.resource_type not in requested)
    try:
        theirs = {linked for each in unrequested for linked in _linked_from(each)}
    except TooManyValuesError:
        return ()
    return tuple(each for each in known if each.type == resource_type and each not in theirs)


def _linked_from(owner: Resource) -> Iterator[Identifier]:
    for relationship in owner.origin.relationships.values():
        owner.origin.scope.count_conversions(_OF_A_RELATION + len(relationship.identifiers))
        yield from relationship.identifiers
