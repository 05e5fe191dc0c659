"""Reading one resource by its id, prepared once and used for one id or a million."""

from collections.abc import Awaitable
from typing import Generic, TypeVar

import attrs

from kajabi_async.decoding.answers import read_resource, refuse_stranger
from kajabi_async.exchange import Answer, Request, Tally
from kajabi_async.fetching.context import Context
from kajabi_async.jsonapi.ids import checked_id, path_segment
from kajabi_async.jsonapi.query import Query
from kajabi_async.models.resource import Resource
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
        """Give the resource; InvalidIdError, ApiError, TransportError or DecodeError where that fails."""
        checked = checked_id(resource_id, of=self.model.resource_type)
        answer = await self.ask(checked, tally)
        return self.resource_in(answer.body, checked)

    def ask(self, resource_id: str, tally: Tally | None = None) -> Awaitable[Answer]:
        """Give what the server says of an id that has been checked; ApiError or TransportError."""
        before, after = self.operation.around_id
        request = Request("GET", f"{before}{path_segment(resource_id)}{after}", self.encoded_query)
        return self.context.send(request, timeout=self.timeout, tally=tally)

    def ask_once(self, resource_id: str, tally: Tally) -> Awaitable[Answer]:
        """Do as `ask` for a run, which asks again by itself; the time it takes counts from when the request leaves."""
        before, after = self.operation.around_id
        request = Request("GET", f"{before}{path_segment(resource_id)}{after}", self.encoded_query, once=True)
        return self.context.send(request, timeout=self.timeout, tally=tally, timeout_starts="sent")

    def resource_in(self, body: bytes, resource_id: str) -> R:
        """Give the resource in the *body* of an answer; DecodeError where it is not the one that was asked for."""
        before, after = self.operation.around_id
        place = f"GET {before}{resource_id}{after}"
        scope = self.context.scope(self.query, (self.model.resource_type, resource_id))
        resource = read_resource(body, cls=self.model, scope=scope, context=place)
        if resource.id != resource_id and resource_id not in self.aliases:
            refuse_stranger(resource, resource_id, context=place)
        return resource
