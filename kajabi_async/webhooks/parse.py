"""The body of a delivery to a typed event, or to an error that says what was seen in its place."""

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, cast

from kajabi_async.decoding.answers import link_included, read_samples
from kajabi_async.errors import AnswerTooLargeError, DecodeError, InvalidArgumentError, RelationshipUnavailableError
from kajabi_async.jsonapi.codec import RawJson, decode_text, split_members
from kajabi_async.jsonapi.limits import excess_in, is_deeper
from kajabi_async.models.relations import Relation
from kajabi_async.models.resource import Resource, Scope
from kajabi_async.webhooks.dashboard import (
    DASHBOARD_EVENTS,
    DashboardEvents,
    delivery_id,
    kind_of,
    read_dashboard_event,
)
from kajabi_async.webhooks.errors import DeliveryTooLargeError, MalformedDeliveryError, UnknownDeliveryError
from kajabi_async.webhooks.events import (
    EVENTS,
    Event,
    FormSubmissionEvent,
    OrderCreatedEvent,
    PaymentSucceededEvent,
    PurchaseEvent,
    TagAddedEvent,
    TagRemovedEvent,
)

if TYPE_CHECKING:
    from kajabi_async.client import Kajabi

__all__ = ["MAX_BYTES", "MAX_ELEMENTS", "KnownEvent", "parse"]

KnownEvent = (
    PurchaseEvent
    | PaymentSucceededEvent
    | OrderCreatedEvent
    | FormSubmissionEvent
    | TagAddedEvent
    | TagRemovedEvent
    | DashboardEvents
)
"""What `parse` returns; ``match`` over it is checked for completeness by type checkers."""

MAX_BYTES: Final = 1_048_576
"""The largest delivery that is read unless another limit is given; the samples of Kajabi are below 5 KB."""

MAX_ELEMENTS: Final = 20_000
"""The most elements of a delivery that is read unless another limit is given: each comma outside of text counts as one,
each opening bracket as two. The samples of Kajabi have below 200."""

_MAX_DEPTH: Final = 64
_BEGINNING: Final = 2**12
_A_NAME: Final = re.compile(r"[a-z][a-z0-9_.]{0,63}")
_PLACE: Final = re.compile(r"\[[0-9]+\](\.[a-z_0-9]+){0,2}")


def parse(
    body: bytes,
    *,
    api: "Kajabi | None" = None,
    max_bytes: int = MAX_BYTES,
    max_elements: int = MAX_ELEMENTS,
    strict: bool = False,
) -> KnownEvent:
    """Read the *body* of a delivery of ``/v1/hooks`` or of a webhook of the dashboard.

    Relations of its resources lead to what came along; with *api* they fetch the rest, without it awaiting one raises
    RelationshipUnavailableError. Nothing is sent by parsing. The body proves nothing of who sent it: see `PathSecrets`.
    DeliveryTooLargeError above *max_bytes* or *max_elements*, before anything is decoded; MalformedDeliveryError for
    what is no JSON, nested more than 64 levels deep or of another shape than its event; UnknownDeliveryError for other
    events. An attribute that cannot be read raises UnreadableAttributeError when it is read; with *strict*, or an *api*
    that is, the delivery is malformed.
    """
    members = _members(body, max_bytes, max_elements)
    name = _decoded(members["event"])
    if isinstance(name, str) and name in EVENTS:
        return _event(EVENTS[name], members, _scope(api, max_elements, strict=strict), max_bytes)
    if isinstance(name, str) and name in DASHBOARD_EVENTS:
        return read_dashboard_event(name, {member: _decoded(text) for member, text in members.items()})
    # Anything could stand here; only what looks like the name of an event is repeated.
    raise UnknownDeliveryError(event=name if isinstance(name, str) and _A_NAME.fullmatch(name) else None)


