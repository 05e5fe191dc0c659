"""The reference is complete: it has every public name."""

import inspect
import re
from html import unescape
from pathlib import Path
from types import ModuleType

import pytest
from sphinx.util.inventory import InventoryFile

import kajabi_async
import kajabi_async.access
import kajabi_async.changes
import kajabi_async.export
import kajabi_async.session
import kajabi_async.stores.redis
import kajabi_async.telemetry
import kajabi_async.testing
import kajabi_async.webhooks
from kajabi_async import Kajabi, Resource
from kajabi_async.models.resource import MODELS, attribute_names
from kajabi_async.operations import OPERATIONS

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="session")
def documented(built_docs: Path) -> frozenset[str]:
    """The full names of everything in the reference."""
    inventory = InventoryFile.loads((built_docs / "objects.inv").read_bytes(), uri="")
    return frozenset(name for kind, names in inventory.data.items() if kind.startswith("py:") for name in names)


MODULES = (
    kajabi_async,
    kajabi_async.access,
    kajabi_async.changes,
    kajabi_async.export,
    kajabi_async.session,
    kajabi_async.stores.redis,
    kajabi_async.telemetry,
    kajabi_async.testing,
    kajabi_async.webhooks,
)


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_every_public_name_is_in_the_reference(module: ModuleType, documented: frozenset[str]) -> None:
    """Each name in __all__ is in docs/api, under the module from which users import it."""
    names = {f"{module.__name__}.{name}" for name in module.__all__}
    assert names
    if module is not kajabi_async:
        names -= {f"{module.__name__}.{name}" for name in kajabi_async.__all__}  # Documented once, at the top.
    assert sorted(names - documented) == []


def test_every_resource_of_the_client_is_in_the_reference(documented: frozenset[str], kajabi_api: Kajabi) -> None:
    """With all of its own verbs."""
    attributes = set(vars(kajabi_api)) & {name.partition(".")[0] for name in OPERATIONS}
    resources: set[type] = {type(getattr(kajabi_api, name)) for name in attributes}
    assert len(resources) == 21
    verbs = {f"{cls.__module__}.{cls.__name__}.{name}" for cls in resources for name in _verbs(cls)}
    assert sorted(verbs - documented) == []


@pytest.mark.parametrize("cls", [each for each in MODELS.values() if each.__module__.startswith("kajabi_async.")])
def test_every_attribute_and_relation_is_in_the_reference(cls: type[Resource], documented: frozenset[str]) -> None:
    """Attributes, relations and derived properties."""
    derived = {name for name, value in vars(cls).items() if isinstance(value, property) or inspect.isfunction(value)}
    own = {*attribute_names(cls), *cls.relations, *(name for name in derived if not name.startswith("_"))} - {"id"}
    assert sorted(f"kajabi_async.{cls.__name__}.{name}" for name in own) == sorted(
        name for name in documented if name.startswith(f"kajabi_async.{cls.__name__}.")
    )


def test_the_reference_speaks_to_users(built_docs: Path) -> None:
    """Of a module it leaves out which file to read first, of a resource the constructor, which refuses to be called."""
    pages = {path.name: _text(path) for path in (built_docs / "api").glob("*.html")}
    for words in ("Read poll.py first", "Read gate.py first", "Read receiver.py first", "Raise TypeError: only an"):
        assert [name for name, text in pages.items() if words in text] == []
    assert "async for change in api.changes(cursor=...)" in pages["changes.html"]
    assert pages["commerce.html"].count("Resource type: purchases.") == 1
    assert "Watch through context" not in pages["changes.html"]


def test_a_constant_has_its_own_docstring(built_docs: Path) -> None:
    """Not that of int, which Python has for every number."""
    page = _text(built_docs / "api" / "webhooks.html")
    assert "Convert a number or string to an integer" not in page
    assert "The default limit of the size of a delivery" in page


def test_no_signature_repeats_a_list_of_names(built_docs: Path) -> None:
    """What include takes is listed once, with the resource; bases are named without it."""
    pages = {path.name: _text(path) for path in (built_docs / "api").glob("*.html")}
    assert [name for name, text in pages.items() if "| Iterable[Literal[" in text or "ListOptions[" in text] == []
    assert "include: str | Iterable[str] = ()" in pages["people.html"]
    assert re.search(r"find_by_email\([^()]*\) \S+ Customer \| None", pages["people.html"])
    assert "and of these contact.customer, contact.tags, contact.offers, offers.products" in pages["people.html"]


def _text(page: Path) -> str:
    """Return the text of the article on a page, with single spaces."""
    article = page.read_text("utf-8").partition("<article")[2].partition("</article>")[0]
    return " ".join(unescape(re.sub(r"<[^>]+>", "", article)).split())


def _verbs(cls: type) -> set[str]:
    return {name for name, value in vars(cls).items() if inspect.isfunction(value) and not name.startswith("_")}
