"""The six events of ``/v1/hooks``, each with the resources that its delivery carries (API document, "Webhooks").

The resources are the models of the API. Awaiting a relation that came with the delivery costs no request; the others
are fetched if the delivery was parsed with a client.
"""

from collections.abc import Mapping
from typing import ClassVar, Final, get_args

import attrs

from kajabi_async.models.catalog import Offer
from kajabi_async.models.commerce import Order, OrderItem, Purchase, Transaction
from kajabi_async.models.forms import Form, FormSubmission
from kajabi_async.models.people import Contact, ContactTag, Customer
from kajabi_async.models.relations import ToMany, ToOne
from kajabi_async.models.resource import Resource

__all__ = [
    "EVENTS",
    "Event",
    "FormSubmissionEvent",
    "HookEvents",
    "OrderCreatedEvent",
    "PaymentSucceededEvent",
    "PurchaseEvent",
    "TagAddedEvent",
    "TagRemovedEvent",
]


@attrs.frozen(kw_only=True, repr=False)
class Event:
    """One delivery of an event of ``/v1/hooks``; it can be pickled, without its client."""

    id: str
    """The id of the delivery as Kajabi wrote it.

    The API document calls it "the ID of the resource that triggered the event" and prints ``hash_id``: do not rely on
    it being unique for each delivery.
    """
    resources: tuple[Resource, ...]
    """The resources of the delivery, the primary one first."""

    name: ClassVar[str]
    """The event as the API calls it, such as ``tag_added``."""
    tied: ClassVar[tuple[str, ...]] = ()
    """Relations of the primary resource that are linked to the only resource of their type in the delivery."""

    @classmethod
    def carries(cls) -> dict[str, type[Resource]]:
        """Return the required types of resources by the attribute that holds each, the primary one first."""
        types = {field.name: field.type for field in attrs.fields(cls)}
        return {name: of for name, of in types.items() if isinstance(of, type) and issubclass(of, Resource)}

    def __repr__(self) -> str:
        carried = ", ".join(f"{resource.resource_type} {resource.id}" for resource in self.resources)
        return f"<{type(self).__name__} {self.id}: {carried}>"


@attrs.frozen(kw_only=True, repr=False)
class PurchaseEvent(Event):
    """A customer bought an offer, or was granted it; customer and offer are included."""

    purchase: Purchase

    name = "purchase"
    tied = ("customer", "offer")

    @property
    def customer(self) -> ToOne[Customer]:
        """The buyer."""
        return self.purchase.customer

    @property
    def offer(self) -> ToOne[Offer]:
        """The offer that was bought."""
        return self.purchase.offer


@attrs.frozen(kw_only=True, repr=False)
class PaymentSucceededEvent(Event):
    """A payment succeeded; the customer is included."""

    transaction: Transaction

    name = "payment_succeeded"
    tied = ("customer",)

    @property
    def customer(self) -> ToOne[Customer]:
        """The customer who paid."""
        return self.transaction.customer

    @property
    def offer(self) -> ToOne[Offer]:
        """The offer that was paid for; None for a bundle and in the samples: see ``transaction.purchases`` then."""
        return self.transaction.offer


@attrs.frozen(kw_only=True, repr=False)
class OrderCreatedEvent(Event):
    """An order was placed; its payment is the primary resource, and customer and order items are included."""

    transaction: Transaction
    order: Order

    name = "order_created"
    tied = ("customer",)

    @property
    def customer(self) -> ToOne[Customer]:
        """The customer who ordered."""
        return self.transaction.customer

    @property
    def order_items(self) -> ToMany[OrderItem]:
        """The items of the order."""
        return self.order.order_items


@attrs.frozen(kw_only=True, repr=False)
class FormSubmissionEvent(Event):
    """A form was submitted; the form is included."""

    form_submission: FormSubmission

    name = "form_submission"
    tied = ("form",)

    @property
    def form(self) -> ToOne[Form]:
        """The form."""
        return self.form_submission.form


@attrs.frozen(kw_only=True, repr=False)
class TagAddedEvent(Event):
    """A tag was added to a contact; all of its tags are ``contact.tags``."""

    contact: Contact
    tag: ContactTag
    """The tag that was added."""

    name = "tag_added"


@attrs.frozen(kw_only=True, repr=False)
class TagRemovedEvent(Event):
    """A tag was removed from a contact; the remaining ones are ``contact.tags``."""

    contact: Contact
    tag: ContactTag
    """The tag that was removed."""

    name = "tag_removed"


HookEvents = (
    PurchaseEvent | PaymentSucceededEvent | OrderCreatedEvent | FormSubmissionEvent | TagAddedEvent | TagRemovedEvent
)

EVENTS: Final[Mapping[str, type[Event]]] = {event.name: event for event in get_args(HookEvents)}
"""The class for each event of a hook."""
