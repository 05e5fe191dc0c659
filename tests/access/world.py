"""People with offers, products and purchases behind a client, without a network: requests are counted and can fail."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import attrs

from kajabi_async import ConnectionFailedError, Kajabi, NotFoundError, PausedError, RetryPolicy
from kajabi_async.access import AccessGate
from kajabi_async.exchange import Answer, Request, Tally, TimeoutStarts
from tests.clocks import ManualClock
from tests.sending import linkage, resource

PATHS = {
    "customers.list": re.compile(r"/v1/customers"),
    "contacts.list": re.compile(r"/v1/contacts"),
    "customers.get": re.compile(r"/v1/customers/([^/]+)"),
    "customers.offers": re.compile(r"/v1/customers/([^/]+)/relationships/offers"),
    "purchases.list": re.compile(r"/v1/purchases"),
    "offers.products": re.compile(r"/v1/offers/([^/]+)/relationships/products"),
}


def text_of(moment: float | None) -> str | None:
    return None if moment is None else datetime.fromtimestamp(moment, UTC).isoformat()


@attrs.define
class Person:
    """A customer, and the contact with an id of its own."""

    id: str
    email: str | None
    offers: list[str] = attrs.field(factory=list[str])
    products: list[str] = attrs.field(factory=list[str])
    site: str = "1"

    @property
    def contact_id(self) -> str:
        return f"9{self.id}"


@attrs.define
class Bought:
    """A purchase."""

    id: str
    customer: str
    offer: str
    products: list[str] = attrs.field(factory=list[str])
    ends_at: float | None = None


@attrs.define
class World:
    """A server that answers as the API does, as far as a gate asks it."""

    clock: ManualClock = attrs.field(factory=ManualClock)
    people: dict[str, Person] = attrs.field(factory=dict[str, Person])
    purchases: dict[str, Bought] = attrs.field(factory=dict[str, Bought])
    contents: dict[str, list[str]] = attrs.field(factory=dict[str, "list[str]"])
    contacts: dict[str, Person] = attrs.field(factory=dict[str, Person])
    """Contacts that are no customers."""
    unsearchable: set[str] = attrs.field(factory=set[str])
    """Ids of customers that the search misses."""
    counts: Counter[str] = attrs.field(factory=Counter[str])
    failure: BaseException | None = None
    """What every request ends in."""
    failures: dict[str, BaseException] = attrs.field(factory=dict[str, BaseException])
    """What requests of one kind end in."""
    held: asyncio.Event | None = None
    """Requests wait for it."""
    arrived: asyncio.Event = attrs.field(factory=asyncio.Event)
    """Set by every request."""
    answered: Callable[[str, dict[str, Any]], Any] = lambda _, document: document
    """Changes answers."""

    def person(self, id: str = "55", email: str | None = "ada@example.com", **held: Any) -> Person:
        self.people[id] = Person(id, email, **held)
        return self.people[id]

    def bought(self, offer: str, *, customer: str = "55", ends_in: float | None = None, **more: Any) -> Bought:
        key = str(700 + len(self.purchases))
        ends_at = None if ends_in is None else self.clock.time() + ends_in
        self.purchases[key] = Bought(key, customer, offer, ends_at=ends_at, **more)
        return self.purchases[key]

    @property
    def asked(self) -> int:
        """The number of requests so far."""
        return self.counts.total()

    def be_gone(self) -> None:
        self.failure = ConnectionFailedError("refused")

    def be_paused(self) -> None:
        self.failure = PausedError(status=429, method="GET", path="/v1/customers/1", retry_after=60.0)

    def client(self, **options: Any) -> Kajabi:
        """Return a client that sends to this world."""
        api = Kajabi(
            client_id="id", client_secret="secret", clock=self.clock, retry=RetryPolicy(max_attempts=1), **options
        )
        api.session.send = self.send  # type: ignore[method-assign]
        return api

    def gate(self, api: Kajabi | None = None, *, site_id: str | None = None, **options: Any) -> AccessGate:
        return AccessGate(api or self.client(site_id=site_id), **options)

    async def send(
        self,
        request: Request,
        *,
        timeout: float | None = None,
        tally: Tally | None = None,
        timeout_starts: TimeoutStarts = "call",
    ) -> Answer:
        kind, resource_id = _kind_of(request.path)
        self.counts[kind] += 1
        self.arrived.set()
        if tally is not None:
            tally.attempts += 1
        await asyncio.sleep(0)
        document = None if self.failure or kind in self.failures else self._document(kind, resource_id, request)
        if self.held is not None:
            await self.held.wait()
        if failure := self.failure or self.failures.get(kind):
            raise failure
        if document is None:
            raise NotFoundError(status=404, method=request.method, path=request.path)
        return Answer(200, {}, json.dumps(self.answered(kind, document)).encode())

    def _document(self, kind: str, resource_id: str, request: Request) -> dict[str, Any] | None:
        query = dict(parse_qsl(request.query))
        if kind == "customers.get":
            person = self.people.get(resource_id)
            return None if person is None else {"data": self._customer(person)}
        if kind == "customers.offers":
            return linkage("offers", *self.people[resource_id].offers)
        if kind == "offers.products":
            return linkage("products", *self.contents[resource_id]) if resource_id in self.contents else None
        if kind == "purchases.list":
            rows = [each for each in self.purchases.values() if each.customer == query["filter[customer_id]"]]
            return {"data": [_purchase(each) for each in rows], "links": {}}
        return {"data": self._found(kind, query), "links": {}}

    def _found(self, kind: str, query: dict[str, str]) -> list[dict[str, Any]]:
        text, site = query.get("filter[email_contains]"), query.get("filter[site_id]")
        people = [*self.people.values(), *(self.contacts.values() if kind == "contacts.list" else ())]
        found = [
            each
            for each in people
            if site in {None, each.site}
            and (text is None or (text in (each.email or "") and each.id not in self.unsearchable))
        ]
        return [self._customer(each) if kind == "customers.list" else self._contact(each) for each in found]

    def _customer(self, person: Person) -> dict[str, Any]:
        relationships = {
            "site": {"data": {"type": "sites", "id": person.site}},
            "contact": {"data": {"type": "contacts", "id": person.contact_id}},
            "offers": linkage("offers", *person.offers),
            "products": linkage("products", *person.products),
        }
        attributes = {"name": "Ada", "email": person.email}
        return resource("customers", person.id, attributes=attributes, relationships=relationships)

    def _contact(self, person: Person) -> dict[str, Any]:
        customer = None if person.id in self.contacts else {"type": "customers", "id": person.id}
        relationships = {"site": {"data": {"type": "sites", "id": person.site}}, "customer": {"data": customer}}
        attributes = {"name": "Ada", "email": person.email}
        return resource("contacts", person.contact_id, attributes=attributes, relationships=relationships)


def _purchase(bought: Bought) -> dict[str, Any]:
    relationships = {
        "offer": {"data": {"type": "offers", "id": bought.offer}},
        "customer": {"data": {"type": "customers", "id": bought.customer}},
        "products": linkage("products", *bought.products),
    }
    attributes = {"deactivated_at": text_of(bought.ends_at)}
    return resource("purchases", bought.id, attributes=attributes, relationships=relationships)


def _kind_of(path: str) -> tuple[str, str]:
    for kind, pattern in PATHS.items():
        if found := pattern.fullmatch(path):
            return kind, found[1] if pattern.groups else ""
    raise AssertionError(f"unexpected request for {path}")
