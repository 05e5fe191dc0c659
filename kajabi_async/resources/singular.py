"""What is not a resource with an id: the user behind the key, the version of the API, and any other path."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from kajabi_async.checks import shown, string
from kajabi_async.decoding.answers import read_resource
from kajabi_async.errors import DecodeError, InvalidArgumentError
from kajabi_async.exchange import Request, Send
from kajabi_async.fetching.context import Context
from kajabi_async.jsonapi.codec import decode, encode, json_object
from kajabi_async.jsonapi.query import encoded_pairs
from kajabi_async.models.account import ApiVersion, Me
from kajabi_async.operations import operation
from kajabi_async.resources.base import answered_write

__all__ = ["Params", "read_me", "read_version", "request"]

_METHODS: Final = frozenset({"GET", "POST", "PATCH", "PUT", "DELETE"})
_PATH: Final = re.compile(r"/v1(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+")


Params = Mapping[str, str | int] | Sequence[tuple[str, str | int]]
"""Query parameters by name, or in order where one is repeated."""


async def read_me(context: Context) -> Me:
    """Return the user behind the API key."""
    path = operation("me").path
    answer = await context.send(Request("GET", path))
    return read_resource(answer.body, cls=Me, scope=context.scope(), context=f"GET {path}")


async def read_version(send: Send) -> ApiVersion:
    """Give the version of the API, without a token."""
    path = operation("version").path
    answer = await send(Request("GET", path, authorized=False))
    document = json_object(decode(answer.body, context=f"GET {path}"))
    if document is None:
        raise DecodeError("an object was expected", context=f"GET {path}")
    return ApiVersion.from_document(document)


async def request(
    send: Send,
    method: str,
    path: str,
    *,
    params: Params | None = None,
    json: Any = None,
    timeout: float | None = None,
) -> Any:
    """Send any request and give the decoded JSON of its answer, None where that is empty."""
    verb = string(method, of="method").upper()
    if verb not in _METHODS:
        raise InvalidArgumentError(f"method must be one of {', '.join(sorted(_METHODS))}, got {shown(method)}")
    if not _PATH.fullmatch(string(path, of="path")):
        raise InvalidArgumentError(
            f"path must be a plain path such as '/v1/customers/123', got {path[:80]!r}; a query goes into params="
        )
    query = encoded_pairs((name, str(value)) for name, value in _pairs(params))
    body = None if json is None else encode(json)
    answer = await send(Request(verb, path, query, body), timeout=timeout)
    with answered_write(verb):
        return decode(answer.body, context=f"{verb} {path}") if answer.body.strip() else None


def _pairs(params: Params | None) -> Iterable[tuple[str, str | int]]:
    if params is None:
        return ()
    return params.items() if isinstance(params, Mapping) else params
