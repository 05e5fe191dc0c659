"""The common setup of the tests: the API's document, a Redis, no leftover settings, the same examples on every run."""

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
from tests.drawing import DRAWN, SHARE, VARIED
from tests.machine import need
from tests.redis_server import redis_server

pytest_plugins = ["tests.hooks", "tests.measuring"]

DOCUMENT = Path(__file__).parents[2] / "shared" / "reference" / "kajabi-openapi-1.1.0.yaml"

# The second draws other examples on every run: --hypothesis-profile=varied --hypothesis-seed=NUMBER repeats one.
for profile, is_repeatable in (("repeatable", True), (VARIED, False)):
    settings.register_profile(
        profile,
        derandomize=is_repeatable,
        database=None,
        deadline=None,
        max_examples=DRAWN // SHARE if is_repeatable else DRAWN,
        print_blob=True,
        # On a busy machine neither check says anything about the code.
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
    """The official OpenAPI document of the API; skip the test if it is not beside the checkout."""
    document = _document()
    if document is None:
        pytest.skip("the official API document ../shared/reference/kajabi-openapi-1.1.0.yaml is missing")
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
    """The URL of a real, empty Redis on loopback."""
    with socket.create_connection(("127.0.0.1", int(redis_url_of_session.rpartition(":")[2]))) as connection:
        connection.sendall(b"FLUSHALL\r\n")
        assert connection.recv(16) == b"+OK\r\n"
    return redis_url_of_session


@pytest.fixture(autouse=True)
def secrets_shown(request: pytest.FixtureRequest) -> Generator[list[str]]:
    """The tokens and secrets shown by the test so far; the test fails if the list is not empty at its end."""
    with watching(capturing="caplog" in request.fixturenames) as shown:
        yield shown
    assert shown == [], "a token or a secret was shown"


def pytest_warning_recorded(warning_message: warnings.WarningMessage) -> None:
    """Search warnings too: those that are not errors are shown at the end of a run."""
    assert shown_secrets(str(warning_message.message)) == []
