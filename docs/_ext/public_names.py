"""Show objects in the search under the names that users write: ``api.customers.list``, not the module of its class."""

import sys
from collections.abc import Iterator
from typing import Final

from names import operations
from sphinx.application import Sphinx
from sphinx.domains.python import PythonDomain

from kajabi_async.resources.base import Gettable, ResourceOperations

_INTERNAL: Final = frozenset({"client", "exchange", "fetching", "jsonapi", "models", "plain", "resources"})
"""Packages that users import nothing from: what is public in them is in ``kajabi_async``, or only typed."""
_RESOURCE: Final = "api.RESOURCE"


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.add_domain(_Domain, override=True)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


class _Domain(PythonDomain):
    """The Python domain, with other names for the search."""

    def get_objects(self) -> Iterator[tuple[str, str, str, str, str, int]]:
        """Yield each object with the name to show."""
        shown = {f"{cls.__module__}.{cls.__name__}": f"api.{cls.name}" for cls in operations(ResourceOperations)}
        shown[f"{Gettable.__module__}.{Gettable.__name__}"] = _RESOURCE
        for full, _, *rest in super().get_objects():
            owner = next((name for name in (full, full.rpartition(".")[0]) if name in shown), None)
            name = _public(full) if owner is None else f"{shown[owner]}{full.removeprefix(owner)}"
            yield (full, name, *rest)  # type: ignore[misc]


def _public(full: str) -> str:
    """Return ``full`` as it is if users can import it so, else without its module."""
    module = full
    while module not in sys.modules:
        module = module.rpartition(".")[0]
        if not module:
            return full
    name = full.removeprefix(module).lstrip(".")
    top = module.split(".")[1:2]
    is_public = name.partition(".")[0] in getattr(sys.modules[module], "__all__", ()) and _INTERNAL.isdisjoint(top)
    return full if is_public or not name else name
