"""Deliveries to hooks on this machine, posted after writes to the fake and as unreliable as configured."""

import asyncio
import ipaddress
import json
import random
from collections import Counter
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import aiohttp
import attrs

from kajabi_async.testing.rows import Row

__all__ = ["Delivered", "HookDeliveries", "Postman", "is_on_this_machine"]

_PROBE_REFUSED: Final = 405
_KEPT_ATTEMPTS: Final = 100_000


@attrs.frozen(kw_only=True)
class HookDeliveries:
    """The options of deliveries to hooks; by default each is posted once, immediately and in order.

    Integrators report that Kajabi probes addresses, drops a hook after a 405, retries failures for hours and delivers
    twice. How often and after how long is not known: choose what your receiver has to handle.
    """

    probe: Literal["HEAD", "GET"] | None = "HEAD"
    """The method of the probe of the address before the first delivery; a 405 drops the hook's deliveries."""
    late: float = 0.0
    """The longest delay of a delivery in seconds; a delay is drawn for each."""
    doubled: float = 0.0
    """The share of deliveries, 0 to 1, that are posted a second time although they were acknowledged."""
    in_order: bool = True
    """Whether the deliveries to a hook are posted one at a time, in the order of the events."""
    at_once: int = 8
    """The number of concurrent deliveries to a hook unless they are in order."""
    attempts: int = 8
    """The number of attempts until a delivery is acknowledged with a 2xx; after that it is lost."""
    repeat_after: float = 0.05
    """The delay before the second attempt in seconds; it doubles with each further attempt."""
    timeout: float = 10.0
    """The seconds within which a receiver has to answer."""
    seed: int = 7
    """The seed of the random draws."""


@attrs.frozen
class Delivered:
    """One delivery attempt."""

    hook_id: str
    delivery_id: str
    event: str
    attempt: int
    status: int | None
    """The status of the receiver's answer; None if no answer came."""

    @property
    def acknowledged(self) -> bool:
        """Whether the receiver answered with a 2xx."""
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004


@attrs.define(eq=False)
class _Delivery:
    hook: Row
    id: str
    event: str
    body: bytes
    not_before: float
    attempt: int = 0


class Postman:
    """A queue of deliveries to the hooks whose addresses are on this machine."""

    def __init__(self, options: HookDeliveries) -> None:
        """Configure deliveries with ``options``."""
        self._options = options
        self._random = random.Random(options.seed)  # noqa: S311 - repeatable draws, no secrets
        self.attempts: list[Delivered] = []
        """The first hundred thousand attempts, oldest first."""
        self.counts: Counter[str] = Counter()
        """The numbers of ``posted``, ``acknowledged``, ``lost`` and ``dropped`` deliveries."""
        self.dead: set[str] = set()
        """The ids of hooks whose receiver answered 405."""
        self._pending: dict[str, list[_Delivery]] = {}
        self._workers: set[asyncio.Task[None]] = set()
        self._working: Counter[str] = Counter()
        self._probed: dict[str, asyncio.Task[None]] = {}
        self._session: aiohttp.ClientSession | None = None
        self._number = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def accept(self, hook: Row, event: str, payload: tuple[dict[str, Any], ...]) -> None:
        """Queue a delivery; ignore a hook whose address is on another machine."""
        if not is_on_this_machine(str(hook.attributes.get("target_url"))):
            return
        self._number += 1
        self.counts["posted"] += 1
        delivery_id = f"{self._number:016x}"
        body = json.dumps({"id": delivery_id, "event": event, "payload": list(payload)}).encode()
        self._put(_Delivery(hook, delivery_id, event, body, self._drawn_time()))
        if self._random.random() < self._options.doubled:
            self._put(_Delivery(hook, delivery_id, event, body, self._drawn_time()))

    async def done(self) -> None:
        """Wait until every delivery is acknowledged, lost or dropped."""
        await self._idle.wait()

    async def aclose(self) -> None:
        """Stop posting and cancel deliveries in progress."""
        tasks = {*self._workers, *self._probed.values()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def _drawn_time(self) -> float:
        return asyncio.get_running_loop().time() + self._random.random() * self._options.late

    def _put(self, delivery: _Delivery) -> None:
        self._idle.clear()
        self._pending.setdefault(delivery.hook.id, []).append(delivery)
        most = 1 if self._options.in_order else self._options.at_once
        if self._working[delivery.hook.id] < most:
            self._working[delivery.hook.id] += 1
            worker = asyncio.get_running_loop().create_task(self._work(delivery.hook))
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)

    async def _work(self, hook: Row) -> None:
        pending = self._pending[hook.id]
        try:
            await self._probe(hook)
            while pending:
                index = 0 if self._options.in_order else self._random.randrange(len(pending))
                await self._deliver(pending.pop(index))
        finally:
            self._working[hook.id] -= 1
            if not pending and not +self._working:
                self._idle.set()

    async def _probe(self, hook: Row) -> None:
        if self._options.probe is None:
            return
        if hook.id not in self._probed:
            self._probed[hook.id] = asyncio.create_task(self._send_probe(hook, self._options.probe))
        # wait() instead of await: cancelling one worker must not cancel the probe that the others wait for.
        await asyncio.wait({self._probed[hook.id]})

    async def _send_probe(self, hook: Row, method: str) -> None:
        if await self._status(method, hook, b"") == _PROBE_REFUSED:
            self.dead.add(hook.id)

    async def _deliver(self, delivery: _Delivery) -> None:
        """Post a delivery until it is acknowledged, with a growing delay between attempts."""
        wait = max(0.0, delivery.not_before - asyncio.get_running_loop().time())
        for attempt in range(1, self._options.attempts + 1):
            await asyncio.sleep(wait)
            if delivery.hook.id in self.dead:
                break
            status = await self._status("POST", delivery.hook, delivery.body)
            delivered = Delivered(delivery.hook.id, delivery.id, delivery.event, attempt, status)
            if len(self.attempts) < _KEPT_ATTEMPTS:
                self.attempts.append(delivered)
            if delivered.acknowledged:
                self.counts["acknowledged"] += 1
                return
            if status == _PROBE_REFUSED:
                self.dead.add(delivery.hook.id)
            wait = self._options.repeat_after * 2 ** (attempt - 1)
        self.counts["dropped" if delivery.hook.id in self.dead else "lost"] += 1

    async def _status(self, method: str, hook: Row, body: bytes) -> int | None:
        if self._session is None:
            self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), trust_env=False)
        try:
            async with self._session.request(
                method,
                str(hook.attributes["target_url"]),
                data=body or None,
                headers={"Content-Type": "application/json", "User-Agent": "Kajabi/FakeKajabi"} if body else None,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=self._options.timeout),
            ) as answer:
                await answer.read()
                return answer.status
        except (aiohttp.ClientError, OSError, TimeoutError):
            return None


def is_on_this_machine(url: str) -> bool:
    """Return whether ``url`` names a loopback address; the fake posts to no other."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        return parts.scheme in {"http", "https"} and (host == "localhost" or ipaddress.ip_address(host).is_loopback)
    except ValueError:
        return False
