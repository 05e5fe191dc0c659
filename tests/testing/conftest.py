from collections.abc import AsyncIterator

import aiohttp
import pytest_asyncio

from kajabi_async.testing import FakeKajabi
from tests.testing.caller import Caller, caller_for


@pytest_asyncio.fixture
async def fake() -> AsyncIterator[FakeKajabi]:
    async with FakeKajabi(customers=60) as fake:
        yield fake


@pytest_asyncio.fixture
async def call(fake: FakeKajabi) -> AsyncIterator[Caller]:
    async with aiohttp.ClientSession(fake.base_url) as session:
        yield caller_for(fake, session)
