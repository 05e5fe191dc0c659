"""Everything that users can call, on one page and in ``llms.txt``: read from the package, so that it stays true.

The directive ``surface`` makes the page. At the end of a build for HTML, ``llms.txt`` lists the pages, and
``llms-full.txt`` has the guides and the surface as one text.
"""

import inspect
import itertools
import re
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NamedTuple, is_typeddict

from constants import docs_of_constant
from docutils import nodes
from names import operations
from reference import is_not_called
from sphinx.addnodes import pending_xref, toctree
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import kajabi_async
from kajabi_async import Kajabi
from kajabi_async.models.resource import MODELS, Resource, attribute_names
from kajabi_async.resources.base import Gettable, ResourceOperations

_MODULES: Final = (
    "kajabi_async.stores.file",
    "kajabi_async.stores.redis",
    "kajabi_async.webhooks",
    "kajabi_async.export",
    "kajabi_async.telemetry",
    "kajabi_async.session",
    "kajabi_async.testing",
    "kajabi_async.access",
    "kajabi_async.changes",
)
_AFTER_ALL: Final = 900
_FIRST: Final = "first paragraph"
"""The key of the metadata of a page: to read it from the page again at the end would be a twentieth of the build."""
_ROLE: Final = re.compile(r":[\w:]+:`~?(?:[\w.]*\.)?(\w+)`|`([^`]+)`")


class Entry(NamedTuple):
    """One name: how it is written, where it is documented, and what it does."""

    text: str
    target: str
    summary: str


