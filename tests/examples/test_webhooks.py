import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from io import BytesIO
from itertools import count
from typing import Any

import aiohttp
import pytest

from tests.examples.conftest import App
from tests.examples.serving import SECRET

pytestmark = pytest.mark.asyncio(loop_scope="session")

ADDRESS = f"/webhooks/{SECRET}"
PURCHASE = "20"
"""A purchase of customer 2 in the fake."""
_numbers = count()


async def test_a_purchase_is_handled_after_the_api_confirmed_it(app: App) -> None:
    """The content of a delivery is looked up: the offer in the log is the API's."""
    lines = len(app.served.lines)
    assert await _deliver(app, _purchase()) == 200
    assert app.fake.counts["purchases.get"] == 1
    purchase = app.fake.resource("purchases", PURCHASE)
    assert purchase is not None
    linked = {name: purchase["relationships"][name]["data"]["id"] for name in ("customer", "offer")}
    await app.served.logged(f"customer {linked['customer']} bought offer {linked['offer']}$", after=lines)


async def test_a_second_delivery_of_the_same_is_not_handled_again(app: App) -> None:
    """It gets the same answer as the first, so that it is not delivered again."""
    body = _purchase()
    assert [await _deliver(app, body) for _ in range(3)] == [200] * 3
    assert app.fake.counts["purchases.get"] == 1


async def test_a_hundred_deliveries_of_the_same_at_once_are_handled_once(app: App) -> None:
    """Duplicates that arrive while the first is being handled get a 409."""
    body = _purchase()
    statuses = await asyncio.gather(*[_deliver(app, body) for _ in range(100)])
    assert set(statuses) <= {200, 409}
    assert app.fake.counts["purchases.get"] == 1


async def test_a_purchase_that_the_api_does_not_know_is_not_believed(app: App) -> None:
    """Anyone who learns the address can post, so a delivery alone grants nothing."""
    assert await _deliver(app, _purchase("999999")) == 404


async def test_a_delivery_that_could_not_be_handled_is_handled_when_it_comes_again(app: App) -> None:
    """While Kajabi limits requests the answer is 503, and the retried delivery is handled."""
    body = _purchase()
    app.fake.fail("purchases.get", status=429, times=4)
    assert await _deliver(app, body) == 503
    assert await _deliver(app, body) == 200
    assert app.fake.counts["purchases.get"] == 5


async def test_a_tag_is_handled_without_a_request(app: App) -> None:
    """Data that is only logged is taken from the delivery."""
    lines = len(app.served.lines)
    contact = {"type": "contacts", "id": "41", "attributes": {"name": "Ada Lovelace"}}
    tag = {"type": "contact_tags", "id": "61", "attributes": {"name": "VIP"}}
    assert await _deliver(app, _delivery("tag_added", [contact, tag])) == 200
    await app.served.logged("contact 41 got tag 61$", after=lines)
    assert app.fake.counts.total() == 0


@pytest.mark.parametrize("event", ["tag_removed", "payment_succeeded"])
async def test_an_event_nothing_is_done_about_is_taken(app: App, event: str) -> None:
    """It is answered with 200, so that it is not delivered again."""
    carried = ["contacts", "contact_tags"] if event == "tag_removed" else ["transactions"]
    body = _delivery(event, [{"type": type_name, "id": "1", "attributes": {}} for type_name in carried])
    assert await _deliver(app, body) == 200
    assert app.fake.counts.total() == 0


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 200),
        (b"{", 200),
        (b"[]", 200),
        (b'{"id": "1", "event": "what", "payload": []}', 200),
        (b" " * 1_048_577, 413),
    ],
    ids=["ping", "cut", "no object", "unknown", "too large"],
)
async def test_what_is_no_event_is_acknowledged_unless_it_is_too_large(app: App, body: bytes, status: int) -> None:
    """Otherwise Kajabi would retry it for hours; the answer repeats nothing of the body."""
    async with app.visitor.post(ADDRESS, data=BytesIO(body)) as answer:
        assert (answer.status, await answer.read()) == (status, b"")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_probe_is_answered_on_the_secret_path_alone(app: App, method: str) -> None:
    """Kajabi probes before it delivers: 200 for the secret, 404 for any other path, and nothing is handled."""
    async with app.visitor.request(method, ADDRESS) as answer:
        assert answer.status == 200
    async with app.visitor.request(method, f"{ADDRESS}x") as answer:
        assert answer.status == 404
    assert app.fake.counts.total() == 0


async def test_an_endless_delivery_is_not_read_to_its_end(app: App) -> None:
    """A body without a length ends at the limit too; the rest is cut off."""
    lines = len(app.served.lines)

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b" " * 65_536

    # A client that keeps sending may miss the answer, because the connection is closed after it.
    with suppress(aiohttp.ClientConnectionError):
        async with app.visitor.post(ADDRESS, data=endless()) as answer:
            assert answer.status == 413
    await app.served.logged("refused: the delivery is larger than 1048576 bytes", after=lines)


@pytest.mark.parametrize("secret", [SECRET[:-1], SECRET + "x", "x" * 32])
async def test_a_wrong_secret_is_like_an_address_that_does_not_exist(app: App, secret: str) -> None:
    """Nothing is handled, and the tried secret is in no log either."""
    lines = len(app.served.lines)
    async with app.visitor.post(f"/webhooks/{secret}", data=_purchase()) as answer:
        assert (answer.status, await answer.read()) == (404, b"")
    assert app.fake.counts.total() == 0
    await app.served.logged(r"POST /webhooks/(\*\*\*|\{secret\}) .*404", after=lines)
    assert secret not in "".join(app.served.lines[lines:])


async def _deliver(app: App, body: bytes) -> int:
    async with app.visitor.post(ADDRESS, data=body) as answer:
        return answer.status


def _purchase(purchase_id: str = PURCHASE) -> bytes:
    """Return a purchase that claims to be another customer's, with a new id of the delivery."""
    others = {name: {"data": {"type": f"{name}s", "id": "1"}} for name in ("customer", "offer")}
    return _delivery("purchase", [{"type": "purchases", "id": purchase_id, "attributes": {}, "relationships": others}])


def _delivery(event: str, payload: list[dict[str, Any]]) -> bytes:
    return json.dumps({"id": f"delivery {next(_numbers)}", "event": event, "payload": payload}).encode()
