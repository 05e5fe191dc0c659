from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from aiohttp import web

from examples.aiohttp_app.app import create_app
from examples.aiohttp_app.keys import API
from examples.fastapi_app.app import app, lifespan
from kajabi_async import ClientClosedError, Kajabi
from kajabi_async.testing import FakeKajabi
from tests.examples.serving import APPS, settings_for


@asynccontextmanager
async def _client_of_fastapi() -> AsyncGenerator[Kajabi]:
    async with lifespan(app) as state:
        yield state["api"]


@asynccontextmanager
async def _client_of_aiohttp() -> AsyncGenerator[Kajabi]:
    runner = web.AppRunner(application := create_app())
    await runner.setup()
    try:
        yield application[API]
    finally:
        await runner.cleanup()


_CLIENT_OF: dict[str, Callable[[], AbstractAsyncContextManager[Kajabi]]] = {
    "fastapi_app": _client_of_fastapi,
    "aiohttp_app": _client_of_aiohttp,
}


@pytest.mark.parametrize("name", APPS)
async def test_the_client_lives_as_long_as_the_application(
    name: str, kajabi_fake: FakeKajabi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It exists before the first request, has sent nothing by then, and is closed at the end."""
    for setting, value in settings_for(kajabi_fake).items():
        monkeypatch.setenv(setting, value)
    async with _CLIENT_OF[name]() as api:
        assert kajabi_fake.counts.total() == 0
        assert (await api.customers.get("1")).id == "1"
    with pytest.raises(ClientClosedError):
        await api.customers.get("1")
