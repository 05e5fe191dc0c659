"""The pytest plugin: ``kajabi_fake``, a started fake, and ``kajabi_api``, a client on it."""

from collections.abc import AsyncIterator, Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Final

from kajabi_async.client import Kajabi
from kajabi_async.testing.server import FakeKajabi

__all__ = ["kajabi_api", "kajabi_fake"]

# Pytest loads the plugin wherever the package is installed, with pytest-asyncio or without.
_fixture: Final[Callable[[Callable[..., object]], Callable[..., object]]] = import_module(
    "pytest_asyncio" if find_spec("pytest_asyncio") else "pytest"
).fixture


@_fixture
async def kajabi_fake() -> AsyncIterator[FakeKajabi]:
    """Give a started FakeKajabi with its default data, closed after the test."""
    async with FakeKajabi() as fake:
        yield fake


@_fixture
async def kajabi_api(kajabi_fake: FakeKajabi) -> AsyncIterator[Kajabi]:
    """Give a client on the fake, closed after the test."""
    async with Kajabi(
        client_id=kajabi_fake.client_id, client_secret=kajabi_fake.client_secret, base_url=kajabi_fake.base_url
    ) as api:
        yield api
