"""Creating and deleting hooks."""

from typing import Any
from urllib.parse import urlsplit

from kajabi_async.testing.api.bodies import attributes_of, related_id, resource_object
from kajabi_async.testing.api.shows import required_row, written_row
from kajabi_async.testing.dataset.account import EVENTS
from kajabi_async.testing.replies import ApiProblem, Reply, unprocessable
from kajabi_async.testing.rows import LinkToOne, Row
from kajabi_async.testing.world import Call, World

__all__ = ["create_hook", "delete_hook"]


def create_hook(world: World, call: Call) -> Reply:
    """Create a hook; 400 without a site, 422 for an unknown event or a target that is not a URL."""
    data = resource_object(call, "hooks")
    attributes = attributes_of(data)
    site_id = related_id(data, "site", "sites")
    if site_id is None or world.store.get("sites", site_id) is None:
        raise ApiProblem(400, "a site is needed", {"pointer": "/data/relationships/site"})
    if attributes.get("event") not in EVENTS:
        raise unprocessable("event", "is not included in the list")
    time = world.time()
    stored = {
        "event": attributes["event"],
        "target_url": _url(attributes.get("target_url")),
        "resource_id": _resource_id(attributes.get("resource_id")),
        "created_at": time,
        "updated_at": time,
    }
    hook = Row("hooks", world.store.new_id("hooks"), stored, {"site": LinkToOne("sites", site_id)})
    return written_row(world, world.store.put(hook), 201)


def _url(given: Any) -> str:
    try:
        parts = urlsplit(given if isinstance(given, str) else "")
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise unprocessable("target_url", "is not a valid URL")
    return str(given)


def _resource_id(given: Any) -> int | None:
    """Return the id, which is text in the document's request and an integer in its schema."""
    if given is None:
        return None
    if isinstance(given, str) and given.isascii() and given.isdecimal() and len(given) < len(str(10**18)):
        return int(given)
    if isinstance(given, int) and not isinstance(given, bool):
        return given
    raise unprocessable("resource_id", "is not a number")


def delete_hook(world: World, call: Call) -> Reply:
    """Delete a hook: the only 204 of the API."""
    required_row(world, "hooks", call.resource_id)
    world.store.delete("hooks", call.resource_id)
    return Reply(204, content_type=None)
