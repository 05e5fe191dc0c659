"""The pytest plugin: ``kajabi_fake``, a started fake, and ``kajabi_api``, a client on it."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest_asyncio

if TYPE_CHECKING:
    from kajabi_async.client import Kajabi
    from kajabi_async.testing.server import FakeKajabi

__all__ = ["kajabi_api", "kajabi_fake"]


@pytest_asyncio.fixture
async def kajabi_fake() -> "AsyncIterator[FakeKajabi]":
    """Give a started FakeKajabi with its default data, closed after the test."""
    # Here, since pytest loads plugins before coverage starts to measure.
    from kajabi_async.testing.server import FakeKajabi  # noqa: PLC0415

    async with FakeKajabi() as fake:
        yield fake


@pytest_asyncio.fixture
async def kajabi_api(kajabi_fake: "FakeKajabi") -> "AsyncIterator[Kajabi]":
    """Give a client on the fake, closed after the test."""
    # See above.
    from kajabi_async.client import Kajabi  # noqa: PLC0415

    async with Kajabi(
        client_id=kajabi_fake.client_id, client_secret=kajabi_fake.client_secret, base_url=kajabi_fake.base_url
    ) as api:
        yield api
