"""The code blocks of a page of Markdown, and how to run them: for the README and the guides alike."""

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
from textwrap import indent
from typing import Any
from urllib.parse import unquote

import attrs
import pytest

from kajabi_async.testing import FakeKajabi, RecordedRequest

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_DEFINED = re.compile(r"^(?:async )?def (\w+)", re.MULTILINE)
_IMPORT = re.compile(r"^(?:from|import) ", re.MULTILINE)
_KNOWN = {
    "Kajabi": "kajabi_async",
    "FakeKajabi": "kajabi_async.testing",
    "AccessGate": "kajabi_async.access",
}
"""Names that a block without imports may use."""
_FILE_NAME = re.compile(r"# (\w+\.\w+)\n")


@attrs.frozen
class Block:
    """One fenced block of a page, with the documented result of running it."""

    page: str
    line: int
    language: str
    code: str
    printed: str | None = None
    """Its documented output, from the text block below; ``...`` matches anything."""
    wire: str | None = None
    """Its documented requests, from the wire block below."""

    @property
    def file_name(self) -> str | None:
        """The file name in its first line, None without one."""
        named = _FILE_NAME.match(self.code)
        return named[1] if named else None

    @property
    def is_program(self) -> bool:
        """Whether it runs unchanged as a file."""
        return "\nasyncio.run(" in self.code or '\nif __name__ == "__main__":' in self.code

    @property
    def is_application(self) -> bool:
        """Whether it is a web application, to be served and requested."""
        return bool(re.search(r"^app = |^def make_app\(", self.code, re.MULTILINE))

    @property
    def is_fragment(self) -> bool:
        """Whether it has only statements, which await as in a notebook, with a client called ``api``."""
        is_whole = self.is_program or self.is_application or _DEFINED.search(self.code)
        return self.language == "python" and not is_whole and self.file_name is None

    @property
    def source(self) -> str:
        """The code as a module: a fragment in a function, and without any import with those that readers know."""
        known = "; ".join(
            f"from {module} import {name}" for name, module in _KNOWN.items() if name in self.code or name == "Kajabi"
        )
        if self.is_fragment:
            return f"{known}\nasync def fragment(api: Kajabi) -> None:\n{indent(self.code, '    ')}"
        return self.code if self.language != "python" or _IMPORT.search(self.code) else f"{known}\n{self.code}"

    def __str__(self) -> str:
        names = _DEFINED.findall(self.code)
        return f"{Path(self.page).stem}-{names[-1] if names else self.line}"


def blocks_of(*paths: Path) -> tuple[Block, ...]:
    """Return the blocks of the pages at *paths*, in order; directives of the documentation builder are left out."""
    return tuple(block for path in paths for block in _with_results(list(_fenced(path.name, path.read_text("utf-8")))))


def python_blocks_of(*paths: Path) -> tuple[Block, ...]:
    """Return the Python blocks."""
    return tuple(block for block in blocks_of(*paths) if block.language == "python")


def documents() -> tuple[Path, ...]:
    """Return the paths of the public pages: the README, guides, examples, and how to contribute."""
    root = Path(__file__).parents[1]
    folders = (root / "docs", root / "docs" / "guides", root / "examples", *sorted((root / "examples").iterdir()))
    pages = [path for folder in folders if folder.is_dir() for path in sorted(folder.glob("*.md"))]
    return (root / "README.md", root / "CONTRIBUTING.md", root / "CHANGELOG.md", *pages)


def commands_of(*paths: Path) -> tuple[str, ...]:
    """Return the commands in the console blocks of the pages at *paths*, in order."""
    blocks = [block for block in blocks_of(*paths) if block.language == "console"]
    lines = [line for block in blocks for line in block.code.splitlines()]
    return tuple(line.removeprefix("$ ") for line in lines if line.startswith("$ "))


def _fenced(page: str, text: str) -> Iterator[Block]:
    for match in _BLOCK.finditer(text):
        yield Block(page, text.count("\n", 0, match.start()) + 2, match[1], match[2])


def _with_results(blocks: list[Block]) -> Iterator[Block]:
    """Yield *blocks*, those of Python with the text and wire blocks up to the next Python block."""
    for index, block in enumerate(blocks):
        results: dict[str, str] = {}
        for following in blocks[index + 1 :]:
            if following.language == "python":
                break
            results.setdefault(following.language, following.code)
        yield attrs.evolve(block, printed=results.get("text"), wire=results.get("wire"))


def environment_of(fake: FakeKajabi) -> dict[str, str]:
    """Return the variables that `Kajabi.from_env` reads, for a client of *fake*."""
    return {
        "KAJABI_CLIENT_ID": fake.client_id,
        "KAJABI_CLIENT_SECRET": fake.client_secret,
        "KAJABI_BASE_URL": fake.base_url,
    }


async def run_program(block: Block, fake: FakeKajabi, folder: Path) -> str:
    """Run *block* as a file in *folder* and return its output; AssertionError if it fails or warns."""
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


async def run_function(block: Block, fake: FakeKajabi, available: Mapping[str, Any]) -> None:
    """Await the last coroutine function of *block* with the *available* arguments that it names."""
    names = load(block)
    functions = [value for value in names.values() if inspect.iscoroutinefunction(value)]
    assert functions, f"{block.page}:{block.line} defines no coroutine function to run"
    output = io.StringIO()
    with redirect_stdout(output):
        await functions[-1](**{name: available[name] for name in inspect.signature(functions[-1]).parameters})
    _check(block, output.getvalue(), fake.requests)


def load(block: Block) -> dict[str, Any]:
    """Execute *block* as a module and return its names."""
    names: dict[str, Any] = {"__name__": Path(block.page).stem}
    # Leading blank lines make a traceback show the line of the page.
    added = block.source.count("\n") - block.code.count("\n")
    code = "\n" * (block.line - 1 - added) + block.source
    exec(compile(ast.parse(code), block.page, "exec", dont_inherit=True), names)
    return names


def parametrized(blocks: Iterable[Block]) -> pytest.MarkDecorator:
    """Parametrize a test over *blocks*; AssertionError without any."""
    blocks = list(blocks)
    assert blocks
    return pytest.mark.parametrize("block", blocks, ids=str)


def _check(block: Block, printed: str, requests: Iterable[RecordedRequest]) -> None:
    place = f"{block.page}:{block.line}"
    if block.printed is not None:
        matches = OutputChecker().check_output(block.printed, printed, ELLIPSIS)
        assert matches, f"{place} should print\n{block.printed}\nbut printed\n{printed}"
    if block.wire is not None:
        sent = [request for request in requests if not (request.operation or "").startswith("oauth.")]
        summary = _summary(sent, bodies="{" in block.wire)
        assert summary == block.wire.strip(), f"{place} should send\n{block.wire}\nbut sent\n{summary}"


def _summary(requests: list[RecordedRequest], *, bodies: bool) -> str:
    lines: list[str] = []
    for request in requests:
        query = f"?{unquote(request.query_string)}" if request.query_string else ""
        lines.append(f"{request.method} {request.path}{query}")
        if request.body and bodies:
            lines.append(json.dumps(json.loads(request.body)))
    return "\n".join(lines)
