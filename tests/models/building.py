"""Models made of plain dictionaries, as from an answer."""

import json
from typing import Any, TypeVar

from kajabi_async.decoding.answers import read_resource
from kajabi_async.models.origin import Scope
from kajabi_async.models.resource import Resource

R = TypeVar("R", bound=Resource)


def build(cls: type[R], attributes: Any = None, *, scope: Scope | None = None, **members: Any) -> R:
    """Return a resource of *cls* with id 1."""
    data: dict[str, Any] = {"type": cls.resource_type, "id": "1", "attributes": attributes or {}, **members}
    return read(cls, {"data": data}, scope=scope)


def read(cls: type[R], document: Any, *, scope: Scope | None = None) -> R:
    """Return the one resource of *document*."""
    body = json.dumps(document).encode()
    return read_resource(body, cls=cls, scope=scope or Scope(), context="GET /v1/things/1")


def strict() -> Scope:
    """Return a scope in which an attribute that cannot be read fails the whole resource."""
    return Scope(strict=True)
