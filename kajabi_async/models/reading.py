"""An answer's body as models: the primary resources, and in their scope whatever was included."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Generic, TypeVar, cast
from weakref import ref

import attrs

from kajabi_async.errors import DecodeError
from kajabi_async.jsonapi.decoding import ResourceObject, brief, spent_stack
from kajabi_async.jsonapi.document import Document, Included, MalformedRow, Row
from kajabi_async.jsonapi.relationships import MISSING
from kajabi_async.models.base import Resource
from kajabi_async.models.convert import PLANS, Plan, class_of, unfit
from kajabi_async.models.origin import Scope
from kajabi_async.models.values import Refused

__all__ = ["PageContent", "read_page", "read_resource", "read_samples", "refuse_stranger", "tie_orphans"]

R = TypeVar("R", bound=Resource)


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
        row, included = Document.one_from(body, context=context, typed=plan.typed_document)
        if row is None:
            raise DecodeError("a resource object was expected, null came", path="data", context=context)
        if row.type != cls.resource_type:
            _refuse_type(row, cls, "data", context)
        instance = plan.build(row, scope, context)
    except Refused as refused:
        raise unfit(refused, "data", context) from None
    except RecursionError:
        raise spent_stack(context) from None
    if included:
        # Weakly, so that an answer nobody looks into is freed at once: whoever looks comes by way of this instance.
        scope.unread = _read_included, (included, ref(instance))
        if cls.resource_type in scope.query.fields:
            tie_orphans(instance, scope.query.include)
    return instance


def refuse_stranger(resource: Resource, asked_for: str, *, context: str) -> None:
    """DecodeError where *resource* is not the one that was *asked_for* by id.

    Acting on a stranger's record is worse than any error.
    """
    if resource.id != asked_for:
        raise DecodeError(f"asked for id {asked_for!r}, got {resource.id[:60]!r}", path="data.id", context=context)


def tie_orphans(owner: Resource, names: Iterable[str]) -> None:
    """Tie included resources to *owner*, the one primary resource, where sparse fields dropped the linkage.

    What was included for a relation can only be what that relation leads to (JSON:API, "full linkage"), so relations
    called *names* that the answer does not mention are told by the type of what came.
    """
    for name in names:
        relation = type(owner).relations.get(name)
        if relation is None or owner.origin.relationship(name) is not MISSING:
            continue
        found = tuple(each for each in owner.origin.scope.known if each.type == relation.resource_type)
        if found:
            owner.origin.learn(name, relation.stated(found))


def read_page(body: bytes, *, cls: type[R], scope: Scope, context: str) -> PageContent[R]:
    """Read one page of a list; a malformed row stands in its place as a DecodeError.

    AnswerTooLargeError if it has more rows than a page of its size may have.
    """
    plan: Plan[R] = PLANS[cls]
    try:
        document = Document.from_bytes(body, context=context, typed=plan.typed_document)
        rows = tuple(_models(document.many(context=context), plan, scope, context))
    except RecursionError:
        raise spent_stack(context) from None
    if document.included:
        scope.unread = _read_included, (document.included, lambda: rows)
    return PageContent(rows, document.links, document.meta)


def read_samples(body: bytes, *, scope: Scope, context: str) -> tuple[Resource, ...]:
    """Read a bare array of resource objects of any types, as hook samples and deliveries carry them."""
    try:
        resources = _samples_in(body, scope, context)
    except RecursionError:
        raise spent_stack(context) from None
    scope.known.update({resource.identifier: resource for resource in resources})
    return tuple(resources)


def _samples_in(body: bytes, scope: Scope, context: str) -> list[Resource]:
    document = Document.from_bytes(b'{"data":' + body + b"}", context=context)
    resources: list[Resource] = []
    for index, row in enumerate(document.many(context=context)):
        if isinstance(row, MalformedRow):
            raise row.error
        resources.append(PLANS[class_of(row.type)].model(row, scope, f"[{index}]", context))
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
                yield build(row, scope, context)
        except Refused as refused:
            yield unfit(refused, f"data[{index}]", context)
        except DecodeError as error:
            yield error


def _refuse_type(row: ResourceObject, cls: type[Resource], path: str, context: str) -> None:
    if cls.resource_type not in _TYPE_NOT_STATED:
        problem = f"expected a resource of type {cls.resource_type!r}, got {brief(row.type)}"
        raise DecodeError(problem, path=f"{path}.type", context=context)


_TYPE_NOT_STATED = frozenset({"me"})


def _read_included(scope: Scope, unread: "tuple[tuple[Included, ...], Callable[[], object]]") -> None:
    """Make the primary resources known, and what was included with them.

    A malformed one is left out, so that its relation can still fetch it.
    """
    included, give_primary = unread
    known = scope.known
    primary = give_primary()
    rows = cast("tuple[object, ...]", primary) if isinstance(primary, tuple) else (primary,)
    known.update({row.identifier: row for row in rows if isinstance(row, Resource)})
    for part in included:
        for index, row in enumerate(part.rows()):
            if isinstance(row, MalformedRow) or (row.type, row.id) in known:
                continue
            try:
                instance = PLANS[class_of(row.type)].model(row, scope, f"{part.place}[{index}]", part.context)
            except DecodeError:
                continue
            known[instance.identifier] = instance
