"""One resource by its id: a request prepared once and used for one id or a million."""

from collections.abc import Awaitable
from typing import Generic, TypeVar

import attrs

from kajabi_async.decoding.answers import read_resource, refuse_stranger
from kajabi_async.exchange import Answer, Request, Tally
from kajabi_async.fetching.context import Context
from kajabi_async.jsonapi.ids import checked_id, path_segment
from kajabi_async.jsonapi.query import Query
from kajabi_async.models.origin import Scope
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

    async def read(self, resource_id: object) -> R:
        """Return the resource; InvalidIdError, ApiError, TransportError or DecodeError if that fails."""
        checked = checked_id(resource_id, of=self.model.resource_type)
        before, after = self.operation.around_id
        request = Request("GET", f"{before}{path_segment(checked)}{after}", self.encoded_query)
        answer = await self.context.send(request, timeout=self.timeout)
        return self.resource_in(answer.body, checked)

    def request_once(self, resource_id: str, tally: Tally) -> Awaitable[Answer]:
        """Send the request for a checked id, for a run, which retries by itself; ApiError or TransportError.

        The timeout counts from when the request is sent.
        """
        before, after = self.operation.around_id
        request = Request("GET", f"{before}{path_segment(resource_id)}{after}", self.encoded_query, once=True)
        return self.context.send(request, timeout=self.timeout, tally=tally, timeout_starts="sent")

    def resource_in(self, body: bytes, resource_id: str) -> R:
        """Return the resource in the *body* of an answer; DecodeError if it is not the one with *resource_id*."""
        before, after = self.operation.around_id
        place = f"GET {before}{resource_id}{after}"
        context = self.context
        primary = self.model.resource_type, resource_id
        scope = Scope(self.query, context.resolver, primary, most_elements=context.most_elements, strict=context.strict)
        resource = read_resource(body, cls=self.model, scope=scope, context=place)
        if resource.id != resource_id and resource_id not in self.aliases:
            refuse_stranger(resource, resource_id, context=place)
        return resource
