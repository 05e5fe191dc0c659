"""Customers, contacts, and what hangs on contacts: tags, notes, custom fields."""

from collections.abc import Iterable
from functools import partial
from typing import NamedTuple, TypeVar, Unpack

from kajabi_async.checks import boolean
from kajabi_async.errors import InvalidArgumentError, KajabiError, UnprocessableEntityError
from kajabi_async.fetching.pages import Pages
from kajabi_async.models.people import Contact, ContactNote, ContactTag, Customer, CustomField
from kajabi_async.resources.base import (
    Fields,
    Gettable,
    Include,
    Linkable,
    Listable,
    ListOptions,
    checked_ids,
    site_linkage,
)
from kajabi_async.resources.by_email import PeopleListOptions, one_by_email, says_taken
from kajabi_async.resources.filters import (
    ContactNoteFilters,
    ContactTagFilters,
    CustomerIncludedFilters,
    CustomFieldFilters,
    PeopleFilters,
)
from kajabi_async.resources.filters.encoding import encode_filters
from kajabi_async.resources.writes import (
    ContactAttributes,
    ContactAttributesBesideEmail,
    identifier_of,
    resource_body,
    verified,
    written_attributes,
)

__all__ = ["ContactNotes", "ContactTags", "Contacts", "CustomFields", "Customers", "GetOrCreated"]


R = TypeVar("R", Customer, Contact)


class _OfferHolders(Linkable[R]):
    """What contacts and customers have in common: both can be asked for, and lose, their offers."""

    async def offer_ids(self, id: str | int, *, timeout: float | None = None) -> tuple[str, ...]:
        """Give the ids of the offers held, without the offers."""
        return await self._linkage(self._operation("GET.offers"), id, linked_type="offers", timeout=timeout)

    async def revoke_offers(
        self, id: str | int, ids: Iterable[str | int], *, verify: bool = False, timeout: float | None = None
    ) -> tuple[str, ...]:
        """Revoke offers, granted or bought, and give the ids of those left.

        Takes away the products that came with them. **Does not stop billing**: a subscription goes on charging; see
        ``purchases.cancel_subscription`` (API document). With *verify*, after an error with ``maybe_applied`` the
        offers are looked at, and those still held revoked again.
        """
        row = self._operation("DELETE.offers")
        return await self._linkage(row, id, ids, linked_type="offers", verify=verify, timeout=timeout)

    async def replace_offers(
        self, id: str | int, ids: Iterable[str | int], *, verify: bool = False, timeout: float | None = None
    ) -> tuple[str, ...]:
        """Grant and revoke until exactly *ids* are held; no ids revoke everything. Effects as of both.

        With *verify*, after an error with ``maybe_applied`` the offers are looked at before they are replaced again.
        """
        row = self._operation("PATCH.offers")
        return await self._linkage(row, id, ids, linked_type="offers", verify=verify, timeout=timeout)


