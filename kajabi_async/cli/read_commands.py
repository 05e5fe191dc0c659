"""``kajabi RESOURCE list`` and ``get`` for every resource, built from the declarations of the resource classes."""

import inspect
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from kajabi_async.checks import whole_number
from kajabi_async.cli.credentials.profiles import profile_option
from kajabi_async.cli.options import refuse_email
from kajabi_async.cli.rendering import as_members, column_names, print_resource, print_rows
from kajabi_async.cli.running import on_client
from kajabi_async.cli.screens import error_screen
from kajabi_async.cli.signatures import (
    ResourceClass,
    command_name,
    date_note,
    example_site,
    fields_option,
    filter_options,
    flag,
    include_option,
    needs_site,
    option,
    relations_of,
    takes_include,
    typed_options,
    with_signature,
    words_of,
)
from kajabi_async.errors import InvalidArgumentError
from kajabi_async.models.resource import Resource
from kajabi_async.output import flush, print_json
from kajabi_async.wording import counted

if TYPE_CHECKING:
    from kajabi_async.client import Kajabi

__all__ = ["get_command", "list_command"]

_DEFAULT_LIMIT: Final = 20
_USUAL_KEYS: Final = ("created_at", "published_at", "publish_at", "title", "name")
_NOT_EXPORTED: Final = frozenset({"sort", "page_size"})


def list_command(cls: ResourceClass) -> Any:
    """Return the command ``list`` of a resource."""

    def command(*, limit: int = _DEFAULT_LIMIT, columns: str | None = None, json: bool = False, **given: Any) -> int:
        whole_number(limit, of="--limit", at_most=None)
        if columns is not None and json:
            raise InvalidArgumentError("--columns is for tables: --json prints every member")
        names = None if columns is None else column_names(columns, cls.model)
        options = typed_options(cls, given)
        return on_client(lambda api: _print_list(api, cls, options, limit=limit, columns=names, as_lines=json))

    return with_signature(command, _list_help(cls), _list_parameters(cls))


def _list_help(cls: ResourceClass) -> str:
    start = f"kajabi {command_name(cls)} list{example_site(cls)}"
    second = f"{start} --sort -{_sort_key(cls)} --json" if _sorts(cls) else f"{start} --json"
    if "include" in _known(cls) and relations_of(cls):
        name = relations_of(cls)[0]
        second = f"{start} --include {name} --columns id,{name}"
    return (
        f"List {words_of(cls)}.\n\nPrints a table on a terminal, and lines with tabs between the cells in a pipe; "
        f"times are in UTC.\n\n{date_note(cls)}Examples:\n  {start} --limit 50\n  {second}"
    )


def _sort_key(cls: ResourceClass) -> str:
    """Return the key that people most likely sort by."""
    return next((key for key in _USUAL_KEYS if key in cls.sort_keys), min(cls.sort_keys))


def _known(cls: ResourceClass) -> Any:
    return cls.list_options.__annotations__


def _sorts(cls: ResourceClass) -> bool:
    return "sort" in _known(cls) and bool(cls.sort_keys)


def _list_parameters(cls: ResourceClass) -> Iterator[inspect.Parameter]:
    known = _known(cls)
    yield option("limit", int, "The largest number of rows to print.", default=_DEFAULT_LIMIT, word="NUMBER")
    if _sorts(cls):
        yield option(
            *("sort", str | None),
            f"Keys to sort by, '-' in front for descending: {', '.join(sorted(cls.sort_keys))}.",
            word="KEY,...",
            allow_leading_hyphen=True,
        )
    if "include" in known:
        yield from include_option(cls)
    yield option(
        *("columns", str | None),
        "Attributes and relations to print, separated by commas, instead of those that fit.",
        word="NAME,...",
    )
    if "page_size" in known:
        yield option("page_size", int | None, "Rows to request at a time; the server may send fewer.", word="NUMBER")
    yield flag("json", "Print a line of JSON for each row; errors, too.")
    yield from filter_options(cls)


async def _print_list(
    api: "Kajabi",
    cls: ResourceClass,
    options: dict[str, Any],
    *,
    limit: int,
    columns: Sequence[str] | None,
    as_lines: bool,
) -> None:
    pages = getattr(api, cls.name).list(**options)
    rows: tuple[Resource, ...] = await pages.collect(limit=limit)
    if as_lines:
        for row in rows:
            print_json(as_members(row))
    elif rows:
        included = (step.partition(".")[0].strip() for step in options.get("include", "").split(","))
        print_rows(rows, cls.model, columns=columns, included=[step for step in included if step])
    flush()
    if pages.position is not None:
        _print_rest(cls, options, len(rows), await pages.count(), as_json=as_lines)
    elif not rows and not as_lines:
        error_screen().line(f"no {words_of(cls)}")


def _print_rest(cls: ResourceClass, options: dict[str, Any], printed: int, total: int | None, *, as_json: bool) -> None:
    """Print on standard error what the list has besides the *printed* rows, and how to get it."""
    if total is not None and total <= printed:
        total = None
    if as_json:
        print_json({"report": {"rows": printed, "total": total}}, error=True)
        return
    screen = error_screen()
    if total is None:
        screen.line(f"{printed:,} {words_of(cls)}, and there are more: raise --limit")
    else:
        screen.line(f"{printed:,} of {counted(total, words_of(cls).removesuffix('s'))}; --limit {total} prints all")
    name = command_name(cls)
    export = " ".join(["kajabi export", name, *_typed(options), f"--out {name}.csv"]) + profile_option()
    screen.line(f"`{export}` writes all to a file")


def _typed(options: Mapping[str, Any]) -> Iterator[str]:
    """Yield those options of a list that an export takes, too, as they are typed."""
    for name, value in options.items():
        option_name = name.replace("_", "-")
        if name in _NOT_EXPORTED:
            continue
        if isinstance(value, bool):
            yield f"--{option_name}" if value else f"--no-{option_name}"
        else:
            yield f"--{option_name} {shlex.quote(str(value))}"


def get_command(cls: ResourceClass) -> Any:
    """Return the command ``get`` of a resource."""

    def command(id: str, *, json: bool = False, **given: Any) -> int:
        refuse_email(id, command_name(cls))
        options = typed_options(cls, given)

        async def show(api: "Kajabi") -> None:
            print_resource(await getattr(api, cls.name).get(id, **options), json=json)

        return on_client(show)

    return with_signature(command, _get_help(cls), _get_parameters(cls))


def _get_help(cls: ResourceClass) -> str:
    start = f"kajabi {command_name(cls)} get 1{example_site(cls)}"
    second = f"{start} --json"
    if takes_include(cls) and relations_of(cls):
        name = relations_of(cls)[0]
        second = f"{start} --include {name}"
    return f"Show one of the {words_of(cls)}, by its id.\n\nExamples:\n  {start}\n  {second}"


def _get_parameters(cls: ResourceClass) -> Iterator[inspect.Parameter]:
    yield inspect.Parameter("id", inspect.Parameter.POSITIONAL_ONLY, annotation=str)
    if needs_site(cls):
        yield option("site_id", str | None, "The site; KAJABI_SITE_ID by default.", word="ID")
    if takes_include(cls):
        yield from include_option(cls)
        yield fields_option()
    yield flag("json", "Print one line of JSON; errors, too.")
