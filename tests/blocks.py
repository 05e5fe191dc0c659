"""The blocks of code in a page of Markdown, and how they are run: the README and the guides are held to the same."""

import ast
import asyncio
import inspect
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from doctest import ELLIPSIS, OutputChecker
from pathlib import Path
from typing import Any

import attrs
import pytest

from kajabi_async.testing import FakeKajabi

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_DEFINED = re.compile(r"^(?:async )?def (\w+)", re.MULTILINE)


@attrs.frozen
class Block:
    """One fenced block of a page."""

    page: str
    line: int
    language: str
    code: str
    printed: str | None
    """What stands in a block of text right below: what running this one prints, with ``...`` for what varies."""

    @property
    def is_program(self) -> bool:
        """Whether it runs as it stands, typed into a file."""
        return "asyncio.run(" in self.code

    @property
    def is_test(self) -> bool:
        """Whether it is a file of tests, for pytest to run."""
        return bool(re.search(r"^(async )?def test_|^@pytest", self.code, re.MULTILINE))

    @property
    def is_application(self) -> bool:
        """Whether it is a web application, to be served and asked."""
        return bool(re.search(r"^app = |^def make_app", self.code, re.MULTILINE))

    def __str__(self) -> str:
        names = _DEFINED.findall(self.code)
        return f"{Path(self.page).stem}-{names[-1] if names else self.line}"


def blocks_of(path: Path) -> tuple[Block, ...]:
    """Give the blocks of the page at *path*, in order; directives of the documentation builder are none."""
    text = path.read_text("utf-8")
    return tuple(_blocks(path.name, text))


def _blocks(page: str, text: str) -> Iterator[Block]:
    found = list(_BLOCK.finditer(text))
    for match, following in zip(found, [*found[1:], None], strict=True):
        language, code = match[1], match[2]
        is_below = (
            following is not None and following[1] == "text" and not text[match.end() : following.start()].strip()
        )
        printed = following[2] if following is not None and is_below else None
        yield Block(page, text.count("\n", 0, match.start()) + 2, language, code, printed)


def environment_of(fake: FakeKajabi) -> dict[str, str]:
    """Give the variables that `Kajabi.from_env` reads, for a client on *fake*."""
    return {
        "KAJABI_CLIENT_ID": fake.client_id,
        "KAJABI_CLIENT_SECRET": fake.client_secret,
        "KAJABI_BASE_URL": fake.base_url,
    }


async def run_program(block: Block, fake: FakeKajabi) -> str:
    """Run *block* in a process of its own, and give what it printed; AssertionError where it fails or warns."""
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-W", "error", "-c", block.code],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment_of(fake)},
    )
    assert (done.returncode, done.stderr) == (0, "")
    _check_printed(block, done.stdout)
    return done.stdout


async def run_function(block: Block, given: Mapping[str, Any]) -> str:
    """Await the last coroutine function of *block* with those of *given* that it names, and give what it printed."""
    names = load(block)
    functions = [value for value in names.values() if inspect.iscoroutinefunction(value)]
    own = [function for function in functions if function.__module__ == names["__name__"]]
    assert own, f"{block.page}:{block.line} defines no coroutine function to run"
    output = io.StringIO()
    with redirect_stdout(output):
        await own[-1](**{name: given[name] for name in inspect.signature(own[-1]).parameters})
    _check_printed(block, output.getvalue())
    return output.getvalue()


def load(block: Block) -> dict[str, Any]:
    """Execute *block* as a module, and give its names."""
    names: dict[str, Any] = {"__name__": f"block_of_{Path(block.page).stem}"}
    # Blank lines in front, so that a traceback shows the line of the page.
    code = "\n" * (block.line - 1) + block.code
    exec(compile(ast.parse(code), block.page, "exec", dont_inherit=True), names)
    return names


def parametrized(blocks: list[Block]) -> pytest.MarkDecorator:
    """Parametrize a test over *blocks*; there must be some."""
    assert blocks
    return pytest.mark.parametrize("block", blocks, ids=str)


def _check_printed(block: Block, output: str) -> None:
    if block.printed is None:
        return
    assert OutputChecker().check_output(block.printed, output, ELLIPSIS), (
        f"{block.page}:{block.line} is said to print\n{block.printed}\nbut printed\n{output}"
    )
