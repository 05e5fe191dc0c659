"""Faults of the connection on a bare socket: the bytes received, how it ended, and whether the request took effect."""

import asyncio
import json

import pytest

from kajabi_async.testing import FakeKajabi, Fault, faults
from kajabi_async.testing.network.resets import reset
from tests.testing.caller import contact_body
from tests.testing.raw import Ending, body_of, closing, exchanged, get, hit, line_to, port_of

_CREATION = json.dumps(contact_body(email="a@example.org")).encode()


def _length(answer: bytes) -> int:
    head = answer.lower().partition(b"\r\n\r\n")[0]
    return int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])


@pytest.mark.parametrize(
    ("fault", "ending", "has_bytes"),
    [
        (faults.Cut("before"), "closed", False),
        (faults.LostAnswer(), "closed", False),
        (faults.Reset("before_answer"), "reset", False),
        (faults.Reset("mid_body"), "reset", True),
        (faults.CutBody("length"), "closed", True),
        (faults.CutBody("chunked"), "closed", True),
    ],
    ids=lambda value: value.name if isinstance(value, Fault) else str(value),
)
async def test_a_connection_ends_the_way_the_fault_says(
    fake: FakeKajabi, fault: Fault, ending: Ending, has_bytes: bool
) -> None:
    """A close is a FIN, a reset is an RST, and bytes arrive only if the answer was started."""
    fake.inject(fault, path="customers.get")
    got, ended = await exchanged(fake, get("/v1/customers/1", fake.issue_token()))
    assert (bool(got), ended) == (has_bytes, ending)
    assert fake.injected == {fault.name: 1}


@pytest.mark.parametrize("fault", [faults.CutBody("length"), faults.Reset("mid_body")])
async def test_a_cut_body_is_shorter_than_its_length_says(fake: FakeKajabi, fault: Fault) -> None:
    """Half of it arrives."""
    fake.inject(fault, path="customers.get")
    got, _ = await exchanged(fake, get("/v1/customers/1", fake.issue_token()))
    assert got.startswith(b"HTTP/1.1 200 OK")
    assert len(body_of(got)) == _length(got) // 2


async def test_a_chunked_body_can_come_without_its_end(fake: FakeKajabi) -> None:
    """Chunks arrive, but not the last, empty one."""
    fake.inject("cut_chunked", path="customers.get")
    got, _ = await exchanged(fake, get("/v1/customers/1", fake.issue_token()))
    assert b"transfer-encoding: chunked" in got.lower()
    size, _, chunk = body_of(got).partition(b"\r\n")
    assert len(chunk.removesuffix(b"\r\n")) == int(size, 16) > 0
    assert not got.endswith(b"0\r\n\r\n")


@pytest.mark.parametrize("fault", [faults.CutBody("length"), faults.CutBody("chunked"), faults.Reset("mid_body")])
async def test_an_answer_without_a_body_is_cut_as_well(fake: FakeKajabi, fault: Fault) -> None:
    """It announces a byte that never arrives."""
    fake.inject(fault, path="oauth.revoke")
    token = fake.issue_token()
    body = b"token=" + token.encode()
    request = get("/v1/oauth/revoke", token, method="POST", body=body).replace(
        b"application/vnd.api+json", b"application/x-www-form-urlencoded"
    )
    got, ended = await exchanged(fake, request)
    assert got.startswith(b"HTTP/1.1 200 OK")
    assert body_of(got) == b""
    assert ended == ("reset" if isinstance(fault, faults.Reset) else "closed")
    assert not fake.is_live(token)


@pytest.mark.parametrize(
    ("fault", "took_effect"),
    [
        (faults.LostAnswer(), True),
        (faults.CutBody("length"), True),
        (faults.CutBody("chunked"), True),
        (faults.Reset("mid_body"), True),
        (faults.Hang(after_headers=True), True),
        (faults.Reset("before_answer"), False),
        (faults.Hang(), False),
    ],
    ids=lambda value: value.name if isinstance(value, Fault) else str(value),
)
async def test_a_write_took_effect_if_the_answer_was_made(fake: FakeKajabi, fault: Fault, took_effect: bool) -> None:
    """It does not matter how much of it the client received."""
    fake.inject(fault, path="contacts.create")
    async with line_to(port_of(fake)) as line:
        await line.send(get("/v1/contacts", fake.issue_token(), method="POST", body=_CREATION))
        await hit(fake)
        if not isinstance(fault, faults.Hang):
            await line.rest()
        elif fault.after_headers:
            await line.reader.readuntil(b"\r\n\r\n")
    again, _ = await exchanged(fake, closing(get("/v1/contacts", fake.issue_token(), method="POST", body=_CREATION)))
    assert again.startswith(b"HTTP/1.1 422" if took_effect else b"HTTP/1.1 201")


async def test_a_reset_can_be_for_kept_alive_connections_alone(fake: FakeKajabi) -> None:
    """The first request of each connection succeeds, however many connections there are."""
    fake.inject("reset_reused", times=None)
    token = fake.issue_token()
    for _ in range(2):
        async with line_to(port_of(fake)) as line:
            await line.send(get("/v1/customers/1", token))
            assert (await line.answer()).startswith(b"HTTP/1.1 200")
            await line.send(get("/v1/customers/2", token))
            assert await line.rest() == (b"", "reset")
    assert [(hit.kind, hit.path) for hit in fake.injections] == [("reset_reused", "/v1/customers/2")] * 2
    assert [record.on_reused_connection for record in fake.requests] == [False, True, False, True]


