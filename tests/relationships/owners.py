"""Resources as if they had been read, each in a scope of its own, tied to one resolver."""

from typing import Any, TypeVar

from kajabi_async.decoding.answers import read_resource
from kajabi_async.jsonapi.codec import encode
from kajabi_async.models.origin import Scope
from kajabi_async.models.resource import Resource
from kajabi_async.relationships import RelationshipResolver
from tests.sending import resource

__all__ = ["owners"]

R = TypeVar("R", bound=Resource)


def owners(resolver: RelationshipResolver, cls: type[R], *members: dict[str, Any]) -> list[R]:
    """Return one resource of *cls* for each of *members*, with the ids 1, 2, 3, ..."""
    documents = [
        encode({"data": resource(cls.resource_type, str(number), **each)}) for number, each in enumerate(members, 1)
    ]
    return [read_resource(each, cls=cls, scope=Scope(resolver=resolver), context="") for each in documents]
