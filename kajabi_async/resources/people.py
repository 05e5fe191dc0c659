"""Customers, contacts, and what belongs to contacts: tags, notes, custom fields."""

from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Literal, NamedTuple, Never, Protocol, TypeVar, Unpack

from kajabi_async.checks import boolean
from kajabi_async.errors import InvalidArgumentError, KajabiError, UnprocessableEntityError
from kajabi_async.fetching.pages import Pages
from kajabi_async.models.names import Fieldsets, Names
from kajabi_async.models.names.people import ContactInclude, ContactNoteInclude, CustomerInclude
from kajabi_async.models.people import Contact, ContactNote, ContactTag, Customer, CustomField
from kajabi_async.resources.arguments import checked_ids
from kajabi_async.resources.base import Gettable, Listable, ListOptions, sort_keys_of
from kajabi_async.resources.by_email import FoundByEmail, says_taken
from kajabi_async.resources.filters import (
    ContactNoteFilters,
    ContactTagFilters,
    CustomerIncludedFilters,
    CustomFieldFilters,
    PeopleFilters,
)
from kajabi_async.resources.filters.encoding import encode_filters
from kajabi_async.resources.linkable import Linkable
from kajabi_async.resources.writes import (
    ContactAttributes,
    ContactAttributesBesideEmail,
    identifier_of,
    resource_body,
    site_linkage,
    verified,
    written_attributes,
)

__all__ = ["ContactNotes", "ContactTags", "Contacts", "CustomFields", "Customers", "GetOrCreated"]

CustomerSort = Literal[
    "name",
    "-name",
    "email",
    "-email",
    "created_at",
    "-created_at",
    "net_revenue",
    "-net_revenue",
    "last_request_at",
    "-last_request_at",
]
ContactSort = Literal["name", "-name", "email", "-email", "created_at", "-created_at"]
ContactTagSort = Literal["name", "-name", "email", "-email"]
ContactNoteSort = Literal["created_at", "-created_at", "updated_at", "-updated_at"]
CustomFieldSort = Literal["title", "-title", "handle", "-handle", "type", "-type", "required", "-required"]


R = TypeVar("R", Customer, Contact)


class _OfferHolders(Linkable[R]):
    """Resources that hold offers: contacts and customers."""

    async def offer_ids(self, id: str | int, *, timeout: float | None = None) -> tuple[str, ...]:
        """Return the ids of the offers held, without the offers.

        ``timeout`` is in seconds for the whole operation. NotFoundError if the person does not exist.
        """
        return await self._read_linkage("offers", id, timeout)

    async def revoke_offers(
        self, id: str | int, ids: Iterable[str | int], *, verify: bool = False, timeout: float | None = None
    ) -> tuple[str, ...]:
        """Revoke offers, granted or bought, and return the ids of the remaining ones.

        Removes the products that came with them. Does not stop billing: a subscription goes on charging; see
        ``purchases.cancel_subscription`` (API document). With ``verify``, after an error with ``maybe_applied`` the
        offers are read, and those still held are revoked again. ``timeout`` is in seconds for each request.
        """
        return await self._change_linkage("DELETE", "offers", id, ids, verify=verify, timeout=timeout)

    async def replace_offers(
        self, id: str | int, ids: Iterable[str | int], *, verify: bool = False, timeout: float | None = None
    ) -> tuple[str, ...]:
        """Grant and revoke until exactly ``ids`` are held, and return these; empty ``ids`` revoke everything.

        Has the effects of granting and revoking. With ``verify``, after an error with ``maybe_applied`` the offers are
        read before they are replaced again. ``timeout`` is in seconds for each request.
        """
        return await self._change_linkage("PATCH", "offers", id, ids, verify=verify, timeout=timeout)


class CustomerListOptions(ListOptions[CustomerInclude, CustomerSort, Fieldsets], PeopleFilters):
    """What the list of customers takes."""


