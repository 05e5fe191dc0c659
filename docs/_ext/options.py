"""Tables of filters, and of what a method takes as ``**options``: lines of reStructuredText, read from the types."""

import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from inspect import signature
from itertools import groupby
from typing import Any, Final, get_args, get_type_hints, is_typeddict

from names import operations
from sphinx.pycode import ModuleAnalyzer

from kajabi_async.resources.base import Listable, ResourceOperations
from kajabi_async.resources.filters.encoding import ORDER_SUFFIXES, SUFFIXES_WITH_RANGES, Takes

_SUFFIX: Final = re.compile(rf"_({'|'.join(sorted({*ORDER_SUFFIXES, *SUFFIXES_WITH_RANGES}, key=len, reverse=True))})$")
_DECLARING: Final = ("kajabi_async.client", "kajabi_async.resources")
_FIELDS: Final = "Attributes to request, by type: ``{{{type}: [...]}}``."


def filter_table(cls: type) -> Iterator[str]:
    """Yield a table of the filters that *cls* declares."""
    yield from _table(("Filter", "Takes"), _filters(get_type_hints(cls, include_extras=True), _notes(cls)))


def options_table(name: str, method: Any) -> Iterator[str]:
    """Yield a table of what the method called *name* takes as ``**options``, which its signature does not name."""
    declared = _declared(method)
    if declared is None:
        return
    notes = _notes(declared)
    hints = dict(declared.__annotations__)
    if any(declared.__module__.startswith(f"{module}.") for module in _DECLARING):
        hints = get_type_hints(declared, include_extras=True)
    filters = {key: hint for key, hint in hints.items() if _is_filter(hint)}
    cls = next((each for each in operations(ResourceOperations) if name.startswith(_full(each) + ".")), None)
    own = _own_notes(cls) if cls is not None and name.endswith(".list") else {}
    others = {key: own.get(key) or notes.get(key, "") for key in hints if key not in filters}
    explained = [(literals([key]), note) for key, note in others.items() if note.strip()]
    if explained:
        yield from _table(("Option", "Meaning"), explained)
    plain = [key for key, note in others.items() if not note]
    if plain:
        yield from ("", f"{'And' if explained else 'Takes'} {literals(plain)}.", "")
    if filters:
        yield from ("", f"The filters are explained at :py:class:`{_where_declared(cls, declared)}`.", "")
        yield from _table(("Each takes", "Filters"), _by_what_they_take(filters))


def literals(names: Iterable[str], *, between: str = ", ") -> str:
    """Return *names* as code, one after the other."""
    return between.join(f"``{name}``" for name in names)


def _declared(method: Any) -> type | None:
    function = getattr(method, "__func__", method)
    try:
        parameters = signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    found = next((each for each in parameters if each.kind is each.VAR_KEYWORD), None)
    options = get_args(found.annotation) if found is not None else ()
    return options[0] if options and is_typeddict(options[0]) else None


def _full(cls: type) -> str:
    return f"{cls.__module__}.{cls.__name__}"


def _own_notes(cls: type[ResourceOperations[Any]]) -> dict[str, str]:
    """Return what the general options of a list mean for this one; a space if it does not take the option."""
    listable: Any = cls if issubclass(cls, Listable) else None
    sort_keys = sorted(listable.sort_keys) if listable is not None else []
    included = [name for name, relation in cls.model.relations.items() if relation.includable]
    return {
        "sort": f"{literals(sort_keys)}, ``-`` in front for descending." if sort_keys else " ",
        "include": f"{literals(included)}, if the server does that for lists." if included else " ",
        "fields": _FIELDS.format(type=f'"{cls.model.resource_type}"'),
    }


def _notes(cls: Any) -> dict[str, str]:
    """Return the docstrings of the keys of *cls*, also of those that it inherits.

    At run time a TypedDict does not know its bases: they are those that have no other keys.
    """
    modules = [module for name, module in sys.modules.items() if name.startswith(_DECLARING)]
    bases = {value for module in modules for value in vars(module).values() if _is_base(value, cls)}
    found: dict[str, str] = {}
    for base in sorted(bases, key=lambda each: (each is not cls, _full(each))):
        for (owner, key), lines in ModuleAnalyzer.for_module(base.__module__).find_attr_docs().items():
            if owner == base.__name__:
                found.setdefault(key, " ".join(lines).strip())
    return found


def _is_base(value: Any, cls: Any) -> bool:
    return is_typeddict(value) and value.__annotations__.keys() <= cls.__annotations__.keys()


def _filters(hints: Mapping[str, Any], notes: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for names in _grouped(hints):
        note, takes = notes.get(names[0], ""), _takes(hints[names[0]])
        yield literals(names, between=" "), f"{takes}. {note}" if note else takes


def _where_declared(cls: Any, declared: type) -> str:
    """Return the name of the class that declares the filters of a method."""
    filters = getattr(cls, "filters", None)
    is_of_list = filters is not None and filters.__annotations__.keys() <= declared.__annotations__.keys()
    return filters.__name__ if is_of_list else declared.__name__


def _by_what_they_take(filters: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the filters that take the same, in the order in which they are declared."""
    found: dict[str, list[str]] = {}
    for name, hint in filters.items():
        found.setdefault(_takes(hint), []).append(name)
    for takes, names in found.items():
        yield takes, literals(names)


def _table(header: tuple[str, str], rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    yield from ("", ".. list-table::", "   :header-rows: 1", "   :widths: auto", "")
    for left, right in (header, *rows):
        yield from (f"   * - {left}", f"     - {right}")
    yield ""


def _grouped(hints: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """Yield the names, grouped by the attribute and the kind of value that they compare."""
    for _, group in groupby(hints, key=lambda name: (_SUFFIX.sub("", name), _takes(hints[name]))):
        yield tuple(group)


def _is_filter(hint: Any) -> bool:
    return any(isinstance(extra, Takes) for arm in (hint, *get_args(hint)) for extra in _metadata(arm))


def _takes(hint: Any) -> str:
    words = (extra.words for arm in (hint, *get_args(hint)) for extra in _metadata(arm) if isinstance(extra, Takes))
    found = next(words, None)
    return found or " or ".join(repr(each) for each in get_args(hint))


def _metadata(annotation: Any) -> Sequence[Any]:
    return getattr(annotation, "__metadata__", ())
