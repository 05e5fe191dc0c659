"""FakeKajabi: a stateful fake of the API on a real loopback socket."""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, Literal, Unpack

from kajabi_async.testing.dataset import all_families
from kajabi_async.testing.dataset.graph import Graph
from kajabi_async.testing.dataset.sizes import Sizes, complete_sizes
from kajabi_async.testing.deliveries import Delivered, HookDeliveries
from kajabi_async.testing.faults.mix import FaultPlan
from kajabi_async.testing.listing import Lister
from kajabi_async.testing.oauth import IssuedTokens, TokenDesk
from kajabi_async.testing.pagination import MetaShape, checked_shape
from kajabi_async.testing.quirks import Quirks
from kajabi_async.testing.rate_limit import RequestLimit, limit_of
from kajabi_async.testing.recorded import Effect, Write, WriteKind
from kajabi_async.testing.rows import Row
from kajabi_async.testing.server import Server
from kajabi_async.testing.server_clock import ServerClock
from kajabi_async.testing.state import Store
from kajabi_async.testing.world import World

__all__ = ["FakeKajabi"]

_KEPT_WRITES: Final = 100_000
_WEEK: Final = 604_800.0


def _utc_now() -> datetime:
    return datetime.now(UTC)


class FakeKajabi(Server):
    """The Kajabi Public API v1 on 127.0.0.1, with data, tokens, persistent writes and injected faults.

    ::

        async with FakeKajabi(customers=50) as fake:
            key = {"client_id": fake.client_id, "client_secret": fake.client_secret}
            async with Kajabi(**key, base_url=fake.base_url) as api:
                customer = await api.customers.get("5")

    The data is generated from ``seed``: two fakes with the same seed and sizes answer the same, and a million
    customers cost nothing until they are requested. Customers have the ids "1" to "N"; the contact of customer n has
    the id 2150000000 + n, and the contacts without a customer follow. The fake belongs to one event loop and cannot be
    restarted.
    """

    def __init__(
        self,
        *,
        seed: int = 7,
        latency: float = 0.0,
        faults: FaultPlan | Iterable[FaultPlan] | None = None,
        rate_limit: RequestLimit | int | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
        token_uses: int | None = None,
        token_lifetime: float = _WEEK,
        refresh_token_lifetime: float = 4 * _WEEK,
        rotate_refresh_tokens: bool = False,
        omit_refresh_token: bool = False,
        denied_types: set[str] | frozenset[str] = frozenset(),
        max_page_size: int = 100,
        default_page_size: int | None = None,
        meta: MetaShape = "documented",
        included_offer_title: Literal["title", "name"] = "title",
        bundled_orders: bool = False,
        quirks: Quirks | None = None,
        deliver_hooks: HookDeliveries | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = _utc_now,
        **sizes: Unpack[Sizes],
    ) -> None:
        """Configure the fake; ``start`` opens the socket.

        - ``latency``: seconds before each answer.
        - ``faults``: fault plans.
        - ``rate_limit``: a RequestLimit, or a number of requests per second, for all clients together.
        - ``client_id``, ``client_secret``: the key that it accepts, by default one of its own.
        - ``token_uses``: the number of requests after which an access token expires.
        - ``token_lifetime``, ``refresh_token_lifetime``: in seconds of ``clock``.
        - ``denied_types``: types for which the key has no scope (403).
        - ``meta``: the shape of the meta of every list.
        - ``included_offer_title``: the title attribute of included offers; the document prints ``name``.
        - ``bundled_orders``: whether one transaction pays for all offers of an order, and its ``offer`` is null.
        - ``quirks``: further differences between the live server and its document.
        - ``deliver_hooks``: posts to hooks with addresses on this machine; without it deliveries are only recorded in
          ``effects``.
        - ``now``: the wall clock, for Date headers and the times of writes.

        ValueError for an invalid size or an unknown shape.
        """
        self.effects: list[Effect] = []
        """The side effects that writes would have had, oldest first."""
        self.writes: deque[Write] = deque(maxlen=_KEPT_WRITES)
        """The latest hundred thousand writes to resources, oldest first, by requests and by the test."""
        server_clock = ServerClock(clock, now)
        desk = TokenDesk(
            clock=server_clock,
            token_lifetime=token_lifetime,
            refresh_token_lifetime=refresh_token_lifetime,
            rotate_refresh_tokens=rotate_refresh_tokens,
            omit_refresh_token=omit_refresh_token,
            token_uses=token_uses,
            client_id=client_id,
            client_secret=client_secret,
        )
        store = Store(all_families(Graph(seed, complete_sizes(sizes), bundled_orders=bundled_orders)))
        store.note = self._note_write
        behaviour = quirks or Quirks()
        lister = Lister(
            store, now=server_clock.now, max_size=max_page_size, default_size=default_page_size, quirks=behaviour
        )
        shape = checked_shape(meta)
        super().__init__(
            World(store, lister, server_clock.now, shape, included_offer_title, self.effects, behaviour),
            desk,
            server_clock,
            latency=latency,
            faults=faults,
            rate_limit=rate_limit,
            denied_types=set(denied_types),
            deliver_hooks=deliver_hooks,
        )

    # Credentials and tokens

    @property
    def client_id(self) -> str:
        """The client id of the only accepted key."""
        return self._desk.client_id

    @property
    def client_secret(self) -> str:
        """The client secret of the key."""
        return self._desk.client_secret

    @property
    def username(self) -> str:
        """The user of the password grant."""
        return self._desk.username

    @property
    def password(self) -> str:
        """The password of the password grant."""
        return self._desk.password

    @property
    def tokens(self) -> tuple[IssuedTokens, ...]:
        """The latest ten thousand issued token pairs, oldest first."""
        return tuple(self._desk.issued)

    def is_live(self, access_token: str) -> bool:
        """Return whether a request with ``access_token`` would be accepted now."""
        return self._desk.is_live(access_token)

    def issue_token(self) -> str:
        """Issue an access token without a request."""
        return self._desk.issue().access_token

    def expire_tokens(self) -> None:
        """Expire every issued access token; the refresh tokens stay valid."""
        self._desk.expire_access_tokens()

    def revoke_all(self) -> None:
        """Revoke every access and refresh token."""
        self._desk.revoke_all()

    @property
    def token_uses(self) -> int | None:
        """The number of requests after which an access token expires; None for no limit; settable."""
        return self._desk.token_uses

    @token_uses.setter
    def token_uses(self, uses: int | None) -> None:
        self._desk.token_uses = uses

    @property
    def token_grants(self) -> int:
        """The number of token requests that were answered with tokens."""
        return self._desk.grants

    def rotate_key(self) -> None:
        """Revoke every token, as rotating a key does; the credentials do not change."""
        self._desk.revoke_all()

    # The rate limit

    @property
    def rate_limit(self) -> RequestLimit | None:
        """The limit for all clients together; set a RequestLimit, a number of requests per second, or None."""
        return self._limiter.limit

    @rate_limit.setter
    def rate_limit(self, limit: RequestLimit | int | None) -> None:
        self._limiter.limit = limit_of(limit)

    @property
    def traffic(self) -> Counter[str]:
        """The numbers of requests that the limit accepted, ``answered``, and rejected, ``limited``."""
        return self._limiter.counts

    # Data

    def resource(self, type_name: str, resource_id: str) -> dict[str, Any] | None:
        """Return the current resource object as a GET would show it; None if it does not exist."""
        row = self._world.store.get(type_name, resource_id)
        return None if row is None else self._world.printed(row)

    def contact_id_of(self, customer_id: str) -> str | None:
        """Return the id of a customer's contact; None if the customer does not exist."""
        return self._related("customers", customer_id, "contact")

    def customer_id_of(self, contact_id: str) -> str | None:
        """Return the id of a contact's customer; None if it has no customer or does not exist."""
        return self._related("contacts", contact_id, "customer")

    def _related(self, type_name: str, resource_id: str, relation: str) -> str | None:
        row = self._world.store.get(type_name, resource_id)
        return next(iter(row.related(relation)), None) if row else None

    def add(self, resource_object: Mapping[str, Any]) -> None:
        """Add a resource object verbatim, replacing any with its type and id.

        It is answered unchanged until a write modifies it. ValueError without a type and an id.
        """
        self._world.store.put(Row.from_resource_object(resource_object))

    def change(self, type_name: str, resource_id: str, **attributes: Any) -> None:
        """Set attributes of a resource as the server would, and its ``updated_at``, if it has one, to now.

        For writes that the API has no operation for, such as a planned end: ``deactivated_at="2027-01-01T00:00:00Z"``.
        Times are text. KeyError if the resource does not exist.
        """
        row = self._world.store.edit(type_name, resource_id)
        row.attributes |= {"updated_at": self._world.time()} if "updated_at" in row.attributes else {}
        row.attributes |= attributes

    def remove(self, type_name: str, resource_id: str) -> bool:
        """Remove one resource, without any related ones; return False if it did not exist."""
        return self._world.store.delete(type_name, resource_id)

    def _note_write(self, kind: WriteKind, type_name: str, resource_id: str) -> None:
        self.writes.append(Write(self.clock.now(), kind, type_name, resource_id))

    # Deliveries to hooks

    @property
    def deliveries(self) -> tuple[Delivered, ...]:
        """Every delivery attempt, oldest first; empty without ``deliver_hooks``."""
        return () if self._postman is None else tuple(self._postman.attempts)

    @property
    def dead_hooks(self) -> frozenset[str]:
        """The ids of the hooks whose receiver answered 405; they get no more deliveries."""
        return frozenset() if self._postman is None else frozenset(self._postman.dead)

    async def hooks_delivered(self) -> None:
        """Wait until every delivery is acknowledged, lost or dropped."""
        if self._postman is not None:
            await self._postman.done()
