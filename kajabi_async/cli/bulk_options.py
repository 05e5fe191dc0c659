"""What the commands that look up a whole file of ids or emails take besides the file."""

import inspect
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Group, Parameter

from kajabi_async.checks import number, whole_number
from kajabi_async.cli.id_files import Content
from kajabi_async.cli.signatures import ResourceClass, option, relations_of, words_of
from kajabi_async.fetching.context import DEFAULT_CONCURRENCY
from kajabi_async.fetching.plan import Strategy
from kajabi_async.stall import PATIENCE_SECONDS

__all__ = ["bulk_options", "check_bulk_options", "file_argument"]


def file_argument(name: str, text: str) -> inspect.Parameter:
    """Return the argument that names the file; a path, so that shells complete file names."""
    annotation = Annotated[Path, Parameter(help=text, allow_leading_hyphen=True)]
    return inspect.Parameter(name, inspect.Parameter.POSITIONAL_ONLY, annotation=annotation)


def bulk_options(
    cls: ResourceClass, content: Content, *, strategies: str, group: Group | None = None
) -> Iterator[inspect.Parameter]:
    """Yield the options of a lookup of many of a resource, in a *group* of the help; each is None if it is not set."""
    settings: dict[str, Any] = {} if group is None else {"group": group}
    flag: dict[str, Any] = {**settings, "negative": ()}
    yield option(
        *("column", str | None),
        f"The column of the {content.plural} in a CSV file, by its name or number; `{content.noun}` by default.",
        **settings,
        word="NAME",
    )
    relations = ", ".join(relations_of(cls))
    yield option("include", str | None, f"Relations to include: {relations}.", **settings, word="NAME,...")
    text = f"Attributes of {words_of(cls)} to restrict the answers to."
    yield option("fields", str | None, text, **settings, word="NAME,...")
    yield option(
        "concurrency",
        int | None,
        f"The number of lookups at once. [default: {DEFAULT_CONCURRENCY}]",
        **settings,
        word="NUMBER",
    )
    yield option("ordered", bool | None, f"Print in the order of the {content.plural}.", **flag)
    yield option("strategy", Strategy | None, strategies, **settings)
    yield option(
        *("patience", float | None),
        "Seconds without any answer after which to stop; pauses of the API are not counted. "
        f"[default: {PATIENCE_SECONDS:g}]",
        **settings,
        word="SECONDS",
    )
    yield option("explain", bool | None, "Print what each strategy costs, and look nothing up.", **flag)


def check_bulk_options(given: Mapping[str, Any]) -> None:
    """Raise InvalidArgumentError for a number among the options that makes no sense."""
    if "concurrency" in given:
        whole_number(given["concurrency"], of="--concurrency", at_most=None)
    if "patience" in given:
        number(given["patience"], of="--patience", expected="a positive number of seconds", fits=lambda it: it > 0)
