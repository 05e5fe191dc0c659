"""The command line against a fake on a socket."""

import asyncio
import io
import sys
from collections.abc import AsyncIterator, Awaitable, Callable

import attrs
import pytest
import pytest_asyncio

from kajabi_async.cli.app import run
from kajabi_async.testing import FakeKajabi

Command = Callable[..., Awaitable["Outcome"]]


@attrs.frozen
class Outcome:
    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


@pytest_asyncio.fixture
async def fake() -> AsyncIterator[FakeKajabi]:
    async with FakeKajabi(customers=60) as server:
        yield server


@pytest.fixture
def kajabi(fake: FakeKajabi, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Give a function that runs ``kajabi`` with arguments, standard input and changes to the environment.

    In a thread of its own, as the command has its own event loop and the fake needs ours.
    """
    settings = {
        "KAJABI_BASE_URL": fake.base_url,
        "KAJABI_CLIENT_ID": fake.client_id,
        "KAJABI_CLIENT_SECRET": fake.client_secret,
        "COLUMNS": "80",
    }

    async def command(*arguments: str, given: str = "", **environment: str) -> Outcome:
        for name, value in {**settings, **environment}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "stdin", io.StringIO(given))
        capsys.readouterr()
        code = await asyncio.to_thread(run, list(arguments))
        out, err = capsys.readouterr()
        return Outcome(code, out, err)

    return command
