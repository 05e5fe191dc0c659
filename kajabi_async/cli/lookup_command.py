"""``kajabi customers lookup``: its options, before any of the SDK that the run needs is imported."""

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs

from kajabi_async.cli.bulk_options import bulk_options, check_bulk_options, file_argument
from kajabi_async.cli.id_files import IDS, Content, IdLines
from kajabi_async.cli.running import on_client
from kajabi_async.cli.signatures import ResourceClass, option, with_signature

if TYPE_CHECKING:
    from kajabi_async.client import Kajabi
    from kajabi_async.fetching.lookups import Lookups, Observer
    from kajabi_async.models.people import Customer

__all__ = ["lookup_command"]

_HELP: Final = """Look up the customers whose ids are in a file, one per line.

Prints a line of JSON for each as it arrives; progress goes to standard error. Empty lines and text after a # are
skipped. A CSV file, as spreadsheets save it, needs a first line with the names of its columns. The exit code is 1
if any id was not found.

The run waits through a pause or an outage. Without any answer for --patience seconds it ends with the exit code 4;
if interrupted, with 130. Both write the ids without an answer to the file SOURCE.unanswered (ids.unanswered for
standard input); pass that file to the next call.

--strategy lookup starts with the first id, and suits a slow pipe. scan reads the list of customers and looks up
the ids that are not on it; auto chooses whichever needs fewer requests. Both wait for the last id, and their rows
have the offers only with --include offers. --explain sends one request at most.

Examples:
  kajabi customers lookup ids.txt > customers.jsonl
  kajabi customers lookup ids.txt --include offers --explain
"""
_STRATEGIES: Final = (
    "One request per id, the pages of the list, or whichever needs fewer requests (auto); lookup by default."
)
_NOT_PLANNED: Final = frozenset({"ordered", "strategy", "patience"})
"""The options on which the cost of a strategy does not depend."""


def lookup_command(cls: ResourceClass) -> Any:
    """Return the command ``lookup`` of customers."""

    def lookup(source: Path, *, json: bool = False, **given: Any) -> int:
        options = {option: value for option, value in given.items() if value is not None}
        check_bulk_options(options)
        content = attrs.evolve(IDS, column=options.pop("column", None))
        if "include" in options:
            options["include"] = options["include"].split(",")
        if "fields" in options:
            options["fields"] = {"customers": options["fields"]}
        action = _explain if options.pop("explain", False) else _look_up
        return on_client(lambda api: action(api, str(source), content, options, json=json), sends_many=True)

    return with_signature(lookup, _HELP, _parameters(cls))


def _parameters(cls: ResourceClass) -> Iterator[inspect.Parameter]:
    yield file_argument("source", "A file with an id on each line, or a CSV file; - for standard input.")
    yield from bulk_options(cls, IDS, strategies=_STRATEGIES)
    yield option("json", bool, "Print the report, the plan and errors as JSON, too.", default=False, negative=())


async def _look_up(api: "Kajabi", source: str, content: Content, options: dict[str, Any], *, json: bool) -> int:
    # Imported here and below, as it needs the client: a refused argument does not.
    from kajabi_async.cli.lookup import look_up_file  # noqa: PLC0415

    def start(ids: IdLines, observer: "Observer") -> "Lookups[Customer]":
        return api.customers.get_many(ids, observer=observer, **options)

    return await look_up_file(start, source, content, json=json)


async def _explain(api: "Kajabi", source: str, content: Content, options: dict[str, Any], *, json: bool) -> None:
    from kajabi_async.cli.lookup import explain_file  # noqa: PLC0415

    planned = {name: value for name, value in options.items() if name not in _NOT_PLANNED}
    await explain_file(lambda ids: api.customers.plan(ids, **planned), source, content, json=json)
