"""The pytest plugin: ``kajabi_fake``, a started fake, and ``kajabi_api``, a client connected to it.

Pytest imports this module in every project whose environment has the package, so anything slow or possibly broken is
imported only when a test requests a fixture.
"""

from collections.abc import AsyncIterator, Callable
from importlib import import_module
from importlib.util import find_spec
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from kajabi_async.client import Kajabi
    from kajabi_async.testing.fake import FakeKajabi

__all__ = ["kajabi_api", "kajabi_fake", "pytest_fixture_setup"]

_PLUGIN_NAMES: Final = ("asyncio", "pytest_asyncio")
"""The names of pytest-asyncio as an installed plugin, and as one that is named by its module."""

# The plugin works with and without pytest-asyncio; pytest loads pytest-asyncio itself.
_fixture: Final[Callable[[Callable[..., object]], Callable[..., object]]] = import_module(
    "pytest_asyncio" if find_spec("pytest_asyncio") else "pytest"
).fixture


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef: Any, request: Any) -> None:
    """Fail with what to install or to write if nothing runs the fixtures of this plugin, or the test that uses them."""
    if fixturedef.argname in __all__ and (missing := _missing(request)):
        pytest.fail(f"{fixturedef.argname} {missing}", pytrace=False)


def _missing(request: Any) -> str:
    if "anyio_backend" in request.fixturenames:
        return ""
    plugins = (name for name, plugin in request.config.pluginmanager.list_name_plugin() if plugin is not None)
    if not any(name.startswith(_PLUGIN_NAMES) for name in plugins):
        return "is asynchronous and needs pytest-asyncio: pip install pytest-asyncio"
    mode = request.config.getoption("asyncio_mode", None) or request.config.getini("asyncio_mode")
    item = request.node
    if mode == "auto" or not iscoroutinefunction(getattr(item, "obj", None)) or item.get_closest_marker("asyncio"):
        return ""
    return "needs a test that pytest-asyncio runs: mark it with @pytest.mark.asyncio, or set asyncio_mode=auto"


@_fixture
async def kajabi_fake() -> "AsyncIterator[FakeKajabi]":
    """Yield a started FakeKajabi with its default data; close it after the test."""
    from kajabi_async.testing.fake import FakeKajabi  # noqa: PLC0415 - see the module's docstring

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
