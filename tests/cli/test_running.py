"""Event loops and exit codes."""

import asyncio
import gc
import importlib.metadata
import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
import uvloop

from kajabi_async import errors
from kajabi_async.cli import calling, dispatch, front, main
from kajabi_async.cli.app import run
from kajabi_async.cli.error_lines import code_for
from kajabi_async.cli.front import ExitCode
from kajabi_async.cli.running import loop_factory, run_to_exit_code
from kajabi_async.testing import FakeKajabi
from tests.cli.conftest import Command
from tests.cli.processes import COMMAND, settings


def _loop_used(*, sends_many: bool = True) -> asyncio.AbstractEventLoop:
    used: list[asyncio.AbstractEventLoop] = []

    async def note() -> int:
        used.append(asyncio.get_running_loop())
        return 3

    assert run_to_exit_code(note, sends_many=sends_many) == 3
    assert used[0].is_closed()
    return used[0]


def test_commands_run_on_uvloop_if_it_is_installed() -> None:
    """The extra ``speed`` needs no option."""
    assert isinstance(_loop_used(), uvloop.Loop)


def test_a_command_of_few_requests_runs_on_asyncio() -> None:
    """To import uvloop takes longer than it saves."""
    assert isinstance(_loop_used(sends_many=False), asyncio.SelectorEventLoop)


@pytest.mark.parametrize(
    ("arguments", "loop"),
    [
        (("customers", "get", "1"), "asyncio"),
        (("customers", "list", "--limit", "1"), "asyncio"),
        (("customers", "lookup", "ids.txt"), "uvloop"),
        (("contacts", "find", "ids.txt"), "uvloop"),
        (("export", "customers", "--out", "customers.jsonl"), "uvloop"),
        (("export", "customers", "--out", "-"), "uvloop"),
    ],
)
async def test_what_sends_many_requests_imports_uvloop(
    arguments: tuple[str, ...], loop: str, kajabi_fake: FakeKajabi, tmp_path: Path
) -> None:
    """And no other command."""
    (tmp_path / "ids.txt").write_text("1\n", "utf-8")
    start = (
        f"import atexit, os; os.chdir({str(tmp_path)!r}); from kajabi_async.cli import main; "
        "atexit.register(lambda: print('uvloop' if 'uvloop' in sys.modules else 'asyncio', file=sys.stderr)); main()"
    )
    _, _, err = await _run_without((), *arguments, start=start, **settings(kajabi_fake))
    assert err.split()[-1].decode() == loop


def test_garbage_is_collected_while_a_command_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not while the command is imported, and what is left of that is not searched."""
    seen: list[tuple[bool, bool]] = []

    async def note() -> None:
        seen.append((gc.isenabled(), gc.get_freeze_count() > frozen))

    def run_command() -> int:
        seen.append((gc.isenabled(), gc.get_freeze_count() > frozen))
        return run_to_exit_code(note)

    frozen = gc.get_freeze_count()
    monkeypatch.setattr("kajabi_async.cli.app.run", run_command)
    try:
        with pytest.raises(SystemExit, match=r"^0$"):
            main()
    finally:
        gc.enable()
    assert seen == [(False, False), (True, True)]


def test_commands_run_on_asyncio_without_uvloop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing else changes."""
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert loop_factory() is None
    assert isinstance(_loop_used(), asyncio.SelectorEventLoop)


async def test_a_command_works_without_the_extras(kajabi_fake: FakeKajabi) -> None:
    """In a process of its own, with warnings as errors."""
    done = await _run_without(("uvloop", "keyring"), "customers", "get", "1", "--json", **settings(kajabi_fake))
    assert (done[0], done[2]) == (0, b"")


@pytest.mark.parametrize("missing", [("cyclopts",), ("rich",), ("cyclopts", "rich")])
async def test_without_the_extra_the_command_says_what_to_install(missing: tuple[str, ...]) -> None:
    """In one line, without a traceback."""
    code, out, err = await _run_without(missing, "demo")
    assert (code, out) == (2, b"")
    assert err.decode() == f"kajabi needs {' and '.join(missing)}: pip install 'kajabi-async[cli]'\n"


