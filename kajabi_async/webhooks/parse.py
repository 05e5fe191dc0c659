"""Parsing of the body of a delivery into a typed event, or an error that says what is wrong with it."""

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, cast

from kajabi_async.checks import boolean, whole_number
from kajabi_async.decoding.answers import link_included, read_samples
from kajabi_async.errors import AnswerTooLargeError, DecodeError, InvalidArgumentError, RelationshipUnavailableError
from kajabi_async.jsonapi.codec import RawJson, decode_text, split_members
from kajabi_async.jsonapi.limits import excess_in, is_deeper
from kajabi_async.models.origin import Scope
from kajabi_async.models.relations import Relation
from kajabi_async.models.resource import Resource
from kajabi_async.webhooks.dashboard import (
    DASHBOARD_EVENTS,
    DashboardEvents,
    delivery_id,
    kind_of,
    read_dashboard_event,
)
from kajabi_async.webhooks.delivery_errors import DeliveryTooLargeError, MalformedDeliveryError, UnknownDeliveryError
from kajabi_async.webhooks.hook_events import EVENTS, Event, HookEvents

if TYPE_CHECKING:
    from kajabi_async.client import Kajabi

__all__ = ["MAX_BYTES", "MAX_ELEMENTS", "KnownEvent", "parse"]

KnownEvent = HookEvents | DashboardEvents
"""The events that `parse` returns; type checkers check that a ``match`` over them is complete."""

MAX_BYTES: Final = 1_048_576
"""The default limit of the size of a delivery; the samples of Kajabi are below 5 KB."""

MAX_ELEMENTS: Final = 20_000
"""The default limit of the elements of a delivery: each comma outside of text counts as one, each opening bracket as
two. There may be one array or object for five of them. The samples of Kajabi have fewer than 200 elements."""

_MAX_DEPTH: Final = 64
_BEGINNING: Final = 2**12
_NAME: Final = re.compile(r"[a-z][a-z0-9_.]{0,63}")
_PATH: Final = re.compile(r"\[[0-9]+\](\.[a-z_0-9]+){0,2}")


def parse(
    body: bytes,
    *,
    api: "Kajabi | None" = None,
    max_bytes: int = MAX_BYTES,
    max_elements: int = MAX_ELEMENTS,
    strict: bool = False,
) -> KnownEvent:
    """Read the ``body`` of a delivery of ``/v1/hooks`` or of a webhook of the dashboard.

    Relations are linked to the resources in the delivery; awaiting another one fetches it with ``api``, or raises
    RelationshipUnavailableError without. Parsing sends no request. The body does not prove its origin: see
    `PathSecrets`. DeliveryTooLargeError above ``max_bytes`` or ``max_elements``, before anything is decoded;
    MalformedDeliveryError if the body is not JSON, nested more than 64 levels deep or not of the shape of its event;
    UnknownDeliveryError for other events. An unreadable attribute raises UnreadableAttributeError on access; with
    ``strict``, or a strict ``api``, the delivery is malformed.
    """
    boolean(strict, of="strict")
    whole_number(max_bytes, of="max_bytes", at_most=None)
    whole_number(max_elements, of="max_elements", at_most=None)
    members = _members(body, max_bytes, max_elements)
    name = _decoded(members["event"])
    if isinstance(name, str) and name in EVENTS:
        return _event(EVENTS[name], members, _scope(api, max_elements, strict=strict), max_bytes)
    if isinstance(name, str) and name in DASHBOARD_EVENTS:
        return read_dashboard_event(name, {member: _decoded(text) for member, text in members.items()})
    # The value may be anything; the error repeats it only if it looks like the name of an event.
    raise UnknownDeliveryError(event=name if isinstance(name, str) and _NAME.fullmatch(name) else None)


def _members(body: Any, max_bytes: int, max_elements: int) -> Mapping[str, RawJson]:
    if not isinstance(body, bytes):
        raise InvalidArgumentError(f"the body must be the received bytes, got {type(body).__name__}")
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
        raise MalformedDeliveryError("it has no event")
    return members


def _split(body: bytes) -> dict[str, RawJson]:
    with suppress(DecodeError):
        return split_members(body)
    raise MalformedDeliveryError(f"expected an object, got {kind_of(_decoded(body))}")


def _decoded(text: bytes | RawJson) -> Any:
    try:
        return decode_text(text, context="")
    except DecodeError as error:
        problem = _without_values(error)
    # Raised outside the handler, here and below: the caught error may hold values, and would be its context.
    raise MalformedDeliveryError(problem)


def _event(cls: type[Event], members: Mapping[str, RawJson], scope: Scope, max_bytes: int) -> KnownEvent:
    identity = delivery_id(cls.name, _decoded(members.get("id", b"null")))
    payload = members.get("payload", RawJson(b"null"))
    if not bytes(payload).startswith(b"["):
        problem = f"expected an array of resource objects, got {kind_of(_decoded(payload))}"
        raise MalformedDeliveryError(problem, path="payload", event=cls.name)
    resources = _resources(cls.name, payload, scope, max_bytes)
    carried = {name: _first(resources, model, cls.name) for name, model in cls.carries().items()}
    primary = next(iter(carried.values()))
    _link(primary, cls.tied)
    fields: dict[str, Any] = {"id": identity, "resources": resources, **carried}
    return cast("KnownEvent", cls(**fields))


def _resources(event: str, payload: RawJson, scope: Scope, max_bytes: int) -> tuple[Resource, ...]:
    excess = path = ""
    try:
        return read_samples(payload, scope=scope, context="", within=("payload",))
    except AnswerTooLargeError as error:
        problem = excess = error.problem
    except DecodeError as error:
        steps = _PATH.match(error.path.removeprefix("payload"))
        problem, path = _without_values(error), f"payload{steps[0] if steps else ''}"
    if excess:
        raise DeliveryTooLargeError(limit=max_bytes, excess=excess)
    raise MalformedDeliveryError(problem, path=path, event=event)


def _first(resources: tuple[Resource, ...], model: type[Resource], event: str) -> Resource:
    for resource in resources:
        if isinstance(resource, model):
            return resource
    types = dict.fromkeys(resource.resource_type for resource in resources)
    present = ", ".join(name for name in types if _NAME.fullmatch(name)) or "none that is known"
    problem = f"expected a resource of type {model.resource_type!r}, got only these types: {present}"
    raise MalformedDeliveryError(problem, path="payload", event=event)


def _link(primary: Resource, names: tuple[str, ...]) -> None:
    """Link relations without data in the primary resource to the only resource of their type, if there is just one."""
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
    """The resolver of a delivery that was parsed without a client."""

    async def resolve(self, owner: Resource, relation: Relation) -> tuple[Resource, ...]:
        raise RelationshipUnavailableError(
            f"the {relation.name} of {owner.resource_type} {owner.id} did not come with the delivery; "
            "use parse(body, api=...) or Receiver(..., api=...) to fetch it"
        )


def _without_values(error: DecodeError) -> str:
    # Left out: the actual value, as it may be personal data, and the decoder's path, which grows with the depth.
    return error.problem.partition(", got ")[0].partition(" - at ")[0]
