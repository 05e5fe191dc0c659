"""FakeKajabi: a stateful fake of the API on a real loopback socket."""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from types import TracebackType
from typing import Any, Final, Literal, Self, Unpack
from weakref import WeakSet

import attrs
from aiohttp import web

from kajabi_async.operations import Operation
from kajabi_async.testing.api import HANDLERS, LONG_WORK, matched
from kajabi_async.testing.control import ControlEndpoint
from kajabi_async.testing.dataset import all_families
from kajabi_async.testing.dataset.graph import Graph
from kajabi_async.testing.dataset.sizes import Sizes, complete_sizes
from kajabi_async.testing.deliveries import Delivered, HookDeliveries, Postman
from kajabi_async.testing.faults.incident import Incident, pause, sent
from kajabi_async.testing.faults.mix import FaultPlan
from kajabi_async.testing.faults.orders import FaultDesk
from kajabi_async.testing.listing import Lister
from kajabi_async.testing.oauth import IssuedTokens, TokenDesk
from kajabi_async.testing.pagination import MetaShape, checked_shape
from kajabi_async.testing.quirks import Quirks
from kajabi_async.testing.rate_limit import RateLimit, RateLimiter, limit_of
from kajabi_async.testing.recorded import Effect, RecordedRequest, Write, WriteKind
from kajabi_async.testing.replies import ApiProblem, Reply, error_reply
from kajabi_async.testing.request_query import read_query
from kajabi_async.testing.rows import Row
from kajabi_async.testing.server_clock import ServerClock
from kajabi_async.testing.slices import Slices
from kajabi_async.testing.state import Store
from kajabi_async.testing.world import Call, World

__all__ = ["FakeKajabi"]

