"""The changes that users get, one class for each kind, and what each says of the person it concerns.

A change shows the resource as it was when the change was noticed: writes that follow each other between two polls are
one change, with the state after the last of them.
"""

from datetime import datetime
from typing import Any, ClassVar

import attrs

from kajabi_async.hints import NamesCure
from kajabi_async.models.commerce import Order, Purchase
from kajabi_async.models.forms import FormSubmission
from kajabi_async.models.people import Contact, ContactNote, Customer
from kajabi_async.models.resource import Resource
from kajabi_async.plain import rfc3339

__all__ = [
    "AccessEnded",
    "Change",
    "ContactAdded",
    "ContactChanged",
    "CustomerAdded",
    "CustomerChanged",
    "FormSubmitted",
    "NoteWritten",
    "OrderChanged",
    "OrderPlaced",
    "PurchaseChanged",
    "PurchaseMade",
    "ResourceGone",
]


@attrs.frozen(kw_only=True, repr=False, eq=False)
class Change(metaclass=NamesCure):
    """One change that a poll or a sweep noticed; two are equal if they have the same ``key``.

    It can be pickled, without its client.
    """

    resource: Resource
    """The resource as it was when the change was noticed."""
    at: datetime
    """The time of the change by the clock of the server, with its zone."""
    key: str
    """The name of the change: one that is yielded a second time, as after a restart, has the same."""
    cursor: str
    """The place behind this change, for ``api.changes(cursor=...)``; store it once the change is processed."""

    kind: ClassVar[str] = "change"
    """The kind as ``kajabi changes --json`` prints it, such as ``purchase_made``."""

    @property
    def customer_id(self) -> str | None:
        """The id of the customer that it concerns, if the resource shows it; nothing is requested."""
        return self.resource.id if isinstance(self.resource, Customer) else _related_id(self.resource, "customer")

    @property
    def contact_id(self) -> str | None:
        """The id of the contact that it concerns, if the resource shows it; nothing is requested."""
        return self.resource.id if isinstance(self.resource, Contact) else _related_id(self.resource, "contact")

    @property
    def email(self) -> str | None:
        """The email of the person that it concerns, if the resource shows it; nothing is requested."""
        if not isinstance(self.resource, Contact | Customer | FormSubmission):
            return None
        email: str | None = getattr(self.resource, "email", None)
        return email

    def to_dict(self) -> dict[str, Any]:
        """Return the change as plain data, which every JSON library takes: times as RFC 3339 in UTC."""
        return {
            "change": self.kind,
            "at": rfc3339(self.at),
            "key": self.key,
            "cursor": self.cursor,
            "customer_id": self.customer_id,
            "contact_id": self.contact_id,
            "email": self.email,
            "resource": self.resource.to_dict(),
        }

    def __eq__(self, other: object) -> bool:
        return self.key == other.key if isinstance(other, Change) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.resource.resource_type} {self.resource.id}, {rfc3339(self.at)}>"


def _related_id(resource: Resource, name: str) -> str | None:
    related_id: str | None = getattr(resource, name).id if name in resource.relations else None
    return related_id


@attrs.frozen(kw_only=True, repr=False, eq=False)
class PurchaseMade(Change):
    """A customer bought an offer, or was granted it, at ``created_at`` of the purchase.

    If it was written again before it was noticed, the resource shows the later state.
    """

    resource: Purchase

    kind = "purchase_made"


@attrs.frozen(kw_only=True, repr=False, eq=False)
class PurchaseChanged(Change):
    """A purchase was written, at its ``updated_at``: reactivated, paid for again, given a planned end.

    A write that ends the access is an `AccessEnded` instead. Payments and refunds are transactions, whose list the API
    does not sort: a refund is seen only if it also writes the purchase.
    """

    resource: Purchase

    kind = "purchase_changed"


@attrs.frozen(kw_only=True, repr=False, eq=False)
class AccessEnded(Change):
    """The access of a purchase ended, at its ``deactivated_at``: by a write, or because a planned end has come.

    It is yielded again, with the same ``key``, if a purchase that has been over for a while is written.
    """

    resource: Purchase

    kind = "access_ended"


@attrs.frozen(kw_only=True, repr=False, eq=False)
class OrderPlaced(Change):
    """An order was placed, at its ``created_at``. Later changes of it, its fulfilment for one, need ``sweep=``."""

    resource: Order

    kind = "order_placed"


@attrs.frozen(kw_only=True, repr=False, eq=False)
class ContactAdded(Change):
    """A contact was created, at its ``created_at``.

    The API sorts contacts by nothing that an edit changes: edits, tags and deletions need ``sweep=``, and tags have
    webhooks.
    """

    resource: Contact

    kind = "contact_added"


@attrs.frozen(kw_only=True, repr=False, eq=False)
class CustomerAdded(Change):
    """A contact became a customer, at ``created_at`` of the customer. Edits and deletions need ``sweep=``."""

    resource: Customer

    kind = "customer_added"


@attrs.frozen(kw_only=True, repr=False, eq=False)
class FormSubmitted(Change):
    """A form was submitted. Submissions carry no time: ``at`` is the server's time when it was noticed."""

    resource: FormSubmission

    kind = "form_submitted"


@attrs.frozen(kw_only=True, repr=False, eq=False)
class NoteWritten(Change):
    """A note was created or edited, at its ``updated_at``; deletions need ``sweep=``."""

    resource: ContactNote

    kind = "note_written"


@attrs.frozen(kw_only=True, repr=False, eq=False)
class ContactChanged(Change):
    """A sweep found a contact, or its tags, different from the sweep before; ``at`` is its ``updated_at``."""

    resource: Contact

    kind = "contact_changed"


@attrs.frozen(kw_only=True, repr=False, eq=False)
class CustomerChanged(Change):
    """A sweep found a customer different from the sweep before; ``at`` is its ``updated_at``.

    What counts the customer's own activity is not compared: ``sign_in_count``, ``last_request_at``, ``net_revenue``.
    """

    resource: Customer

    kind = "customer_changed"


@attrs.frozen(kw_only=True, repr=False, eq=False)
class OrderChanged(Change):
    """A sweep found an order different from the sweep before; ``at`` is the server's time when it was noticed."""

    resource: Order

    kind = "order_changed"


@attrs.frozen(kw_only=True, repr=False, eq=False)
class ResourceGone(Change):
    """A sweep found a resource deleted, which a request for it confirmed with a 404.

    Of ``resource`` only type and ``id`` are loaded; ``at`` is the server's time when it was noticed.
    """

    kind = "resource_gone"
