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
        return (await self.ask(resource_id, tally)).read()

    async def ask(self, resource_id: object, tally: Tally | None = None) -> "Unread[R]":
        """Give what the server says, to be read later; InvalidIdError, ApiError or TransportError."""
        return await self.ask_checked(checked_id(resource_id, of=self.model.resource_type), tally)

    async def ask_checked(self, resource_id: str, tally: Tally | None = None) -> "Unread[R]":
        """Give what the server says of an id that has been checked; ApiError or TransportError."""
        path = self.operation.path_for(path_segment(resource_id))
        answer = await self.backend.send(Request("GET", path, self.encoded_query), timeout=self.timeout, tally=tally)
        return Unread(self, resource_id, path, answer.body)


@attrs.define(eq=False)
class Unread(Generic[R]):
    """The answer of a show operation, not looked into yet."""

    reader: Reader[R]
    resource_id: str
    path: str
    body: bytes

    def read(self) -> R:
        """Give the resource; DecodeError where the body is not what was asked for."""
        reader, name, context = self.reader, self.resource_id, f"GET {self.path}"
        scope = Scope(reader.query, reader.backend.resolver, Identifier(reader.model.resource_type, name))
        resource = read_resource(self.body, cls=reader.model, scope=scope, context=context)
        if name not in reader.aliases:
            refuse_stranger(resource, name, context=context)
        return resource
