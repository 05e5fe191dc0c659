"""The pytest plugin: ``kajabi_fake``, a started fake, and ``kajabi_api``, a client connected to it.

Pytest imports this module in every project whose environment has the package, so anything slow or possibly broken is
imported only when a test requests a fixture.
"""

from collections.abc import AsyncIterator, Callable
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from kajabi_async.client import Kajabi
    from kajabi_async.testing.server import FakeKajabi

__all__ = ["kajabi_api", "kajabi_fake"]

# The plugin works with and without pytest-asyncio; pytest loads pytest-asyncio itself.
_fixture: Final[Callable[[Callable[..., object]], Callable[..., object]]] = import_module(
    "pytest_asyncio" if find_spec("pytest_asyncio") else "pytest"
).fixture


@_fixture
async def kajabi_fake() -> "AsyncIterator[FakeKajabi]":
    """Yield a started FakeKajabi with its default data; close it after the test."""
    from kajabi_async.testing.server import FakeKajabi  # noqa: PLC0415 - see the module's docstring

    async with FakeKajabi() as fake:
        yield fake


@_fixture
async def kajabi_api(kajabi_fake: "FakeKajabi") -> "AsyncIterator[Kajabi]":
    """Yield a client connected to the fake; close it after the test."""
    from kajabi_async.client import Kajabi  # noqa: PLC0415 - see the module's docstring

    async with Kajabi(
        client_id=kajabi_fake.client_id, client_secret=kajabi_fake.client_secret, base_url=kajabi_fake.base_url
    ) as api:
        yield api
