"""The blocks of code in a page of Markdown, and how they are run: the README and the guides are held to the same."""

import ast
import asyncio
import inspect
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import redirect_stdout
from doctest import ELLIPSIS, OutputChecker
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import attrs
import pytest

from kajabi_async.testing import FakeKajabi, RecordedRequest

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_DEFINED = re.compile(r"^(?:async )?def (\w+)", re.MULTILINE)
_FILE_NAME = re.compile(r"# (\w+\.\w+)\n")


@attrs.frozen
class Block:
    """One fenced block of a page, with what the page says that running it comes to."""

    page: str
    line: int
    language: str
    code: str
    printed: str | None = None
    """What it prints, from the block of text below; ``...`` stands for what varies."""
    wire: str | None = None
    """The requests that it sends, from the block called wire below."""

    @property
    def file_name(self) -> str | None:
        """The file that its first line says it is, where it says so."""
        named = _FILE_NAME.match(self.code)
        return named[1] if named else None

    @property
    def is_program(self) -> bool:
        """Whether it runs as it stands, typed into a file."""
        return "\nasyncio.run(" in self.code or '\nif __name__ == "__main__":' in self.code

    @property
    def is_application(self) -> bool:
        """Whether it is a web application, to be served and asked."""
        return bool(re.search(r"^app = |^def make_app\(", self.code, re.MULTILINE))

    def __str__(self) -> str:
        names = _DEFINED.findall(self.code)
        return f"{Path(self.page).stem}-{names[-1] if names else self.line}"


def blocks_of(*paths: Path) -> tuple[Block, ...]:
    """Give the blocks of the pages at *paths*, in order; directives of the documentation builder are none."""
    return tuple(block for path in paths for block in _told(list(_fenced(path.name, path.read_text("utf-8")))))


def python_blocks_of(*paths: Path) -> tuple[Block, ...]:
    """Give the blocks of Python."""
    return tuple(block for block in blocks_of(*paths) if block.language == "python")


def documents() -> tuple[Path, ...]:
    """Return the paths of the pages that people read: the README, guides, examples, and how to contribute."""
    root = Path(__file__).parents[1]
    folders = (root / "docs", root / "docs" / "guides", root / "examples", *sorted((root / "examples").iterdir()))
    pages = [path for folder in folders if folder.is_dir() for path in sorted(folder.glob("*.md"))]
    return (root / "README.md", root / "CONTRIBUTING.md", root / "CHANGELOG.md", *pages)


def commands_of(*paths: Path) -> tuple[str, ...]:
    """Return what is typed in the console blocks of the pages at *paths*, in order."""
    blocks = [block for block in blocks_of(*paths) if block.language == "console"]
    lines = [line for block in blocks for line in block.code.splitlines()]
    return tuple(line.removeprefix("$ ") for line in lines if line.startswith("$ "))


def _fenced(page: str, text: str) -> Iterator[Block]:
    for match in _BLOCK.finditer(text):
        yield Block(page, text.count("\n", 0, match.start()) + 2, match[1], match[2])


def _told(blocks: list[Block]) -> Iterator[Block]:
    """Give *blocks*, those of Python with what the blocks up to the next one say of them."""
    for index, block in enumerate(blocks):
        told: dict[str, str] = {}
        for following in blocks[index + 1 :]:
            if following.language == "python":
                break
            told.setdefault(following.language, following.code)
        yield attrs.evolve(block, printed=told.get("text"), wire=told.get("wire"))


def environment_of(fake: FakeKajabi) -> dict[str, str]:
    """Give the variables that `Kajabi.from_env` reads, for a client on *fake*."""
    return {
        "KAJABI_CLIENT_ID": fake.client_id,
        "KAJABI_CLIENT_SECRET": fake.client_secret,
        "KAJABI_BASE_URL": fake.base_url,
    }


async def run_program(block: Block, fake: FakeKajabi, folder: Path) -> str:
    """Run *block* as a file in *folder*, and give what it printed; AssertionError where it fails or warns."""
    program = folder / "program.py"
    program.write_text(block.code, "utf-8")
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-W", "error", str(program)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment_of(fake)},
    )
    assert (done.returncode, done.stderr) == (0, "")
    _check(block, done.stdout, fake.requests)
    return done.stdout


async def run_function(block: Block, fake: FakeKajabi, given: Mapping[str, Any]) -> None:
    """Await the last coroutine function of *block* with those of *given* that it names."""
    names = load(block)
    functions = [value for value in names.values() if inspect.iscoroutinefunction(value)]
    assert functions, f"{block.page}:{block.line} defines no coroutine function to run"
    output = io.StringIO()
    with redirect_stdout(output):
        await functions[-1](**{name: given[name] for name in inspect.signature(functions[-1]).parameters})
    _check(block, output.getvalue(), fake.requests)


def load(block: Block) -> dict[str, Any]:
    """Execute *block* as a module, and give its names."""
    names: dict[str, Any] = {"__name__": Path(block.page).stem}
    # Blank lines in front, so that a traceback shows the line of the page.
    code = "\n" * (block.line - 1) + block.code
    exec(compile(ast.parse(code), block.page, "exec", dont_inherit=True), names)
    return names


def parametrized(blocks: Iterable[Block]) -> pytest.MarkDecorator:
    """Parametrize a test over *blocks*; there must be some."""
    blocks = list(blocks)
    assert blocks
    return pytest.mark.parametrize("block", blocks, ids=str)


def _check(block: Block, printed: str, requests: Iterable[RecordedRequest]) -> None:
    where = f"{block.page}:{block.line}"
    if block.printed is not None:
        as_said = OutputChecker().check_output(block.printed, printed, ELLIPSIS)
        assert as_said, f"{where} is said to print\n{block.printed}\nbut printed\n{printed}"
    if block.wire is not None:
        sent = [request for request in requests if not (request.operation or "").startswith("oauth.")]
        written = _as_written(sent, bodies="{" in block.wire)
        assert written == block.wire.strip(), f"{where} is said to send\n{block.wire}\nbut sent\n{written}"


def _as_written(requests: list[RecordedRequest], *, bodies: bool) -> str:
    lines: list[str] = []
    for request in requests:
        query = f"?{unquote(request.query_string)}" if request.query_string else ""
        lines.append(f"{request.method} {request.path}{query}")
        if request.body and bodies:
            lines.append(json.dumps(json.loads(request.body)))
    return "\n".join(lines)