def test_each_library_that_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As long as nothing is imported; pages need none."""

    def find_nothing(_name: str) -> None:
        return None

    monkeypatch.setattr("importlib.util.find_spec", find_nothing)
    assert (run(["me"]), run(["help", "exit-codes"])) == (2, 0)
    out, err = capsys.readouterr()
    assert out.startswith("Exit codes:")
    assert err == "kajabi needs cyclopts and rich: pip install 'kajabi-async[cli]'\n"


@pytest.mark.parametrize("missing", [(), ("cyclopts",)])
async def test_the_package_runs_as_the_command(missing: tuple[str, ...], kajabi_fake: FakeKajabi) -> None:
    """``python -m kajabi_async`` is ``kajabi``, also in what it says without the extra."""
    start = "import runpy; runpy.run_module('kajabi_async', run_name='__main__')"
    code, out, err = await _run_without(missing, "sites", "get", "1", "--json", start=start, **settings(kajabi_fake))
    if missing:
        assert (code, out, err) == (2, b"", b"kajabi needs cyclopts: pip install 'kajabi-async[cli]'\n")
    else:
        assert (code, err) == (0, b"")
        assert json.loads(out)["id"] == "1"


async def _run_without(
    missing: tuple[str, ...],
    *arguments: str,
    start: str = "from kajabi_async.cli import main; main()",
    **environment: str,
) -> tuple[int | None, bytes, bytes]:
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({missing!r})); sys.argv = ['kajabi', *{arguments!r}]; {start}"
    )
    process = await asyncio.create_subprocess_exec(
        *(*COMMAND[:3], "-c", program),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"PYTHONPATH": ":".join(sys.path), "HOME": "/nonexistent", **environment},
    )
    out, err = await process.communicate()
    return process.returncode, out, err


async def test_help_lists_every_exit_code_from_the_one_table(kajabi: Command) -> None:
    """Code and meaning, one per line; the same table has a page of its own, and stands on no other."""
    for arguments in (("--help",), ("help", "exit-codes")):
        message = (await kajabi(*arguments)).lines
        for code, meaning in front.MEANINGS.items():
            assert f"  {code:>3}  {meaning}" in message
    assert set(front.MEANINGS) == set(ExitCode)
    assert "Exit codes:" not in (await kajabi("customers", "list", "--help")).lines


def _all_errors(cls: type[errors.KajabiError]) -> Iterator[type[errors.KajabiError]]:
    yield cls
    for each in cls.__subclasses__():
        yield from _all_errors(each)


EXPECTED = {
    errors.ConfigurationError: ExitCode.MISUSED,
    errors.InvalidArgumentError: ExitCode.MISUSED,
    errors.BulkStalledError: ExitCode.UNREACHABLE,
    errors.TransportError: ExitCode.UNREACHABLE,
    errors.ServerError: ExitCode.UNREACHABLE,
    errors.NotFoundError: ExitCode.INCOMPLETE,
    errors.ApiError: ExitCode.REFUSED,
    errors.KajabiError: ExitCode.INCOMPLETE,
}


def _name(cls: type[errors.KajabiError]) -> str:
    return cls.__qualname__


ERRORS: list[type[errors.KajabiError]] = sorted(set(_all_errors(errors.KajabiError)), key=_name)


@pytest.mark.parametrize("cls", ERRORS)
def test_every_error_has_the_exit_code_of_its_kind(cls: type[errors.KajabiError]) -> None:
    """The code of the nearest base class in the table."""
    expected = next(EXPECTED[each] for each in cls.__mro__ if each in EXPECTED)
    assert code_for(cls.__new__(cls)) is expected


@pytest.mark.parametrize("arguments", [("--version",), (), ("customers",), ("customers", "list", "--help")])
async def test_help_and_version_are_a_success(arguments: tuple[str, ...], kajabi: Command) -> None:
    """On standard output, without credentials."""
    done = await kajabi(*arguments, KAJABI_CLIENT_ID="", KAJABI_CLIENT_SECRET="")
    assert (done.code, done.err) == (0, "")
    assert done.out.strip()


async def test_the_version_without_an_installation_says_so(kajabi: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as with the source on the path."""

    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    assert "run from its source" in (await kajabi("--version")).out


