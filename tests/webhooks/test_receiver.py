"""From path and body to a handled event."""

import asyncio
import json
import logging
import pickle
import traceback
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from kajabi_async import ConfigurationError, Kajabi, UnreadableAttributeError
from kajabi_async.testing import FakeKajabi
from kajabi_async.webhooks import (
    AnyEvent,
    DeliveryInProgressError,
    DeliveryTooLargeError,
    MalformedDeliveryError,
    MemoryReplayGuard,
    PathSecrets,
    PurchaseEvent,
    Receiver,
    ReplayGuard,
    ReplayGuardUnavailableError,
    Standing,
    TagAddedEvent,
    UnknownDeliveryError,
    UnreadDelivery,
    WebhookError,
    WrongSecretError,
    by_id,
    parse,
)
from tests.webhooks.deliveries import API_DELIVERIES, DASHBOARD_DELIVERIES, DELIVERIES, delivery, row

SECRET = "s3cr3t-" + "x9Y8z7W6" * 5
BODY = API_DELIVERIES["purchase"]


class Handled:
    """A handler that records its events."""

    def __init__(self) -> None:
        self.events: list[AnyEvent] = []

    async def __call__(self, event: AnyEvent) -> None:
        self.events.append(event)


class Away:
    """A guard that is unreachable from some step on."""

    def __init__(self, *, claims: bool) -> None:
        self._claims = claims

    async def claim(self, key: str, holder: str) -> Standing:
        if self._claims:
            return Standing.NEW
        raise ReplayGuardUnavailableError("away")

    async def confirm(self, key: str, holder: str) -> None:
        raise ReplayGuardUnavailableError("away")

    async def release(self, key: str, holder: str) -> None:
        raise ReplayGuardUnavailableError("away")


def receiver(guard: ReplayGuard | None = None, **options: Any) -> Receiver:
    return Receiver(PathSecrets(SECRET), guard or MemoryReplayGuard(), **options)


@pytest.mark.parametrize("name", DELIVERIES)
async def test_a_delivery_is_handled_once(name: str) -> None:
    """The first is handled, the second is a duplicate, and both are answered 200."""
    hook, handled = receiver(), Handled()
    first = await hook.receive(SECRET, DELIVERIES[name], handled)
    second = await hook.receive(SECRET, DELIVERIES[name], handled)
    assert (first.duplicate, second.duplicate) == (False, True)
    assert (first.http_status, second.http_status) == (200, 200)
    assert handled.events == [first.event]
    assert second.event == first.event


async def test_two_deliveries_with_the_id_of_one_resource_are_two() -> None:
    """The API document calls the id that of the resource: two tags for one contact must not be taken for one."""
    hook, handled = receiver(), Handled()
    for tag in ("1", "2"):
        body = delivery("tag_added", [row("contacts", "4"), row("contact_tags", tag)], delivery_id="4")
        assert not (await hook.receive(SECRET, body, handled)).duplicate
    assert len(handled.events) == 2


async def test_by_id_only_event_and_id_count() -> None:
    """A duplicate with a changed body is recognised then; another event with the same id is not a duplicate."""
    hook, handled = receiver(key=by_id), Handled()
    payload = [row("contacts", "4"), row("contact_tags", "6")]
    again = [row("contacts", "4", {"updated_at": "2025-07-31T16:59:27Z"}), row("contact_tags", "6")]
    assert not (await hook.receive(SECRET, delivery("tag_added", payload), handled)).duplicate
    assert (await hook.receive(SECRET, delivery("tag_added", again), handled)).duplicate
    assert not (await hook.receive(SECRET, delivery("tag_removed", payload), handled)).duplicate


async def test_a_wrong_secret_is_refused_before_the_body_is_read() -> None:
    """A sender without the secret makes the receiver read and parse nothing."""

    async def never_read() -> AsyncIterator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    with pytest.raises(WrongSecretError):
        await receiver().receive("guess", never_read(), Handled())


