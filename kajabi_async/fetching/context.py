"""What every fetch needs, made once by the client."""

from collections.abc import Callable
from typing import Final

import attrs

from kajabi_async.clock import Clock, SystemClock
from kajabi_async.exchange import Send, SessionStats
from kajabi_async.jsonapi.limits import MAX_ELEMENTS
from kajabi_async.jsonapi.links import LinkRules
from kajabi_async.jsonapi.query import Query
from kajabi_async.models.origin import Resolver, Scope
from kajabi_async.stall import Stalls

__all__ = ["DEFAULT_CONCURRENCY", "Context"]


DEFAULT_CONCURRENCY: Final = 50
_NO_QUERY: Final = Query()


@attrs.frozen
class Context:
    """How to send, resolve relations and check links, and the defaults of the client."""

    send: Send
    resolver: Resolver
    links: LinkRules
    site_id: str | None = None
    """The client's default site."""
    concurrency: int = DEFAULT_CONCURRENCY
    """The number of requests that the client sends at once, and so the number of lookups that a run keeps going."""
    clock: Clock = attrs.field(factory=SystemClock)
    """The clock of the client."""
    stalls: Stalls = attrs.field(factory=Stalls)
    """The stalls of the client, which end when it is closed."""
    most_elements: int = MAX_ELEMENTS
    """The limit of elements of an answer."""
    stats: Callable[[], SessionStats] = SessionStats
    """Returns the counters of the client."""
    has_calls: Callable[[], bool] | None = None
    """Returns whether the client has sent requests of no run lately, to which its runs leave the event loop often."""
    strict: bool = False
    """Whether an attribute that cannot be read makes the whole resource unreadable."""

    def scope(self, query: Query = _NO_QUERY) -> Scope:
        """Return the scope for the answer to *query*."""
        return Scope(query, self.resolver, most_elements=self.most_elements, strict=self.strict)
