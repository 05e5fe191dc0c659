"""``kajabi RESOURCE list`` and ``get`` for every resource, built from the declarations of the resource classes."""

import inspect
from collections.abc import Iterator
from typing import Annotated, Any, Final, get_type_hints

from cyclopts import App, Group, Parameter

from kajabi_async import Kajabi, Resource
from kajabi_async.cli.rendering import as_members, print_resource, print_rows
from kajabi_async.cli.running import on_client
from kajabi_async.cli.terminal import output_screen
from kajabi_async.output import print_json
from kajabi_async.resources.base import Gettable, Listable

__all__ = ["add_reads", "filter_options", "option", "resource_classes", "with_signature"]

ResourceClass = Any
"""A subclass of `Listable` for any model; its declarations are read at run time."""

_FILTERS: Final = Group("Filters", sort_key=2)
_DEFAULT_LIMIT: Final = 20
_NEEDS_SITE: Final = "payouts"


def resource_classes() -> list[ResourceClass]:
    """Return the class of every resource that can be listed, sorted by name."""
    listable: ResourceClass = Listable
    return sorted((cls for cls in listable.__subclasses__() if "name" in vars(cls)), key=lambda cls: str(cls.name))


def add_reads(app: App) -> dict[str, App]:
    """Add a command group for each resource to *app*, and return the groups by the client's attribute names."""
    groups: dict[str, App] = {}
    for cls in resource_classes():
        group = App(name=cls.name.replace("_", "-"), help=_summary(cls))
        group.command(_list_command(cls), name="list")
        group.command(_get_command(cls), name="get")
        groups[cls.name] = group
        app.command(group)
    return groups


def _summary(cls: ResourceClass) -> str:
    """Return the first paragraph of the class's docstring without its leading name."""
    text = " ".join((inspect.getdoc(cls) or "").partition("\n\n")[0].split())
    summary = text.removeprefix(f"``api.{cls.name}``").lstrip(":;. ").replace("``", "`")
    return f"{summary[:1].upper()}{summary[1:]}" if summary else f"{cls.name.replace('_', ' ').capitalize()}."


def _list_command(cls: ResourceClass) -> Any:
    def command(*, limit: int = _DEFAULT_LIMIT, json: bool = False, **given: Any) -> int:
        options = {name: value for name, value in given.items() if value is not None}
        return on_client(lambda api: _print_list(api, cls, options, limit=limit, as_lines=json))

    return with_signature(command, f"List {cls.name.replace('_', ' ')}.", _list_parameters(cls))


def _list_parameters(cls: ResourceClass) -> Iterator[inspect.Parameter]:
    known = cls.list_options.__annotations__
    sort_keys = ", ".join(sorted(cls.sort_keys))
    if "sort" in known and sort_keys:
        yield option(
            "sort", str | None, f"Keys to sort by, '-' in front for descending: {sort_keys}.", allow_leading_hyphen=True
        )
    if "page_size" in known:
        yield option("page_size", int | None, "Rows to request at a time; the server may send fewer.")
    yield option("limit", int, "The largest number of rows to print.", default=_DEFAULT_LIMIT)
    yield option("json", bool, "Print a line of JSON for each row; errors, too.", default=False, negative=())
    yield from filter_options(cls)


def filter_options(cls: ResourceClass) -> Iterator[inspect.Parameter]:
    """Yield an option for each filter of a resource."""
    for name, annotation in get_type_hints(cls.filters).items():
        yield option(name, _command_line_type(annotation), "", group=_FILTERS)


def _command_line_type(annotation: Any) -> Any:
    # Anything but flags and numbers is text here; the filter parses ids, lists, dates and amounts itself.
    return {bool: bool | None, int: int | None}.get(annotation, str | None)


async def _print_list(api: Kajabi, cls: ResourceClass, options: dict[str, Any], *, limit: int, as_lines: bool) -> None:
    rows: tuple[Resource, ...] = await getattr(api, cls.name).list(**options).collect(limit=limit)
    if as_lines:
        for row in rows:
            print_json(as_members(row))
    else:
        print_rows(output_screen(), rows, cls.model)


def _get_command(cls: ResourceClass) -> Any:
    def command(id: str, *, fields: str | None = None, json: bool = False, **given: Any) -> int:
        options = {name: value for name, value in given.items() if value is not None}
        if fields is not None:
            options["fields"] = {cls.model.resource_type: fields}
        return on_client(lambda api: _print_one(api, cls.name, id, options, as_line=json))

    return with_signature(command, f"Show one of the {cls.name.replace('_', ' ')}.", _get_parameters(cls))


def _get_parameters(cls: ResourceClass) -> Iterator[inspect.Parameter]:
    yield inspect.Parameter("id", inspect.Parameter.POSITIONAL_ONLY, annotation=str)
    if cls.name == _NEEDS_SITE:
        yield option("site_id", str | None, "The site; KAJABI_SITE_ID by default.")
    if _takes_include(cls):
        includable = sorted(name for name, relation in cls.model.relations.items() if relation.includable)
        if includable:
            yield option("include", str | None, f"Relations to include, separated by commas: {', '.join(includable)}.")
        yield option("fields", str | None, "Attributes to restrict the answer to, separated by commas.")
    yield option("json", bool, "Print one line of JSON; errors, too.", default=False, negative=())


def _takes_include(cls: type) -> bool:
    return issubclass(cls, Gettable)


async def _print_one(api: Kajabi, name: str, resource_id: str, options: dict[str, Any], *, as_line: bool) -> None:
    resource: Resource = await getattr(api, name).get(resource_id, **options)
    if as_line:
        print_json(as_members(resource))
    else:
        print_resource(output_screen(), resource)


def option(name: str, annotation: Any, text: str, *, default: Any = None, **settings: Any) -> inspect.Parameter:
    """Return an option of a command built at run time; *settings* are those of `cyclopts.Parameter`."""
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=default,
        annotation=Annotated[annotation, Parameter(help=text, **settings)],
    )


def with_signature(command: Any, text: str, parameters: Iterator[inspect.Parameter]) -> Any:
    """Set the signature of *command*, from which cyclopts reads its options, and return it."""
    signature = inspect.Signature([*parameters], return_annotation=int)
    command.__signature__ = signature
    command.__annotations__ = {name: parameter.annotation for name, parameter in signature.parameters.items()}
    command.__doc__ = text
    return command