async def test_a_body_may_come_in_parts() -> None:
    """As frameworks stream it."""

    async def parts() -> AsyncIterator[bytes]:
        for start in range(0, len(BODY), 7):
            yield BODY[start : start + 7]

    receipt = await receiver().receive(SECRET, parts(), Handled())
    assert isinstance(receipt.event, PurchaseEvent)


async def test_an_endless_body_is_read_up_to_the_limit() -> None:
    """And no further."""
    given = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal given
        while True:
            given += 100
            yield b" " * 100

    with pytest.raises(DeliveryTooLargeError):
        await receiver(max_bytes=1000).receive(SECRET, endless(), Handled())
    assert given == 1100


@pytest.mark.parametrize("raised", [RuntimeError("database is away"), asyncio.CancelledError(), SystemExit(1)])
async def test_a_failed_delivery_is_handled_when_it_comes_again(raised: BaseException) -> None:
    """The exception is raised to the caller, and the key is released."""
    hook, handled = receiver(), Handled()

    async def fails(_event: AnyEvent) -> None:
        raise raised

    with pytest.raises(type(raised)) as caught:
        await hook.receive(SECRET, BODY, fails)
    assert caught.value is raised
    assert not (await hook.receive(SECRET, BODY, handled)).duplicate
    assert len(handled.events) == 1


async def test_a_delivery_that_comes_while_it_is_being_handled_is_deferred() -> None:
    """409, not 200: if the first attempt fails, the second one would be lost."""
    hook, handled, started, go_on = receiver(), Handled(), asyncio.Event(), asyncio.Event()

    async def slow(event: AnyEvent) -> None:
        started.set()
        await go_on.wait()
        await handled(event)

    first = asyncio.create_task(hook.receive(SECRET, BODY, slow))
    await started.wait()
    with pytest.raises(DeliveryInProgressError) as caught:
        await hook.receive(SECRET, BODY, handled)
    assert caught.value.http_status == 409
    go_on.set()
    assert not (await first).duplicate
    assert (await hook.receive(SECRET, BODY, handled)).duplicate
    assert len(handled.events) == 1


async def test_a_malformed_delivery_is_not_remembered() -> None:
    """It leaves nothing in the guard."""
    guard = MemoryReplayGuard()
    with pytest.raises(WebhookError):
        await receiver(guard, strict=True).receive(SECRET, b"{}", Handled())
    assert len(guard) == 0


UNREAD = {
    "ping": b"",
    "no JSON": b"{",
    "no object": b"[1]",
    "no event": b"{}",
    "unknown event": b'{"id": "1", "event": "subscription_cancelled", "payload": []}',
    "another shape": b'{"id": "1", "event": "purchase", "payload": {}}',
}


@pytest.mark.parametrize("name", UNREAD)
async def test_an_unknown_delivery_is_acknowledged_and_passed_on(name: str) -> None:
    """Any other answer would repeat it for hours; the body is kept, so that nothing is lost."""
    hook, handled = receiver(), Handled()
    receipt = await hook.receive(SECRET, UNREAD[name], handled)
    again = await hook.receive(SECRET, UNREAD[name], handled)
    (event,) = handled.events
    assert isinstance(event, UnreadDelivery)
    assert (event.body, event.name, receipt.event) == (UNREAD[name], "unread", event)
    assert (receipt.http_status, receipt.duplicate, again.duplicate) == (200, False, True)
    assert event.event == {"unknown event": "subscription_cancelled", "another shape": "purchase"}.get(name)
    assert repr(UNREAD[name])[2:-1] not in repr(event) or not UNREAD[name]
    assert pickle.loads(pickle.dumps(event)).body == event.body


