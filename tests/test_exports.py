"""The package exports exactly its list of names, and imports each module only when it is used."""

import ast
import inspect
import sys
from collections.abc import Generator
from importlib.metadata import version

import pytest

import kajabi_async
from kajabi_async import errors
from tests.forks import Forks, forking

ALONE = [
    "kajabi_async.changes",
    "kajabi_async.errors",
    "kajabi_async.export",
    "kajabi_async.models",
    "kajabi_async.serialization",
    "kajabi_async.session",
    "kajabi_async.stores",
    "kajabi_async.telemetry",
    "kajabi_async.testing",
    "kajabi_async.webhooks",
]


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Generator[Forks]:
    """Interpreters that have imported nothing."""
    with forking(tmp_path_factory.mktemp("bare")) as forks:
        yield forks


@pytest.fixture(scope="module")
def with_libraries(tmp_path_factory: pytest.TempPathFactory) -> Generator[Forks]:
    """Interpreters that have imported all libraries that the package needs."""
    with forking(tmp_path_factory.mktemp("all"), "aiohttp.web", "asyncio", "attrs", "cattrs", "msgspec") as forks:
        yield forks


def test_all_names_everything_public_in_order() -> None:
    """The list is complete and sorted."""
    public = {
        name
        for name in dir(kajabi_async)
        if not name.startswith("_") and not inspect.ismodule(getattr(kajabi_async, name))
    }
    assert set(kajabi_async.__all__) == public
    assert sorted(kajabi_async.__all__) == sorted(set(kajabi_async.__all__))


def test_the_table_the_exports_and_what_type_checkers_see_agree() -> None:
    """Type checkers read imports that never run; each name is the object of the module that both name."""
    block = next(each for each in ast.parse(inspect.getsource(kajabi_async)).body if isinstance(each, ast.If))
    imports = [each for each in block.body if isinstance(each, ast.ImportFrom)]
    seen = {alias.name: f"{each.module}" for each in imports for alias in each.names}
    table = {name: f"kajabi_async.{module}" for name, module in kajabi_async._MODULE_OF.items()}
    assert seen == table
    assert set(table) == set(kajabi_async.__all__)
    for name, module in table.items():
        assert getattr(kajabi_async, name) is getattr(sys.modules[module], name)


def test_importing_the_client_imports_no_model_and_no_resource(with_libraries: Forks) -> None:
    """The first client imports them, before a first call that an event loop would wait for; `changes()` its own."""
    program = (
        "import sys; from kajabi_async import Kajabi\n"
        "def has(*names): print(*(f'kajabi_async.{each}' in sys.modules for each in names))\n"
        "has('client', 'models', 'decoding', 'fetching', 'resources.base', 'changes')\n"
        "api = Kajabi(client_id='a', client_secret='b')\n"
        "has('models', 'decoding', 'fetching', 'resources.people', 'changes')\n"
        "api.changes()\n"
        "has('changes')"
    )
    assert _output(with_libraries, program).splitlines() == [
        "True False False False False False",
        "True True True True False",
        "True",
    ]


def test_a_client_imports_events_and_token_stores_only_if_it_has_any(with_libraries: Forks) -> None:
    """They are a tenth of what importing a client takes."""
    program = (
        "import sys; from kajabi_async import Kajabi\n"
        "def has(*names): print(*(f'kajabi_async.session.{each}' in sys.modules for each in names))\n"
        "def make(**options): Kajabi(client_id='a', client_secret='b', **options)\n"
        "make(); has('events', 'reports', 'auth.store', 'auth.shared')\n"
        "make(observers=[print]); has('events', 'reports', 'auth.store')\n"
        "from kajabi_async.session import MemoryTokenStore\n"
        "has('auth.store', 'auth.shared'); make(token_store=MemoryTokenStore()); has('auth.shared')"
    )
    assert _output(with_libraries, program).splitlines() == [
        "False False False False",
        "True True False",
        "True False",
        "True",
    ]


def test_every_error_can_be_caught_from_the_top() -> None:
    """Users never import from inner modules."""
    missing = [name for name in errors.__all__ if name.endswith("Error") and name not in kajabi_async.__all__]
    assert missing == []


def test_a_misspelt_name_is_refused_as_by_any_module() -> None:
    """`hasattr` depends on it, and so does the message of a failed import."""
    with pytest.raises(AttributeError, match=r"^module 'kajabi_async' has no attribute 'Costumer'$"):
        kajabi_async.Costumer  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]  # noqa: B018


def test_only_the_client_and_the_session_manager_load_an_http_client(bare: Forks) -> None:
    """A webhook handler or a reader of results needs none: what is loaded in one process was fetched in another."""
    loaded = _output(
        bare,
        "import sys, kajabi_async\n"
        "for name in kajabi_async.__all__:\n"
        "    value = getattr(kajabi_async, name) if name not in sys.argv[1:] else None\n"
        "print(*sys.modules)",
        "Kajabi",
        "SessionManager",
    ).split()
    assert {"kajabi_async.fetching.lookups", "kajabi_async.serialization", "kajabi_async.models"} <= set(loaded)
    assert {"aiohttp", "kajabi_async.client", "kajabi_async.session.manager"}.isdisjoint(loaded)


def test_importing_the_package_imports_none_of_its_modules(bare: Forks) -> None:
    """Not even the errors."""
    loaded = _output(bare, "import sys, kajabi_async; print(*sys.modules)").split()
    assert "kajabi_async" in loaded
    assert [module for module in loaded if module.startswith("kajabi_async.")] == []


def test_the_version_is_that_of_the_installation(bare: Forks) -> None:
    """Read from its metadata at the first use, not at the import."""
    assert kajabi_async.__version__ == version("kajabi-async")
    assert "__version__" in dir(kajabi_async)
    loaded = _output(bare, "import sys, kajabi_async; print('importlib.metadata' in sys.modules)")
    assert loaded.strip() == "False"


def test_a_submodule_needs_no_import_of_its_own(with_libraries: Forks) -> None:
    """As with any package that imports its parts at once."""
    program = "import kajabi_async as k; print(k.session.Timeouts.__name__, k.session.credentials.Secret.__name__)"
    assert _output(with_libraries, program).split() == ["Timeouts", "Secret"]


@pytest.mark.parametrize("module", ALONE)
def test_each_public_module_can_be_the_first_one_imported(module: str, with_libraries: Forks) -> None:
    """It imports everything that it needs."""
    assert _output(with_libraries, f"import {module}") == ""


def _output(forks: Forks, program: str, *arguments: str) -> str:
    ended = forks.run(program, *arguments)
    assert (ended.code, ended.err) == (0, "")
    return ended.out