def _members(body: Any, max_bytes: int, max_elements: int) -> Mapping[str, RawJson]:
    if not isinstance(body, bytes):
        raise InvalidArgumentError(f"the body is needed as bytes, as it came; got {type(body).__name__}")
    if len(body) > max_bytes:
        raise DeliveryTooLargeError(limit=max_bytes)
    if excess := excess_in(body, max_elements, "max_elements"):
        if is_deeper(body[:_BEGINNING], _MAX_DEPTH):
            raise MalformedDeliveryError("nested too deeply")
        raise DeliveryTooLargeError(limit=max_bytes, excess=excess)
    members = _split(body)
    if is_deeper(body, _MAX_DEPTH):
        raise MalformedDeliveryError(f"nested more than {_MAX_DEPTH} levels deep")
    if "event" not in members:
        raise MalformedDeliveryError("it has no event, as every delivery has")
    return members


def _split(body: bytes) -> dict[str, RawJson]:
    with suppress(DecodeError):
        return split_members(body)
    raise MalformedDeliveryError(f"an object was expected, {kind_of(_decoded(body))} came")


def _decoded(text: bytes | RawJson) -> Any:
    try:
        return decode_text(text, context="")
    except DecodeError as error:
        problem = _without_values(error)
    # Outside the handler, here and below: the first error may repeat values, and would be the context of this one.
    raise MalformedDeliveryError(problem)


def _event(cls: type[Event], members: Mapping[str, RawJson], scope: Scope, max_bytes: int) -> KnownEvent:
    identity = delivery_id(cls.name, _decoded(members.get("id", b"null")))
    payload = members.get("payload", RawJson(b"null"))
    if not bytes(payload).startswith(b"["):
        problem = f"an array of resource objects was expected, {kind_of(_decoded(payload))} came"
        raise MalformedDeliveryError(problem, path="payload", event=cls.name)
    resources = _resources(cls.name, payload, scope, max_bytes)
    carried = {name: _first(resources, wanted, cls.name) for name, wanted in cls.carries().items()}
    primary = next(iter(carried.values()))
    _tie(primary, cls.tied)
    fields: dict[str, Any] = {"id": identity, "resources": resources, **carried}
    return cast("KnownEvent", cls(**fields))


def _resources(event: str, payload: RawJson, scope: Scope, max_bytes: int) -> tuple[Resource, ...]:
    excess = path = ""
    try:
        return read_samples(payload, scope=scope, context="", within=("payload",))
    except AnswerTooLargeError as error:
        problem = excess = error.problem
    except DecodeError as error:
        place = _PLACE.match(error.path.removeprefix("payload"))
        problem, path = _without_values(error), f"payload{place[0] if place else ''}"
    if excess:
        raise DeliveryTooLargeError(limit=max_bytes, excess=excess)
    raise MalformedDeliveryError(problem, path=path, event=event)


def _first(resources: tuple[Resource, ...], wanted: type[Resource], event: str) -> Resource:
    for resource in resources:
        if isinstance(resource, wanted):
            return resource
    types = dict.fromkeys(resource.resource_type for resource in resources)
    came = ", ".join(name for name in types if _A_NAME.fullmatch(name)) or "none that is known"
    problem = f"a resource of type {wanted.resource_type!r} was expected; of these types some came: {came}"
    raise MalformedDeliveryError(problem, path="payload", event=event)


def _tie(primary: Resource, names: tuple[str, ...]) -> None:
    """Let relations that the primary resource does not mention lead to the one resource they can lead to."""
    for name in names:
        leads_to = type(primary).relations[name].resource_type
        if sum(each.type == leads_to for each in primary.origin.scope.known) == 1:
            link_included(primary, (name,))


def _scope(api: "Kajabi | None", max_elements: int, *, strict: bool) -> Scope:
    scope = Scope(resolver=_Unconnected()) if api is None else api.hooks.delivery_scope()
    scope.strict = scope.strict or strict
    scope.most_elements = max_elements
    return scope


class _Unconnected:
    """The resolver of a delivery that was read without a client."""

    async def resolve(self, owner: Resource, relation: Relation) -> tuple[Resource, ...]:
        raise RelationshipUnavailableError(
            f"the {relation.name} of {owner.resource_type} {owner.id} did not come with the delivery; "
            "read it with parse(body, api=...) or Receiver(..., api=...) to have it fetched"
        )


def _without_values(error: DecodeError) -> str:
    # What came instead is left out, as it is about people, and so is the decoder's place, as long as the body is deep.
    return error.problem.partition(", got ")[0].partition(" - at ")[0]
