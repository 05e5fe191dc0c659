"""Link names of this package in the guides, such as ``NotFoundError`` or ``contacts.create``, to the reference."""

from collections.abc import Iterator
from typing import Any, Final

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx

import kajabi_async
from kajabi_async import Kajabi
from kajabi_async.resources.base import Gettable, ResourceOperations

_NAMES: Final[dict[str, str]] = {}


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    _NAMES.update(_all_names())
    app.connect("doctree-read", _link)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _all_names() -> Iterator[tuple[str, str]]:
    for name in kajabi_async.__all__:
        yield name, f"kajabi_async.{name}"
    for name in _public(Kajabi):
        for owner in ("Kajabi", "api"):
            yield f"{owner}.{name}", f"kajabi_async.Kajabi.{name}"
    for cls in operations(ResourceOperations):
        full = f"{cls.__module__}.{cls.__name__}"
        yield f"api.{cls.name}", full
        for verb in _public(cls):
            inherited = verb in vars(Gettable) and verb not in vars(cls)
            target = f"{Gettable.__module__}.Gettable.{verb}" if inherited else f"{full}.{verb}"
            yield f"{cls.name}.{verb}", target
            yield f"api.{cls.name}.{verb}", target


def operations(cls: type[ResourceOperations[Any]]) -> Iterator[type[ResourceOperations[Any]]]:
    """Yield the class of every resource of the client."""
    for below in cls.__subclasses__():
        if "name" in vars(below):
            yield below
        yield from operations(below)


def _public(cls: type) -> Iterator[str]:
    for base in cls.__mro__:
        yield from (name for name, value in vars(base).items() if name[0] != "_" and _is_documented(value))


def _is_documented(value: object) -> bool:
    return isinstance(value, property | classmethod) or (callable(value) and not isinstance(value, type))


def _link(app: Sphinx, doctree: nodes.document) -> None:
    if not app.env.docname.startswith(("guides/", "index")):
        return
    for literal in list(doctree.findall(nodes.literal)):
        target = _NAMES.get(literal.astext().removesuffix("()"))
        if target is None or isinstance(literal.parent, nodes.title | nodes.reference):
            continue
        reference = pending_xref(
            "", refdomain="py", reftype="obj", reftarget=target, refexplicit=True, refdoc=app.env.docname, refwarn=True
        )
        literal.replace_self(reference)
        reference += literal
