"""Faults that are answers: errors, web pages, bodies that do not decompress, documents that do not parse."""

import gzip
import json
import zlib
from datetime import timedelta
from email.utils import parsedate_to_datetime

import aiohttp
import pytest

from kajabi_async.testing import FakeKajabi, RetryAfter, faults
from kajabi_async.testing.faults import Coding, Damage, Oddity
from tests.testing.caller import Caller, Got, contact_body


async def _undecoded(fake: FakeKajabi, token: str) -> Got:
    headers = {"Authorization": f"Bearer {token}"}
    packing = aiohttp.ClientSession(fake.base_url, auto_decompress=False)
    async with packing as session, session.get("/v1/customers/1", headers=headers) as response:
        return Got(response.status, response.headers, await response.read())


@pytest.mark.parametrize(
    ("form", "value"),
    [
        ("seconds", "2"),
        ("float", "1.500"),
        ("negative", "-2"),
        ("huge", "999999999"),
        ("garbage", "soon, maybe"),
        ("absent", None),
    ],
)
async def test_a_429_announces_a_wait_in_every_form(
    fake: FakeKajabi, call: Caller, form: RetryAfter, value: str | None
) -> None:
    """Whole seconds are rounded up; ``absent`` sends no header."""
    fake.inject(faults.TooManyRequests(form, 1.5), path="customers.get")
    got = await call.get("/v1/customers/1")
    assert (got.status, got.headers.get("Retry-After")) == (429, value)
    assert got.error["title"] == "Too Many Requests"
    assert fake.injected == {f"retry_after_{form}": 1}


@pytest.mark.parametrize(("form", "ahead"), [("date", 90), ("past_date", -3600)])
async def test_a_429_can_name_a_date_by_the_clock_of_the_server(
    fake: FakeKajabi, call: Caller, form: RetryAfter, ahead: int
) -> None:
    """It is an HTTP date, relative to the Date header of the same answer."""
    fake.inject(faults.TooManyRequests(form, 90.0))
    got = await call.get("/v1/customers/1")
    date, now = (parsedate_to_datetime(got.headers[name]) for name in ("Retry-After", "Date"))
    assert got.headers["Retry-After"].endswith(" GMT")
    assert abs(date - now - timedelta(seconds=ahead)) <= timedelta(seconds=1)


async def test_a_429_of_the_token_endpoint_is_flat_json(fake: FakeKajabi, call: Caller) -> None:
    """This is the shape of all errors of the token endpoint."""
    fields = {"grant_type": "client_credentials", "client_id": fake.client_id, "client_secret": fake.client_secret}
    fake.inject("retry_after_seconds", path="oauth.token")
    fake.inject("failure", path="oauth.token")
    fake.inject("html_error", path="oauth.token")
    fake.inject("html_success", path="oauth.token")
    fake.inject(faults.Delay(0.001), path="oauth.token")
    got = [await call.post("/v1/oauth/token", data=fields) for _ in range(5)]
    assert [answer.status for answer in got] == [429, 503, 502, 200, 200]
    assert [list(answer.document) for answer in got[:2]] == [["error"], ["error"]]
    assert got[0].headers["Retry-After"] == "1"
    assert got[3].body.startswith(b"<!DOCTYPE html>")
    assert fake.is_live(got[4].document["access_token"])
    assert fake.token_grants == 1


