"""What every resource coroutine stands on, handed down by the client once."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

import attrs

from kajabi_async.clock import Clock, SystemClock
from kajabi_async.exchange import Send
from kajabi_async.jsonapi.limits import MAX_ELEMENTS
from kajabi_async.jsonapi.links import LinkRules
from kajabi_async.jsonapi.query import Query
from kajabi_async.models.resource import Resolver, Scope
from kajabi_async.stall import Stalls

__all__ = ["DEFAULT_CONCURRENCY", "Context"]


DEFAULT_CONCURRENCY: Final = 50
_NO_QUERY: Final = Query()


class Stats(Protocol):
    """What a client has done so far, as far as estimates are made from it."""

    attempts: int
    """Requests put on the wire."""
    wire_seconds: float
    """Time between sending a request and having read its answer, summed over them."""
    requests_per_second: float | None
    """The rate that is kept to just now; None where no limit is known."""


@attrs.frozen
class Context:
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
    clock: Clock = attrs.field(factory=SystemClock)
    """The clock of the client."""
    stalls: Stalls = attrs.field(factory=Stalls)
    """What waits for an outage to be over."""
    most_elements: int = MAX_ELEMENTS
    """The limit of elements that answers are received under."""
    stats: Callable[[], Stats] | None = None
    """What the client has done so far; None where nobody counts."""
    strict: bool = False
    """Whether an attribute that cannot be read costs the whole resource."""

    def scope(self, query: Query = _NO_QUERY) -> Scope:
        """Return the scope for the answer to *query*."""
        return Scope(query, self.resolver, most_elements=self.most_elements, strict=self.strict)
