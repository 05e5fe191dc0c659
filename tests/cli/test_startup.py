"""The command starts quickly: it imports what a page or a refusal needs, and nothing else."""

import asyncio
import os
import sys

import pytest

from tests.cli.processes import COMMAND

SHOW_IMPORTS = "import atexit, sys; atexit.register(lambda: print('imported', *sys.modules, file=sys.stderr)); "


async def _imported(*arguments: str) -> tuple[int | None, set[str]]:
    """Run the command and return its exit code and the top-level modules that it imported."""
    program = f"{SHOW_IMPORTS} sys.argv = ['kajabi', *{arguments!r}]; from kajabi_async.cli import main; main()"
    process = await asyncio.create_subprocess_exec(
        *(*COMMAND[:3], "-c", program),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": ":".join(sys.path)},
    )
    _, err = await process.communicate()
    modules = err.decode().splitlines()[-1].split()
    return process.returncode, {name.partition(".")[0] for name in modules}


@pytest.mark.parametrize("arguments", [("--version",), ("-V",), ("--help",), ("help",), ()])
async def test_the_version_and_the_list_of_commands_need_no_library(arguments: tuple[str, ...]) -> None:
    """Neither of the SDK nor of the command."""
    code, imported = await _imported(*arguments)
    assert code == 0
    assert imported & {"aiohttp", "attr", "asyncio", "cattrs", "cyclopts", "msgspec", "rich"} == set()


LIBRARIES = {"aiohttp", "asyncio", "attr", "cattrs", "cyclopts", "inspect", "msgspec", "rich"}


@pytest.mark.parametrize(
    "arguments",
    [
        ("customer", "list"),
        ("--zzz",),
        ("help", "nothing"),
        ("customers", "lst"),
        ("customers", "--json"),
        ("whoami", "--client-secret=x"),
        ("whoami", "--zzz"),
        ("--profile",),
        ("customers", "list", "--zzz"),
        ("customers", "list", "--limit", "many"),
        ("customers", "list", "--limit"),
        ("customers", "get"),
        ("customers", "get", "1", "2"),
        ("customers", "find", "a@b.c", "--strategy", "scn"),
        ("export", "customers", "--zzz"),
        ("access", "check", "--zzz"),
        ("completion", "show", "tcsh"),
        ("demo", "--zzz"),
    ],
)
async def test_a_refused_argument_needs_no_library(arguments: tuple[str, ...]) -> None:
    """What is wrong is known from the descriptions of the commands; ``--json`` needs none either."""
    for more in ((), ("--json",)):
        code, imported = await _imported(*arguments, *more)
        assert code == 2
        assert imported & LIBRARIES == set()


@pytest.mark.parametrize(
    "arguments",
    [
        ("customers", "--help"),
        ("customers",),
        ("customers", "help"),
        ("help", "customers", "list"),
        ("export", "-h"),
        ("completion", "--help"),
        ("help", "demo"),
        ("exit-codes", "--help"),
    ],
)
async def test_the_page_of_a_command_needs_no_library(arguments: tuple[str, ...]) -> None:
    """As the list of commands does not."""
    code, imported = await _imported(*arguments)
    assert code == 0
    assert imported & LIBRARIES == set()


@pytest.mark.parametrize(
    ("arguments", "unneeded"),
    [
        (("customers", "list", "--limit", "0"), {"aiohttp", "rich"}),
        (("fake", "--port", "70000"), {"aiohttp", "rich"}),
        (("api", "FETCH", "/v1/x"), {"aiohttp", "rich"}),
        (("customers", "find", "-", "--thorough"), {"aiohttp", "rich"}),
        (("contacts", "find", "emails.txt", "--concurrency", "0"), {"aiohttp", "rich"}),
        (("changes", "--since", "yesterday"), {"aiohttp", "rich"}),
    ],
)
async def test_a_value_that_the_command_itself_refuses_needs_no_client(
    arguments: tuple[str, ...], unneeded: set[str]
) -> None:
    """Nor anything to draw on a terminal."""
    code, imported = await _imported(*arguments)
    assert code == 2
    assert imported & unneeded == set()
