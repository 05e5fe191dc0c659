"""Deliveries of the fake to a receiver on this machine."""

import json
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from kajabi_async import Kajabi
from kajabi_async.testing import FakeKajabi, HookDeliveries
from kajabi_async.testing.deliveries import is_on_this_machine

CONTACT = "2150000001"


class Hooked:
    """A receiver that records deliveries and answers as configured."""

    def __init__(self) -> None:
        self.came: list[tuple[str, dict[str, Any]]] = []
        self.answer: Callable[[str, int], int] = lambda _method, _number: 200
        self.url = ""

    async def serve(self, request: web.BaseRequest) -> web.Response:
        body = await request.read()
        self.came.append((request.method, json.loads(body) if body else {}))
        return web.Response(status=self.answer(request.method, len(self.came)))

    @property
    def tags(self) -> list[str]:
        return [body["payload"][1]["id"] for method, body in self.came if method == "POST"]


@asynccontextmanager
async def _delivering(**options: Any) -> AsyncGenerator[tuple[FakeKajabi, Kajabi, Hooked]]:
    hooked = Hooked()
    runner = web.ServerRunner(web.Server(hooked.serve, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    hooked.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    settings = HookDeliveries(repeat_after=0.001, **options)
    try:
        async with (
            FakeKajabi(customers=5, contact_tags=40, hooks=0, deliver_hooks=settings) as fake,
            Kajabi(
                client_id=fake.client_id, client_secret=fake.client_secret, base_url=fake.base_url, site_id="1"
            ) as api,
        ):
            yield fake, api, hooked
    finally:
        await runner.cleanup()


async def _tags(api: Kajabi, most: int = 10) -> list[str]:
    """Add tags, one at a time, and return their ids in that order."""
    current = await api.contacts.tag_ids(CONTACT)
    tags = [tag.id for tag in await api.contact_tags.list().collect() if tag.id not in current][:most]
    for tag in tags:
        await api.contacts.add_tags(CONTACT, [tag])
    return tags


async def test_an_address_is_probed_and_then_posted_to_in_order() -> None:
    """Each delivery has its own id, an event and a payload."""
    async with _delivering() as (fake, api, hooked):
        await api.hooks.create(event="tag_added", target_url=hooked.url)
        tags = await _tags(api)
        await fake.hooks_delivered()
    assert [method for method, _ in hooked.came] == ["HEAD", *["POST"] * len(tags)]
    assert hooked.tags == tags
    assert len({body["id"] for _, body in hooked.came[1:]}) == len(tags)
    assert {(body["event"], body["payload"][0]["id"]) for _, body in hooked.came[1:]} == {("tag_added", CONTACT)}
    assert all(each.acknowledged for each in fake.deliveries)


@pytest.mark.parametrize("probe", ["HEAD", "GET"])
async def test_a_probe_that_is_answered_405_kills_the_hook(probe: str) -> None:
    """The fake posts nothing to it; other hooks get their deliveries."""
    async with _delivering(probe=probe) as (fake, api, hooked):
        hook = await api.hooks.create(event="tag_added", target_url=hooked.url)
        hooked.answer = lambda method, _: 405 if method == probe else 200
        await _tags(api)
        await fake.hooks_delivered()
        assert fake.dead_hooks == {hook.id}
    assert [method for method, _ in hooked.came] == [probe]


async def test_a_failure_is_retried_until_it_is_acknowledged() -> None:
    """Any status but a 2xx is retried, in order."""
    statuses = iter([500, 503, 302, 404, 204] * 20)
    async with _delivering(probe=None) as (fake, api, hooked):
        hooked.answer = lambda _method, _number: next(statuses)
        await api.hooks.create(event="tag_added", target_url=hooked.url)
        tags = await _tags(api, 3)
        await fake.hooks_delivered()
        attempts = Counter(each.delivery_id for each in fake.deliveries)
    assert list(attempts.values()) == [5, 5, 5]
    assert list(dict.fromkeys(hooked.tags)) == tags


async def test_a_delivery_is_lost_after_its_last_attempt() -> None:
    """A receiver that never acknowledges does not block later deliveries."""
    async with _delivering(probe=None, attempts=2) as (fake, api, hooked):
        hooked.answer = lambda _method, number: 500 if number <= 2 else 200
        await api.hooks.create(event="tag_added", target_url=hooked.url)
        tags = await _tags(api, 3)
        await fake.hooks_delivered()
        assert [each.status for each in fake.deliveries] == [500, 500, 200, 200]
    assert hooked.tags == [tags[0], *tags]


async def test_deliveries_come_late_doubled_and_in_another_order() -> None:
    """No delivery is lost, and duplicates are identical to the byte."""
    async with _delivering(late=0.02, doubled=0.5, in_order=False) as (fake, api, hooked):
        await api.hooks.create(event="tag_added", target_url=hooked.url)
        tags = await _tags(api, 30)
        await fake.hooks_delivered()
    came = hooked.tags
    assert set(came) == set(tags)
    assert len(tags) < len(came) <= 2 * len(tags)
    assert list(dict.fromkeys(came)) != tags
    bodies = {body["id"]: json.dumps(body) for _, body in hooked.came if body}
    assert all(json.dumps(body) == bodies[body["id"]] for _, body in hooked.came if body)


async def test_a_receiver_that_is_gone_is_tried_again() -> None:
    """No answer counts like a status other than 2xx."""
    async with _delivering(probe=None, attempts=2) as (fake, api, _):
        await api.hooks.create(event="tag_added", target_url="http://127.0.0.1:9/hook")
        await _tags(api, 1)
        await fake.hooks_delivered()
        assert [each.status for each in fake.deliveries] == [None, None]


async def test_nothing_is_posted_to_another_machine() -> None:
    """These deliveries are only recorded in ``effects``."""
    async with _delivering() as (fake, api, _):
        await api.hooks.create(event="tag_added", target_url="https://example.com/hook")
        await _tags(api, 1)
        await fake.hooks_delivered()
        assert fake.deliveries == ()
        assert [effect.kind for effect in fake.effects if effect.kind == "hook"] == ["hook"]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:8080/x", True),
        ("http://localhost/x", True),
        ("https://[::1]:1/x", True),
        ("http://127.0.0.1.example.com/x", False),
        ("http://localhost@example.com/x", False),
        ("http://10.0.0.1/x", False),
        ("file:///etc/passwd", False),
        ("http://[bad/x", False),
        ("", False),
    ],
)
def test_only_loopback_counts_as_this_machine(url: str, expected: bool) -> None:
    """Addresses that only look like loopback do not count."""
    assert is_on_this_machine(url) is expected
