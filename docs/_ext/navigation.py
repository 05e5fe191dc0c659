"""Make the navigation beside each page from the titles of the pages alone.

For each page Sphinx copies the contents of every page, with each documented name, and then drops all but the titles:
with a reference of this size that is a quarter of a build.
"""

from typing import Any

from docutils import nodes
from sphinx.addnodes import toctree
from sphinx.application import Sphinx
from sphinx.builders import Builder

_BEFORE_THE_THEME = 400
_TITLES: dict[str, nodes.bullet_list] = {}


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.connect("write-started", _keep_titles)
    app.connect("html-page-context", _use_titles, priority=_BEFORE_THE_THEME)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _keep_titles(_app: Sphinx, builder: Builder) -> None:
    _TITLES.clear()
    _TITLES.update((page, _titles(contents)) for page, contents in builder.env.tocs.items())


def _titles(contents: nodes.bullet_list) -> nodes.bullet_list:
    """Return a copy of the *contents* of a page with its title, and the lists of the pages below it."""
    return nodes.bullet_list("", *map(_without_sections, contents.children))


def _without_sections(entry: nodes.Node) -> nodes.list_item:
    below = [each.copy() for each in entry.findall(toctree)]
    kept = [entry.children[0].deepcopy(), *([nodes.bullet_list("", *below)] if below else [])]
    return nodes.list_item("", *kept)


def _use_titles(app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: object) -> None:
    whole = context.get("toctree")
    if whole is None:
        return

    def navigation(**options: Any) -> str:
        if not options.get("titles_only"):
            return str(whole(**options))
        contents, app.env.tocs = app.env.tocs, _TITLES
        try:
            return str(whole(**options))
        finally:
            app.env.tocs = contents

    context["toctree"] = navigation
