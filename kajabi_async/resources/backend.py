"""What every resource coroutine stands on, handed down by the client once."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import attrs

from kajabi_async.exchange import Send
from kajabi_async.jsonapi.links import LinkRules
from kajabi_async.models.origin import Resolver

__all__ = ["DEFAULT_CONCURRENCY", "Backend"]


DEFAULT_CONCURRENCY: Final = 50


@attrs.frozen
class Backend:
    """How to send, who resolves relations, which links are trusted, and the defaults of the client."""

    send: Send
    resolver: Resolver
    links: LinkRules
    site_id: str | None = None
    """The client's default site."""
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    """How to wait, by the clock of the client."""
    concurrency: int = DEFAULT_CONCURRENCY
    """How many requests the client sends at once, and so how many lookups a bulk run keeps going."""
