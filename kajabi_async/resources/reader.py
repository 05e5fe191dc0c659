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

__all__ = ["Reader"]

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
        name = checked_id(resource_id, of=self.model.resource_type)
        path = self.operation.path_for(path_segment(name))
        request = Request("GET", path, self.encoded_query)
        context = f"GET {path}"
        answer = await self.backend.send(request, timeout=self.timeout, tally=tally)
        scope = Scope(self.query, self.backend.resolver, Identifier(self.model.resource_type, name))
        resource = read_resource(answer.body, cls=self.model, scope=scope, context=context)
        if name not in self.aliases:
            refuse_stranger(resource, name, context=context)
        return resource
