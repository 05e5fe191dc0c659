"""What every test may count on: the API's document, a Redis, no leftover settings, the same examples on every run."""

import os
import socket
import warnings
from collections.abc import Generator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, settings

from tests.canary import shown_secrets, watching
from tests.machine import need
from tests.redis_server import redis_server

pytest_plugins = ["tests.hooks"]

DOCUMENT = Path(__file__).parents[2] / "shared" / "reference" / "kajabi-openapi-1.1.0.yaml"

# The second looks elsewhere on every run: with --hypothesis-profile=varied --hypothesis-seed=NUMBER it can be repeated.
for profile, is_repeatable in (("repeatable", True), ("varied", False)):
    settings.register_profile(
        profile,
        derandomize=is_repeatable,
        database=None,
        deadline=None,
        max_examples=100,
        print_blob=True,
        # Neither says anything about the code when the machine is busy.
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )
settings.load_profile("repeatable")


@cache
def _document() -> dict[str, Any] | None:
    if not DOCUMENT.exists():
        return None
    loaded: dict[str, Any] = yaml.load(DOCUMENT.read_text("utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return loaded


@pytest.fixture(scope="session")
def openapi() -> dict[str, Any]:
    """The official OpenAPI document of the API; the test is skipped where it does not lie beside the checkout."""
    document = _document()
    if document is None:
        pytest.skip("the official API document ../shared/reference/kajabi-openapi-1.1.0.yaml is not there")
    return document


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]  # autouse
    for name in [name for name in os.environ if name.startswith("KAJABI_")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def redis_url_of_session(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    need("redis-server")
    with redis_server(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture
def redis_url(redis_url_of_session: str) -> str:
    """The URL of a real Redis on loopback that holds nothing yet."""
    with socket.create_connection(("127.0.0.1", int(redis_url_of_session.rpartition(":")[2]))) as connection:
        connection.sendall(b"FLUSHALL\r\n")
        assert connection.recv(16) == b"+OK\r\n"
    return redis_url_of_session


@pytest.fixture(autouse=True)
def secrets_shown(request: pytest.FixtureRequest) -> Generator[list[str]]:
    """What the test has shown of tokens and secrets so far; it fails where anything is left in the list at its end."""
    with watching(capturing="caplog" in request.fixturenames) as shown:
        yield shown
    assert shown == [], "a token or a secret was shown"


def pytest_warning_recorded(warning_message: warnings.WarningMessage) -> None:
    """Search warnings as well: those that are no errors are shown at the end of a run."""
    assert shown_secrets(str(warning_message.message)) == []
