"""Rules of the package that no import contract can state: what prints, what writes files, what must never be called."""

import ast
import gc
import re
from collections.abc import Callable
from pathlib import Path

import pytest

import kajabi_async

PACKAGE = Path(kajabi_async.__file__).parent


Nodes = dict[str, list[ast.AST]]


@pytest.fixture(scope="module")
def nodes() -> Nodes:
    """The syntax of each module, by its path.

    It is not kept after these tests, as every collection of garbage traverses it; those while it is made find none.
    """
    gc.disable()
    try:
        return {
            path.relative_to(PACKAGE).as_posix(): list(ast.walk(ast.parse(path.read_text("utf-8"))))
            for path in sorted(PACKAGE.rglob("*.py"))
        }
    finally:
        gc.enable()


STREAMS = ("output.py", "cli/terminal.py")
"""The modules that print; cli/lookup.py and cli/credentials/login.py only check for a terminal, and read."""
FILES = ("private_files.py", "output.py", "stores/file.py", "cli/credentials/toml_file.py", "export/checkpoint.py")
"""The modules that write files; the last three by descriptor, or in a checked folder."""
WRITING = {"mkdir", "write_text", "write_bytes", "touch", "symlink_to", "rename", "replace_file", "makedirs", "mkstemp"}


def _called(call: ast.Call) -> str:
    return ast.unparse(call.func)


def _modules_that(do: Callable[[ast.Call], bool], nodes: Nodes) -> set[str]:
    return {path for path, found in nodes.items() if any(do(node) for node in found if isinstance(node, ast.Call))}


def _prints(call: ast.Call) -> bool:
    name = _called(call)
    is_stream = re.search(r"(std(out|err)|console)\.(write|writelines|print|buffer)|os\.write$", name) is not None
    passed = [ast.unparse(each) for each in [*call.args, *_values(call)] if isinstance(each, ast.Attribute)]
    is_passed = not {"sys.stdout", "sys.stderr"}.isdisjoint(passed)
    return name in {"print", "pprint", "input"} or is_stream or is_passed


def _values(call: ast.Call) -> list[ast.expr]:
    return [keyword.value for keyword in call.keywords]


def _writes_a_file(call: ast.Call) -> bool:
    name = _called(call)
    last = name.rpartition(".")[2]
    if name in {"open", "os.fdopen", "io.open"} or (last == "open" and "path" in name.lower()):
        modes = [each.value for each in [*call.args, *_values(call)] if isinstance(each, ast.Constant)]
        return any(
            isinstance(mode, str) and re.fullmatch(r"[rwxabt+]+", mode) and set(mode) & set("wxa+") for mode in modes
        )
    is_of_os = name in {"os.open", "os.replace", "os.rename", "os.mkdir", "os.link", "os.symlink", "sqlite3.connect"}
    return is_of_os or last in WRITING or name.startswith(("shutil.", "tempfile."))


def test_nothing_but_the_module_that_escapes_what_it_prints_reaches_a_stream(nodes: Nodes) -> None:
    """Names, titles and errors come from others: printed directly, they could control a terminal."""
    assert _modules_that(_prints, nodes) == set(STREAMS)


def test_nothing_but_the_modules_that_look_where_they_write_makes_files(nodes: Nodes) -> None:
    """In a folder that others can write to, a plain open() follows their links and opens their files."""
    assert _modules_that(_writes_a_file, nodes) == set(FILES)


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("print(name)", _prints),
        ("sys.stdout.write(name)", _prints),
        ("sys.stderr.buffer.write(name)", _prints),
        ("json.dump(name, sys.stdout)", _prints),
        ("self.console.print(name)", _prints),
        ("open(path, 'w')", _writes_a_file),
        ("path.open('wb')", _writes_a_file),
        ("path.open(mode='a')", _writes_a_file),
        ("path.write_text(name)", _writes_a_file),
        ("os.open(path, flags)", _writes_a_file),
        ("tempfile.mkstemp()", _writes_a_file),
    ],
)
def test_what_the_two_rules_look_for_is_found(code: str, found: Callable[[ast.Call], bool]) -> None:
    """This proves that the two rules can fail."""
    assert any(map(found, (node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call))))


def test_nothing_is_shielded() -> None:
    """Row R6: a shield for each waiter on a shared task livelocks the loop of CPython 3.14."""
    shielding = [path.name for path in PACKAGE.rglob("*.py") if re.search(r"\bshield\(", path.read_text("utf-8"))]
    assert shielding == []


def test_nothing_is_sent_when_an_object_is_dropped(nodes: Nodes) -> None:
    """Row R9: the loop may no longer exist."""
    called = [
        {ast.unparse(each.func) for each in ast.walk(node) if isinstance(each, ast.Call)}
        for found in nodes.values()
        for node in found
        if isinstance(node, ast.FunctionDef) and node.name == "__del__"
    ]
    assert set().union(*called) == {"getattr", "warnings.warn"}
