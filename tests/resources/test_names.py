"""The literal types of names hold what the classes declare, so that type checkers refuse exactly the misspelt ones."""

from collections.abc import Callable, Iterator
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Final, Literal, Never, get_args, get_overloads, get_type_hints

import pytest

from kajabi_async import Kajabi, Resource
from kajabi_async.models import names as models_names
from kajabi_async.models.names import Fieldsets
from kajabi_async.models.names.people import NumberedField
from kajabi_async.models.relations import Relation
from kajabi_async.models.resource import CUSTOM_FIELD, CUSTOM_FIELDS, MODELS, attribute_names
from kajabi_async.resources.base import Gettable, Listable, ListOptions
from kajabi_async.resources.prefetching import Prefetching
from tests.every_resource import every_resource

RESOURCES: Final = every_resource()
OURS: Final = {name: cls for name, cls in MODELS.items() if cls.__module__.startswith("kajabi_async.")}
GETTABLE: Final[list[Any]] = [cls for cls in RESOURCES if issubclass(cls, Gettable)]
LISTED: Final = [cls for cls in RESOURCES if cls.list_options is ListOptions]


def _paths(model: type[Resource], takes: Callable[[Relation], bool], steps: int = 2) -> Iterator[str]:
    for name, relation in model.relations.items():
        if takes(relation):
            yield name
            if steps > 1:
                related = MODELS.get(relation.resource_type, Resource)
                yield from (f"{name}.{path}" for path in _paths(related, takes, steps - 1))


def _includable(relation: Relation) -> bool:
    return relation.includable


def _arguments(cls: Any, generic: Any) -> tuple[Any, ...]:
    return next(
        get_args(base)
        for base in cls.__orig_bases__
        if generic in getattr(getattr(base, "__origin__", None), "__mro__", ()) and len(get_args(base)) > 1
    )


def _names(literal: Any) -> tuple[str, ...]:
    return () if literal is Never else get_args(literal)


def _list_options(cls: type[Listable[Any]]) -> Any:
    (options,) = get_args(vars(cls)["list"].__annotations__["options"])
    return options


@pytest.mark.parametrize("cls", GETTABLE, ids=lambda cls: cls.name)
def test_what_get_includes_is_declared_by_the_model(cls: Any) -> None:
    """Every relation that can be included, in one or two steps, once."""
    model, include, fields = _arguments(cls, Gettable)
    assert model is cls.model
    assert _names(include) == tuple(_paths(cls.model, _includable))
    assert fields is Fieldsets


@pytest.mark.parametrize("cls", LISTED, ids=lambda cls: cls.name)
def test_what_a_list_takes_is_declared_by_its_class(cls: Any) -> None:
    """The includes are those of ``get``; each key sorts in both directions."""
    include, sort, fields = _arguments(_list_options(cls), ListOptions)
    assert _names(include) == tuple(_paths(cls.model, _includable))
    keys = [name for name in _names(sort) if not name.startswith("-")]
    assert _names(sort) == tuple(each for key in keys for each in (key, f"-{key}"))
    assert cls.sort_keys == set(keys)
    assert fields is Fieldsets


def test_fields_has_every_type_with_its_attributes_and_relations() -> None:
    """As the check at run time has them; of custom fields the 150 documented ones."""
    hints = Fieldsets.__annotations__
    assert set(hints) == set(OURS)
    for resource_type, model in OURS.items():
        names = attribute_names(model)
        known = {*names, *(alias for others in names.values() for alias in others), *model.relations} - {"id"}
        if CUSTOM_FIELDS in known:
            known = known - {CUSTOM_FIELDS} | set(get_args(NumberedField))
        chosen: Any = hints[resource_type]
        names_of_type = [arg for arg in get_args(chosen) if getattr(arg, "__origin__", None) is Literal]
        assert set(get_args(names_of_type[0])) == known, resource_type


def test_the_documented_custom_fields_are_named() -> None:
    """All of them can be asked for at run time."""
    assert get_args(NumberedField) == tuple(f"custom_{number}" for number in range(1, 151))
    assert all(CUSTOM_FIELD.fullmatch(name) for name in get_args(NumberedField))


def _names_for_type_checkers() -> dict[str, Any]:
    """Return what the annotations name that is not imported to run."""
    models: list[type[Resource]] = [*MODELS.values(), Resource]
    names: dict[str, Any] = {cls.__name__: cls for cls in models}
    for module in iter_modules(models_names.__path__, f"{models_names.__name__}."):
        names |= vars(import_module(module.name))
    return names


def test_prefetch_has_the_relations_of_every_resource() -> None:
    """Whether they can be included or not, in one or two steps; the last overload is for several types."""
    *typed, mixed = get_overloads(Prefetching.prefetch)
    found = {}
    for overload in typed:
        hints = get_type_hints(overload, localns=_names_for_type_checkers())
        model = get_args(hints["resources"])[0]
        found[model.resource_type] = set(get_args(hints["paths"]))
    assert found == {name: {*_paths(model, lambda _: True)} for name, model in OURS.items() if tuple(model.relations)}
    assert get_type_hints(mixed, localns=_names_for_type_checkers()) == {
        "resources": Iterator[Resource],
        "paths": str,
        "patience": float,
        "return": type(None),
    }
    assert Kajabi.prefetch is Prefetching.prefetch


def test_resources_of_your_own_take_any_names() -> None:
    """With the class of the resource alone, as before."""

    class Widgets(Gettable[Resource]):
        name = "widgets"

    assert _arguments(Widgets, Gettable)[:2] == (Resource, str)
    with pytest.raises(TypeError, match=r"[Tt]oo many"):
        Gettable[Resource, str, Fieldsets, int]  # type: ignore[misc]  # pyright: ignore[reportInvalidTypeArguments]