class Customers(Gettable[Customer], Listable[Customer], _OfferHolders[Customer]):
    """``api.customers``: people who hold an offer; read only but for their offers."""

    name = "customers"
    model = Customer
    filters = PeopleFilters
    sort_keys = frozenset({"name", "email", "created_at", "net_revenue", "last_request_at"})

    async def get(
        self,
        id: str | int,
        *,
        include: Include = (),
        fields: Fields | None = None,
        timeout: float | None = None,
        **included: Unpack[CustomerIncludedFilters],
    ) -> Customer:
        """Give one customer.

        *include* takes ``contact``, ``offers`` and ``products``. The filters ``offers_search``, ``offers_page``,
        ``offers_per`` and the same for products restrict what is included; the handle then says ``partial``. The
        server ignores them without the include (API document), so that is refused here with InvalidArgumentError.
        """
        filters = encode_filters(CustomerIncludedFilters, included, owner="customers.get") if included else ()
        reader = self._reader(include, fields, timeout=timeout, filters=filters)
        for name in included:
            relation = name.partition("_")[0]
            if relation not in reader.query.include:
                raise InvalidArgumentError(f"{name} acts on included {relation} only: add {relation!r} to include=")
        return await reader.read(id)

    def list(self, **options: Unpack[PeopleListOptions]) -> Pages[Customer]:
        """List customers, newest first unless *sort* says otherwise; filters are those of `PeopleFilters`."""
        return self._pages(options)

    async def find_by_email(
        self, email: str, *, site_id: str | int | None = None, thorough: bool = False
    ) -> Customer | None:
        """Return the customer with exactly this *email*, letter case aside; None if none is found.

        The API has no exact filter: those whose email contains it are searched for and compared here. The search misses
        customers for a while, or for good (observed): **None is no proof** that there is none. With *thorough* the
        whole list of the site is read if the search finds none, a request for each 100 of them; None is proof then.
        AmbiguousMatchError if customers of several sites have it.
        """
        return await one_by_email(self, email, site_id, thorough=thorough)

    async def owns(
        self, id: str | int, *, product_id: str | int | None = None, offer_id: str | int | None = None
    ) -> bool:
        """Tell whether the customer has access to a product, or holds an offer; give exactly one of the two."""
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
        """Grant offers and give the ids of all that the customer then holds.

        Sends the gift email and fires automations; the switch for the welcome email exists on contacts only (API
        document). Sent once, unless *verify*: after an error with ``maybe_applied`` the offers held are looked at then,
        and only those that are missing are granted again.
        """
        row = self._operation("POST.offers")
        return await self._linkage(row, id, ids, linked_type="offers", verify=verify, timeout=timeout)


class GetOrCreated(NamedTuple):
    """A contact, and whether it had to be created."""

    contact: Contact
    created: bool


