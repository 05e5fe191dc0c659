"""Creating, updating and deleting contact notes."""

from typing import Any

from kajabi_async.testing.answers import ApiProblem, Reply, unprocessable
from kajabi_async.testing.query import Query
from kajabi_async.testing.reads import required_row
from kajabi_async.testing.rows import Row, ToOne
from kajabi_async.testing.world import Call, World
from kajabi_async.testing.writes.bodies import attributes_of, related_id, resource_object

__all__ = ["create_note", "delete_note", "update_note"]


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
        {"contact": ToOne("contacts", contact.id)},
        {"site_id": contact.site_id},
    )
    return Reply.of(world.printer(Query()).one(world.store.put(note)), 201)


def update_note(world: World, call: Call) -> Reply:
    """Update the body of a note, its only writable attribute."""
    required_row(world, "contact_notes", call.resource_id)
    body = _body(attributes_of(resource_object(call, "contact_notes")))
    note = world.store.edit("contact_notes", call.resource_id)
    note.attributes |= {"body": body, "updated_at": world.time()}
    return Reply.of(world.printer(Query()).one(note))


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
