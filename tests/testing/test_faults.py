"""Injected faults: their effect, the requests they hit, how many, and whether the request took effect."""

import asyncio
import contextlib
import gzip
import json
import zlib
from typing import Any

import aiohttp
import pytest

from kajabi_async.testing import FakeKajabi
from kajabi_async.testing.faults import DropTime
from tests.testing.caller import Caller, caller_for, contact_body


async def _statuses(call: Caller, *paths: str) -> list[int]:
    return [(await call.get(path)).status for path in paths]


async def test_a_failure_happens_as_often_as_it_was_ordered(fake: FakeKajabi, call: Caller) -> None:
    """Afterwards the real answer comes back."""
    fake.fail("customers.get", status=429, times=2, headers={"Retry-After": "2"})
    first = await call.get("/v1/customers/1")
    assert (first.status, first.headers["Retry-After"], first.error["status"]) == (429, "2", "429")
    assert await _statuses(call, "/v1/offers/1", "/v1/customers/2", "/v1/customers/3") == [200, 429, 200]


@pytest.mark.parametrize(
    ("target", "hit"),
    [
        ("customers.get", [True, True, False]),
        ("/v1/customers/1", [True, False, False]),
        ("/v1/customers/{id}", [True, True, False]),
        ("/v1/offers/1", [False, False, True]),
        (None, [True, True, True]),
    ],
)
async def test_a_fault_is_for_an_operation_a_path_a_template_or_everything(
    fake: FakeKajabi, call: Caller, target: str | None, hit: list[bool]
) -> None:
    """With times=None it lasts until it is cancelled."""
    order = fake.fail(target, status=500, times=None)
    paths = ("/v1/customers/1", "/v1/customers/2", "/v1/offers/1")
    assert await _statuses(call, *paths) == [500 if broken else 200 for broken in hit]
    order.cancel()
    assert await _statuses(call, *paths) == [200, 200, 200]


async def test_faults_come_in_the_order_they_were_ordered(fake: FakeKajabi, call: Caller) -> None:
    """The oldest matching order hits a request; clear_faults removes all."""
    fake.fail("customers.get", status=500)
    fake.fail("customers.get", status=502)
    fake.fail("customers.get", status=503, times=None)
    assert await _statuses(call, *["/v1/customers/1"] * 4) == [500, 502, 503, 503]
    fake.clear_faults()
    assert await _statuses(call, "/v1/customers/1") == [200]


@pytest.mark.parametrize(
    ("body", "sent"), [(b"\x00\xff", b"\x00\xff"), ("<html>é", "<html>é".encode()), ({"errors": []}, b'{"errors":[]}')]
)
async def test_a_failure_can_say_anything(fake: FakeKajabi, call: Caller, body: Any, sent: bytes) -> None:
    """Bytes unchanged, text in UTF-8, objects as JSON, with any headers."""
    fake.fail("/v1/me", status=502, body=body, headers={"Content-Type": "text/html", "X-Extra": "1"})
    got = await call.get("/v1/me")
    assert (got.status, got.body, got.headers["Content-Type"], got.headers["X-Extra"]) == (502, sent, "text/html", "1")


async def test_a_failing_token_endpoint_answers_flat_json(fake: FakeKajabi, call: Caller) -> None:
    """This is the shape of its own errors."""
    fake.fail("oauth.token", status=503)
    got = await call.post("/v1/oauth/token", data={"grant_type": "client_credentials"})
    assert (got.status, list(got.document)) == (503, ["error"])


async def test_a_failed_write_took_no_effect(fake: FakeKajabi, call: Caller) -> None:
    """The answer replaces the operation."""
    fake.fail("contacts.create", status=500)
    assert (await call.post("/v1/contacts", contact_body(email="a@example.org"))).status == 500
    assert (await call.post("/v1/contacts", contact_body(email="a@example.org"))).status == 201


def test_a_target_that_is_no_operation_is_refused() -> None:
    """A fault that never happens would make a test pass for nothing."""
    fake = FakeKajabi()
    for order in (fake.fail, fake.drop, fake.hang, fake.gzip_bomb):
        with pytest.raises(ValueError, match=r"customer\.get"):
            order("customer.get")
    with pytest.raises(ValueError, match="mid_body"):
        fake.drop("customers.get", when="sometime")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("when", "took_effect"),
    [("before", False), ("after_processing", True), ("after_headers", True), ("mid_body", True)],
)
async def test_a_dropped_write_took_effect_unless_it_was_dropped_before(
    fake: FakeKajabi, call: Caller, when: DropTime, took_effect: bool
) -> None:
    """The client cannot know; the fake can."""
    fake.drop("contacts.create", when=when)
    with pytest.raises(aiohttp.ClientError):
        await call.post("/v1/contacts", contact_body(email="a@example.org"))
    second = await call.post("/v1/contacts", contact_body(email="a@example.org"))
    assert second.status == (422 if took_effect else 201)


