"""Whom an event is about: the customers, contacts and emails that a delivery or a change names."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Final

import attrs

from kajabi_async.errors import InvalidArgumentError, InvalidEmailError, InvalidIdError, KajabiError
from kajabi_async.fetching.email_address import checked_email
from kajabi_async.jsonapi.codec import json_object
from kajabi_async.jsonapi.ids import checked_id
from kajabi_async.models.resource import Resource

__all__ = ["Named", "named_by"]

_MOST_ANSWERS: Final = 200
_OF_A_CHANGE: Final = ("customer_id", "contact_id", "email")
"""What a gate reads of a change; an event with all of them is taken for one."""


@attrs.define
class Named:
    """The people that an event names; each set may be empty."""

    customers: set[str] = attrs.field(factory=set[str])
    contacts: set[str] = attrs.field(factory=set[str])
    emails: set[str] = attrs.field(factory=set[str], repr=False)
    """Keys of emails."""

    def add(self, *, customer: Any = None, contact: Any = None, email: Any = None) -> None:
        """Add what is set; what cannot be an id or an email is left out."""
        for value, ids, of in ((customer, self.customers, "customers"), (contact, self.contacts, "contacts")):
            if value is not None:
                with suppress(InvalidIdError):
                    ids.add(checked_id(value, of=of))
        if email is not None:
            with suppress(InvalidEmailError):
                self.emails.add(checked_email(email))


def named_by(event: Any) -> Named:
    """Return the people that *event* names: a delivery of `kajabi_async.webhooks`, or a change.

    InvalidArgumentError for anything else.
    """
    named = Named()
    is_known = False
    for attribute, read in _READERS.items():
        value = getattr(event, attribute, None)
        if value is not None:
            read(named, value)
            is_known = True
    if all(hasattr(event, name) for name in _OF_A_CHANGE):
        named.add(customer=event.customer_id, contact=event.contact_id, email=event.email)
        is_known = True
    if not is_known:
        raise InvalidArgumentError(
            f"notice() takes an event of kajabi_async.webhooks or a change, got {type(event).__name__}"
        )
    return named


def _read_resources(named: Named, resources: Iterable[Any]) -> None:
    for each in resources:
        if isinstance(each, Resource):
            _read_resource(named, each)


def _read_resource(named: Named, resource: Resource) -> None:
    for relation in ("customer", "contact"):
        if resource.resource_type == f"{relation}s":
            named.add(**{relation: resource.id})
        if relation in resource.relations:
            for related in getattr(resource, relation).ids or ():
                named.add(**{relation: related})
    with suppress(KajabiError):
        named.add(email=getattr(resource, "email", None))


def _read_member(named: Named, member: Any) -> None:
    # The id of a member was seen to be that of the customer, and that of the contact.
    member_id = getattr(member, "id", None)
    named.add(customer=member_id, contact=member_id, email=getattr(member, "email", None))


def _read_answers(named: Named, answers: Any) -> None:
    """Read the answers of a form, whose labels the site chose: every email among them."""
    members = json_object(answers) or {}
    for value in list(members.values())[:_MOST_ANSWERS]:
        if isinstance(value, str) and "@" in value:
            named.add(email=value)


def _read_unread(named: Named, body: Any) -> None:
    """Read nothing: what a delivery that was not understood is about is not known."""


_READERS: Final = {
    "resources": _read_resources,
    "member": _read_member,
    "answers": _read_answers,
    "body": _read_unread,
}