@pytest.mark.parametrize("name", UNREAD)
async def test_a_strict_receiver_refuses_an_unknown_delivery(name: str) -> None:
    """So that Kajabi delivers it again."""
    handled = Handled()
    with pytest.raises((MalformedDeliveryError, UnknownDeliveryError)):
        await receiver(strict=True).receive(SECRET, UNREAD[name], handled)
    assert handled.events == []


async def test_an_unknown_delivery_comes_again_if_it_was_not_stored() -> None:
    """If the handler fails to store the body, it is delivered again."""

    async def fails(_event: AnyEvent) -> None:
        raise RuntimeError("disk is full")

    hook, handled = receiver(), Handled()
    with pytest.raises(RuntimeError):
        await hook.receive(SECRET, b"", fails)
    assert not (await hook.receive(SECRET, b"", handled)).duplicate
    assert len(handled.events) == 1


def test_a_probe_is_answered_by_its_secret() -> None:
    """Kajabi probes with HEAD or GET whether the address exists."""
    assert receiver().probe(SECRET) == 200
    with pytest.raises(WrongSecretError):
        receiver().probe("guess")


@pytest.mark.parametrize("name", ["payment.succeeded", "order.created", "purchase.created"])
async def test_a_transaction_that_comes_again_without_an_id_is_a_replay(name: str) -> None:
    """Payments were recorded without an id of the delivery: event and transaction identify them then."""
    first = json.loads(DASHBOARD_DELIVERIES[name])
    del first["id"]
    again = {**first, "sent_at": "2026-11-27T12:00:00Z"}
    other = json.loads(json.dumps(first).replace("1234567890", "1234567891"))
    hook, handled = receiver(), Handled()
    receipts = [await hook.receive(SECRET, json.dumps(each).encode(), handled) for each in (first, again, other)]
    assert [receipt.duplicate for receipt in receipts] == [False, True, False]
    assert [event.id for event in handled.events] == ["1234567890", "1234567891"]


async def test_an_unreachable_guard_refuses_before_anything_is_handled() -> None:
    """Nothing is done if the state is unknown."""
    handled = Handled()
    with pytest.raises(ReplayGuardUnavailableError):
        await receiver(Away(claims=False)).receive(SECRET, BODY, handled)
    assert handled.events == []


async def test_a_guard_that_becomes_unreachable_changes_no_outcome(caplog: pytest.LogCaptureFixture) -> None:
    """The outcome of the handler stands; the log says that the guard was not updated."""
    handled = Handled()

    async def fails(_event: AnyEvent) -> None:
        raise RuntimeError("database is away")

    with caplog.at_level(logging.WARNING, logger="kajabi_async"):
        assert not (await receiver(Away(claims=True)).receive(SECRET, BODY, handled)).duplicate
        with pytest.raises(RuntimeError, match="database is away"):
            await receiver(Away(claims=True)).receive(SECRET, BODY, fails)
    assert len(handled.events) == 1
    assert "could not be confirmed" in caplog.text
    assert "could not be released" in caplog.text


async def test_the_secret_is_not_in_the_locals_of_a_handlers_exception() -> None:
    """Error trackers send locals to third parties."""

    async def fails(_event: AnyEvent) -> None:
        raise RuntimeError("database is away")

    with pytest.raises(RuntimeError) as caught:
        await receiver().receive(SECRET, BODY, fails)
    frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    own_frames = [frame for frame in frames if frame.f_code.co_filename.endswith("receiver.py")]
    assert [frame.f_code.co_name for frame in own_frames if "self" in frame.f_locals] == ["receive", "_handle"]
    assert SECRET not in "".join(str(frame.f_locals) for frame in own_frames if "self" in frame.f_locals)


async def test_the_client_fetches_relations_that_are_not_included(kajabi_api: Kajabi) -> None:
    """``api=`` is passed to `parse`."""
    names: list[Any] = []

    async def handle(event: AnyEvent) -> None:
        assert isinstance(event, PurchaseEvent)
        customer = await event.customer
        names.append(customer and customer.name)

    body = delivery("purchase", [row("purchases", "1", customer="customers:1")])
    await receiver(api=kajabi_api).receive(SECRET, body, handle)
    assert names == [(await kajabi_api.customers.get("1")).name]