@pytest.mark.parametrize(("when", "has_body"), [("after_headers", False), ("mid_body", True)])
async def test_a_late_drop_sends_headers_and_at_most_half_of_the_body(
    fake: FakeKajabi, call: Caller, when: DropTime, has_body: bool
) -> None:
    """The announced length never arrives."""
    whole = (await call.get("/v1/customers/1")).body
    fake.drop("customers.get", when=when)
    headers = {"Authorization": f"Bearer {call.token}"}
    async with call.session.get("/v1/customers/1", headers=headers) as response:
        assert response.status == 200
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.content.readexactly(len(whole))
        assert response.content.total_bytes == (len(whole) // 2 if has_body else 0)


async def test_an_early_drop_sends_nothing_at_all(fake: FakeKajabi, call: Caller) -> None:
    """A bare socket receives no byte."""
    fake.drop("/v1/version", when="before")
    port = int(fake.base_url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /v1/version HTTP/1.1\r\nHost: x\r\n\r\n")
    with contextlib.suppress(ConnectionResetError):
        assert await reader.read() == b""
    writer.close()


async def test_a_hanging_request_is_never_answered_and_does_not_keep_the_fake_open() -> None:
    """Other clients are served meanwhile; closing the fake cuts it."""
    async with FakeKajabi(customers=1) as fake, aiohttp.ClientSession(fake.base_url) as session:
        call = caller_for(fake, session)
        fake.hang("/v1/me")
        hanging = asyncio.create_task(call.get("/v1/me"))
        assert await _statuses(call, "/v1/version", "/v1/offers/1") == [200, 200]
        assert not hanging.done()
        await fake.aclose()
        with pytest.raises(aiohttp.ClientError):
            await hanging


async def test_a_gzip_bomb_is_small_on_the_wire_and_decodes_to_what_was_said(fake: FakeKajabi, call: Caller) -> None:
    """It is a valid gzip file of a JSON document, checksum included."""
    fake.gzip_bomb("/v1/customers/1", decoded_bytes=3 * 2**20 + 12345)
    headers = {"Authorization": f"Bearer {call.token}"}
    packing = aiohttp.ClientSession(fake.base_url, auto_decompress=False)
    async with packing as session, session.get("/v1/customers/1", headers=headers) as response:
        assert response.headers["Content-Encoding"] == "gzip"
        packed = await response.read()
    assert len(packed) < 10_000
    decoded = gzip.decompress(packed)
    assert len(decoded) == 3 * 2**20 + 12345
    assert json.loads(decoded) == {"data": []}


async def test_a_gzip_bomb_need_not_be_swallowed(fake: FakeKajabi, call: Caller) -> None:
    """The fake survives a client that stops after the first megabyte."""
    fake.gzip_bomb("/v1/customers/1", decoded_bytes=200 * 2**20)
    unpacker = zlib.decompressobj(wbits=31)
    packing = aiohttp.ClientSession(fake.base_url, auto_decompress=False)
    async with packing as session, session.get("/v1/customers/1") as response:
        first = unpacker.decompress(await response.content.readany(), 2**20)
    assert len(first) > 100_000
    assert await _statuses(call, "/v1/customers/1") == [200]


async def _arrival(fake: FakeKajabi) -> None:
    for _ in range(10_000):
        if fake.requests:
            return
        await asyncio.sleep(0)
    raise AssertionError


async def test_latency_delays_every_answer() -> None:
    """It can be changed while the fake runs; answers overlap and do not queue."""
    async with FakeKajabi(customers=9, latency=30.0) as fake, aiohttp.ClientSession(fake.base_url) as session:
        call = caller_for(fake, session)
        waiting = asyncio.create_task(call.get("/v1/customers/1"))
        await _arrival(fake)
        fake.latency = 0.0
        assert await _statuses(call, "/v1/customers/2") == [200]
        assert not waiting.done()
        waiting.cancel()


async def test_a_canned_answer_stands_in_for_one_path(fake: FakeKajabi, call: Caller) -> None:
    """For one method, always or a number of times, without a token, with or without the query in the path."""
    fake.answer_with("get", "/v1/customers/1", body={"data": None}, times=1)
    got = await call.get("/v1/customers/1?include=offers", token="")
    assert (got.status, got.document) == (200, {"data": None})
    assert got.headers["Content-Type"] == "application/vnd.api+json"
    assert (await call.get("/v1/customers/1")).data["id"] == "1"
    fake.answer_with("POST", "/v1/customers/1", status=418, body="tea", content_type="text/plain")
    assert [(await call.post("/v1/customers/1")).body for _ in range(2)] == [b"tea", b"tea"]
    fake.answer_with("GET", "/v1/customers?page[number]=2", status=204)
    assert (await call.get("/v1/customers?page[number]=2")).status == 200
    fake.answer_with("GET", "/v1/customers?page%5Bnumber%5D=2", status=204)
    assert await _statuses(call, "/v1/customers", "/v1/customers?page%5Bnumber%5D=2") == [200, 204]


async def test_a_canned_answer_can_stand_on_a_path_that_is_none(fake: FakeKajabi, call: Caller) -> None:
    """It works for operations that the API does not have yet."""
    fake.answer_with("GET", "/v1/subscriptions", body=b"[1,2]", headers={"X-New": "yes"})
    got = await call.get("/v1/subscriptions")
    assert (got.document, got.headers["X-New"]) == ([1, 2], "yes")
