"""Creating, updating and deleting contacts, their tags and their notes."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from kajabi_async.testing.api.bodies import attributes_of, document_of, linkage_ids, related_id, resource_object
from kajabi_async.testing.api.shows import required_row, written_linkage, written_row
from kajabi_async.testing.json_shapes import is_object
from kajabi_async.testing.ownership import contact_with_email, is_subscribed, purchases_of
from kajabi_async.testing.replies import ApiProblem, Reply, unprocessable
from kajabi_async.testing.request_query import RequestQuery
from kajabi_async.testing.rows import Linkage, LinkToMany, LinkToOne, Row
from kajabi_async.testing.world import Call, World

__all__ = [
    "change_tags",
    "checked_email",
    "create_contact",
    "create_note",
    "delete_contact",
    "delete_note",
    "find_notes",
    "free_email",
    "new_contact",
    "set_tags",
    "update_contact",
    "update_note",
]

_ADDRESS: Final = re.compile(r"[^\s@,;<>]+@[^\s@,;<>.]+(\.[^\s@,;<>.]+)+")


def checked_email(given: Any) -> str:
    """Return the address in lower case; 422 if it is missing, malformed, or under ``.invalid``."""
    email = given.strip().casefold() if isinstance(given, str) else ""
    if not email:
        raise unprocessable("email", "can't be blank")
    if not _ADDRESS.fullmatch(email):
        raise unprocessable("email", "Please double check your email address.")
    if email.endswith(".invalid"):
        raise unprocessable("email", "Undeliverable address")
    return email


def free_email(world: World, given: Any, site_id: str | None, *, contact_id: str | None = None) -> str:
    """Return the address in lower case; 422 if a contact of the site other than *contact_id* has it."""
    email = checked_email(given)
    holder = contact_with_email(world.store, email, site_id)
    if holder is not None and holder.id != contact_id:
        raise unprocessable("email", "has already been taken")
    return email


def change_tags(world: World, call: Call) -> Reply:
    """Add, remove or replace the tags of a contact; answer with the new linkage."""
    contact = required_row(world, call.type, call.resource_id)
    named = linkage_ids(document_of(call), "contact_tags")
    before = contact.related("tags")
    if call.operation.method == "POST" and world.quirks.already == "refused" and set(named) & set(before):
        raise ApiProblem(422, "Tag has already been added")
    after = {
        "POST": (*before, *named),
        "PATCH": named,
        "DELETE": tuple(tag for tag in before if tag not in named),
    }
    set_tags(world, contact, after[call.operation.method])
    return written_linkage(world, call)


def set_tags(world: World, contact: Row, tag_ids: Iterable[str]) -> None:
    """Set the contact's tags and notify hooks of each change; 404 for an unknown tag."""
    before, after = contact.related("tags"), tuple(dict.fromkeys(tag_ids))
    tags = {tag_id: required_row(world, "contact_tags", tag_id) for tag_id in after}
    if before == after:
        return
    changed = world.store.edit("contacts", contact.id)
    changed.relations["tags"] = LinkToMany("contact_tags", after)
    for tag_id in (tag_id for tag_id in after if tag_id not in before):
        _record_change(world, "tag_added", changed, tags[tag_id])
    for tag_id in (tag_id for tag_id in before if tag_id not in after):
        tag = world.store.get("contact_tags", tag_id)
        if tag is not None:
            _record_change(world, "tag_removed", changed, tag)


def _record_change(world: World, event: str, contact: Row, tag: Row) -> None:
    world.note(event, contact, tag)
    world.deliver(event, tag, contact, tag)


_WRITABLE: Final = (
    "name", "phone_number", "business_number", "address_line_1", "address_line_2", "address_city", "address_state",
    "address_country", "address_zip",
)  # fmt: skip
_CUSTOM: Final = re.compile(r"custom_(?:[1-9]|[1-9]\d|1[0-4]\d|150)")


def create_contact(world: World, call: Call) -> Reply:
    """Create a contact; 400 without a site, 422 for a bad email or an ``external_user_id``."""
    data = resource_object(call, "contacts")
    site_id = related_id(data, "site", "sites")
    if site_id is None or world.store.get("sites", site_id) is None:
        raise ApiProblem(400, "a site is needed", {"pointer": "/data/relationships/site"})
    attributes = attributes_of(data)
    if "external_user_id" in attributes:
        raise unprocessable("external_user_id", "is not supported for a new contact")
    email = free_email(world, attributes.get("email"), site_id)
    return written_row(world, new_contact(world, site_id, email, attributes), 201)


def new_contact(world: World, site_id: str, email: str, given: Mapping[str, Any]) -> Row:
    """Add a contact to the store; without ``subscribed`` it was never subscribed (observed)."""
    time = world.time()
    written = _written(given)
    custom = dict.fromkeys(("custom_1", "custom_2", "custom_3"))
    attributes = {
        **dict.fromkeys(_WRITABLE),
        **custom,
        "subscribed": False,
        "external_user_id": None,
        **written,
        "name": written.get("name") or email.partition("@")[0],
        "email": email,
        "created_at": time,
        "updated_at": time,
    }
    relations: dict[str, Linkage] = {
        "site": LinkToOne("sites", site_id),
        "customer": LinkToOne("customers", None),
        "offers": LinkToMany("offers"),
        "tags": LinkToMany("contact_tags"),
    }
    hidden = {"mobile_phone_number": given.get("mobile_phone_number"), "never_subscribed": not attributes["subscribed"]}
    return world.store.put(Row("contacts", world.store.new_id("contacts"), attributes, relations, hidden))