def test_an_interrupt_while_modules_are_imported_is_reported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As any other, without a traceback."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("importlib.util.find_spec", interrupted)
    assert run(["me"]) == 130
    assert capsys.readouterr().err == "kajabi: interrupted\n"


@pytest.mark.parametrize("arguments", [("--help",), ("customers", "--help"), ("customers", "lst")])
def test_a_reader_that_has_gone_is_a_success(
    arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nothing is printed about it, neither at once nor when Python ends."""
    reading_end, writing_end = os.pipe()
    os.close(reading_end)
    with os.fdopen(writing_end, "w", encoding="utf-8") as closed, monkeypatch.context() as here:
        here.setattr(sys, "stdout", closed)
        # The error of the third is printed at once, without a buffer.
        here.setattr(
            sys, "stderr", io.TextIOWrapper(io.FileIO(closed.fileno(), "w", closefd=False), write_through=True)
        )
        assert run(arguments) == 0
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("arguments", [("--help",), ("customers", "--help"), ("customers", "--help", "--json")])
def test_output_that_cannot_be_written_is_reported(
    arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A missing page must not look like a success; with ``--json`` it is reported as JSON."""
    problem = "cannot read or write: No space left on device"
    with Path("/dev/full").open("w", encoding="utf-8") as full, monkeypatch.context() as here:
        here.setattr(sys, "stdout", full)
        assert run(arguments) == 1
    message = capsys.readouterr().err
    if "--json" in arguments:
        error = json.loads(message)["error"]
        assert (error["type"], error["message"], error["exit_code"]) == ("KajabiError", problem, 1)
    else:
        assert message == f"kajabi: {problem}\n"


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (PermissionError(13, "Permission denied", "out.csv"), "cannot read or write out.csv: Permission denied"),
        (OSError(), "cannot read or write: OSError"),
    ],
)
def test_a_file_that_fails_is_named(
    error: OSError, problem: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the reason of the operating system; without one, with the class of the error."""
    monkeypatch.setattr(dispatch, "dispatch", _raising(error))
    assert run(["whoami"]) == 1
    assert capsys.readouterr() == ("", f"kajabi: {problem}\n")


def test_a_bug_shows_where_it_is(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Its traceback as Python prints it, with the characters escaped that may act."""
    monkeypatch.setattr(dispatch, "dispatch", _raising(RuntimeError("a bug\x1b[2J X ")))
    assert run(["whoami"]) == 1
    out, err = capsys.readouterr()
    assert (out, err.splitlines()[0]) == ("", "Traceback (most recent call last):")
    assert err.endswith("\nRuntimeError: a bug\\x1b[2J X \n")


def _raising(error: BaseException) -> Callable[..., int]:
    def fail(*_: object) -> int:
        raise error

    return fail


def test_what_is_typed_is_taken_from_the_process(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without the name of the program."""
    monkeypatch.setattr(sys, "argv", ["--version", "help", "exit-codes"])
    assert run() == 0
    assert capsys.readouterr().out.startswith("Exit codes:\n")


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_an_interrupt_during_a_command_is_reported(
    form: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a word, or as JSON, with the exit code of a shell."""
    monkeypatch.setattr(calling, "call_command", _raising(KeyboardInterrupt()))
    assert run(["whoami", *form]) == 130
    out, err = capsys.readouterr()
    assert out == ""
    if form:
        expected = {"type": "KeyboardInterrupt", "message": "interrupted", "exit_code": 130}
        assert json.loads(err) == {"error": expected}
    else:
        assert err == "kajabi: interrupted\n"


async def test_a_port_that_is_taken_is_named_once(kajabi: Command, fake: FakeKajabi) -> None:
    """With the reason of the operating system."""
    port = fake.base_url.rpartition(":")[2]
    done = await kajabi("fake", "--port", port)
    assert (done.code, done.err) == (2, f"kajabi: cannot listen on port {port}: Address already in use\n")
