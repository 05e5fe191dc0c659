from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack

import aiohttp
import attrs
import pytest
import pytest_asyncio

from kajabi_async.testing import FakeKajabi
from tests.examples.serving import APPS, Served, serve


@attrs.frozen
class App:
    """A running example, its fake, and a visitor."""

    fake: FakeKajabi
    served: Served
    visitor: aiohttp.ClientSession


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def running() -> AsyncGenerator[Callable[[str], Awaitable[App]]]:
    """Start each example once for all tests that only visit it."""
    apps: dict[str, App] = {}
    async with AsyncExitStack() as stack:

        async def app_called(name: str) -> App:
            # An example that is paused by a 429 would delay the next test: start another one.
            if name not in apps or await _is_slowed_down(apps[name]):
                fake = await stack.enter_async_context(FakeKajabi(customers=50))
                served = await stack.enter_async_context(serve(name, fake))
                visitor = await stack.enter_async_context(aiohttp.ClientSession(served.base_url))
                apps[name] = App(fake, served, visitor)
            return apps[name]

        yield app_called


@pytest_asyncio.fixture(loop_scope="session", params=APPS)
async def app(request: pytest.FixtureRequest, running: Callable[[str], Awaitable[App]]) -> App:
    """Each of the examples, on its real server, with a fake without faults and counts."""
    app = await running(request.param)
    app.fake.clear_faults()
    app.fake.reset_counts()
    return app


async def _is_slowed_down(app: App) -> bool:
    async with app.visitor.get("/health") as answer:
        stats = (await answer.json())["stats"]
        return bool(stats["pauses"] or stats["rate_limited"])
