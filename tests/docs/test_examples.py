"""Every block in the guides runs, prints what the guide says, and sends the requests that the guide lists."""

import itertools
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import kajabi_async
from kajabi_async import Kajabi
from kajabi_async.access import AccessGate
from kajabi_async.testing import FakeKajabi
from kajabi_async.webhooks import parse
from tests.blocks import Block, documents, environment_of, parametrized, run_function, run_program
from tests.docs.building import REPOSITORY
from tests.docs.examples import BLOCKS, COMMANDS, FILES, FUNCTIONS, PROGRAMS
from tests.typing.copies import GUIDES, checked_by_mypy
from tests.webhooks.deliveries import delivery, row

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
DELIVERY = delivery("tag_added", [row("contacts", "2150001100"), row("contact_tags", "5", {"name": "vip"})])
"""What Kajabi posts when a contact gets a tag."""
HAS_PRODUCT_4 = "995"
"""A customer of the fake."""


@parametrized(PROGRAMS)
async def test_a_program_runs_as_it_stands(block: Block, kajabi_fake: FakeKajabi, tmp_path: Path) -> None:
    """It runs from a file, with the environment variables set."""
    await run_program(block, kajabi_fake, tmp_path)


@parametrized(FUNCTIONS)
async def test_a_function_does_what_the_guide_says(
    block: Block,
    *,
    kajabi_fake: FakeKajabi,
    kajabi_api: Kajabi,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    """It takes a client or makes one from the environment; its other arguments are defined here."""
    for name, value in environment_of(kajabi_fake).items():
        monkeypatch.setenv(name, value)
    path = tmp_path / "ids.txt"
    path.write_text("1\n2\n\na/b\n", "utf-8")
    gate = AccessGate(kajabi_api)
    given: dict[str, Any] = {
        "api": kajabi_api,
        "customer_id": HAS_PRODUCT_4,
        "event": parse(DELIVERY),
        "gate": gate,
        "request": SimpleNamespace(state=SimpleNamespace(gate=gate)),
        "kajabi_api": kajabi_api,
        "kajabi_fake": kajabi_fake,
        "ids": ["1", "2", "no"],
        "accounts": [],
        "path": path,
        "stored": None,
        "folder": tmp_path / "kajabi",
        "contact_id": "2150001100",
        "offer_id": "2",
        "purchase_id": "41",
        "target_url": "https://example.com/kajabi",
        "body": DELIVERY,
        "secret": "8Cq1xW-7rNf0ZbT3sKuYhLvPdJg5Ea2M",
    }
    if "redis_url: str" in block.code:
        # Only if needed, because the first use starts a server.
        given["redis_url"] = request.getfixturevalue("redis_url")
    await run_function(block, kajabi_fake, given)


@pytest.mark.thorough
def test_type_checkers_have_nothing_to_say(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Code copied from a guide passes mypy in strict mode."""
    assert len(GUIDES) == sum(block.language == "python" for block in BLOCKS) > 50
    *lines, _ = checked_by_mypy(tmp_path_factory).splitlines()
    # By the name of the file: what mypy has in its cache it prints with the folder of an earlier run.
    mistakes = [line for line in lines if Path(line.partition(":")[0]).name == "mistakes.py"]
    assert mistakes
    assert [line for line in lines if line not in mistakes] == []


def test_the_files_of_tests_pass(tmp_path: Path) -> None:
    """Pytest runs the project in the guide to testing, with the fixtures of the package."""
    for block in FILES:
        (tmp_path / str(block.file_name)).write_text(block.code, "utf-8")
    # The ignored warning is about a setting without a default in this version of pytest-asyncio only.
    warnings = ["-W", "error", "-W", "ignore::pytest.PytestDeprecationWarning"]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:valkey", *warnings, str(tmp_path)]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )
    tests = sum(block.code.count("async def test_") for block in FILES)
    assert done.returncode == 0, done.stdout
    assert f"{tests} passed" in done.stdout


def test_the_commands_exist() -> None:
    """Each is a target of make, an installation, a module or an example."""
    assert len(COMMANDS) > 12
    for command in COMMANDS:
        match shlex.split(command, comments=True):
            case ["make", target]:
                assert target in _targets(), command
            case ["pip", "install", *options, wanted] if set(options) <= {"--upgrade", "--editable"}:
                name, _, extras = wanted.removesuffix("]").partition("[")
                assert name in {".", "kajabi-async", "pip"}, command
                assert set(extras.split(",")) <= {"", *PROJECT["optional-dependencies"]}, command
            case ["python", "-m", "venv", ".venv"] | ["source", ".venv/bin/activate"]:
                pass
            case ["export", setting]:
                assert setting.partition("=")[0] in environment_variables(), command
            case ["python", "-m", "kajabi_async.testing", *options]:
                announced = _announcement_of(["kajabi_async.testing", *_on_any_port(options)])
                assert announced.keys() == {"base_url", "client_id", "client_secret"}
            case ["python", "-c", program]:
                assert subprocess.run([sys.executable, "-c", program], check=True, capture_output=True).stdout
            case ["kajabi", *_]:
                pass  # tests/cli/test_documented_commands.py runs them.
            case ["python", "-m", example] | ["uvicorn", example]:
                # tests/examples/serving.py runs these lines.
                assert example.startswith("examples."), command
            case _:
                raise AssertionError(f"no test runs {command!r}")


def test_a_target_of_make_that_is_mentioned_exists() -> None:
    """Also if it is mentioned in the text of a page."""
    mentioned = {
        target for path in documents() for target in re.findall(r"`make ([a-z-]+)[^`]*`", path.read_text("utf-8"))
    }
    assert mentioned >= {"test", "bench"}
    assert mentioned - _targets() == set()


def environment_variables() -> set[str]:
    """Return the variables that the package reads, as its sources name them."""
    sources = (path.read_text("utf-8") for path in Path(kajabi_async.__file__).parent.rglob("*.py"))
    return {name for source in sources for name in re.findall(r"KAJABI_[A-Z_]+", source)}


def _targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", (REPOSITORY / "Makefile").read_text("utf-8"), re.MULTILINE))


def _on_any_port(options: list[str]) -> list[str]:
    """Return *options* with a free port in place of a fixed one, which may be in use."""
    return ["0" if before == "--port" else word for before, word in itertools.pairwise(["", *options])]


def test_every_block_is_of_a_kind_that_is_tried_out() -> None:
    """Every output and request in the guides is compared; no block is untested."""
    assert {block.language for block in BLOCKS} == {"python", "text", "wire", "toml", "console"}
    for block in BLOCKS:
        assert block.language != "toml" or block.file_name
    compared = [text for block in BLOCKS if block.language == "python" for text in (block.printed, block.wire) if text]
    assert len(compared) == sum(block.language in {"text", "wire"} for block in BLOCKS)


def _announcement_of(module: list[str]) -> dict[str, str]:
    with subprocess.Popen([sys.executable, "-m", *module], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        announced: dict[str, str] = json.loads(line)
    assert process.returncode == 0
    return announced
