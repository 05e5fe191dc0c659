"""The mistakes of the first five minutes with the library: each error says how to correct it."""

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from kajabi_async import Kajabi, KajabiError
from kajabi_async.export import export
from kajabi_async.testing import FakeKajabi
from tests.blocks import environment_of
from tests.clocks import ManualClock

# An untyped client: type checkers would reject most of these mistakes.
Mistake = Callable[[Any], Awaitable[object]]

COMPARE = "check client id and secret (KAJABI_CLIENT_ID, KAJABI_CLIENT_SECRET) under Settings, Security, User API Keys"

MISTAKES: list[tuple[Mistake, str]] = [
    (lambda api: api.customers.list(email_contain="x").first(), "did you mean 'email_contains'"),
    (lambda api: api.customers.list(emial="x").first(), "did you mean 'email_contains'"),
    (lambda api: api.customers.list(shoe_size="38").first(), "extra_filters="),
    (lambda api: api.customers.list(sort="nam").first(), "did you mean 'name'"),
    (lambda api: api.customers.get("1", include="offer"), "did you mean 'offers'"),
    (lambda api: api.customers.get("1", fields={"customers": ["nam"]}), "did you mean 'name'"),
    (lambda api: api.customers.get("a/b"), "'/' is not allowed"),
    (lambda api: api.customers.get("99999"), "Couldn't find customers with id 99999"),
    (lambda api: api.customers.get_many(["1"], strategy="fast").report(), "one of lookup, scan, auto"),
    (lambda api: export(api.customers.list(), Path("customers.xls")), "end the file in .parquet"),
]

WITHOUT = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == sys.argv[1]:
            raise ModuleNotFoundError(f"No module named {name!r}", name=sys.argv[1])

sys.meta_path.insert(0, Missing())
"""
"""Makes the import of a library fail as if it were not installed."""


async def _get(api: Kajabi) -> object:
    return await api.customers.get("123")


@pytest.mark.parametrize(
    ("environment", "cure"),
    [
        ({"KAJABI_CLIENT_ID": "", "KAJABI_CLIENT_SECRET": ""}, "set KAJABI_CLIENT_ID and KAJABI_CLIENT_SECRET in"),
        ({"KAJABI_CLIENT_ID": ""}, "set KAJABI_CLIENT_ID in the environment"),
        ({"KAJABI_CLIENT_SECRET": ""}, "set KAJABI_CLIENT_SECRET in the environment"),
        ({"KAJABI_CLIENT_SECRET": "wrong"}, COMPARE),
        ({"KAJABI_CLIENT_ID": "wrong"}, COMPARE),
        ({"KAJABI_BASE_URL": "api.kajabi.com"}, "such as https://api.kajabi.com"),
        ({"KAJABI_BASE_URL": "https://api.kajabi.com/v1"}, "without /v1"),
        ({"KAJABI_BASE_URL": "http://api.kajabi.com"}, "use https"),
    ],
)
async def test_a_wrong_setting_is_reported_with_its_cure(
    environment: dict[str, str], cure: str, kajabi_fake: FakeKajabi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the variable, and does not show a wrong secret."""
    for name, value in {**environment_of(kajabi_fake), **environment}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(KajabiError) as caught:
        async with Kajabi.from_env() as api:
            await _get(api)
    assert cure in str(caught.value)
    assert "wrong" not in str(caught.value)


@pytest.mark.parametrize(("mistake", "cure"), MISTAKES)
async def test_a_wrong_argument_is_reported_with_its_cure(mistake: Mistake, cure: str, kajabi_api: Kajabi) -> None:
    """The error has the nearest name, or the known ones."""
    with pytest.raises(KajabiError) as caught:
        await mistake(kajabi_api)
    assert cure in str(caught.value)


async def test_an_unreachable_api_is_reported_with_its_address(kajabi_fake: FakeKajabi) -> None:
    """The error says that no connection was made, so nothing can have taken effect."""
    await kajabi_fake.aclose()
    port = kajabi_fake.base_url.rpartition(":")[2]
    with pytest.raises(KajabiError, match=rf"could not connect.*{port}"):
        async with Kajabi(client_id="a", client_secret="b", base_url=kajabi_fake.base_url, clock=ManualClock()) as api:
            await _get(api)


@pytest.mark.parametrize(
    ("program", "library", "extra"),
    [
        ("import kajabi_async.stores.redis", "redis", "redis"),
        ("import kajabi_async.stores.file", "filelock", "file"),
        ("import kajabi_async.telemetry", "opentelemetry", "otel"),
        ("from kajabi_async.export.formats import arrow_module; arrow_module('parquet')", "pyarrow", "arrow"),
    ],
)
async def test_an_extra_that_is_not_installed_is_named(program: str, library: str, extra: str) -> None:
    """The last line of the error is the command that installs it."""
    ended = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", f"{WITHOUT}{program}", library],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode != 0
    assert f"pip install 'kajabi-async[{extra}]'" in ended.stderr.splitlines()[-1]