class Customers(FoundByEmail[Customer, CustomerInclude, Fieldsets], Listable[Customer], _OfferHolders[Customer]):
    """``api.customers``: people who hold an offer; read only except for their offers."""

    name = "customers"
    model = Customer
    sort_keys = sort_keys_of(CustomerSort)

    async def get(
        self,
        id: str | int,
        *,
        include: Names[CustomerInclude] = (),
        fields: Fieldsets | None = None,
        timeout: float | None = None,
        **included: Unpack[CustomerIncludedFilters],
    ) -> Customer:
        """Return the customer with this ``id``.

        ``include`` takes ``contact``, ``offers`` and ``products``. The filters ``offers_search``, ``offers_page``,
        ``offers_per`` and the same for products restrict what is included; the relation then says ``partial``. The
        server ignores them without the include (API document), so that is refused here with InvalidArgumentError.
        ``timeout`` is in seconds for the whole operation. NotFoundError if the customer does not exist.
        """
        filters = encode_filters(CustomerIncludedFilters, included, owner="customers.get") if included else ()
        reader = self._reader(include, fields, timeout=timeout, filters=filters)
        for name in included:
            relation = name.partition("_")[0]
            if relation not in reader.query.include:
                raise InvalidArgumentError(f"{name} acts on included {relation} only: add {relation!r} to include=")
        return await reader.read(id)

    def list(self, **options: Unpack[CustomerListOptions]) -> Pages[Customer]:
        """List customers, newest first unless ``sort`` says otherwise; filters are those of `PeopleFilters`."""
        return self._pages(options)

    async def owns(
        self, id: str | int, *, product_id: str | int | None = None, offer_id: str | int | None = None
    ) -> bool:
        """Return whether the customer has access to a product, or holds an offer; pass exactly one of the two.

        Sends one request, for products two if the answer does not state them. NotFoundError if the customer does not
        exist.
        """
        if (product_id is None) == (offer_id is None):
            raise InvalidArgumentError("owns() takes either product_id= or offer_id=")
        if offer_id is not None:
            return str(offer_id) in await self.offer_ids(id)
        customer = await self.get(id)
        ids = customer.products.ids
        if ids is None:
            ids = tuple(product.id for product in await customer.products)
        return str(product_id) in ids

    async def grant_offers(
        self, id: str | int, ids: Iterable[str | int], *, verify: bool = False, timeout: float | None = None
    ) -> tuple[str, ...]:
        """Grant offers and return the ids of all that the customer then holds.

        Sends the gift email and fires automations; only contacts have the switch for the welcome email (API document).
        Sent once, unless ``verify``: after an error with ``maybe_applied`` the offers held are read, and only the
        missing ones are granted again. ``timeout`` is in seconds for each request.
        """
        return await self._change_linkage("POST", "offers", id, ids, verify=verify, timeout=timeout)


class GetOrCreated(NamedTuple):
    """A contact, and whether it had to be created."""

    contact: Contact
    created: bool


class _Find(Protocol):
    async def __call__(self, *, thorough: bool = False) -> Contact | None: ...


class ContactListOptions(ListOptions[ContactInclude, ContactSort, Fieldsets], PeopleFilters):
    """What the list of contacts takes."""


