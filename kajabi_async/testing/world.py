"""The state that operations work on, and the call of an operation."""

import math
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import attrs

from kajabi_async.operations import Operation
from kajabi_async.testing.dataset.times import written_now
from kajabi_async.testing.documents import Printer
from kajabi_async.testing.listing import Lister
from kajabi_async.testing.pagination import MetaShape
from kajabi_async.testing.quirks import Quirks
from kajabi_async.testing.recorded import Effect
from kajabi_async.testing.replies import Reply
from kajabi_async.testing.request_query import RequestQuery
from kajabi_async.testing.rows import Row
from kajabi_async.testing.state import Store

__all__ = ["Call", "Handler", "LongWork", "World"]


@attrs.frozen
class Call:
    """One request matched with its operation."""

    operation: Operation
    resource_id: str
    query: RequestQuery
    body: bytes
    content_type: str
    begun: datetime
    """The time at which the work on it began."""

    @property
    def type(self) -> str:
        """The resource type in the path."""
        return self.operation.path.split("/")[2]


@attrs.define
class World:
    """The state of one fake."""

    store: Store
    lister: Lister
    now: Callable[[], datetime]
    meta: MetaShape
    offer_title: str
    effects: list[Effect]
    quirks: Quirks
    _later: list[tuple[datetime, Callable[[], None]]] = attrs.field(factory=list[tuple[datetime, Callable[[], None]]])
    post: Callable[[Row, str, tuple[dict[str, Any], ...]], None] | None = None
    """The function that delivers to a hook; None to only record deliveries."""

    def printer(self, query: RequestQuery, *, in_list: bool = False) -> Printer:
        """Return a printer for the answer to *query*."""
        return Printer(self.store, query, in_list=in_list, offer_title=self.offer_title)

    def printed(self, row: Row) -> dict[str, Any]:
        """Return the complete resource object of *row*."""
        return dict(self.printer(RequestQuery()).one(row)["data"])

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        """Schedule *call* in *seconds* of the server's time; never if they are infinite."""
        if math.isfinite(seconds):
            self._later.append((self.now() + timedelta(seconds=seconds), call))

    def catch_up(self) -> None:
        """Run the scheduled calls whose time has come."""
        now = self.now()
        ready = [call for at, call in self._later if at <= now]
        self._later = [each for each in self._later if each[0] > now]
        for call in ready:
            call()

    def time(self) -> str:
        """Return the current time in the API's format."""
        return written_now(self.now())

    def note(self, kind: str, person: Row | None = None, about: Row | None = None, email: str | None = None) -> None:
        """Record a side effect on *person*, a contact or a customer."""
        other = {"contacts": "customer", "customers": "contact"}.get(person.type if person else "")
        ids = {} if person is None or other is None else {person.type: person.id, f"{other}s": _first(person, other)}
        self.effects.append(
            Effect(
                kind,
                contact_id=ids.get("contacts"),
                customer_id=ids.get("customers"),
                email=email,
                about_type=about.type if about else None,
                about_id=about.id if about else None,
            )
        )

    def deliver(self, event: str, about: Row, *payload: Row) -> None:
        """Record a delivery for every hook subscribed to *event* on *about*, and post it if configured."""
        objects = tuple(self.printed(row) for row in payload)
        for hook in self.store.rows("hooks"):
            resource_id = hook.attributes.get("resource_id")
            if hook.attributes.get("event") == event and (resource_id is None or str(resource_id) == about.id):
                self.effects.append(Effect("hook", about_type="hooks", about_id=hook.id, payload=objects))
                if self.post is not None:
                    self.post(hook, event, objects)


def _first(row: Row, relation: str) -> str | None:
    return next(iter(row.related(relation)), None)


Handler = Callable[[World, Call], Reply]
LongWork = Callable[[World, Call], Iterator[None]]
"""Does the part of a handler's work that may take long, before the handler, and yields between small steps."""
