"""The control endpoint: other processes read and change the fake's state outside the API's paths."""

import json
from typing import Any

import pytest

from kajabi_async.testing import FakeKajabi
from kajabi_async.testing.control import ControlEndpoint
from tests.testing.caller import Caller


async def _put(call: Caller, name: str, value: object) -> Any:
    async with call.session.put(f"/_fake/{name}", data=json.dumps(value)) as response:
        return (response.status, await response.json())


async def _delete(call: Caller, name: str) -> Any:
    async with call.session.delete(f"/_fake/{name}") as response:
        return (response.status, await response.json())


async def _counts(call: Caller) -> Any:
    async with call.session.get("/_fake/counts") as response:
        return await response.json()


async def test_the_counts_show_requests_and_faults(fake: FakeKajabi, call: Caller) -> None:
    """Reading the counts does not change them."""
    fake.inject("failure")
    await call.get("/v1/customers/1")
    fields = {"grant_type": "client_credentials", "client_id": fake.client_id, "client_secret": fake.client_secret}
    await call.post("/v1/oauth/token", data=fields)
    fake.rate_limit = 0
    await call.get("/v1/customers/1")
    expected = {
        "requests": {"customers.get": 2, "oauth.token": 1},
        "answered": 2,
        "limited": 1,
        "token_grants": 1,
        "injected": {"failure": 1},
    }
    assert [await _counts(call) for _ in range(2)] == [expected] * 2
    status, emptied = await _delete(call, "counts")
    assert (status, emptied) == (
        200,
        {"requests": {}, "answered": 0, "limited": 0, "token_grants": 0, "injected": {}},
    )
    assert await _counts(call) == emptied


async def test_the_limit_is_read_and_changed(fake: FakeKajabi, call: Caller) -> None:
    """Null is no limit; omitted settings have their defaults."""
    whole = {"requests": 0, "per": 2.5, "retry_after": "seconds"}
    assert await _put(call, "rate-limit", whole) == (200, whole)
    got = await call.get("/v1/customers/1")
    assert (got.status, got.headers["Retry-After"]) == (429, "3")
    async with call.session.get("/_fake/rate-limit") as response:
        assert await response.json() == whole
    assert await _put(call, "rate-limit", {"requests": 5}) == (
        200,
        {"requests": 5, "per": 1.0, "retry_after": "absent"},
    )
    assert await _put(call, "rate-limit", None) == (200, None)
    assert fake.rate_limit is None


async def test_faults_are_planned_and_cleared(fake: FakeKajabi, call: Caller) -> None:
    """The body is one plan or several, with every setting of a FaultPlan."""
    plan = {"seed": 1, "rate": 1.0, "kinds": ["failure"], "path": "customers.get", "max_in_a_row": 1}
    assert await _put(call, "faults", plan) == (200, [{"seed": 1, "rate": 1.0, "kinds": ["failure"]}])
    assert [(await call.get("/v1/customers/1")).status for _ in range(2)] == [503, 200]
    status, plans = await _put(call, "faults", [plan, plan | {"kinds": ["endless"], "by": "arrival"}])
    assert (status, [plan["kinds"] for plan in plans]) == (200, [["failure"], ["hang", "hang_after_headers"]])
    assert len(fake.faults) == 2
    assert await _delete(call, "faults") == (200, [])
    assert not fake.faults


async def test_time_and_tokens_are_moved(fake: FakeKajabi, call: Caller) -> None:
    """The clock jumps, tokens expire now or after a number of requests, answers are delayed."""
    assert await _put(call, "clock", {"jump": -60}) == (200, {"offset": -60.0})
    assert fake.clock.offset == -60.0
    assert await _put(call, "token-uses", 1) == (200, 1)
    assert [(await call.get("/v1/customers/1")).status for _ in range(2)] == [200, 401]
    assert await _put(call, "token-uses", None) == (200, None)
    assert (await call.get("/v1/customers/1")).status == 200
    assert (await _delete(call, "tokens"))[0] == 200
    assert (await call.get("/v1/customers/1")).status == 401
    assert await _put(call, "latency", 0.001) == (200, 0.001)
    assert fake.latency == 0.001


