"""Adding, removing and replacing the tags of a contact."""

from collections.abc import Iterable

from kajabi_async.testing.answers import ApiProblem, Reply, not_found
from kajabi_async.testing.reads import required_row, written_linkage
from kajabi_async.testing.rows import Row, ToMany
from kajabi_async.testing.world import Call, World
from kajabi_async.testing.writes.bodies import document_of, linkage_ids

__all__ = ["change_tags", "set_tags"]


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
    tags = {tag_id: _required_tag(world, tag_id) for tag_id in after}
    if before == after:
        return
    changed = world.store.edit("contacts", contact.id)
    changed.relations["tags"] = ToMany("contact_tags", after)
    for tag_id in (tag_id for tag_id in after if tag_id not in before):
        _record_change(world, "tag_added", changed, tags[tag_id])
    for tag_id in (tag_id for tag_id in before if tag_id not in after):
        tag = world.store.get("contact_tags", tag_id)
        if tag is not None:
            _record_change(world, "tag_removed", changed, tag)


def _required_tag(world: World, tag_id: str) -> Row:
    tag = world.store.get("contact_tags", tag_id)
    if tag is None:
        raise not_found("contact_tags", tag_id)
    return tag


def _record_change(world: World, event: str, contact: Row, tag: Row) -> None:
    world.note(event, contact, tag)
    world.deliver(event, tag, contact, tag)
