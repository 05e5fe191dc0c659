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
    """A running example, the fake it asks, and a visitor."""

    fake: FakeKajabi
    served: Served
    visitor: aiohttp.ClientSession


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def running() -> AsyncGenerator[Callable[[str], Awaitable[App]]]:
    """Starts each example once for all tests that only visit it."""
    apps: dict[str, App] = {}
    async with AsyncExitStack() as stack:

        async def app_called(name: str) -> App:
            # One that was told to slow down would keep the next test waiting: it is left, and another one started.
            if name not in apps or await _is_slowed_down(apps[name]):
                fake = await stack.enter_async_context(FakeKajabi(customers=50))
                served = await stack.enter_async_context(serve(name, fake))
                visitor = await stack.enter_async_context(aiohttp.ClientSession(served.base_url))
                apps[name] = App(fake, served, visitor)
            return apps[name]

        yield app_called


@pytest_asyncio.fixture(loop_scope="session", params=APPS)
async def app(request: pytest.FixtureRequest, running: Callable[[str], Awaitable[App]]) -> App:
    """Each of the examples, by its real server, with a fake that has no faults and has counted nothing yet."""
    app = await running(request.param)
    app.fake.clear_faults()
    app.fake.reset_counts()
    return app


async def _is_slowed_down(app: App) -> bool:
    async with app.visitor.get("/health") as answer:
        stats = (await answer.json())["stats"]
        return bool(stats["pauses"] or stats["rate_limited"])
