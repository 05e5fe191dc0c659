"""The fake in its own process, and the pytest plugin."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

# Each test starts a process or two.
pytestmark = pytest.mark.thorough

_ROOT = Path(__file__).parents[2]


def _environment() -> dict[str, str]:
    paths = [str(_ROOT), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}


@asynccontextmanager
async def _started(*flags: str) -> AsyncGenerator[tuple[Process, dict[str, str]]]:
    """Start the fake in its own process and yield its announcement; terminate it if it still runs."""
    arguments = ("-m", "kajabi_async.testing", *flags)
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdout=subprocess.PIPE, env=_environment()
    )
    try:
        assert process.stdout
        yield process, json.loads(await process.stdout.readline())
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def _token(session: aiohttp.ClientSession, announced: dict[str, str]) -> str:
    fields = {"grant_type": "client_credentials", "client_id": announced["client_id"]}
    fields["client_secret"] = announced["client_secret"]
    async with session.post("/v1/oauth/token", data=fields) as response:
        token: str = (await response.json())["access_token"]
        return token


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
async def test_the_module_serves_until_a_signal(signal_number: signal.Signals) -> None:
    """One line of JSON announces address and credentials; the exit is clean."""
    async with _started("--customers", "1234", "--latency", "0.001") as (process, announced):
        assert set(announced) == {"base_url", "client_id", "client_secret"}
        async with aiohttp.ClientSession(announced["base_url"]) as session:
            headers = {"Authorization": f"Bearer {await _token(session, announced)}"}
            async with session.get("/v1/customers/1234", headers=headers) as response:
                assert response.status == 200
        process.send_signal(signal_number)
        rest, _ = await process.communicate()
    assert (process.returncode, rest) == (0, b"")


async def test_limits_and_faults_can_be_set_at_the_start() -> None:
    """Another process can read and change them, and shares the limit with all others."""
    limits = ("--rate-limit", "3", "--rate-window", "600", "--retry-after", "huge", "--token-uses", "1")
    mix = ("--fault", "failure", "--fault-rate", "1", "--fault-seed", "5", "--max-faults-in-a-row", "1")
    async with _started(*limits, *mix) as (_, announced), aiohttp.ClientSession(announced["base_url"]) as session:
        for expected in ((503, None), (200, None), (503, None), (429, "999999999")):
            async with session.get("/v1/version") as response:
                assert (response.status, response.headers.get("Retry-After")) == expected
        async with session.put("/_fake/rate-limit", json={"requests": 1000}) as response:
            assert response.status == 200
        async with session.delete("/_fake/faults") as response:
            assert response.status == 200
        headers = {"Authorization": f"Bearer {await _token(session, announced)}"}
        for status in (200, 401):
            async with session.get("/v1/customers/1", headers=headers) as response:
                assert response.status == status
        async with session.get("/_fake/counts") as response:
            assert await response.json() == {
                "requests": {"version": 4, "oauth.token": 1, "customers.get": 2},
                "answered": 6,
                "limited": 1,
                "token_grants": 1,
                "injected": {"failure": 2},
            }


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--fault", "latncy"), "did you mean 'latency'?"),
        (("--fault", "slow", "--fault-rate", "2"), "rate"),
        (("--rate-limit", "-1"), "requests"),
        (("--retry-after", "later"), "invalid choice"),
    ],
)
def test_a_flag_that_makes_no_sense_ends_the_module(flags: tuple[str, ...], said: str) -> None:
    """It prints the usage and the error before it listens."""
    arguments = [sys.executable, "-m", "kajabi_async.testing", *flags]
    ran = subprocess.run(arguments, env=_environment(), capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert said in ran.stderr.rpartition("error:")[2]


_USERS_TEST = """
async def test_the_fixtures_work_together(kajabi_fake, kajabi_api):
    customer = await kajabi_api.customers.get("7")
    assert customer.name == kajabi_fake.resource("customers", "7")["attributes"]["name"]
    assert kajabi_fake.counts["customers.get"] == 1
"""


_PLUGIN = ("-q", "-p", "kajabi_async.testing.plugin", "-p", "no:cacheprovider")


def _pytest(directory: Path, *arguments: str, program: str = "") -> subprocess.CompletedProcess[str]:
    started = ("-c", program) if program else ("-m", "pytest")
    # Otherwise pytest reads the settings of a project that contains the temporary folder.
    if not (directory / "pytest.ini").exists():
        (directory / "pytest.ini").write_text("[pytest]\n")
    return subprocess.run(
        [sys.executable, *started, *arguments, str(directory)],
        cwd=directory,
        env=_environment() | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_plugin_provides_a_fake_and_a_client(tmp_path: Path) -> None:
    """A user's project needs only the plugin and pytest-asyncio."""
    (tmp_path / "test_user.py").write_text(_USERS_TEST)
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\nfilterwarnings = error\n"
    )
    ran = _pytest(tmp_path, "-p", "pytest_asyncio.plugin", *_PLUGIN)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "1 passed" in ran.stdout


