"""Reading one resource by its id, prepared once and used for one id or a million."""

from collections.abc import Awaitable
from typing import Generic, TypeVar

import attrs

from kajabi_async.decoding.answers import read_resource, refuse_stranger
from kajabi_async.exchange import Answer, Request, Tally
from kajabi_async.fetching.context import Context
from kajabi_async.jsonapi.ids import checked_id, path_segment
from kajabi_async.jsonapi.query import Query
from kajabi_async.models.resource import Resource, Scope
from kajabi_async.operations import Operation

__all__ = ["Reader"]

R = TypeVar("R", bound=Resource)


@attrs.frozen
class Reader(Generic[R]):
    """A show operation with its query, checked and encoded."""

    context: Context
    operation: Operation
    model: type[R]
    query: Query
    encoded_query: str
    timeout: float | None = None
    aliases: frozenset[str] = frozenset()
    """Ids that stand for another one, such as ``default`` for a site's default form."""

    async def read(self, resource_id: object, tally: Tally | None = None) -> R:
        """Return the resource; InvalidIdError, ApiError, TransportError or DecodeError if that fails."""
        checked = checked_id(resource_id, of=self.model.resource_type)
        answer = await self.ask(checked, tally)
        return self.resource_in(answer.body, checked)

    def ask(self, resource_id: str, tally: Tally | None = None) -> Awaitable[Answer]:
        """Send the request for an id that has been checked; ApiError or TransportError."""
        before, after = self.operation.around_id
        request = Request("GET", f"{before}{_segment(resource_id)}{after}", self.encoded_query)
        return self.context.send(request, timeout=self.timeout, tally=tally)

    def ask_once(self, resource_id: str, tally: Tally) -> Awaitable[Answer]:
        """Do the same for a run, which retries by itself; the timeout counts from when the request leaves."""
        before, after = self.operation.around_id
        request = Request("GET", f"{before}{_segment(resource_id)}{after}", self.encoded_query, once=True)
        return self.context.send(request, timeout=self.timeout, tally=tally, timeout_starts="sent")

    def resource_in(self, body: bytes, resource_id: str) -> R:
        """Return the resource in the *body* of an answer; DecodeError if it is not the requested one."""
        before, after = self.operation.around_id
        place = f"GET {before}{resource_id}{after}"
        context = self.context
        primary = self.model.resource_type, resource_id
        scope = Scope(self.query, context.resolver, primary, most_elements=context.most_elements, strict=context.strict)
        resource = read_resource(body, cls=self.model, scope=scope, context=place)
        if resource.id != resource_id and resource_id not in self.aliases:
            refuse_stranger(resource, resource_id, context=place)
        return resource


def _segment(checked_id: str) -> str:
    # Nearly every id needs no encoding, and a call takes longer than to see that.
    return checked_id if checked_id.isalnum() and checked_id.isascii() else path_segment(checked_id)