def _written(given: Mapping[str, Any]) -> dict[str, Any]:
    """Keep the writable attributes; others are ignored, and null clears."""
    texts = {name: value for name, value in given.items() if name in _WRITABLE or _CUSTOM.fullmatch(name)}
    for name, value in texts.items():
        if value is not None and not isinstance(value, str):
            raise unprocessable(name, "has to be text")
    subscribed = given.get("subscribed")
    if subscribed is None:
        return texts
    if not isinstance(subscribed, bool):
        raise unprocessable("subscribed", "has to be true or false")
    return texts | {"subscribed": subscribed}


def update_contact(world: World, call: Call) -> Reply:
    """Update attributes of a contact, and its customer's name and email with them."""
    contact = required_row(world, "contacts", call.resource_id)
    data = resource_object(call, "contacts")
    changes = _changes(world, contact, attributes_of(data))
    tag_ids = _tag_ids(call, data)
    if tag_ids is not None:
        set_tags(world, contact, tag_ids)
    if changes:
        changed = world.store.edit("contacts", contact.id)
        changed.attributes |= changes | {"updated_at": world.time()}
        if changed.attributes.get("subscribed"):
            changed.hidden["never_subscribed"] = False
        _update_customer(world, changed, changes)
    return written_row(world, required_row(world, "contacts", contact.id))


def _changes(world: World, contact: Row, given: Mapping[str, Any]) -> dict[str, Any]:
    changes = _written(given)
    if "name" in changes and not changes["name"]:
        raise unprocessable("name", "can't be blank")
    if "email" in given:
        changes["email"] = free_email(world, given["email"], contact.site_id, contact_id=contact.id)
    if "external_user_id" in given:
        if not contact.related("customer"):
            raise unprocessable("external_user_id", "can only be set for a contact that is a customer")
        changes["external_user_id"] = given["external_user_id"]
    return changes


def _tag_ids(call: Call, data: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return the new tags, None without any; the document prints ``relationships`` beside ``data``."""
    for holder in (document_of(call), data):
        relationships = holder.get("relationships")
        tags = relationships.get("tags") if is_object(relationships) else None
        if is_object(tags):
            return linkage_ids(tags, "contact_tags")
    return None


def _update_customer(world: World, contact: Row, changes: Mapping[str, Any]) -> None:
    followed = {name: changes[name] for name in ("name", "email", "external_user_id") if name in changes}
    for customer_id in contact.related("customer"):
        customer = world.store.edit("customers", customer_id) if followed else None
        if customer is None:
            continue
        if "email" in followed and followed["email"] != customer.attributes.get("email"):
            customer.attributes["bounced_at"] = None
        customer.attributes |= followed | {"updated_at": world.time()}


def delete_contact(world: World, call: Call) -> Reply:
    """Delete a contact, its customer and its notes; 422 while a subscription is billed."""
    contact = required_row(world, "contacts", call.resource_id)
    for customer_id in contact.related("customer"):
        if any(is_subscribed(purchase, world.now()) for purchase in purchases_of(world.store, customer_id)):
            raise ApiProblem(422, "The contact has active subscriptions")
        world.store.delete("customers", customer_id)
    for note_id in world.lister.all_ids("contact_notes", _notes_of(contact.id), call.begun):
        world.store.delete("contact_notes", note_id)
    world.store.delete("contacts", contact.id)
    return Reply.of({"data": {}})


def find_notes(world: World, call: Call) -> Iterator[None]:
    """Find the notes of a contact that is deleted, in small steps."""
    return world.lister.work("contact_notes", _notes_of(call.resource_id), call.begun)


def _notes_of(contact_id: str) -> RequestQuery:
    return RequestQuery(filters=(("contact_id", contact_id),))


def create_note(world: World, call: Call) -> Reply:
    """Create a note on a contact; 422 without a body or for an unknown contact."""
    data = resource_object(call, "contact_notes")
    body = _body(attributes_of(data))
    contact = world.store.get("contacts", related_id(data, "contact", "contacts") or "")
    if contact is None:
        raise ApiProblem(422, "must exist", {"pointer": "/data/relationships/contact"})
    time = world.time()
    note = Row(
        "contact_notes",
        world.store.new_id("contact_notes"),
        {"body": body, "created_at": time, "updated_at": time},
        {"contact": LinkToOne("contacts", contact.id)},
        {"site_id": contact.site_id},
    )
    return written_row(world, world.store.put(note), 201)


def update_note(world: World, call: Call) -> Reply:
    """Update the body of a note, its only writable attribute."""
    required_row(world, "contact_notes", call.resource_id)
    body = _body(attributes_of(resource_object(call, "contact_notes")))
    note = world.store.edit("contact_notes", call.resource_id)
    note.attributes |= {"body": body, "updated_at": world.time()}
    return written_row(world, note)


def delete_note(world: World, call: Call) -> Reply:
    """Delete a note; the answer is 200 and empty (API document)."""
    required_row(world, "contact_notes", call.resource_id)
    world.store.delete("contact_notes", call.resource_id)
    return Reply(200, content_type=None)


def _body(attributes: dict[str, Any]) -> str:
    body = attributes.get("body")
    if not isinstance(body, str) or not body.strip():
        raise unprocessable("body", "can't be blank")
    return body
