"""FaultProxy: a TCP proxy on loopback that simulates bad networks."""

import asyncio
import os
import socket
from collections import Counter
from contextlib import suppress
from functools import partial
from itertools import count
from random import Random
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit, urlunsplit

import attrs

from kajabi_async.testing.network.connection import Direction, ProxiedConnection
from kajabi_async.testing.toxics import AppliedToxic, Down, Toxic

__all__ = ["ActiveToxic", "FaultProxy"]

_BACKLOG: Final = 512
_PORTS: Final = {"http": 80, "https": 443, "redis": 6379, "rediss": 6379}


def _close(connection: socket.socket, _served: asyncio.Task[None]) -> None:
    connection.close()


@attrs.frozen(eq=False)
class ActiveToxic:
    """One toxic of a proxy."""

    toxic: Toxic
    direction: Direction
    toxicity: float
    """The share of connections that it affects, 0 to 1."""
    number: int
    """Its number in the order of addition, from 1."""


class FaultProxy:
    """A proxy in front of any TCP server that passes bytes on, modified by toxics.

    ::

        async with FaultProxy(fake.base_url) as proxy:
            proxy.add(toxics.Latency(0.05, jitter=0.02))
            api = Kajabi(client_id=fake.client_id, client_secret=fake.client_secret, base_url=proxy.url)

    Toxics act in the order of addition, on open connections and on new ones; a removed toxic stops at once. The
    connections that a toxicity below 1 affects, and every jitter and slice, depend on ``seed``, the number of the
    connection and the number of the toxic. The proxy belongs to one event loop and cannot be restarted.
    """

    def __init__(self, target: str, *, seed: int = 7) -> None:
        """Configure a proxy; ``target`` is a URL such as ``redis://127.0.0.1:6379/0``, or ``host:port``.

        ValueError for a target without a host, or without a port if its scheme has no known default.
        """
        self._target = urlsplit(target if "://" in target else f"tcp://{target}")
        port = self._target.port or _PORTS.get(self._target.scheme)
        if not self._target.hostname or port is None:
            raise ValueError("a proxy needs a target with a host and a port, as in redis://127.0.0.1:6379")
        self._address = self._target.hostname, port
        self._seed = seed
        self.counts: Counter[str] = Counter()
        """The numbers of ``accepted``, ``closed`` and ``reset`` connections and of those with an ``unreachable``
        target, and the ``bytes_upstream`` and ``bytes_downstream`` passed on."""
        self._toxics: list[ActiveToxic] = []
        self._added = 0
        self._port: int | None = None
        self._listener: asyncio.Task[None] | None = None
        self._listening: socket.socket | None = None
        self._numbers = count(1)
        self._connections: dict[int, ProxiedConnection] = {}
        self._serving: set[asyncio.Task[None]] = set()
        self._is_closed = False

    async def __aenter__(self) -> Self:
        """Start on a free port of 127.0.0.1."""
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the proxy."""
        await self.aclose()

    async def start(self, port: int = 0) -> None:
        """Listen on ``port`` of 127.0.0.1, 0 for a free one; RuntimeError if the proxy was started before.

        A proxy with a ``Down`` toxic knows its port but does not listen yet.
        """
        if self._port is not None:
            raise RuntimeError("a FaultProxy can be started once")
        self._port = port
        self._listen()
        if self._is_down:
            self._refuse()

    async def aclose(self) -> None:
        """Stop listening and abort open connections; a second call does nothing."""
        self._is_closed = True
        self._refuse()
        # All tasks, including those that are still connecting.
        for task in self._serving:
            task.cancel()
        for connection in self._connections.values():
            connection.cut()
        await asyncio.gather(*self._serving, return_exceptions=True)

    @property
    def port(self) -> int:
        """The port of the proxy on 127.0.0.1; RuntimeError before it is started."""
        if not self._port:
            raise RuntimeError("the proxy is not listening; use it as `async with FaultProxy(target) as proxy`")
        return self._port

    @property
    def url(self) -> str:
        """The target's URL with the proxy's host and port; ``tcp://`` for a target without a scheme."""
        user, at, _ = self._target.netloc.rpartition("@")
        return urlunsplit(self._target._replace(netloc=f"{user}{at}127.0.0.1:{self.port}"))

    @property
    def open_connections(self) -> int:
        """The number of open connections to the target."""
        return len(self._connections)

    @property
    def toxics(self) -> tuple[ActiveToxic, ...]:
        """The active toxics, in the order of addition."""
        return tuple(self._toxics)

    def add(self, toxic: Toxic, direction: Direction = "downstream", *, toxicity: float = 1.0) -> ActiveToxic:
        """Apply ``toxic`` to one direction of a share of the connections, open and new, until it is removed.

        ``downstream`` is from the server to the client. ValueError for an invalid direction or toxicity.
        """
        if direction not in {"upstream", "downstream"}:
            raise ValueError(f"no such direction: {direction!r}; known are upstream and downstream")
        if not 0 <= toxicity <= 1:
            raise ValueError(f"a toxicity is between 0 and 1, not {toxicity}")
        self._added += 1
        active = ActiveToxic(toxic, direction, toxicity, self._added)
        self._toxics.append(active)
        if self._is_down:
            self._refuse()
        for number, connection in self._connections.items():
            self._apply(active, number, connection)
        return active

    def remove(self, active: ActiveToxic) -> None:
        """Remove a toxic; ValueError if the proxy does not have it (any more).

        OSError if it is the last ``Down`` and another process has bound the port meanwhile.
        """
        if active not in self._toxics:
            raise ValueError(f"the proxy has no such toxic: {active.toxic!r}; pass what `add` returned")
        self._toxics.remove(active)
        for connection in self._connections.values():
            connection.remove(active.number)
        if not self._is_down:
            self._listen()

    def clear(self) -> None:
        """Remove every toxic."""
        for active in self.toxics:
            self.remove(active)

    @property
    def _is_down(self) -> bool:
        return any(isinstance(active.toxic, Down) for active in self._toxics)

    def _listen(self) -> None:
        if self._port is None or self._listening is not None or self._is_closed:
            return
        listening = socket.socket()
        try:
            if os.name == "posix":
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(("127.0.0.1", self._port))
            listening.listen(_BACKLOG)
            listening.setblocking(False)
        except OSError:
            listening.close()
            raise
        self._port = int(listening.getsockname()[1])
        self._listening = listening
        self._listener = asyncio.create_task(self._accept(listening))

    def _refuse(self) -> None:
        listening, self._listening = self._listening, None
        if self._listener is not None:
            self._listener.cancel()
        if listening is not None:
            # The loop must not watch a closed socket; the loop of Windows does not, and has no remove_reader.
            with suppress(NotImplementedError):
                asyncio.get_running_loop().remove_reader(listening)
            listening.close()

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            client, _ = await loop.sock_accept(listening)
            self.counts["accepted"] += 1
            task = asyncio.create_task(self._serve(client, next(self._numbers)))
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)
            # A task cancelled before its first step would leave the socket open.
            task.add_done_callback(partial(_close, client))

    async def _serve(self, client: socket.socket, number: int) -> None:
        client_streams = await asyncio.open_connection(sock=client)
        try:
            server_streams = await asyncio.open_connection(*self._address)
            await self._carry(number, ProxiedConnection(client_streams, server_streams, self.counts))
        except OSError:
            self.counts["unreachable"] += 1
        finally:
            client_streams[1].close()
            with suppress(OSError):
                await client_streams[1].wait_closed()

    async def _carry(self, number: int, connection: ProxiedConnection) -> None:
        self._connections[number] = connection
        try:
            for active in self._toxics:
                self._apply(active, number, connection)
            await connection.run()
        finally:
            del self._connections[number]
            self.counts["closed"] += 1

    def _apply(self, active: ActiveToxic, number: int, connection: ProxiedConnection) -> None:
        random = Random(f"{self._seed}:{active.number}:{number}")  # noqa: S311 - nothing here is a secret
        if random.random() < active.toxicity:
            connection.apply(active.direction, AppliedToxic(active.toxic, active.number, connection, random))
