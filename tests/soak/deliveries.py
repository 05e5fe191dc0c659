"""Deliveries to the receivers of the examples on their real servers: late, doubled, out of order and failing."""

import re
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from random import Random

import aiohttp
from aiohttp import web

from kajabi_async import Kajabi
from kajabi_async.testing import FakeKajabi, HookDeliveries
from tests.examples.serving import SECRET, serve
from tests.soak.figures import Figure

__all__ = ["deliveries"]

_HANDLED = re.compile(r"contact (\d+) got tag (\d+)")
_TAGS = 50


class Gateway:
    """A load balancer in front of a receiver that loses requests and answers."""

    def __init__(self, target: str, *, seed: int) -> None:
        self._target = target
        self._random = Random(seed)
        self.failed = 0
        self._session = aiohttp.ClientSession()

    async def forward(self, request: web.BaseRequest) -> web.Response:
        chance = self._random.random()
        body = await request.read()
        if request.method == "POST" and chance < 0.05:
            self.failed += 1
            return web.Response(status=503)
        async with self._session.request(request.method, f"{self._target}{request.raw_path}", data=body) as answer:
            await answer.read()
        if request.method == "POST" and chance > 0.95:
            # The delivery is handled, but its answer is lost.
            self.failed += 1
            return web.Response(status=502)
        return web.Response(status=answer.status)

    async def aclose(self) -> None:
        await self._session.close()


@asynccontextmanager
async def _gateway(target: str) -> AsyncGenerator[tuple[str, Gateway]]:
    gateway = Gateway(target, seed=7)
    runner = web.ServerRunner(web.Server(gateway.forward, access_log=None))
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", gateway
    finally:
        await gateway.aclose()
        await runner.cleanup()


async def deliveries(app: str, number: int) -> list[Figure]:
    """Tag contacts until *number* events are delivered to the receiver of *app*, and count what it handled."""
    options = HookDeliveries(late=0.05, doubled=0.2, in_order=False, repeat_after=0.02, attempts=12)
    async with (
        FakeKajabi(customers=-(-number // _TAGS), contact_tags=_TAGS, hooks=0, deliver_hooks=options) as fake,
        serve(app, fake) as served,
        _gateway(served.base_url) as (address, gateway),
        Kajabi(client_id=fake.client_id, client_secret=fake.client_secret, base_url=fake.base_url) as api,
    ):
        tags = [tag.id for tag in await api.contact_tags.list().collect()]
        contacts = [contact.id for contact in await api.contacts.list().collect()]
        for contact in contacts:
            await api.contacts.replace_tags(contact, [])
        await api.hooks.ensure(f"{address}/webhooks/{SECRET}", ["tag_added"], site_id="1")
        expected: set[tuple[str, str]] = set()
        for contact in contacts:
            room = tags[: number - len(expected)]
            if room:
                await api.contacts.add_tags(contact, room)
            expected.update((contact, tag) for tag in room)
        await fake.hooks_delivered()
        async with aiohttp.ClientSession() as visitor, visitor.head(f"{address}/webhooks/{SECRET}") as answer:
            alive = answer.status == 200 and not fake.dead_hooks
        handled = Counter(match.groups() for match in _HANDLED.finditer(served.log))
        lost = len(expected - handled.keys())
        again = sum(times - 1 for times in handled.values())
        posted, failed = len(fake.deliveries), gateway.failed
    return [
        Figure(f"events handled by {app}", f"{len(handled):,} of {len(expected):,}", "all", not lost),
        Figure("events handled more than once", f"{again:,} of {posted:,} posts, {failed:,} failed", "0", not again),
        Figure("the hook at the end", "alive" if alive else "dead", "alive", alive),
    ]