_COUNTS_MODULES = """
import sys

import pytest

FOREIGN = {"aiohttp", "attr", "attrs", "cattrs", "msgspec", "multidict", "yarl"}

def test_that_uses_no_fixture_of_the_plugin():
    assert FOREIGN.isdisjoint(sys.modules)
    ours = {name for name in sys.modules if name.partition(".")[0] == "kajabi_async"}
    assert ours == {"kajabi_async", "kajabi_async.testing", "kajabi_async.testing.plugin"}
"""


def test_the_plugin_imports_nothing_before_a_fixture_is_used(tmp_path: Path) -> None:
    """It is loaded in every project that has the package, and costs no more than its own few lines."""
    (tmp_path / "test_user.py").write_text(_COUNTS_MODULES)
    ran = _pytest(tmp_path, "-p", "pytest_asyncio.plugin", *_PLUGIN)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize(
    "broken",
    [
        "aiohttp",
        *(pytest.param(each, marks=pytest.mark.thorough) for each in ("attrs", "msgspec", "kajabi_async.client")),
    ],
)
def test_a_library_that_is_broken_fails_no_test_that_does_without(broken: str, tmp_path: Path) -> None:
    """Only tests that use a fixture fail, and the error names the library."""
    (tmp_path / "test_user.py").write_text(f"def test_something_else(): pass\n{_USERS_TEST}")
    (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\n")
    program = f"import sys; sys.modules[{broken!r}] = None; import pytest; sys.exit(pytest.main(sys.argv[1:]))"
    ran = _pytest(tmp_path, "-p", "pytest_asyncio.plugin", *_PLUGIN, program=program)
    assert "1 passed" in ran.stdout, ran.stdout + ran.stderr
    assert "1 error" in ran.stdout
    assert f"import of {broken} halted" in ran.stdout


def test_the_names_of_the_package_are_found_when_they_are_used() -> None:
    """All of `__all__` and no others; a misspelt one is an AttributeError."""
    program = """
import sys, kajabi_async.testing as testing
assert not {"aiohttp", "attrs"} & set(sys.modules)
assert set(testing.__all__) <= set(dir(testing))
assert all(getattr(testing, name) is not None for name in testing.__all__)
assert testing.FakeKajabi is testing.FakeKajabi
try:
    testing.FakeKajbi
except AttributeError as error:
    assert "FakeKajbi" in str(error)
else:
    sys.exit("a misspelt name was found")
"""
    subprocess.run([sys.executable, "-W", "error", "-c", program], env=_environment(), check=True)


def test_the_plugin_does_no_harm_without_pytest_asyncio(tmp_path: Path) -> None:
    """Pytest loads it in every project that has the package installed."""
    (tmp_path / "test_user.py").write_text("def test_something_else(): pass\n")
    program = "import sys; sys.modules['pytest_asyncio'] = None; import pytest; sys.exit(pytest.main(sys.argv[1:]))"
    ran = _pytest(tmp_path, *_PLUGIN, program=program)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "1 passed" in ran.stdout


_README = (_ROOT / "README.md").read_text("utf-8").partition("## Testing your own code")[2]
_README_TEST = _README.partition("```python\n")[2].partition("```")[0]


def test_the_example_of_the_readme_runs_in_an_empty_folder(tmp_path: Path) -> None:
    """As typed, with pytest-asyncio as it comes."""
    (tmp_path / "test_mine.py").write_text(_README_TEST)
    ran = _pytest(tmp_path, "-p", "pytest_asyncio.plugin", *_PLUGIN)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "1 passed" in ran.stdout


def test_without_pytest_asyncio_the_plugin_says_what_to_install(tmp_path: Path) -> None:
    """Whether it is not installed or switched off."""
    (tmp_path / "test_mine.py").write_text(_README_TEST)
    program = "import sys; sys.modules['pytest_asyncio'] = None; import pytest; sys.exit(pytest.main(sys.argv[1:]))"
    for ran in (_pytest(tmp_path, *_PLUGIN, program=program), _pytest(tmp_path, "-p", "no:asyncio", *_PLUGIN)):
        assert ran.returncode == 1
        assert "kajabi_fake is asynchronous and needs pytest-asyncio: pip install pytest-asyncio\n" in ran.stdout
        assert "1 error" in ran.stdout


def test_a_test_without_the_marker_says_what_to_write(tmp_path: Path) -> None:
    """In the default mode of pytest-asyncio; in its auto mode nothing is missing."""
    (tmp_path / "test_mine.py").write_text(_README_TEST.replace("@pytest.mark.asyncio\n", ""))
    ran = _pytest(tmp_path, "-p", "pytest_asyncio.plugin", *_PLUGIN)
    assert "mark it with @pytest.mark.asyncio, or set asyncio_mode=auto" in ran.stdout
    ran = _pytest(tmp_path, "-p", "pytest_asyncio.plugin", *_PLUGIN, "--asyncio-mode=auto")
    assert "1 passed" in ran.stdout, ran.stdout + ran.stderr
