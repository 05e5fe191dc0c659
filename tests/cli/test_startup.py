"""The command starts quickly: it imports what a page or a refusal needs, and nothing else."""

from collections.abc import Generator

import pytest

from tests.forks import Forks, forking

OF_THE_STANDARD_LIBRARY = (
    *("difflib", "importlib.util", "ipaddress", "json", "logging", "pathlib", "shutil"),
    *("traceback", "typing", "urllib.parse"),
)
SHOW_IMPORTS = """
import atexit, sys
atexit.register(lambda: print('imported', *sys.modules, file=sys.stderr))
sys.argv[0] = "kajabi"
from kajabi_async.cli import main
main()
"""


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Generator[Forks]:
    """Interpreters that have imported some modules of the standard library, which every command needs."""
    with forking(tmp_path_factory.mktemp("bare"), *OF_THE_STANDARD_LIBRARY) as forks:
        yield forks


@pytest.fixture(scope="module")
def with_parser(tmp_path_factory: pytest.TempPathFactory) -> Generator[Forks]:
    """Interpreters that have imported the libraries of a command that sends nothing."""
    with forking(tmp_path_factory.mktemp("parser"), "asyncio", "attrs", "cattrs", "cyclopts", "msgspec") as forks:
        yield forks


def _imported(forks: Forks, *arguments: str) -> tuple[int, set[str]]:
    """Run the command and return its exit code and the top-level modules that were imported at its end."""
    ended = forks.run(SHOW_IMPORTS, *arguments)
    first, *modules = ended.err.splitlines()[-1].split()
    assert (first, "kajabi_async" in modules) == ("imported", True)
    return ended.code, {name.partition(".")[0] for name in modules}


@pytest.mark.parametrize("arguments", [("--version",), ("-V",), ("--help",), ("help",), ()])
def test_the_version_and_the_list_of_commands_need_no_library(arguments: tuple[str, ...], bare: Forks) -> None:
    """Neither of the SDK nor of the command."""
    code, imported = _imported(bare, *arguments)
    assert code == 0
    assert imported & {"aiohttp", "attr", "asyncio", "cattrs", "cyclopts", "msgspec", "rich"} == set()


LIBRARIES = {"aiohttp", "asyncio", "attr", "cattrs", "cyclopts", "inspect", "msgspec", "rich"}


REFUSED = [
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
]


# With --json the error alone is printed in another way.
@pytest.mark.parametrize("arguments", [*REFUSED, *((*each, "--json") for each in REFUSED[::4])])
def test_a_refused_argument_needs_no_library(arguments: tuple[str, ...], bare: Forks) -> None:
    """What is wrong is known from the descriptions of the commands; ``--json`` needs none either."""
    code, imported = _imported(bare, *arguments)
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
def test_the_page_of_a_command_needs_no_library(arguments: tuple[str, ...], bare: Forks) -> None:
    """As the list of commands does not."""
    code, imported = _imported(bare, *arguments)
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
def test_a_value_that_the_command_itself_refuses_needs_no_client(
    arguments: tuple[str, ...], unneeded: set[str], with_parser: Forks
) -> None:
    """Nor anything to draw on a terminal."""
    code, imported = _imported(with_parser, *arguments)
    assert code == 2
    assert imported & unneeded == set()