@pytest.mark.parametrize("status", [200, 500, 502, 503, 504])
async def test_a_web_page_can_come_with_any_status(fake: FakeKajabi, call: Caller, status: int) -> None:
    """The request takes no effect."""
    fake.inject(faults.HtmlAnswer(status), path="contacts.create")
    got = await call.post("/v1/contacts", contact_body(email="a@example.org"))
    assert (got.status, got.headers["Content-Type"]) == (status, "text/html; charset=UTF-8")
    assert got.body.startswith(b"<!DOCTYPE html>")
    assert (await call.post("/v1/contacts", contact_body(email="a@example.org"))).status == 201
    assert fake.injected == {"html_success" if status == 200 else "html_error": 1}


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
async def test_a_bomb_is_small_on_the_wire_and_huge_behind_it(fake: FakeKajabi, call: Caller, coding: Coding) -> None:
    """It decompresses completely, with a valid checksum, to a JSON document."""
    fake.inject(faults.Bomb(coding, 3 * 2**20 + 12345))
    got = await _undecoded(fake, call.token)
    assert (got.headers["Content-Encoding"], fake.injected) == (coding, {f"{coding}_bomb": 1})
    assert len(got.body) < 10_000
    decoded = gzip.decompress(got.body) if coding == "gzip" else zlib.decompress(got.body)
    assert (len(decoded), json.loads(decoded)) == (3 * 2**20 + 12345, {"data": []})


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
@pytest.mark.parametrize("damage", ["not_compressed", "truncated", "checksum"])
async def test_a_broken_compression_does_not_unpack(
    fake: FakeKajabi, call: Caller, coding: Coding, damage: Damage
) -> None:
    """It is not compressed, has no end, or has a wrong checksum; the length is right."""
    fake.inject(faults.BrokenCompression(coding, damage))
    got = await _undecoded(fake, call.token)
    assert (got.headers["Content-Encoding"], got.headers["Content-Length"]) == (coding, str(len(got.body)))
    with pytest.raises((zlib.error, OSError, EOFError)):
        _ = gzip.decompress(got.body) if coding == "gzip" else zlib.decompress(got.body)
    if damage != "not_compressed":
        unpacker = zlib.decompressobj(31 if coding == "gzip" else 15)
        assert unpacker.decompress(got.body[:-12], 200).startswith(b'{"data":')


@pytest.mark.parametrize(
    ("oddity", "value"),
    [
        ("nan", b"NaN"),
        ("infinity", b"Infinity"),
        ("negative_infinity", b"-Infinity"),
        ("big_int", b"9" * 1000),
        ("big_float", b"1e999"),
        ("deep_nesting", b"[" * 100_000 + b"]" * 100_000),
    ],
)
async def test_one_value_of_a_document_is_odd(fake: FakeKajabi, call: Caller, oddity: Oddity, value: bytes) -> None:
    """It replaces the first number of the first resource; everything else stays unchanged."""
    whole = (await call.get("/v1/offers?page[size]=2")).body
    price = b'"price_in_cents":'
    before, _, after = whole.partition(price)
    fake.inject(faults.OddJson(oddity), path="offers.list")
    got = await call.get("/v1/offers?page[size]=2")
    assert got.status == 200
    assert got.body == before + price + value + after[after.index(b",") :]
    assert fake.injected == {oddity: 1}


async def test_an_odd_value_comes_under_a_new_name_if_there_is_no_number(fake: FakeKajabi, call: Caller) -> None:
    """It stands beside the attributes of the first resource; in a token answer the number is the lifetime."""
    fake.inject("nan", times=2)
    assert b'"odd_value":NaN}' in (await call.get("/v1/me")).body
    fields = {"grant_type": "client_credentials", "client_id": fake.client_id, "client_secret": fake.client_secret}
    assert b'"expires_in":NaN' in (await call.post("/v1/oauth/token", data=fields)).body


@pytest.mark.parametrize(("oddity", "error"), [("malformed", "Expecting|Unterminated"), ("not_utf8", "codec")])
async def test_a_document_can_be_no_document(fake: FakeKajabi, call: Caller, oddity: Oddity, error: str) -> None:
    """It is cut in the middle with a matching length, or is not text."""
    fake.inject(faults.OddJson(oddity))
    got = await call.get("/v1/customers/1")
    assert (got.status, got.headers["Content-Length"]) == (200, str(len(got.body)))
    with pytest.raises(ValueError, match=error):
        _ = got.document


async def test_an_answer_that_is_no_json_is_left_as_it_is(fake: FakeKajabi, call: Caller) -> None:
    """A web page has no JSON value to replace."""
    fake.inject("nan")
    assert (await call.get("/v1/nothing/here/at/all")).body.startswith(b"<!DOCTYPE html>")