async def test_the_control_endpoint_is_not_part_of_the_api(fake: FakeKajabi, call: Caller) -> None:
    """Its requests are not counted or limited, and no fault hits them."""
    fake.rate_limit = 0
    fake.inject("reset_before_answer", times=None)
    assert (await _put(call, "latency", 0))[0] == 200
    assert (fake.counts, fake.requests.maxlen and list(fake.requests), fake.traffic) == ({}, [], {})
    assert (await call.get("/v1/_fake/counts")).status == 429


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("rate-limit", {"requests": -1}, "requests"),
        ("rate-limit", {"request": 1}, "request"),
        ("rate-limit", 5, "object"),
        ("faults", {"kinds": ["latncy"]}, "did you mean"),
        ("faults", {"path": "customer.get"}, "no such operation"),
        ("faults", {"method": 5}, "upper"),
        ("clock", {}, "jump"),
        ("clock", {"jump": 1e999}, "finite"),
        ("clock", {"jump": "soon"}, "soon"),
        ("latency", None, "NoneType"),
        *(("latency", value, "3600") for value in (1e999, -1e999, float("nan"), 1e308, -0.5)),
        ("rate-limit", {"requests": 1, "per": 1e999}, "per"),
        ("rate-limit", {"requests": 1, "per": float("nan")}, "per"),
        ("rate-limit", {"requests": 1.5}, "requests"),
        ("token-uses", 1e999, "infinity"),
        ("token-uses", -1, "0 or more requests"),
        ("token-uses", "many", "many"),
    ],
)
async def test_what_makes_no_sense_is_refused(call: Caller, name: str, value: object, said: str) -> None:
    """The answer names the error, and nothing changes."""
    status, answer = await _put(call, name, value)
    assert status == 400
    assert said in answer["error"]


@pytest.mark.parametrize("body", [b"{", b"", b"[" * 50_000, b"1" * 5000, b"\xff"])
async def test_what_is_no_json_is_refused(body: bytes, call: Caller) -> None:
    """Invalid JSON gets a 400, however deep or long."""
    for name in ("latency", "clock", "rate-limit", "faults", "token-uses"):
        async with call.session.put(f"/_fake/{name}", data=body) as response:
            assert response.status == 400


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:8080"}, 200),
        ({"Host": "[::1]:8080"}, 200),
        ({"Host": "rebind.evil.example"}, 403),
        ({"Host": "127.0.0.1.evil.example"}, 403),
        ({"Host": "127.0.0.1@evil.example"}, 403),
        ({"Host": "evil.example:127"}, 403),
        ({"Host": "[::1"}, 403),
        ({"Host": ""}, 403),
        ({"Origin": "http://localhost:3000"}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
    ],
)
async def test_a_page_in_a_browser_does_not_get_in(
    headers: dict[str, str], status: int, fake: FakeKajabi, call: Caller
) -> None:
    """Even under its own host name that resolves to this machine (DNS rebinding), a page reads and changes nothing."""
    async with call.session.put("/_fake/latency", data=b"0.001", headers=headers) as response:
        assert response.status == status
    assert (fake.latency == 0.001) is (status == 200)


@pytest.mark.parametrize(("method", "path"), [("POST", "clock"), ("GET", "faults"), ("PUT", "counts"), ("GET", "x")])
async def test_other_verbs_and_paths_are_not_there(call: Caller, method: str, path: str) -> None:
    """Above all no POST, which a web page could send."""
    async with call.session.request(method, f"/_fake/{path}", data=b"{}") as response:
        assert (response.status, list(await response.json())) == (404, ["error"])


@pytest.mark.parametrize(
    ("peer", "is_let_in"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("192.0.2.7", False),
        ("::ffff:192.0.2.7", False),
        ("fe80::1%eth0", False),
        (None, False),
    ],
)
def test_only_this_machine_gets_in(peer: str | None, is_let_in: bool) -> None:
    """For other peers the path does not exist, whatever address the fake listens on."""
    assert ControlEndpoint.is_for("/_fake/counts", peer) is is_let_in
    assert not ControlEndpoint.is_for("/v1/customers", peer)
