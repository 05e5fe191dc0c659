"""The fake as a server: it takes requests on a socket of this machine and answers them, with faults if any hit them."""

import asyncio
from collections import Counter, deque
from collections.abc import Iterable
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Final, Self
from weakref import WeakSet

import attrs
from aiohttp import web

from kajabi_async.operations import Operation
from kajabi_async.testing.api import HANDLERS, LONG_WORK, matched
from kajabi_async.testing.control import ControlEndpoint
from kajabi_async.testing.deliveries import HookDeliveries, Postman
from kajabi_async.testing.faults.incident import Incident, pause, sent
from kajabi_async.testing.faults.mix import FaultPlan
from kajabi_async.testing.faults.orders import FaultDesk
from kajabi_async.testing.oauth import TokenDesk
from kajabi_async.testing.rate_limit import RateLimiter, RequestLimit
from kajabi_async.testing.recorded import RecordedRequest
from kajabi_async.testing.replies import ApiProblem, Reply, error_reply
from kajabi_async.testing.request_query import read_query
from kajabi_async.testing.server_clock import ServerClock
from kajabi_async.testing.slices import Slices
from kajabi_async.testing.world import Call, World

__all__ = ["Server"]

_KEPT_REQUESTS: Final = 10_000
_PUBLIC: Final = frozenset({"oauth.token", "version"})
_NO_SUCH_PAGE: Final = (
    b"<!DOCTYPE html><html><head><title>404</title></head><body><h1>Page not found</h1></body></html>"
)


class Server(FaultDesk):
    """Receives the requests to a fake, and passes each to the handler of its operation."""

    def __init__(
        self,
        world: World,
        desk: TokenDesk,
        clock: ServerClock,
        *,
        latency: float,
        faults: FaultPlan | Iterable[FaultPlan] | None,
        rate_limit: RequestLimit | int | None,
        denied_types: set[str],
        deliver_hooks: HookDeliveries | None,
    ) -> None:
        """Set up without a socket, which ``start`` opens."""
        super().__init__(latency=latency, faults=faults)
        self.denied_types = denied_types
        self.requests: deque[RecordedRequest] = deque(maxlen=_KEPT_REQUESTS)
        """The latest ten thousand requests, oldest first."""
        self.counts: Counter[str] = Counter()
        """The number of requests by name of the operation; ``unknown`` for paths without one."""
        self.clock = clock
        """The clock of the fake; ``fake.clock.jump(3600)`` moves it forward by an hour."""
        self._world = world
        self._desk = desk
        self._limiter = RateLimiter(clock, rate_limit)
        self._slices = Slices(self.closing)
        self._postman = None if deliver_hooks is None else Postman(deliver_hooks)
        world.post = None if self._postman is None else self._postman.accept
        self._control = ControlEndpoint(self, self._limiter, desk, clock, self.counts)
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

    def reset_counts(self) -> None:
        """Clear the recorded requests and their counts."""
        self.counts.clear()
        self.requests.clear()

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