class Contacts(Gettable[Contact], Listable[Contact], _OfferHolders[Contact]):
    """``api.contacts``: everybody a site knows the email of."""

    name = "contacts"
    model = Contact
    filters = PeopleFilters
    sort_keys = frozenset({"name", "email", "created_at"})

    def list(self, **options: Unpack[PeopleListOptions]) -> Pages[Contact]:
        """List contacts, newest first unless *sort* says otherwise; filters are those of `PeopleFilters`."""
        return self._pages(options)

    async def find_by_email(
        self, email: str, *, site_id: str | int | None = None, thorough: bool = False
    ) -> Contact | None:
        """Return the contact with exactly this *email*, letter case aside; None if none is found.

        The API has no exact filter: those whose email contains it are searched for and compared here. The search misses
        contacts for a while, or for good (observed): **None is no proof** that there is none. With *thorough* the whole
        list of the site is read if the search finds none, a request for each 100 of them; None is proof then.
        AmbiguousMatchError if contacts of several sites have it.
        """
        return await one_by_email(self, email, site_id, thorough=thorough)

    async def create(
        self,
        *,
        site_id: str | int | None = None,
        verify: bool = False,
        timeout: float | None = None,
        **attributes: Unpack[ContactAttributes],
    ) -> Contact:
        """Create a contact on a site (the client's, unless given) and give it.

        The address is checked for deliverability; UnprocessableEntityError says what was refused, an email that is
        taken among it. Without ``subscribed=True`` the contact counts as never subscribed (observed), and
        ``external_user_id`` is refused. Sent once, unless *verify*, which needs an email: after an error with
        ``maybe_applied`` the contact with that email is looked for, and created again where there is none.
        """
        body = resource_body(
            "contacts",
            written_attributes(ContactAttributes, attributes, owner="contacts.create"),
            relationships=site_linkage(site_id, self._context, owner="contacts.create"),
        )
        row, email = self._operation("create"), attributes.get("email")
        if not boolean(verify, of="verify"):
            return await self._send_for_resource(row, body=body, timeout=timeout)
        if not email:
            raise InvalidArgumentError(
                "contacts.create can verify by the email alone: give email=, or leave verify= out"
            )
        site = self._context.site_id if site_id is None else site_id
        lost = False
        find = partial(self.find_by_email, email, site_id=site)

        async def create() -> Contact:
            nonlocal lost
            try:
                return await self._send_for_resource(row, body=body, timeout=timeout)
            except UnprocessableEntityError as error:
                # Taken, after an answer was lost, is probably what that one created.
                found = (
                    await self.find_by_email(email, site_id=site, thorough=True) if lost and says_taken(error) else None
                )
                if found is None:
                    raise
                return found
            except KajabiError as error:
                lost = lost or error.maybe_applied
                raise

        return await verified(create, find, sleep=self._context.sleep)

    async def update(
        self, id: str | int, *, timeout: float | None = None, **changes: Unpack[ContactAttributes]
    ) -> Contact:
        """Change exactly the attributes given and give the contact; None clears one.

        The customer's name and email follow (API document). UnprocessableEntityError says what was refused.
        """
        if not changes:
            raise InvalidArgumentError("contacts.update needs at least one attribute to change")
        attributes = written_attributes(ContactAttributes, changes, owner="contacts.update")
        body = resource_body("contacts", attributes, resource_id=self._checked_id(id))
        return await self._send_for_resource(self._operation("update"), id, body=body, timeout=timeout)

    async def delete(self, id: str | int, *, timeout: float | None = None) -> None:
        """Delete a contact for good.

        UnprocessableEntityError where it has active subscriptions on Kajabi Payments (API document).
        """
        await self._send(self._operation("delete"), id, timeout=timeout)

    async def get_or_create(
        self, *, email: str, site_id: str | int | None = None, **attributes: Unpack[ContactAttributesBesideEmail]
    ) -> GetOrCreated:
        """Return the contact with this *email*, created with *attributes* if there is none; never changes one.

        If it was created meanwhile, or the search does not know it yet, the API refuses the email as taken. The contact
        that has it is returned then, if need be after reading the whole list of contacts.
        """
        site = self._context.site_id if site_id is None else site_id
        found = await self.find_by_email(email, site_id=site)
        if found is not None:
            return GetOrCreated(found, created=False)
        try:
            return GetOrCreated(await self.create(site_id=site, **_with_email(attributes, email)), created=True)
        except UnprocessableEntityError as error:
            found = await self.find_by_email(email, site_id=site, thorough=says_taken(error))
            if found is None:
                raise
            return GetOrCreated(found, created=False)

    async def tag_ids(self, id: str | int, *, timeout: float | None = None) -> tuple[str, ...]:
        """Give the ids of the contact's tags, without the tags."""
        return await self._linkage(self._operation("GET.tags"), id, linked_type="contact_tags", timeout=timeout)

    async def add_tags(
        self, id: str | int, ids: Iterable[str | int], *, verify: bool = False, timeout: float | None = None
    ) -> tuple[str, ...]:
        """Add tags and give the ids of all the contact then has; fires tag_added hooks and automations.

        With *verify*, after an error with ``maybe_applied`` the tags are looked at, and the missing ones added again.
        """
        row = self._operation("POST.tags")
        return await self._linkage(row, id, ids, linked_type="contact_tags", verify=verify, timeout=timeout)

    async def remove_tags(
        self, id: str | int, ids: Iterable[str | int], *, verify: bool = False, timeout: float | None = None
    ) -> tuple[str, ...]:
        """Remove tags and give the ids of those left; fires tag_removed hooks and automations.

        With *verify*, after an error with ``maybe_applied`` the tags are looked at, and those left removed again.
        """
        row = self._operation("DELETE.tags")
        return await self._linkage(row, id, ids, linked_type="contact_tags", verify=verify, timeout=timeout)

    async def replace_tags(
        self, id: str | int, ids: Iterable[str | int], *, verify: bool = False, timeout: float | None = None
    ) -> tuple[str, ...]:
        """Give the contact exactly these tags; no ids remove them all. Effects as of adding and removing.

        With *verify*, after an error with ``maybe_applied`` the tags are looked at before they are replaced again.
        """
        row = self._operation("PATCH.tags")
        return await self._linkage(row, id, ids, linked_type="contact_tags", verify=verify, timeout=timeout)

    async def grant_offers(
        self,
        contact_id: str | int,
        offer_ids: Iterable[str | int],
        *,
        send_customer_welcome_email: bool = True,
        verify: bool = False,
        timeout: float | None = None,
    ) -> tuple[str, ...]:
        """Grant offers and give the ids of all that the contact then holds.

        Makes a customer of the contact where it is none, and **sends that customer a welcome email** unless told
        otherwise; the gift email and automations go out in any case. An expired or disabled grant is not enabled
        again by this (observed). Sent once, unless *verify*: after an error with ``maybe_applied`` the offers held are
        looked at then, and only those that are missing are granted again.
        """
        mails = boolean(send_customer_welcome_email, of="send_customer_welcome_email")
        meta = None if mails else {"send_customer_welcome_email": False}
        row = self._operation("POST.offers")
        return await self._linkage(
            row, contact_id, offer_ids, linked_type="offers", meta=meta, verify=verify, timeout=timeout
        )

    async def ensure_offers(
        self,
        contact_id: str | int,
        offer_ids: Iterable[str | int],
        *,
        send_customer_welcome_email: bool = True,
        timeout: float | None = None,
    ) -> tuple[str, ...]:
        """Grant those of *offer_ids* that the contact does not hold yet, and give the ids of those granted now.

        Nothing is granted twice and nobody is mailed about what they have; otherwise as `grant_offers`. *timeout* is
        for each of the two requests.
        """
        boolean(send_customer_welcome_email, of="send_customer_welcome_email")
        wanted = checked_ids(offer_ids, of="offers")
        held = await self.offer_ids(contact_id, timeout=timeout)
        missing = tuple(offer_id for offer_id in wanted if offer_id not in held)
        if missing:
            await self.grant_offers(
                contact_id, missing, send_customer_welcome_email=send_customer_welcome_email, timeout=timeout
            )
        return missing