class Chapter(NamedTuple):
    """Names that belong together."""

    title: str
    entries: tuple[Entry, ...]
    note: str = ""


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.add_directive("surface", _Surface)
    app.connect("doctree-read", _note_first_paragraph, priority=_AFTER_ALL)
    app.connect("build-finished", _write_texts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def chapters() -> Iterator[Chapter]:
    """Yield the whole surface, the client first."""
    yield Chapter("The client", tuple(_members(Kajabi, "Kajabi", "kajabi_async.Kajabi")))
    # A class with several bases comes once for each.
    for cls in sorted(set(operations(ResourceOperations)), key=lambda each: each.name):
        yield Chapter(f"api.{cls.name}", tuple(_verbs(cls)), _about(cls))
    for cls in sorted(set(MODELS.values()), key=lambda each: each.__name__):
        if cls.__module__.startswith("kajabi_async."):
            yield Chapter(cls.__name__, (), _facts(cls))
    rest = [name for name in kajabi_async.__all__ if name != "Kajabi" and name not in _model_names()]
    errors = [name for name in rest if name.endswith("Error")]
    yield Chapter("Errors", tuple(_names("kajabi_async", errors)))
    yield Chapter("Also in kajabi_async", tuple(_names("kajabi_async", [name for name in rest if name not in errors])))
    for module in _MODULES:
        names = [name for name in import_module(module).__all__ if name not in kajabi_async.__all__]
        yield Chapter(module, tuple(_names(module, names)))


def _model_names() -> set[str]:
    return {cls.__name__ for cls in MODELS.values()}


def _names(module: str, names: Iterable[str]) -> Iterator[Entry]:
    for name in names:
        value = getattr(import_module(module), name)
        is_called = inspect.isfunction(value) or (inspect.isclass(value) and not _is_plain(value))
        text = f"{name}{_arguments(value)}" if is_called else name
        is_object = inspect.isfunction(value) or inspect.isclass(value) or inspect.ismodule(value)
        yield Entry(text, f"{module}.{name}", _summary(value) if is_object else _about_constant(f"{module}.{name}"))


def _is_plain(cls: type) -> bool:
    return is_typeddict(cls) or is_not_called(cls)


def _about_constant(name: str) -> str:
    return _plain(" ".join(itertools.takewhile(str.strip, docs_of_constant(name))))


def _members(cls: type, shown: str, target: str) -> Iterator[Entry]:
    yield Entry(f"{shown}{_arguments(cls)}", target, _summary(cls))
    for name, value in vars(cls).items():
        if not name.startswith("_") and (callable(value) or isinstance(value, property | classmethod)):
            owner = shown if isinstance(value, classmethod) else f"{_awaited(value)}api"
            yield Entry(f"{owner}.{name}{_arguments(value)}", f"{target}.{name}", _summary(value))


def _verbs(cls: type[ResourceOperations[Any]]) -> Iterator[Entry]:
    for name, value in inspect.getmembers(cls, inspect.isfunction):
        if not name.startswith("_"):
            common = name in vars(Gettable) and name not in vars(cls) and not _overridden(cls, name)
            owner = Gettable if common else cls
            text = f"{_awaited(value)}api.{cls.name}.{name}{_arguments(value)}"
            yield Entry(text, f"{owner.__module__}.{owner.__name__}.{name}", _summary(value))


def _awaited(value: object) -> str:
    return "await " if inspect.iscoroutinefunction(value) else ""


def _overridden(cls: type, name: str) -> bool:
    return getattr(cls, name) is not getattr(Gettable, name)


def _arguments(value: Any) -> str:
    """Return the names and defaults of the arguments, without types: those are in the reference."""
    if isinstance(value, property):
        return ""
    function = value.__func__ if isinstance(value, classmethod) else value
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return "(...)"
    shown: list[str] = []
    for index, parameter in enumerate(signature.parameters.values()):
        if index == 0 and (parameter.name == "self" or isinstance(value, classmethod)):
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in shown:
            shown.append("*")
        shown.append(_argument(parameter))
    return f"({', '.join(shown)})"


def _argument(parameter: inspect.Parameter) -> str:
    if parameter.kind is parameter.VAR_KEYWORD:
        return f"**{parameter.name}"
    if parameter.kind is parameter.VAR_POSITIONAL:
        return f"*{parameter.name}"
    if parameter.default is parameter.empty:
        return parameter.name
    is_value = isinstance(parameter.default, str | int | float | bool | tuple | None)
    return f"{parameter.name}={parameter.default!r}" if is_value else f"{parameter.name}=..."


def _summary(value: Any) -> str:
    text = inspect.getdoc(value) or ""
    first = " ".join(text.partition("\n\n")[0].split())
    return "" if first.startswith(("Method generated by attrs", "A TypedDict")) else _plain(first)


def _plain(text: str) -> str:
    """Return *text* with links and code as code in Markdown."""
    return _ROLE.sub(lambda match: match[1] or match[2], text.replace("``", "`"))


def _about(cls: type[ResourceOperations[Any]]) -> str:
    text = _summary(cls).removeprefix(f"api.{cls.name}").lstrip(":;. ")
    return f"{text[:1].upper()}{text[1:]}"


def _facts(cls: type[Resource]) -> str:
    relations = [*cls.relations]
    text = f"Attributes: {', '.join(name for name in attribute_names(cls) if name != 'id')}."
    return f"{text} Relations: {', '.join(relations)}." if relations else text


class _Surface(SphinxDirective):
    """A section for each chapter, every name linked to the reference."""

    def run(self) -> list[nodes.Node]:
        """Return the sections."""
        return [self._section(chapter) for chapter in chapters()]

    def _section(self, chapter: Chapter) -> nodes.section:
        section = nodes.section(ids=[nodes.make_id(f"surface-{chapter.title}")], names=[])
        section += nodes.title("", chapter.title)
        self.state.document.note_explicit_target(section)
        if chapter.note:
            section += nodes.paragraph("", chapter.note)
        if chapter.entries:
            section += nodes.definition_list("", *map(self._item, chapter.entries), classes=["surface"])
        return section

    def _item(self, entry: Entry) -> nodes.definition_list_item:
        link = pending_xref(
            "",
            refdomain="py",
            reftype="obj",
            reftarget=entry.target,
            refexplicit=True,
            refdoc=self.env.docname,
            refwarn=True,
        )
        link += nodes.literal("", entry.text)
        summary = nodes.definition("", nodes.paragraph("", entry.summary))
        return nodes.definition_list_item("", nodes.term("", "", link), summary)


def _write_texts(app: Sphinx, failure: Exception | None) -> None:
    if failure is None and app.builder.name in {"html", "dirhtml"}:
        folder = Path(app.outdir)
        (folder / "llms.txt").write_text(_list_of_pages(app), "utf-8")
        (folder / "llms-full.txt").write_text(_whole_text(app), "utf-8")


def _list_of_pages(app: Sphinx) -> str:
    """Return the pages as a list of links, in the form of llmstxt.org."""
    lines = [f"# {app.config.project} {app.config.version}", "", f"> {_summary(kajabi_async)}", ""]
    lines += ["Everything on one page of text: [llms-full.txt](llms-full.txt)", ""]
    for heading, names in _toctrees(app):
        lines += [f"## {heading}", ""]
        for name in names:
            title, about = app.env.titles[name].astext(), app.env.metadata[name][_FIRST]
            lines.append(f"- [{title}]({app.builder.get_target_uri(name)}): {about}".rstrip(": "))
        lines.append("")
    return "\n".join(lines)


def _toctrees(app: Sphinx) -> Iterator[tuple[str, list[str]]]:
    """Yield the captions of the start page and the pages below each, in order; those of an index after it."""
    for tree in app.env.get_doctree("index").findall(toctree):
        names = [name for _, name in tree["entries"] if name in app.env.titles]
        below = [name for each in names for name in app.env.toctree_includes.get(each, ())]
        yield tree.get("caption") or "Pages", [*names, *below]


def _note_first_paragraph(app: Sphinx, doctree: nodes.document) -> None:
    """Keep the first paragraph of a page, which may be that of what it documents."""
    paragraphs = list(doctree.findall(nodes.paragraph))
    own = [each for each in paragraphs if isinstance(each.parent, nodes.section)]
    text = next((each.astext() for each in (*own, *paragraphs)), "")
    app.env.metadata[app.env.docname][_FIRST] = " ".join(text.split())


def _whole_text(app: Sphinx) -> str:
    """Return the sources of the guides, which are Markdown, and the surface."""
    sources = Path(app.srcdir)
    pages = [name for _, names in _toctrees(app) for name in names if name.startswith("guides/")]
    texts = [(sources / f"{name}.md").read_text("utf-8") for name in pages]
    return "\n\n".join((*texts, "# The whole surface", *map(_chapter_text, chapters()), ""))


def _chapter_text(chapter: Chapter) -> str:
    entries = [f"- `{entry.text}`{f': {entry.summary}' if entry.summary else ''}" for entry in chapter.entries]
    return "\n".join([f"## {chapter.title}", "", *([chapter.note, ""] if chapter.note else []), *entries])
