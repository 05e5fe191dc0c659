"""The applications in the guide to web apps, served on loopback."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from io import BytesIO
from typing import Any

import aiohttp
import pytest
import uvicorn
from aiohttp import web
from fastapi import FastAPI

from kajabi_async import Kajabi
from kajabi_async.testing import FakeKajabi
from tests.blocks import Block, environment_of, load, parametrized
from tests.docs.examples import APPLICATIONS, RECEIVERS
from tests.webhooks.deliveries import delivery, row

SECRET = "8Cq1xW-7rNf0ZbT3sKuYhLvPdJg5Ea2M"


@parametrized(APPLICATIONS)
async def test_an_application_answers(block: Block, kajabi_fake: FakeKajabi, monkeypatch: pytest.MonkeyPatch) -> None:
    """A known customer is found, an unknown one is a 404, and all requests share one token."""
    for name, value in environment_of(kajabi_fake).items():
        monkeypatch.setenv(name, value)
    async with _served(load(block)) as url, aiohttp.ClientSession(url) as session:
        async with session.get("/customers/123") as answer:
            assert (answer.status, await answer.json()) == (200, {"name": "Mateo Park", "offers": ["Guitar Bundle"]})
        async with session.get("/customers/123/record") as answer:
            record = await answer.json()
            assert (answer.status, record["type"], record["name"]) == (200, "customers", "Mateo Park")
            assert record["offer_ids"]
        for unknown in ("99999", "no;body"):
            async with session.get(f"/customers/{unknown}") as answer:
                assert answer.status == 404
    assert kajabi_fake.counts["oauth.token"] == 1


@pytest.mark.parametrize(
    ("fault", "status", "headers"),
    [
        ({"status": 403}, 502, {}),
        ({"status": 429, "headers": {"Retry-After": "3600"}}, 503, {"Retry-After": "3600"}),
    ],
)
async def test_a_refusal_of_kajabi_is_not_the_visitors_fault(
    fault: dict[str, Any],
    status: int,
    headers: dict[str, str],
    kajabi_fake: FakeKajabi,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The application answers errors with the statuses in the guide."""
    for name, value in environment_of(kajabi_fake).items():
        monkeypatch.setenv(name, value)
    (block,) = (block for block in APPLICATIONS if "FastAPI" in block.code)
    kajabi_fake.fail("customers.get", **fault)
    async with (
        _served(load(block)) as url,
        aiohttp.ClientSession(url) as session,
        session.get("/customers/123") as answer,
    ):
        assert answer.status == status
        assert headers.items() <= dict(answer.headers).items()


async def test_a_pause_is_answered_without_another_request(
    kajabi_fake: FakeKajabi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """During a pause every visitor gets a 503 at once, and Kajabi gets no request."""
    for name, value in environment_of(kajabi_fake).items():
        monkeypatch.setenv(name, value)
    (block,) = (block for block in APPLICATIONS if "FastAPI" in block.code)
    kajabi_fake.fail("customers.get", status=429, headers={"Retry-After": "3600"})
    async with _served(load(block)) as url, aiohttp.ClientSession(url) as session:
        for _ in range(3):
            async with session.get("/customers/123") as answer:
                assert answer.status == 503
                assert 0 < int(answer.headers["Retry-After"]) <= 3600
    assert kajabi_fake.counts["customers.get"] == 1


@parametrized(RECEIVERS)
async def test_a_receiver_handles_a_delivery_once(
    block: Block,
    kajabi_fake: FakeKajabi,
    kajabi_api: Kajabi,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A repeated delivery gets the same answer; forged and malformed ones get those in the guide."""
    for name, value in (environment_of(kajabi_fake) | {"HOOK_SECRET": SECRET}).items():
        monkeypatch.setenv(name, value)
    await kajabi_api.contacts.add_tags("2150001100", ["5"])
    added = [delivery("tag_added", [row("contacts", "2150001100"), row("contact_tags", tag)]) for tag in ("5", "6")]
    posts = [
        (SECRET, added[0], 200),
        (SECRET, added[0], 200),
        (SECRET, added[1], 200),
        (SECRET, b"[", 200),
        (SECRET[::-1], added[0], 404),
        (SECRET, b" " * 1_048_577, 413),
        (SECRET, delivery("subscription_cancelled", []), 200),
    ]
    async with _served(load(block)) as url, aiohttp.ClientSession(url) as session:
        for secret, body, status in posts:
            async with session.post(f"/kajabi/{secret}", data=BytesIO(body)) as answer:
                assert answer.status == status
    assert capsys.readouterr().out == "2150001100 has 5\n2150001100 does not have 6\n"


@asynccontextmanager
async def _served(names: dict[str, Any]) -> AsyncGenerator[str]:
    if isinstance(names.get("app"), FastAPI):
        async with _served_by_uvicorn(names["app"]) as url:
            yield url
    else:
        async with _served_by_aiohttp(names["make_app"]()) as url:
            yield url


@asynccontextmanager
async def _served_by_uvicorn(app: FastAPI) -> AsyncGenerator[str]:
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", ws="none")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        assert not serving.done(), serving
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await serving


@asynccontextmanager
async def _served_by_aiohttp(app: web.Application) -> AsyncGenerator[str]:
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()