class ContactTagListOptions(ListOptions, ContactTagFilters):
    """What the list of contact tags takes."""


class ContactTags(Gettable[ContactTag], Listable[ContactTag]):
    """``api.contact_tags``: read only, the API cannot create tags."""

    name = "contact_tags"
    model = ContactTag
    filters = ContactTagFilters
    sort_keys = frozenset({"name", "email"})

    def list(self, **options: Unpack[ContactTagListOptions]) -> Pages[ContactTag]:
        """List tags; filters are those of `ContactTagFilters`."""
        return self._pages(options)


class ContactNoteListOptions(ListOptions, ContactNoteFilters):
    """What the list of contact notes takes."""


class ContactNotes(Gettable[ContactNote], Listable[ContactNote]):
    """``api.contact_notes``."""

    name = "contact_notes"
    model = ContactNote
    filters = ContactNoteFilters
    sort_keys = frozenset({"created_at", "updated_at"})

    def list(self, **options: Unpack[ContactNoteListOptions]) -> Pages[ContactNote]:
        """List notes, newest first; at most 100 to a page. Filters are those of `ContactNoteFilters`."""
        return self._pages(options)

    async def create(self, *, contact_id: str | int, body: str, timeout: float | None = None) -> ContactNote:
        """Write a note on a contact and give it. Sent once: repeating it makes a second note."""
        linkage = {"contact": identifier_of("contacts", contact_id)}
        document = resource_body("contact_notes", {"body": body}, relationships=linkage)
        return await self._send_for_resource(self._operation("create"), body=document, timeout=timeout)

    async def update(self, id: str | int, *, body: str, timeout: float | None = None) -> ContactNote:
        """Change the text of a note and give it."""
        document = resource_body("contact_notes", {"body": body}, resource_id=self._checked_id(id))
        return await self._send_for_resource(self._operation("update"), id, body=document, timeout=timeout)

    async def delete(self, id: str | int, *, timeout: float | None = None) -> None:
        """Delete a note for good."""
        await self._send(self._operation("delete"), id, timeout=timeout)


class CustomFieldListOptions(ListOptions, CustomFieldFilters):
    """What the list of custom fields takes."""


class CustomFields(Gettable[CustomField], Listable[CustomField]):
    """``api.custom_fields``: what ``custom_1`` and its like mean on a site."""

    name = "custom_fields"
    model = CustomField
    filters = CustomFieldFilters
    sort_keys = frozenset({"title", "handle", "type", "required"})

    def list(self, **options: Unpack[CustomFieldListOptions]) -> Pages[CustomField]:
        """List custom fields; filters are those of `CustomFieldFilters`."""
        return self._pages(options)


def _with_email(attributes: ContactAttributesBesideEmail, email: str) -> ContactAttributes:
    return {**attributes, "email": email}
