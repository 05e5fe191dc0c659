"""What the fake posts to hooks of yours on this machine: on its own writes, and as unreliably as it is told to."""

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
    """How the fake delivers to hooks; without any option once, at once and in order.

    What integrators report of Kajabi: addresses are probed, a 405 kills the hook, failures are repeated for hours, and
    deliveries come twice. How often and after how long is not known: choose what your receiver shall bear.
    """

    probe: Literal["HEAD", "GET"] | None = "HEAD"
    """How the address is asked for before the first delivery; a 405 drops the hook's deliveries."""
    late: float = 0.0
    """The most seconds that a delivery is held back; how long is drawn for each."""
    doubled: float = 0.0
    """The share of deliveries that are posted a second time although they were acknowledged, from 0 to 1."""
    in_order: bool = True
    """Whether a hook is posted to in the order of the events, one at a time."""
    at_once: int = 8
    """How many deliveries a hook is posted at the same time unless they are in order."""
    attempts: int = 8
    """How often a delivery is posted until it is acknowledged with a 2xx; after that it is lost."""
    repeat_after: float = 0.05
    """The seconds before the second attempt; they double with each further one."""
    timeout: float = 10.0
    """The seconds that a receiver has to answer."""
    seed: int = 7
    """What the draws depend on."""


@attrs.frozen
class Delivered:
    """One attempt to deliver."""

    hook_id: str
    delivery_id: str
    event: str
    attempt: int
    status: int | None
    """What the receiver answered; None if no answer came."""

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
    due: float
    attempt: int = 0


class Postman:
    """Posts deliveries to the hooks whose addresses are on this machine."""

    def __init__(self, options: HookDeliveries) -> None:
        """Deliver as *options* say."""
        self._options = options
        self._random = random.Random(options.seed)  # noqa: S311 - repeatable draws, no secrets
        self.attempts: list[Delivered] = []
        """What was posted, oldest first; the first hundred thousand attempts."""
        self.counts: Counter[str] = Counter()
        """``posted``, ``acknowledged``, ``lost`` and ``dropped`` deliveries."""
        self.dead: set[str] = set()
        """The ids of hooks that were answered 405."""
        self._pending: dict[str, list[_Delivery]] = {}
        self._workers: set[asyncio.Task[None]] = set()
        self._working: Counter[str] = Counter()
        self._probed: dict[str, asyncio.Task[None]] = {}
        self._session: aiohttp.ClientSession | None = None
        self._number = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def accept(self, hook: Row, event: str, payload: tuple[dict[str, Any], ...]) -> None:
        """Take a delivery to post it later; nothing is done for a hook whose address is on another machine."""
        if not is_on_this_machine(str(hook.attributes.get("target_url"))):
            return
        self._number += 1
        self.counts["posted"] += 1
        delivery_id = f"{self._number:016x}"
        body = json.dumps({"id": delivery_id, "event": event, "payload": list(payload)}).encode()
        self._put(_Delivery(hook, delivery_id, event, body, self._due()))
        if self._random.random() < self._options.doubled:
            self._put(_Delivery(hook, delivery_id, event, body, self._due()))

    async def done(self) -> None:
        """Wait until every delivery was acknowledged, lost or dropped."""
        await self._idle.wait()

    async def aclose(self) -> None:
        """Stop posting; what is under way is cut."""
        tasks = {*self._workers, *self._probed.values()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def _due(self) -> float:
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
            self._probed[hook.id] = asyncio.create_task(self._ask(hook, self._options.probe))
        # Waited for, not awaited: a worker that is cancelled leaves the probe to the others.
        await asyncio.wait({self._probed[hook.id]})

    async def _ask(self, hook: Row, method: str) -> None:
        if await self._status(method, hook, b"") == _PROBE_REFUSED:
            self.dead.add(hook.id)

    async def _deliver(self, delivery: _Delivery) -> None:
        """Post until it is acknowledged, each time later."""
        wait = max(0.0, delivery.due - asyncio.get_running_loop().time())
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
    """Return whether *url* names a loopback address, the only ones that the fake ever posts to."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        return parts.scheme in {"http", "https"} and (host == "localhost" or ipaddress.ip_address(host).is_loopback)
    except ValueError:
        return False