async def test_a_large_answer_starts_before_the_reset(fake: FakeKajabi) -> None:
    """This holds even if half of it exceeds the socket's buffer."""
    name = "x" * 3_000_000
    fake.add({"type": "customers", "id": "77", "attributes": {"name": name}})
    fake.inject("reset_mid_body", path="customers.get")
    async with line_to(port_of(fake)) as line:
        await line.send(get("/v1/customers/77", fake.issue_token()))
        head = await line.reader.readuntil(b"\r\n\r\n")
        got, ended = await line.rest()
    assert ended == "reset"
    assert 0 < len(got) <= _length(head) // 2


async def test_hanging_after_the_headers_sends_them_and_no_more(fake: FakeKajabi) -> None:
    """Closing the fake ends it."""
    fake.inject("hang_after_headers", path="customers.get")
    async with line_to(port_of(fake)) as line:
        await line.send(get("/v1/customers/1", fake.issue_token()))
        head = await line.reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200")
        await fake.aclose()
        assert await line.rest() == (b"", "closed")


@pytest.mark.parametrize("kind", ["hang", "hang_after_headers"])
async def test_a_hanging_request_is_forgotten_when_the_client_has_gone(fake: FakeKajabi, kind: str) -> None:
    """Thousands of timeouts leave no task in the fake."""
    fake.inject(kind)
    tasks = len(asyncio.all_tasks())
    async with line_to(port_of(fake)) as line:
        await line.send(get("/v1/customers/1", fake.issue_token()))
        await hit(fake)
        assert len(asyncio.all_tasks()) > tasks
    for _ in range(10_000):
        if len(asyncio.all_tasks()) == tasks:
            return
        await asyncio.sleep(0.001)
    raise AssertionError


async def test_a_dribble_is_the_real_answer_in_pieces(fake: FakeKajabi) -> None:
    """No byte is missing."""
    token = fake.issue_token()
    fake.inject(faults.Dribble(pause=0.001, piece_bytes=100), path="customers.get")
    got, _ = await exchanged(fake, closing(get("/v1/customers/1", token)))
    assert json.loads(body_of(got))["data"] == fake.resource("customers", "1")
    assert len(body_of(got)) == _length(got)


async def test_a_slow_dribble_begins_and_does_not_end(fake: FakeKajabi) -> None:
    """Pieces arrive with the configured pause; closing the fake ends it."""
    fake.inject(faults.Dribble(pause=0.01, piece_bytes=1), path="customers.get")
    async with line_to(port_of(fake)) as line:
        await line.send(get("/v1/customers/1", fake.issue_token()))
        await line.reader.readuntil(b"\r\n\r\n")
        assert await line.reader.readexactly(2) == b'{"'
        assert len(await line.reader.read(65536)) < 100
        await fake.aclose()
        _, ended = await line.rest()
    assert ended == "closed"


async def test_a_client_that_leaves_in_the_middle_is_no_error_of_the_fake(
    fake: FakeKajabi, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is logged, and other clients are served."""
    token = fake.issue_token()
    fake.inject(faults.Dribble(pause=0.001, piece_bytes=1), path="customers.get")
    async with line_to(port_of(fake)) as line:
        await line.send(get("/v1/customers/1", token))
        await line.reader.readuntil(b"\r\n\r\n")
        reset(line.writer.transport)
    async with line_to(port_of(fake)) as line:
        await line.send(get("/v1/contacts", token, method="POST", body=_CREATION)[:-5])
        await asyncio.sleep(0.01)
        reset(line.writer.transport)
    got, _ = await exchanged(fake, closing(get("/v1/customers/1", token)))
    assert got.startswith(b"HTTP/1.1 200")
    await asyncio.sleep(0.01)
    assert caplog.records == []


async def test_a_wait_comes_before_the_request_takes_effect(fake: FakeKajabi) -> None:
    """Other clients are served meanwhile; closing the fake ends the wait."""
    fake.inject(faults.Delay(600.0), path="contacts.create")
    async with line_to(port_of(fake)) as line:
        await line.send(get("/v1/contacts", fake.issue_token(), method="POST", body=_CREATION))
        await hit(fake)
        again, _ = await exchanged(
            fake, closing(get("/v1/contacts", fake.issue_token(), method="POST", body=_CREATION))
        )
    assert again.startswith(b"HTTP/1.1 201")


async def test_a_short_wait_ends_in_the_real_answer(fake: FakeKajabi) -> None:
    """This holds for fixed and random waits."""
    token = fake.issue_token()
    for fault in (faults.Delay(0.001), faults.Delay(0.0, up_to=0.002)):
        fake.inject(fault)
        got, _ = await exchanged(fake, closing(get("/v1/customers/1", token)))
        assert json.loads(body_of(got))["data"]["id"] == "1"
    assert fake.injected == {"latency": 1, "random_latency": 1}


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: faults.Reset("whenever"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        lambda: faults.CutBody("gzip"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        lambda: faults.Dribble(piece_bytes=0),
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: object) -> None:
    """A fault that never happens would make a test pass for nothing."""
    assert callable(wrong)
    with pytest.raises(ValueError, match="must be"):
        wrong()
