"""The six events of ``/v1/hooks``, each with the resources that its delivery carries (API document, "Webhooks").

The resources are the models of the API, and their relations work: what came with the delivery costs no request, the
rest is fetched where the delivery was read with a client.
"""

from collections.abc import Mapping
from typing import ClassVar, Final

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
    "OrderCreatedEvent",
    "PaymentSucceededEvent",
    "PurchaseEvent",
    "TagAddedEvent",
    "TagRemovedEvent",
]


@attrs.frozen(kw_only=True, repr=False)
class Event:
    """One delivery of an event of ``/v1/hooks``; it pickles, without the way back to the client."""

    id: str
    """The id of the delivery as Kajabi wrote it.

    The API document calls it "the ID of the resource that triggered the event" and prints ``hash_id``: do not count
    on it being another one for each delivery.
    """
    resources: tuple[Resource, ...]
    """Everything the delivery carries, the primary resource first."""

    name: ClassVar[str]
    """The event as the API calls it, such as ``tag_added``."""
    tied: ClassVar[tuple[str, ...]] = ()
    """Relations of the primary resource that lead to the one resource of their type in the delivery."""

    @classmethod
    def carries(cls) -> dict[str, type[Resource]]:
        """Give what must be among the resources, by the attribute that shows it, the primary one first."""
        types = {field.name: field.type for field in attrs.fields(cls)}
        return {name: of for name, of in types.items() if isinstance(of, type) and issubclass(of, Resource)}

    def __repr__(self) -> str:
        carried = ", ".join(f"{resource.resource_type} {resource.id}" for resource in self.resources)
        return f"<{type(self).__name__} {self.id}: {carried}>"


@attrs.frozen(kw_only=True, repr=False)
class PurchaseEvent(Event):
    """A customer bought an offer, or was given it; customer and offer come along."""

    purchase: Purchase

    name = "purchase"
    tied = ("customer", "offer")

    @property
    def customer(self) -> ToOne[Customer]:
        """Who bought it."""
        return self.purchase.customer

    @property
    def offer(self) -> ToOne[Offer]:
        """What was bought."""
        return self.purchase.offer


@attrs.frozen(kw_only=True, repr=False)
class PaymentSucceededEvent(Event):
    """A payment went through; the customer comes along."""

    transaction: Transaction

    name = "payment_succeeded"
    tied = ("customer",)

    @property
    def customer(self) -> ToOne[Customer]:
        """Who paid."""
        return self.transaction.customer

    @property
    def offer(self) -> ToOne[Offer]:
        """What was paid for; None for a bundle and in the samples: ``transaction.purchases`` tells the offers then."""
        return self.transaction.offer


@attrs.frozen(kw_only=True, repr=False)
class OrderCreatedEvent(Event):
    """An order was made; its payment comes first in the delivery, and customer and order items come along."""

    transaction: Transaction
    order: Order

    name = "order_created"
    tied = ("customer",)

    @property
    def customer(self) -> ToOne[Customer]:
        """Who ordered."""
        return self.transaction.customer

    @property
    def order_items(self) -> ToMany[OrderItem]:
        """What was ordered."""
        return self.order.order_items


@attrs.frozen(kw_only=True, repr=False)
class FormSubmissionEvent(Event):
    """Somebody submitted a form, which comes along."""

    form_submission: FormSubmission

    name = "form_submission"
    tied = ("form",)

    @property
    def form(self) -> ToOne[Form]:
        """The form."""
        return self.form_submission.form


@attrs.frozen(kw_only=True, repr=False)
class TagAddedEvent(Event):
    """A contact got a tag; all the tags of the contact are ``contact.tags``."""

    contact: Contact
    tag: ContactTag
    """The one it is about."""

    name = "tag_added"


@attrs.frozen(kw_only=True, repr=False)
class TagRemovedEvent(Event):
    """A contact lost a tag; what is left is ``contact.tags``."""

    contact: Contact
    tag: ContactTag
    """The one it is about."""

    name = "tag_removed"


EVENTS: Final[Mapping[str, type[Event]]] = {
    event.name: event
    for event in (
        PurchaseEvent,
        PaymentSucceededEvent,
        OrderCreatedEvent,
        FormSubmissionEvent,
        TagAddedEvent,
        TagRemovedEvent,
    )
}
"""The class for each event that a hook can wait for."""
