import asyncio
import os
import re
import subprocess
import sys
from typing import Any

import pytest

from examples.aiohttp_app.app import create_app
from examples.fastapi_app.app import app as fastapi_app
from kajabi_async.testing import FakeKajabi
from tests.examples.serving import APPS, ROOT, settings_for

# The only address that is not in FastAPI's public OpenAPI document.
ROUTES: dict[str, set[str]] = {
    "fastapi_app": {*fastapi_app.openapi()["paths"], "/webhooks/{secret}"},
    "aiohttp_app": {route.resource.canonical for route in create_app().router.routes() if route.resource},
}


@pytest.mark.parametrize("name", APPS)
def test_the_readme_lists_what_there_is(name: str) -> None:
    """It lists exactly the existing addresses and settings."""
    readme = (ROOT / "examples" / name / "README.md").read_text("utf-8")
    assert set(re.findall(r"^\| `(?:GET|POST) (\S+)`", readme, re.MULTILINE)) == ROUTES[name]
    listed = set(re.findall(r"`([A-Z][A-Z_]+)`", readme))
    read = {"KAJABI_CLIENT_ID", "KAJABI_CLIENT_SECRET", "KAJABI_BASE_URL", "WEBHOOK_SECRET"}
    assert listed == read | ({"HOST", "PORT"} if name == "aiohttp_app" else set())


@pytest.mark.parametrize("name", APPS)
def test_an_example_can_be_copied_under_another_name(name: str, tmp_path: Any) -> None:
    """Its modules import one another relatively."""
    folder = tmp_path / "mine"
    folder.mkdir()
    for module in (ROOT / "examples" / name).glob("*.py"):
        (folder / module.name).write_text(module.read_text("utf-8"), "utf-8")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    subprocess.run([sys.executable, "-c", "import mine.app"], check=True, cwd=tmp_path, env=environment)


async def test_the_subscription_that_is_shown_subscribes_once(kajabi_fake: FakeKajabi) -> None:
    """Run twice, it creates a hook for each event the first time and none the second."""
    (block,) = re.findall(r"```python\n(.*?)```", (ROOT / "examples" / "README.md").read_text("utf-8"), re.DOTALL)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **settings_for(kajabi_fake)}
    for expected in ("2 made, 0 there before\n", "0 made, 2 there before\n"):
        command = [sys.executable, "-c", block]
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, env=environment, check=False)
        assert (done.stdout.decode(), done.stderr.decode()) == (expected, "")
    assert kajabi_fake.counts["hooks.create"] == 2