class Contacts(FoundByEmail[Contact, ContactInclude, Fieldsets], Listable[Contact], _OfferHolders[Contact]):
    """``api.contacts``: everyone whose email a site knows."""

    name = "contacts"
    model = Contact
    sort_keys = sort_keys_of(ContactSort)

    def list(self, **options: Unpack[ContactListOptions]) -> Pages[Contact]:
        """List contacts, newest first unless ``sort`` says otherwise; filters are those of `PeopleFilters`."""
        return self._pages(options)

    async def create(
        self,
        *,
        site_id: str | int | None = None,
        verify: bool = False,
        timeout: float | None = None,
        **attributes: Unpack[ContactAttributes],
    ) -> Contact:
        """Create a contact on a site (the client's by default) and return it.

        The API checks that the address is deliverable; UnprocessableEntityError says what it refused, such as an email
        that is taken. Without ``subscribed=True`` the contact counts as never subscribed (observed), and
        ``external_user_id`` is refused. Sent once, unless ``verify``, which needs an email: after an error with
        ``maybe_applied`` the contact with that email is searched for, and created again if there is none. ``timeout``
        is in seconds for each request. InvalidArgumentError without a site, before anything is sent.
        """
        body = resource_body(
            "contacts",
            written_attributes(ContactAttributes, attributes, owner="contacts.create"),
            relationships=site_linkage(site_id, self._context, owner="contacts.create"),
        )
        send = partial(self._send_for_resource, self._operation("create"), body=body, timeout=timeout)
        if not boolean(verify, of="verify"):
            return await send()
        email = attributes.get("email")
        if not email:
            raise InvalidArgumentError(
                "contacts.create can verify by the email alone: pass email=, or leave verify= out"
            )
        return await self._create_verified(send, partial(self.find_by_email, email, site_id=site_id))

    async def _create_verified(self, send: Callable[[], Awaitable[Contact]], find: _Find) -> Contact:
        answer_lost = False

        async def create() -> Contact:
            nonlocal answer_lost
            try:
                return await send()
            except UnprocessableEntityError as error:
                # "Taken", after an answer was lost, is probably the contact that the lost answer was about.
                found = await find(thorough=True) if answer_lost and says_taken(error) else None
                if found is None:
                    raise
                return found
            except KajabiError as error:
                answer_lost = answer_lost or error.maybe_applied
                raise

        return await verified(create, find, sleep=self._context.clock.sleep)

    async def update(
        self, id: str | int, *, timeout: float | None = None, **changes: Unpack[ContactAttributes]
    ) -> Contact:
        """Change exactly the attributes passed and return the contact; None clears one.

        The customer's name and email follow (API document). ``timeout`` is in seconds for the whole operation.
        UnprocessableEntityError says what the API refused; InvalidArgumentError, before anything is sent, without any
        attribute.
        """
        if not changes:
            raise InvalidArgumentError("contacts.update needs at least one attribute to change")
        attributes = written_attributes(ContactAttributes, changes, owner="contacts.update")
        body = resource_body("contacts", attributes, resource_id=self._checked_id(id))
        return await self._send_for_resource(self._operation("update"), id, body=body, timeout=timeout)

    async def delete(self, id: str | int, *, timeout: float | None = None) -> None:
        """Delete a contact for good.

        NotFoundError if it does not exist, UnprocessableEntityError if it has active subscriptions on Kajabi Payments
        (API document).
        """
        await self._send(self._operation("delete"), id, timeout=timeout)

    async def get_or_create(
        self, *, email: str, site_id: str | int | None = None, **attributes: Unpack[ContactAttributesBesideEmail]
    ) -> GetOrCreated:
        """Return the contact with this ``email``, created with ``attributes`` if there is none; never changes one.

        If the contact was created meanwhile, or the search does not find it yet, the API refuses the email as taken.
        That contact is then returned, if necessary after reading the whole list of contacts.
        """
        found = await self.find_by_email(email, site_id=site_id)
        if found is not None:
            return GetOrCreated(found, created=False)
        try:
            return GetOrCreated(await self.create(site_id=site_id, **attributes, email=email), created=True)
        except UnprocessableEntityError as error:
            found = await self.find_by_email(email, site_id=site_id, thorough=says_taken(error))
            if found is None:
                raise
            return GetOrCreated(found, created=False)

    async def tag_ids(self, id: str | int, *, timeout: float | None = None) -> tuple[str, ...]:
        """Return the ids of the contact's tags, without the tags; NotFoundError if the contact does not exist."""
        return await self._read_linkage("tags", id, timeout)

    async def add_tags(
        self, id: str | int, ids: Iterable[str | int], *, verify: bool = False, timeout: float | None = None
    ) -> tuple[str, ...]:
        """Add tags and return the ids of all that the contact then has; fires tag_added hooks and automations.

        With ``verify``, after an error with ``maybe_applied`` the tags are read, and the missing ones are added again.
        ``timeout`` is in seconds for each request.
        """
        return await self._change_linkage("POST", "tags", id, ids, verify=verify, timeout=timeout)

    async def remove_tags(
        self, id: str | int, ids: Iterable[str | int], *, verify: bool = False, timeout: float | None = None
    ) -> tuple[str, ...]:
        """Remove tags and return the ids of the remaining ones; fires tag_removed hooks and automations.

        With ``verify``, after an error with ``maybe_applied`` the tags are read, and those left are removed again.
        ``timeout`` is in seconds for each request.
        """
        return await self._change_linkage("DELETE", "tags", id, ids, verify=verify, timeout=timeout)

    async def replace_tags(
        self, id: str | int, ids: Iterable[str | int], *, verify: bool = False, timeout: float | None = None
    ) -> tuple[str, ...]:
        """Set the tags of the contact to exactly ``ids`` and return these; empty ``ids`` remove them all.

        Has the effects of adding and removing. With ``verify``, after an error with ``maybe_applied`` the tags are read
        before they are replaced again. ``timeout`` is in seconds for each request.
        """
        return await self._change_linkage("PATCH", "tags", id, ids, verify=verify, timeout=timeout)

    async def grant_offers(
        self,
        contact_id: str | int,
        offer_ids: Iterable[str | int],
        *,
        send_customer_welcome_email: bool = True,
        verify: bool = False,
        timeout: float | None = None,
    ) -> tuple[str, ...]:
        """Grant offers and return the ids of all that the contact then holds.

        Makes a customer of the contact if it is none, and sends that customer a welcome email unless
        ``send_customer_welcome_email`` is False; the gift email and automations go out in any case. An expired or
        disabled grant is not enabled again (observed). Sent once, unless ``verify``: after an error with
        ``maybe_applied`` the offers held are read, and only the missing ones are granted again. ``timeout`` is in
        seconds for each request.
        """
        mails = boolean(send_customer_welcome_email, of="send_customer_welcome_email")
        meta = None if mails else {"send_customer_welcome_email": False}
        return await self._change_linkage(
            "POST", "offers", contact_id, offer_ids, meta=meta, verify=verify, timeout=timeout
        )

    async def ensure_offers(
        self,
        contact_id: str | int,
        offer_ids: Iterable[str | int],
        *,
        send_customer_welcome_email: bool = True,
        timeout: float | None = None,
    ) -> tuple[str, ...]:
        """Grant those of ``offer_ids`` that the contact does not hold yet, and return the ids of those granted now.

        No offer is granted twice, and no email is sent about one that is held; otherwise as `grant_offers`. ``timeout``
        is in seconds for each of the two requests.
        """
        boolean(send_customer_welcome_email, of="send_customer_welcome_email")
        requested = checked_ids(offer_ids, of="offers")
        held = await self.offer_ids(contact_id, timeout=timeout)
        missing = tuple(offer_id for offer_id in requested if offer_id not in held)
        if missing:
            await self.grant_offers(
                contact_id, missing, send_customer_welcome_email=send_customer_welcome_email, timeout=timeout
            )
        return missing


