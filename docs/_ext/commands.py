"""The directives ``commands``, ``command-list`` and ``exit-codes``: the reference of the command, read from itself."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from kajabi_async.cli.contents import COMMANDS
from kajabi_async.cli.descriptions import EXAMPLES, Description, description_of, is_group
from kajabi_async.cli.front import MEANINGS

_CODE: Final = re.compile(
    r"`([^`]+)`"
    r"|(?<!\w)(--?[a-z][\w-]*(?: [A-Z]{2,}\b)?"  # An option, with what it takes,
    r"|\$?[A-Z]+(?:_[A-Z]+)+"  # a variable of the environment,
    r"|~?[\w./-]*\.(?:parquet|toml|csv|jsonl|partial|config)\b)"  # or a path.
)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.add_directive("commands", _Commands)
    app.add_directive("command-list", _CommandList)
    app.add_directive("exit-codes", _ExitCodes)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


class _Commands(SphinxDirective):
    """The commands of one section of ``kajabi --help``, with arguments and options, and those of a group below it."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return a section for each command and group."""
        names = [command.name for command in COMMANDS if command.section == self.arguments[0]]
        return [_section(self, description_of(name), ("kajabi", name)) for name in names]


class _CommandList(SphinxDirective):
    """The commands of the first level, as ``kajabi --help`` lists them, linked to their pages."""

    def run(self) -> list[nodes.Node]:
        """Return a table for each section."""
        sections = dict.fromkeys(command.section for command in COMMANDS)
        return [_table((section, "What it does"), list(self._rows(section))) for section in sections]

    def _rows(self, section: str) -> Iterator[list[list[nodes.Node]]]:
        for command in COMMANDS:
            if command.section == section:
                yield [[_link(self, f"kajabi {command.name}")], _inline(command.summary)]


class _ExitCodes(SphinxDirective):
    """The exit codes of all commands, with their meanings."""

    def run(self) -> list[nodes.Node]:
        """Return a table."""
        rows = [[[nodes.literal("", str(code.value))], _inline(text)] for code, text in MEANINGS.items()]
        return [_table(("Code", "Meaning"), rows)]


def _link(directive: SphinxDirective, words: str) -> nodes.Node:
    """Return a link to the section of a command."""
    link = pending_xref(
        "",
        refdomain="std",
        reftype="ref",
        reftarget=words.replace(" ", "-"),
        refexplicit=True,
        refdoc=directive.env.docname,
        refwarn=True,
    )
    link += nodes.literal("", words)
    return link


def _section(directive: SphinxDirective, description: Description, words: tuple[str, ...]) -> nodes.section:
    target = "-".join(words)
    section = nodes.section(ids=[target], names=[])
    labels = directive.env.domains.standard_domain
    labels.anonlabels[target] = directive.env.docname, target
    labels.labels[target] = directive.env.docname, target, " ".join(words)
    section += nodes.title("", "", nodes.literal("", " ".join(words)))
    if not is_group(description):
        section += _code(description["usage"])
    section += [nodes.paragraph("", "", *_inline(text)) for text in description["text"]]
    section += _examples(description["examples"])
    if words[1] == "export" and not is_group(description):
        section += _options_of_export(directive, description, words[-1])
    else:
        section += _options(description["tables"])
    for name, below in description["commands"].items():
        section += _section(directive, below, (*words, name))
    directive.state.document.note_explicit_target(section)
    return section


def _options_of_export(directive: SphinxDirective, description: Description, name: str) -> Iterator[nodes.Node]:
    """Yield the options of ``kajabi export NAME``; its filters are those of ``kajabi NAME list``, and stand there."""
    listing = description_of(name)["commands"]["list"]["tables"]
    yield from _options({heading: rows for heading, rows in description["tables"].items() if heading != "Filters"})
    if description["tables"].get("Filters") != listing.get("Filters"):
        raise ValueError(f"kajabi export {name} has other filters than kajabi {name} list")
    link = _link(directive, f"kajabi {name} list")
    yield nodes.paragraph("", "", nodes.Text("The filters are those of "), link, nodes.Text("."))


def _options(tables: Mapping[str, list[tuple[str, str]]]) -> Iterator[nodes.Node]:
    """Yield a table of options for each group of them, as the page of the command has them."""
    for heading, rows in tables.items():
        header = (heading.removesuffix("s") if heading == "Options" else heading, "Meaning")
        yield _table(header, [[_names(name), _inline(text)] for name, text in rows])


def _names(text: str) -> list[nodes.Node]:
    """Return the spellings of an option as code; its value belongs to the last."""
    parts: list[nodes.Node] = []
    for name in text.split(", "):
        parts += [nodes.Text(" "), nodes.literal("", name)] if parts else [nodes.literal("", name)]
    return parts


def _examples(lines: Sequence[str]) -> Iterator[nodes.Node]:
    """Yield the examples of a command as code, below their heading."""
    if lines:
        yield nodes.paragraph("", "", nodes.Text(EXAMPLES))
        yield _code("\n".join(lines), language="bash")


def _inline(text: str) -> list[nodes.Node]:
    """Return *text* with options and words in backticks as code."""
    parts: list[nodes.Node] = []
    end = 0
    for match in _CODE.finditer(text):
        parts += [nodes.Text(text[end : match.start()]), nodes.literal("", match[1] or match[2])]
        end = match.end()
    return [*parts, nodes.Text(text[end:])]


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
