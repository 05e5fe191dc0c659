"""The directive ``commands``: the reference of the command, read from the application itself."""

import inspect
import re
from collections.abc import Iterator
from typing import Final

from cyclopts import App
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from kajabi_async.cli.app import make_app
from kajabi_async.cli.exit_codes import MEANINGS
from kajabi_async.cli.help_pages import option_tables, usage

_CODE: Final = re.compile(r"`([^`]+)`|(?<!\w)(--?[a-z][\w-]*)")
_INDENTED: Final = re.compile(r"^(?: {2,}|\$ )")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.add_directive("commands", _Commands)
    app.add_directive("exit-codes", _ExitCodes)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


class _Commands(SphinxDirective):
    """Every command with its arguments and options, and the commands of a group below it."""

    def run(self) -> list[nodes.Node]:
        """Return a section for each command and group of the first level."""
        app = make_app()
        sections = [_section(self, command, ("kajabi", name)) for name, command in _commands(app)]
        return [_overview(app), *sections]


class _ExitCodes(SphinxDirective):
    """The exit codes of all commands, with their meanings."""

    def run(self) -> list[nodes.Node]:
        """Return a table."""
        rows = [[[nodes.literal("", str(code.value))], _inline(text)] for code, text in MEANINGS.items()]
        return [_table(("Code", "Meaning"), rows)]


def _commands(app: App) -> Iterator[tuple[str, App]]:
    """Yield the names and applications of the commands directly below *app*, without flags and hidden ones."""
    for name in app:
        command = None if name.startswith("-") else app[name]
        if command is not None and command.show:
            yield name, command


def _overview(app: App) -> nodes.Node:
    """Return the commands of the first level with their first sentences, linked to their sections."""
    rows = [
        [_link(("kajabi", name)), _sentence(command.help)]
        for name, command in sorted(_commands(app), key=lambda each: each[0])
    ]
    return _table(("Command", "What it does"), rows)


def _section(directive: SphinxDirective, command: App, words: tuple[str, ...]) -> nodes.section:
    section = nodes.section(ids=["-".join(words)], names=[])
    section += nodes.title("", "", nodes.literal("", " ".join(words)))
    if command.default_command is not None:
        section += _code(usage(command, words[1:]))
    section += _paragraphs(command.help)
    if command.default_command is not None:
        section += _options(command)
    for name, below in _commands(command):
        section += _section(directive, below, (*words, name))
    directive.state.document.note_explicit_target(section)
    return section


def _options(command: App) -> Iterator[nodes.Node]:
    """Yield a table of options for each group of them, as the page of the command has them."""
    for heading, rows in option_tables(command).items():
        header = (heading.removesuffix("s") if heading == "Options" else heading, "Meaning")
        yield _table(header, [[_names(name), _inline(text)] for name, text in rows])


def _names(text: str) -> list[nodes.Node]:
    """Return the spellings of an option as code; its value belongs to the last."""
    parts: list[nodes.Node] = []
    for name in text.split(", "):
        parts += [nodes.Text(" "), nodes.literal("", name)] if parts else [nodes.literal("", name)]
    return parts


def _paragraphs(text: str | None) -> Iterator[nodes.Node]:
    """Yield the paragraphs of a help text; indented lines and lines of a shell are code."""
    for block in (text or "").strip().split("\n\n"):
        lines = block.split("\n")
        prose = [line for line in lines if not _INDENTED.match(line)]
        code = [line for line in lines if _INDENTED.match(line)]
        if prose and "".join(prose):
            yield nodes.paragraph("", "", *_inline(" ".join(prose)))
        if code:
            yield _code(inspect.cleandoc("\n".join(["", *code])), language="bash")


def _sentence(text: str | None) -> list[nodes.Node]:
    first = " ".join((text or "").partition("\n\n")[0].split())
    return _inline(re.split(r"(?<=\.)\s", first, maxsplit=1)[0])


def _inline(text: str) -> list[nodes.Node]:
    """Return *text* with options and words in backticks as code."""
    parts: list[nodes.Node] = []
    end = 0
    for match in _CODE.finditer(text):
        parts += [nodes.Text(text[end : match.start()]), nodes.literal("", match[1] or match[2])]
        end = match.end()
    return [*parts, nodes.Text(text[end:])]


def _link(words: tuple[str, ...]) -> list[nodes.Node]:
    return [nodes.reference("", "", nodes.literal("", " ".join(words)), refid="-".join(words), internal=True)]


def _code(text: str, *, language: str = "text") -> nodes.Node:
    return nodes.literal_block(text, text, language=language)


def _table(header: tuple[str, ...], rows: list[list[list[nodes.Node]]]) -> nodes.table:
    head = nodes.thead("", _row([[nodes.Text(name)] for name in header]))
    group = nodes.tgroup("", cols=len(header))
    group += [nodes.colspec(colwidth=1) for _ in header]
    group += [head, nodes.tbody("", *(_row(row) for row in rows))]
    return nodes.table("", group, classes=["commands"])


def _row(cells: list[list[nodes.Node]]) -> nodes.row:
    return nodes.row("", *(nodes.entry("", nodes.paragraph("", "", *cell)) for cell in cells))
