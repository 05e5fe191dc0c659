"""The reading operations: single resources, lists, linkage, the owner of the key, the version."""

from collections.abc import Iterator

from kajabi_async.testing.dataset.account import ME
from kajabi_async.testing.documents import identifiers, relation_link
from kajabi_async.testing.pagination import page_links, page_meta
from kajabi_async.testing.replies import ApiProblem, Reply, not_found
from kajabi_async.testing.rows import Row
from kajabi_async.testing.world import Call, World

__all__ = [
    "find_page",
    "list_page",
    "read_linkage",
    "read_me",
    "read_version",
    "required_row",
    "show",
    "written_linkage",
    "written_row",
]

_PAYOUTS = "kajabi_payments_payouts"


def required_row(world: World, type_name: str, resource_id: str) -> Row:
    """Return the row; raise the API's 404 if it does not exist."""
    if type_name == "forms" and resource_id == "default":
        return _default_form(world)
    row = world.store.get(type_name, resource_id)
    if row is None:
        raise not_found(type_name, resource_id)
    return row


def _default_form(world: World) -> Row:
    form = next((row for row in world.store.rows("forms") if row.attributes.get("default")), None)
    if form is None:
        raise not_found("forms", "default")
    return form


def show(world: World, call: Call) -> Reply:
    """Answer with one resource."""
    row = required_row(world, call.type, call.resource_id)
    if call.type == _PAYOUTS:
        _require_site(call)
        if row.site_id not in {None, call.query.filter("site_id")}:
            raise not_found(call.type, call.resource_id)
    document = world.printer(call.query).one(row)
    if call.type == "courses" and world.quirks.course_included == "data" and "included" in document:
        document["data"] = {**document["data"], "included": document.pop("included")}
    return Reply.of(document)


def list_page(world: World, call: Call) -> Reply:
    """Answer with one page of a list; 500 for an unbracketed page parameter (observed)."""
    if call.query.has_unbracketed_page:
        raise ApiProblem(500, "Internal server error")
    if call.type == _PAYOUTS:
        _require_site(call)
    page = world.lister.page(call.type, call.query, call.begun)
    document = world.printer(call.query, in_list=True).many(call.type, [_listed(row) for row in page.rows])
    meta = page_meta(call.type, page, world.meta)
    document |= {} if meta is None else {"meta": meta}
    return Reply.of(document | {"links": page_links(call.type, call.query, page)})


def find_page(world: World, call: Call) -> Iterator[None]:
    """Find the rows of a page in small steps."""
    if call.query.has_unbracketed_page or (call.type == _PAYOUTS and not call.query.filter("site_id")):
        return iter(())
    return world.lister.work(call.type, call.query, call.begun)


def _listed(row: Row) -> Row:
    if row.type != _PAYOUTS or row.verbatim is not None:
        return row
    # A list omits the transactions of a payout.
    listed = row.copy()
    listed.attributes.pop("transactions", None)
    return listed


def _require_site(call: Call) -> None:
    if not call.query.filter("site_id"):
        raise ApiProblem(400, "filter[site_id] is required", {"parameter": "filter[site_id]"})


def read_linkage(world: World, call: Call) -> Reply:
    """Answer with the identifiers of the relation in the path."""
    row = required_row(world, call.type, call.resource_id)
    relation = call.operation.path.rsplit("/", 1)[1]
    linkage = row.relations.get(relation)
    links = {"self": relation_link(row, relation)}
    return Reply.of({"data": [] if linkage is None else identifiers(linkage), "links": links})


def written_linkage(world: World, call: Call) -> Reply:
    """Answer a write to a relation with its new linkage, or with 204."""
    return Reply(204, b"", None) if world.quirks.linkage_writes == "no content" else read_linkage(world, call)


def written_row(world: World, row: Row, status: int = 200) -> Reply:
    """Answer a write to a resource with the whole of it."""
    return Reply.of({"data": world.printed(row)}, status)


def read_me(_world: World, _call: Call) -> Reply:
    """Answer with the owner of the key."""
    return Reply.of({"data": {"id": ME.id, "type": ME.type, "attributes": ME.attributes}})


def read_version(_world: World, _call: Call) -> Reply:
    """Answer with the version of the API; the document misspells ``specification`` (observed)."""
    return Reply.of(
        {
            "meta": {"title": "Kajabi API", "version": "1.1.0"},
            "links": {"documentation": "https://developers.kajabi.com"},
            "jsonapi": {"version": "v1.1", "specification": "https://jsonapi.org/format/"},
        }
    )