class ContactTagListOptions(ListOptions[Never, ContactTagSort, Fieldsets], ContactTagFilters):
    """What the list of contact tags takes."""


class ContactTags(Gettable[ContactTag, Never, Fieldsets], Listable[ContactTag]):
    """``api.contact_tags``: read only, the API cannot create tags."""

    name = "contact_tags"
    model = ContactTag
    filters = ContactTagFilters
    sort_keys = sort_keys_of(ContactTagSort)

    def list(self, **options: Unpack[ContactTagListOptions]) -> Pages[ContactTag]:
        """List tags; filters are those of `ContactTagFilters`."""
        return self._pages(options)


class ContactNoteListOptions(ListOptions[ContactNoteInclude, ContactNoteSort, Fieldsets], ContactNoteFilters):
    """What the list of contact notes takes."""


class ContactNotes(Gettable[ContactNote, ContactNoteInclude, Fieldsets], Listable[ContactNote]):
    """``api.contact_notes``: notes on contacts."""

    name = "contact_notes"
    model = ContactNote
    filters = ContactNoteFilters
    sort_keys = sort_keys_of(ContactNoteSort)

    def list(self, **options: Unpack[ContactNoteListOptions]) -> Pages[ContactNote]:
        """List notes, newest first; at most 100 per page. Filters are those of `ContactNoteFilters`."""
        return self._pages(options)

    async def create(self, *, contact_id: str | int, body: str, timeout: float | None = None) -> ContactNote:
        """Write a note on a contact and return it. Sent once: sending it again creates a second note.

        ``timeout`` is in seconds for the whole operation. UnprocessableEntityError says what the API refused.
        """
        linkage = {"contact": identifier_of("contacts", contact_id)}
        document = resource_body("contact_notes", {"body": body}, relationships=linkage)
        return await self._send_for_resource(self._operation("create"), body=document, timeout=timeout)

    async def update(self, id: str | int, *, body: str, timeout: float | None = None) -> ContactNote:
        """Change the text of a note and return the note; NotFoundError if it does not exist."""
        document = resource_body("contact_notes", {"body": body}, resource_id=self._checked_id(id))
        return await self._send_for_resource(self._operation("update"), id, body=document, timeout=timeout)

    async def delete(self, id: str | int, *, timeout: float | None = None) -> None:
        """Delete a note for good; NotFoundError if it does not exist."""
        await self._send(self._operation("delete"), id, timeout=timeout)


class CustomFieldListOptions(ListOptions[Never, CustomFieldSort, Fieldsets], CustomFieldFilters):
    """What the list of custom fields takes."""


class CustomFields(Gettable[CustomField, Never, Fieldsets], Listable[CustomField]):
    """``api.custom_fields``: what ``custom_1`` and the others mean on a site."""

    name = "custom_fields"
    model = CustomField
    filters = CustomFieldFilters
    sort_keys = sort_keys_of(CustomFieldSort)

    def list(self, **options: Unpack[CustomFieldListOptions]) -> Pages[CustomField]:
        """List custom fields; filters are those of `CustomFieldFilters`."""
        return self._pages(options)
