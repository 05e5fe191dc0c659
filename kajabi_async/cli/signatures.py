"""Commands built at run time: their options, and the signature from which cyclopts reads them."""

import inspect
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, get_type_hints

from cyclopts import Group, Parameter

from kajabi_async.cli.filter_help import filter_meaning, value_word
from kajabi_async.cli.options import Metavar, whole
from kajabi_async.resources.base import Gettable, Listable
from kajabi_async.resources.filters.encoding import Takes

__all__ = [
    "ResourceClass",
    "command_name",
    "date_note",
    "example_site",
    "fields_option",
    "filter_options",
    "flag",
    "include_option",
    "needs_site",
    "option",
    "relations_of",
    "resource_class",
    "resource_classes",
    "takes_include",
    "typed_options",
    "with_signature",
    "words_of",
]

ResourceClass = Any
"""A subclass of `Listable` for any model; its declarations are read at run time."""

_DATE: Final = "DATE"
_NEEDS_SITE: Final = "payouts"
_FILTERS: Final = Group("Filters", sort_key=2)


def resource_classes() -> list[ResourceClass]:
    """Return the class of every resource that can be listed and is imported, sorted by name."""
    listable: ResourceClass = Listable
    return sorted((cls for cls in listable.__subclasses__() if "name" in vars(cls)), key=lambda cls: str(cls.name))


def resource_class(name: str) -> ResourceClass:
    """Return the class of the resource with the command called *name*, whose module is imported."""
    return next(cls for cls in resource_classes() if command_name(cls) == name)


def command_name(cls: ResourceClass) -> str:
    """Return the name of a resource's command, such as ``contact-notes``."""
    return str(cls.name).replace("_", "-")


def words_of(cls: ResourceClass) -> str:
    """Return the name of a resource in words, such as ``contact notes``."""
    return str(cls.name).replace("_", " ")


def needs_site(cls: ResourceClass) -> bool:
    """Return whether every call of a resource names a site."""
    return bool(cls.name == _NEEDS_SITE)


def example_site(cls: ResourceClass) -> str:
    """Return `` --site-id 1`` for the examples of a resource whose calls need a site; "" for others."""
    return " --site-id 1" if needs_site(cls) else ""


def filter_options(cls: ResourceClass) -> Iterator[inspect.Parameter]:
    """Yield an option for each filter of a resource."""
    takes = get_type_hints(cls.filters, include_extras=True)
    for name, annotation in get_type_hints(cls.filters).items():
        word = value_word(next((each.words for each in _metadata(takes[name]) if isinstance(each, Takes)), ""))
        yield option(
            name,
            _command_line_type(annotation),
            filter_meaning(name, is_flag=annotation is bool),
            word=word,
            group=_FILTERS,
        )


def date_note(cls: ResourceClass) -> str:
    """Return the paragraph of the help that says how a DATE is typed, "" if no filter of the resource takes one."""
    if not any(Metavar(_DATE) in _metadata(each.annotation) for each in filter_options(cls)):
        return ""
    return f"A {_DATE} is a day such as 2024-05-01, or a time with its zone such as 2024-05-01T16:00:00Z.\n\n"


def relations_of(cls: ResourceClass) -> list[str]:
    """Return the names of the relations of a resource that can be included, sorted."""
    return sorted(name for name, relation in cls.model.relations.items() if relation.includable)


def include_option(cls: ResourceClass) -> Iterator[inspect.Parameter]:
    """Yield the option that names relations to include, if the resource has any that can be."""
    if includable := relations_of(cls):
        text = f"Relations to include, separated by commas: {', '.join(includable)}."
        yield option("include", str | None, text, word="NAME,...")


def fields_option() -> inspect.Parameter:
    """Return the option that restricts an answer to some attributes."""
    return option("fields", str | None, "Attributes to restrict the answer to, separated by commas.", word="NAME,...")


def takes_include(cls: type) -> bool:
    """Return whether one of the resources is read with ``include`` and ``fields``."""
    return issubclass(cls, Gettable)


def option(
    name: str, annotation: Any, text: str, *, default: Any = None, word: str = "", **settings: Any
) -> inspect.Parameter:
    """Return an option of a command built at run time; *settings* are those of `cyclopts.Parameter`."""
    if annotation in (int, int | None):
        settings["converter"] = whole
    extras = (Parameter(help=text, **settings), *([Metavar(word)] if word else ()))
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[annotation, *extras]
    )


def flag(name: str, text: str) -> inspect.Parameter:
    """Return an option that is set or not, without a value."""
    return option(name, bool, text, default=False, negative=())


def typed_options(cls: ResourceClass, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that were typed, as a method of the resource takes them."""
    options = {name: value for name, value in given.items() if value is not None}
    if "fields" in options:
        options["fields"] = {cls.model.resource_type: options["fields"]}
    return options


def with_signature(command: Any, text: str, parameters: Iterator[inspect.Parameter]) -> Any:
    """Set the signature of *command*, from which cyclopts reads its options, and its help *text*, and return it."""
    signature = inspect.Signature([*parameters], return_annotation=int)
    command.__signature__ = signature
    command.__annotations__ = {name: parameter.annotation for name, parameter in signature.parameters.items()}
    command.__doc__ = text
    return command


def _metadata(annotation: Any) -> tuple[Any, ...]:
    return getattr(annotation, "__metadata__", ())


def _command_line_type(annotation: Any) -> Any:
    # Anything but flags and numbers is text here; the filter parses ids, lists, dates and amounts itself.
    return {bool: bool | None, int: int | None}.get(annotation, str | None)
