"""The fake in a process of its own, and the pytest plugin."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest

_ROOT = Path(__file__).parents[2]


def _environment() -> dict[str, str]:
    paths = [str(_ROOT), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
async def test_the_module_serves_until_a_signal(signal_number: signal.Signals) -> None:
    """One line of JSON tells where and with which credentials; the end is clean."""
    arguments = ("-m", "kajabi_async.testing", "--customers", "1234", "--latency", "0.001")
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdout=subprocess.PIPE, env=_environment()
    )
    try:
        assert process.stdout
        told = json.loads(await process.stdout.readline())
        assert set(told) == {"base_url", "client_id", "client_secret"}
        async with aiohttp.ClientSession(told.pop("base_url")) as session:
            fields = {"grant_type": "client_credentials", **told}
            async with session.post("/v1/oauth/token", data=fields) as response:
                token = (await response.json())["access_token"]
            headers = {"Authorization": f"Bearer {token}"}
            async with session.get("/v1/customers/1234", headers=headers) as response:
                assert response.status == 200
    finally:
        process.send_signal(signal_number)
        rest, _ = await process.communicate()
    assert (process.returncode, rest) == (0, b"")


_USERS_TEST = """
async def test_the_fixtures_work_together(kajabi_fake, kajabi_api):
    customer = await kajabi_api.customers.get("7")
    assert customer.name == kajabi_fake.resource("customers", "7")["attributes"]["name"]
    assert kajabi_fake.counts["customers.get"] == 1
"""


_PLUGIN = ("-q", "-p", "kajabi_async.testing.plugin", "-p", "no:cacheprovider")


def _pytest(directory: Path, *arguments: str, program: str = "") -> subprocess.CompletedProcess[str]:
    started = ("-c", program) if program else ("-m", "pytest")
    return subprocess.run(
        [sys.executable, *started, *arguments, str(directory)],
        cwd=directory,
        env=_environment() | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_plugin_gives_a_fake_and_a_client_on_it(tmp_path: Path) -> None:
    """In a user's project, with nothing but the plugin and pytest-asyncio."""
    (tmp_path / "test_user.py").write_text(_USERS_TEST)
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\nfilterwarnings = error\n"
    )
    ran = _pytest(tmp_path, "-p", "pytest_asyncio.plugin", *_PLUGIN)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "1 passed" in ran.stdout


def test_the_plugin_does_no_harm_where_there_is_no_pytest_asyncio(tmp_path: Path) -> None:
    """Pytest loads it in every project that has the package installed."""
    (tmp_path / "test_user.py").write_text("def test_something_else(): pass\n")
    program = "import sys; sys.modules['pytest_asyncio'] = None; import pytest; sys.exit(pytest.main(sys.argv[1:]))"
    ran = _pytest(tmp_path, *_PLUGIN, program=program)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "1 passed" in ran.stdout
