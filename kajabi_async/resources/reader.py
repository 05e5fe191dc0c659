"""Reading one resource by its id, prepared once and used for one id or a million."""

from typing import Generic, TypeVar

import attrs

from kajabi_async.exchange import Request, Tally
from kajabi_async.jsonapi.ids import checked_id, path_segment
from kajabi_async.jsonapi.query import Query
from kajabi_async.jsonapi.relationships import Identifier
from kajabi_async.models.base import Resource
from kajabi_async.models.origin import Scope
from kajabi_async.models.reading import read_resource, refuse_stranger
from kajabi_async.operations import Operation
from kajabi_async.resources.backend import Backend

__all__ = ["Reader", "Unread"]

R = TypeVar("R", bound=Resource)


@attrs.frozen
class Reader(Generic[R]):
    """A show operation with its query, checked and encoded."""

    backend: Backend
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
        request = self._request(checked)
        answer = await self.backend.send(request, timeout=self.timeout, tally=tally)
        return self.resource_in(answer.body, checked, request.path)

    async def ask_checked(self, resource_id: str, tally: Tally | None = None) -> "Unread[R]":
        """Give what the server says of an id that has been checked; ApiError or TransportError."""
        request = self._request(resource_id)
        answer = await self.backend.send(request, timeout=self.timeout, tally=tally)
        return Unread(self, resource_id, request.path, answer.body)

    def resource_in(self, body: bytes, resource_id: str, path: str) -> R:
        """Give the resource in the *body* of an answer; DecodeError where it is not the one that was asked for."""
        context = f"GET {path}"
        scope = Scope(self.query, self.backend.resolver, Identifier(self.model.resource_type, resource_id))
        resource = read_resource(body, cls=self.model, scope=scope, context=context)
        if resource.id != resource_id and resource_id not in self.aliases:
            refuse_stranger(resource, resource_id, context=context)
        return resource

    def _request(self, resource_id: str) -> Request:
        return Request("GET", self.operation.path_for(path_segment(resource_id)), self.encoded_query)


@attrs.define(eq=False)
class Unread(Generic[R]):
    """The answer of a show operation, not looked into yet."""

    reader: Reader[R]
    resource_id: str
    path: str
    body: bytes

    def read(self) -> R:
        """Give the resource; DecodeError where the body is not what was asked for."""
        return self.reader.resource_in(self.body, self.resource_id, self.path)
