"""The command line against a fake on a socket, with a home folder of its own and a keyring in memory."""

import asyncio
import copy
import io
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterable
from functools import cache, partial
from pathlib import Path
from typing import Any, Literal, TextIO

import attrs
import keyring
import keyring.backend
import keyring.errors
import pytest
import pytest_asyncio
from cyclopts import App, ArgumentCollection

from kajabi_async import Kajabi
from kajabi_async.cli import contents
from kajabi_async.cli.app import run
from kajabi_async.cli.building import app_of
from kajabi_async.cli.credentials import chain
from kajabi_async.session import ClientCredentials
from kajabi_async.testing import FakeKajabi
from tests.clocks import FastClock
from tests.sharing import once_for_all_workers

Command = Callable[..., Awaitable["Outcome"]]


@attrs.frozen
class Outcome:
    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


class MemoryKeyring(keyring.backend.KeyringBackend):
    """A keyring in memory that can be locked."""

    priority = 1  # pyright: ignore[reportAssignmentType, reportIncompatibleMethodOverride]  # as its documentation does

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.entries: dict[tuple[str, str], str] = {}
        self.is_locked = False

    def get_password(self, service: str, username: str) -> str | None:
        self._check()
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._check()
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._check()
        del self.entries[service, username]

    def _check(self) -> None:
        if self.is_locked:
            raise keyring.errors.KeyringLocked("locked by the test")


def app_made_once(commands: Iterable[contents.Command] = contents.COMMANDS) -> App:
    """Return the application with *commands* that an earlier call made, if any did."""
    return _built(tuple(commands))


@cache
def _built(commands: tuple[contents.Command, ...]) -> App:
    return app_of(commands)


@pytest.fixture(autouse=True)
def _commands_are_made_once(monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]  # autouse
    """Build each command once: building it takes ten times as long as most of them run."""
    for module in ("calling", "completion"):
        monkeypatch.setattr(f"kajabi_async.cli.{module}.app_of", app_made_once)


_UNUSED: dict[int, tuple[App, ArgumentCollection]] = {}
"""The arguments of each command by its id, with the command, which keeps the id."""


@pytest.fixture(autouse=True)
def _arguments_are_assembled_once(monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]  # autouse
    """Inspect the signature of each command once: the parser does it for every call, which takes most of its time."""
    assemble = App.assemble_argument_collection

    def assembled(self: App, **options: Any) -> ArgumentCollection:
        if options:
            return assemble(self, **options)
        if id(self) not in _UNUSED:
            _UNUSED[id(self)] = self, assemble(self)
        return _collection(map(_unused, _UNUSED[id(self)][1]))

    monkeypatch.setattr(App, "assemble_argument_collection", assembled)


def _unused(argument: Any) -> Any:
    """Return a copy of an argument that no call has used, which a call may use."""
    assert (argument.tokens, list(argument.children)) == ([], [])
    copied = copy.copy(argument)
    copied.tokens, copied.children = [], _collection(())
    return copied


def _collection(arguments: Iterable[Any]) -> ArgumentCollection:
    made: ArgumentCollection = ArgumentCollection(arguments)  # type: ignore[no-untyped-call]
    return made


@pytest.fixture(autouse=True)
def _completion_is_generated_once(  # pyright: ignore[reportUnusedFunction]  # autouse
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Generate the completion script of each shell once for all workers: it takes seconds."""
    generate = App.generate_completion

    def once(self: App, *, shell: Literal["bash", "zsh", "fish"]) -> str:
        return once_for_all_workers(tmp_path_factory, f"completion-{shell}", partial(generate, self, shell=shell))

    monkeypatch.setattr(App, "generate_completion", once)


@pytest.fixture
def credentials_path(tmp_path: Path) -> Path:
    """The default path of the credentials file."""
    return tmp_path / "home" / ".config" / "kajabi" / "credentials.toml"


@pytest.fixture(autouse=True)
def memory_keyring(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Generator[MemoryKeyring]:
    """Isolate home folder and keyring from those of the person who runs the tests, for child processes too."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "ZSH", "ZSH_CUSTOM", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    before = keyring.get_keyring()
    memory = MemoryKeyring()
    keyring.set_keyring(memory)
    yield memory
    keyring.set_keyring(before)


@pytest_asyncio.fixture
async def fake() -> AsyncIterator[FakeKajabi]:
    async with FakeKajabi(customers=60) as server:
        yield server


@pytest.fixture
def kajabi(fake: FakeKajabi, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """A function that runs ``kajabi`` with arguments, standard input and changes to the environment.

    Standard input is a text or a stream.

    It runs in a thread, since the command has its own event loop and the fake needs the test's.
    """
    settings = {
        "KAJABI_BASE_URL": fake.base_url,
        "KAJABI_CLIENT_ID": fake.client_id,
        "KAJABI_CLIENT_SECRET": fake.client_secret,
        "COLUMNS": "80",
    }

    async def command(*arguments: str, given: str | TextIO = "", **environment: str) -> Outcome:
        capsys.readouterr()
        with monkeypatch.context() as here:
            for name, value in {**settings, **environment}.items():
                here.setenv(name, value)
            here.setattr(sys, "stdin", io.StringIO(given) if isinstance(given, str) else given)
            code = await asyncio.to_thread(run, list(arguments))
        out, err = capsys.readouterr()
        return Outcome(code, out, err)

    return command


@pytest.fixture
def fast_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the clients of the command wait on a fast clock, for retries and through stalls."""
    monkeypatch.setattr(chain, "Kajabi", partial(Kajabi, clock=FastClock()))


@pytest.fixture
def fake_credentials(fake: FakeKajabi) -> ClientCredentials:
    """The credentials that the fake accepts."""
    return ClientCredentials(fake.client_id, fake.client_secret)