_KEPT_REQUESTS: Final = 10_000
_KEPT_WRITES: Final = 100_000
_WEEK: Final = 604_800.0
_PUBLIC: Final = frozenset({"oauth.token", "version"})
_NO_SUCH_PAGE: Final = (
    b"<!DOCTYPE html><html><head><title>404</title></head><body><h1>Page not found</h1></body></html>"
)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class FakeKajabi(FaultDesk):
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
        rate_limit: RateLimit | int | None = None,
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
        - ``rate_limit``: a RateLimit, or a number of requests per second, for all clients together.
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
        super().__init__(latency=latency, faults=faults)
        self.denied_types = set(denied_types)
        self.effects: list[Effect] = []
        """The side effects that writes would have had, oldest first."""
        self.requests: deque[RecordedRequest] = deque(maxlen=_KEPT_REQUESTS)
        """The latest ten thousand requests, oldest first."""
        self.writes: deque[Write] = deque(maxlen=_KEPT_WRITES)
        """The latest hundred thousand writes to resources, oldest first, by requests and by the test."""
        self.counts: Counter[str] = Counter()
        """The number of requests by name of the operation; ``unknown`` for paths without one."""
        self.clock = ServerClock(clock, now)
        """The clock of the fake; ``fake.clock.jump(3600)`` moves it forward by an hour."""
        self._limiter = RateLimiter(self.clock, rate_limit)
        self._desk = TokenDesk(
            clock=self.clock,
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
            store, now=self.clock.now, max_size=max_page_size, default_size=default_page_size, quirks=behaviour
        )
        shape = checked_shape(meta)
        self._world = World(store, lister, self.clock.now, shape, included_offer_title, self.effects, behaviour)
        self._slices = Slices(self.closing)
        self._postman = None if deliver_hooks is None else Postman(deliver_hooks)
        self._world.post = None if self._postman is None else self._postman.accept
        self._control = ControlEndpoint(self, self._limiter, self._desk, self.clock, self.counts)
        self._used_connections: WeakSet[asyncio.Transport] = WeakSet()
        self._runner: web.ServerRunner | None = None
        self._base_url: str | None = None

    async def __aenter__(self) -> Self:
        """Start on a free port."""
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the fake."""
        await self.aclose()

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen on ``host`` and ``port``, 0 for a free one; RuntimeError if the fake was started before."""
        if self._runner is not None:
            raise RuntimeError("a FakeKajabi can be started once")
        self._runner = web.ServerRunner(web.Server(self._serve, access_log=None), shutdown_timeout=2.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        address, actual_port = self._runner.addresses[0][:2]
        self._base_url = f"http://{f'[{address}]' if ':' in address else address}:{actual_port}"

    async def aclose(self) -> None:
        """Stop listening and cut open connections; a second call does nothing."""
        self.closing.set()
        if self._postman is not None:
            await self._postman.aclose()
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def base_url(self) -> str:
        """The base URL, without ``/v1``, also after closing; RuntimeError before the fake is started."""
        if self._base_url is None:
            raise RuntimeError("the fake is not listening; use it as `async with FakeKajabi() as fake`")
        return self._base_url

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
    def rate_limit(self) -> RateLimit | None:
        """The limit for all clients together; set a RateLimit, a number of requests per second, or None."""
        return self._limiter.limit

    @rate_limit.setter
    def rate_limit(self, limit: RateLimit | int | None) -> None:
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

    def reset_counts(self) -> None:
        """Clear the recorded requests and their counts."""
        self.counts.clear()
        self.requests.clear()

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

    # Serving

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            return await self._response(request)
        except ConnectionError:
            # The client has disconnected: there is no one to answer, and nothing to log.
            return web.Response()

    async def _response(self, request: web.BaseRequest) -> web.StreamResponse:
        raw_path, _, query_string = request.raw_path.partition("?")
        body = await request.read() if request.can_read_body else b""
        if self._control.is_for(raw_path, request.remote):
            return sent(self._control.reply(request.method, raw_path, request.headers, body), self.clock)
        found = matched(request.method, raw_path)
        name = found[0].name if found else None
        headers = {key.lower(): value for key, value in request.headers.items()}
        is_reused = self._is_reused(request)
        record = RecordedRequest(request.method, raw_path, query_string, headers, body, name, is_reused)
        self.requests.append(record)
        self.counts[name or "unknown"] += 1
        refusal = self._limiter.refusal(name)
        if refusal is not None:
            return sent(refusal, self.clock)
        return await self._answered(request, record, found)

    def _is_reused(self, request: web.BaseRequest) -> bool:
        connection = request.transport
        if connection is None:
            return False
        is_reused = connection in self._used_connections
        self._used_connections.add(connection)
        return is_reused

    async def _answered(
        self, request: web.BaseRequest, record: RecordedRequest, found: tuple[Operation, str] | None
    ) -> web.StreamResponse:
        chosen = self.fault_for(record, found[0].path if found else None)
        fault, seed = chosen or (None, "")
        if self.latency > 0:
            # Closing the fake ends the pause, so no task has to be cancelled.
            await pause(self.latency, self.closing)
        begun = await self._prepared(request, record, found)
        incident = Incident(
            request=request,
            record=record,
            process=partial(self._processed, record, found, begun=begun),
            seed=seed,
            clock=self.clock,
            tokens=self._desk,
            store=self._world.store,
            closing=self.closing,
        )
        return incident.answered() if fault is None else await fault.play(incident)

    async def _prepared(
        self, request: web.BaseRequest, record: RecordedRequest, found: tuple[Operation, str] | None
    ) -> datetime:
        """Do the long part of a request's work in slices, so that others are answered meanwhile; return its time."""
        begun = self.clock.now()
        work = None if found is None else LONG_WORK.get(found[0].name)
        if found is not None and work is not None and self._desk.accepts(record.headers.get("authorization")):
            call = self._call(record, *found, begun)
            if call.type not in self.denied_types and not await self._slices.run(work(self._world, call)):
                if request.transport is not None:
                    request.transport.abort()
                raise ConnectionAbortedError("the fake is closing")
        return begun

    def _processed(
        self,
        record: RecordedRequest,
        found: tuple[Operation, str] | None,
        *,
        begun: datetime,
        rows_before: int = 0,
    ) -> Reply:
        if found is None:
            return Reply(404, _NO_SUCH_PAGE, "text/html; charset=utf-8")
        try:
            return self._handled(self._call(record, *found, begun, rows_before=rows_before), record)
        except ApiProblem as problem:
            return error_reply(problem.status, problem.detail, problem.source)

    @staticmethod
    def _call(
        record: RecordedRequest, operation: Operation, resource_id: str, begun: datetime, *, rows_before: int = 0
    ) -> Call:
        query = read_query(record.query_string)
        if rows_before:
            query = attrs.evolve(query, rows_before=rows_before)
        return Call(operation, resource_id, query, record.body, record.headers.get("content-type", ""), begun)

    def _handled(self, call: Call, record: RecordedRequest) -> Reply:
        name = call.operation.name
        if name not in _PUBLIC:
            self._desk.check(record.headers.get("authorization"))
        if name == "oauth.token":
            return self._desk.token(call.body, call.content_type)
        if name == "oauth.revoke":
            return self._desk.revoke(call.body, call.content_type)
        if call.type in self.denied_types:
            raise ApiProblem(403, f"The key has no scope for {call.type}")
        self._world.catch_up()
        return HANDLERS[name](self._world, call)