async def test_a_web_application_needs_five_lines(kajabi_fake: FakeKajabi, kajabi_api: Kajabi) -> None:
    """The fake posts to a hook over a socket, an aiohttp handler receives it, and the statuses are returned."""
    hook, handled = receiver(api=kajabi_api, max_bytes=10_000), Handled()

    async def webhook(request: web.Request) -> web.Response:
        try:
            receipt = await hook.receive(request.match_info["secret"], request.content.iter_any(), handled)
        except WebhookError as error:
            return web.Response(status=error.http_status)
        return web.Response(status=receipt.http_status)

    await kajabi_api.hooks.create(event="tag_added", target_url="https://example.com/hook", site_id="1")
    tag = await kajabi_api.contact_tags.list(site_id="1").first()
    assert tag is not None
    contact = await kajabi_api.contacts.create(site_id="1", email="grace@example.com", name="Grace")
    await kajabi_api.contacts.add_tags(contact.id, [tag.id])
    body = delivery("tag_added", next(effect.payload for effect in kajabi_fake.effects if effect.kind == "hook"))

    application = web.Application()
    application.router.add_post("/kajabi/{secret}", webhook)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}/kajabi"
    statuses: list[int] = []
    async with aiohttp.ClientSession() as session:
        for path, content in ((SECRET, body), (SECRET, body), ("guess", body), (SECRET, b"{"), (SECRET, b" " * 20_000)):
            async with session.post(f"{address}/{path}", data=content) as answer:
                statuses.append(answer.status)
    await runner.cleanup()
    assert statuses == [200, 200, 404, 200, 413]
    event, unread = handled.events
    assert isinstance(unread, UnreadDelivery)
    assert isinstance(event, TagAddedEvent)
    assert (event.contact.id, event.tag.id) == (contact.id, tag.id)


async def test_the_limit_of_elements_is_the_receivers() -> None:
    """It is checked when the receiver is created."""
    with pytest.raises(ConfigurationError, match="max_elements must be a whole number of at least 1, got 0"):
        receiver(max_elements=0)
    body = b'{"id": "1", "event": "purchase", "payload": [%s0]}' % (b"0," * 1000)
    with pytest.raises(DeliveryTooLargeError, match="more than 500 elements"):
        await receiver(max_elements=500).receive(SECRET, body, Handled())


async def test_one_unreadable_value_does_not_lose_the_event() -> None:
    """The event is passed on, and reading that attribute raises; a strict receiver refuses the delivery."""
    payload = [row("contacts", "4", {"name": "Ada", "created_at": "2024-01-10"}), row("contact_tags", "6")]
    body, handled = delivery("tag_added", payload), Handled()
    event = (await receiver().receive(SECRET, body, handled)).event
    assert isinstance(event, TagAddedEvent)
    assert event.contact.name == "Ada"
    with pytest.raises(UnreadableAttributeError) as caught:
        _ = event.contact.created_at
    assert caught.value.pointer == "/payload/0/attributes/created_at"
    with pytest.raises(MalformedDeliveryError, match=r"at payload\[0\]\.attributes\.created_at"):
        await receiver(strict=True).receive(SECRET, body, handled)
    assert handled.events == [event]


async def test_a_strict_client_makes_deliveries_strict() -> None:
    """The delivery is acknowledged as unreadable, unless the receiver is strict, too."""
    body = delivery("tag_added", [row("contacts", "4", {"name": []}), row("contact_tags", "6")])
    async with Kajabi(client_id="a", client_secret="b", strict=True) as api:
        event = (await receiver(api=api).receive(SECRET, body, Handled())).event
        assert isinstance(event, UnreadDelivery)
        with pytest.raises(MalformedDeliveryError):
            parse(body, api=api)
