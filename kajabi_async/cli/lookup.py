"""Many ids or emails from a file or a pipe, one line of JSON for each: ``customers lookup``, and ``find`` of a file."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import attrs
from cyclopts import Group, Parameter

from kajabi_async.checks import number, whole_number
from kajabi_async.cli.error_lines import message_of
from kajabi_async.cli.front import ExitCode
from kajabi_async.cli.id_files import IdLines, count_values, open_source
from kajabi_async.cli.leftover import keep_unanswered, waiting_observer
from kajabi_async.cli.running import on_client
from kajabi_async.cli.screens import Screen, error_screen
from kajabi_async.cli.signatures import (
    ResourceClass,
    flag,
    option,
    relations_of,
    typed_options,
    with_signature,
    words_of,
)
from kajabi_async.cli.value_lines import IDS, Content
from kajabi_async.errors import BulkStalledError, KajabiError
from kajabi_async.fetching.context import DEFAULT_CONCURRENCY
from kajabi_async.fetching.lookups import BulkRun
from kajabi_async.fetching.outcomes import Report
from kajabi_async.fetching.plan import LookupPlan, Strategy
from kajabi_async.output import flush, output_is_stored, print_json, print_line
from kajabi_async.stall import PATIENCE_SECONDS
from kajabi_async.wording import counted

__all__ = ["bulk_options", "file_argument", "look_up_all", "lookup_command"]

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
_SILENCE: Final = 5.0
"""Seconds without a line after which the rest of the source is given up: a pipe may never end."""
_SILENCE_WHEN_INTERRUPTED: Final = 0.5


def lookup_command(cls: ResourceClass) -> Any:
    """Return the command ``lookup`` of customers."""

    def lookup(source: Path, *, json: bool = False, **given: Any) -> int:
        return look_up_all(cls, "get_many", str(source), IDS, typed_options(cls, given), json=json)

    return with_signature(lookup, _HELP, _parameters(cls))


def _parameters(cls: ResourceClass) -> Iterator[inspect.Parameter]:
    yield file_argument("source", "A file with an id on each line, or a CSV file; - for standard input.")
    yield from bulk_options(cls, IDS, strategies=_STRATEGIES)
    yield flag("json", "Print the report, the plan and errors as JSON, too.")


def file_argument(name: str, text: str) -> inspect.Parameter:
    """Return the argument that names the file; a path, so that shells complete file names."""
    annotation = Annotated[Path, Parameter(help=text, allow_leading_hyphen=True)]
    return inspect.Parameter(name, inspect.Parameter.POSITIONAL_ONLY, annotation=annotation)


def bulk_options(
    cls: ResourceClass, content: Content, *, strategies: str, group: Group | None = None
) -> Iterator[inspect.Parameter]:
    """Yield the options of a lookup of many of a resource, in a *group* of the help; each is None if it is not set."""
    settings: dict[str, Any] = {} if group is None else {"group": group}
    switch: dict[str, Any] = {**settings, "negative": ()}
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
    yield option("ordered", bool | None, f"Print in the order of the {content.plural}.", **switch)
    yield option("strategy", Strategy | None, strategies, **settings)
    yield option(
        *("patience", float | None),
        "Seconds without any answer after which to stop; pauses of the API are not counted. "
        f"[default: {PATIENCE_SECONDS:g}]",
        **settings,
        word="SECONDS",
    )
    yield option("explain", bool | None, "Print what each strategy costs, and look nothing up.", **switch)


def look_up_all(
    cls: ResourceClass, method: str, source: str, content: Content, options: dict[str, Any], *, json: bool
) -> int:
    """Look up everything in the file *source* by a *method* of a resource, and return the exit code.

    The *options* are those of `bulk_options`: with ``explain`` it only prints what that costs by each strategy.
    InvalidArgumentError for a number among them that makes no sense.
    """
    if "concurrency" in options:
        whole_number(options["concurrency"], of="--concurrency", at_most=None)
    if "patience" in options:
        number(options["patience"], of="--patience", expected="a positive number of seconds", fits=lambda it: it > 0)
    chosen = attrs.evolve(content, column=options.pop("column", None))
    action, called = (_explain, "plan") if options.pop("explain", False) else (_look_up, method)
    return on_client(
        lambda api: action(getattr(getattr(api, cls.name), called), source, chosen, options, json=json),
        sends_many=True,
    )


async def _look_up(
    start: Callable[..., BulkRun[Any]], source: str, content: Content, options: Mapping[str, Any], *, json: bool
) -> int:
    """Print each outcome as it arrives; what has none when the run ends early goes to a file beside *source*."""
    screen = error_screen()
    with open_source(source, content) as opened:
        lines = IdLines(opened, content)
        run = start(lines, observer=waiting_observer(screen, json=json), **options)
        try:
            await _print_all(run, screen, source, content)
        except asyncio.CancelledError:
            await _report(run, screen, content, json=json)
            await keep_unanswered(run, lines, source, content, silence=_SILENCE_WHEN_INTERRUPTED, json=json)
            raise
        except KajabiError as error:
            # Nothing was read from the source if the credentials were rejected at the start.
            if isinstance(error, BulkStalledError) or (await run.report()).total:
                await keep_unanswered(run, lines, source, content, silence=_SILENCE, json=json)
            raise
    report = await _report(run, screen, content, json=json, is_over=True)
    return ExitCode.DONE if report.found == report.total else ExitCode.INCOMPLETE


async def _report(run: BulkRun[Any], screen: Screen, content: Content, *, json: bool, is_over: bool = False) -> Report:
    """Print what was done, and return it; *is_over* if the whole source was read."""
    report = await run.report()
    if json:
        print_json({"report": report.to_dict()}, error=True)
    elif is_over and not report.total:
        screen.line(f"no {content.plural} to look up")
    else:
        _print_report(screen, report, content.noun)
    return report


async def _print_all(run: BulkRun[Any], screen: Screen, source: str, content: Content) -> None:
    # On a terminal the rows themselves show the progress; the reader of a pipe may write to the same terminal.
    is_shown = screen.is_terminal and output_is_stored()
    total = await asyncio.to_thread(count_values, source, content) if is_shown else None
    with screen.progress(is_shown=is_shown, redirect=False) as bars:
        bars.show("looked up", completed=0, total=total)
        answered = 0
        async for lookup in run:
            print_json(_members(lookup))
            # The reader of a pipe gets each row as it arrives, and a closed pipe ends the run.
            flush()
            answered += 1
            bars.show("looked up", completed=answered, total=total)


def _members(lookup: Any) -> dict[str, Any]:
    members: dict[str, Any] = lookup.to_dict(relations="loaded")
    return members if lookup.error is None else {**members, "error": message_of(lookup.error)}


async def _explain(
    plan: Callable[..., Awaitable[LookupPlan]], source: str, content: Content, options: Mapping[str, Any], *, json: bool
) -> int:
    """Print the cost of looking up everything in *source* by each strategy; nothing is looked up."""
    planned = {name: value for name, value in options.items() if name not in _NOT_PLANNED}
    with open_source(source, content) as lines:
        cost = await plan(**{content.plural: IdLines(lines, content)}, **planned)
    if json:
        print_json({"plan": cost.to_dict()})
    else:
        for line in str(cost).split("\n"):
            print_line(line)
    return ExitCode.DONE


def _print_report(screen: Screen, report: Report, noun: str) -> None:
    """Print the report of a run in a few lines."""
    rate = report.total / report.elapsed_seconds if report.elapsed_seconds else 0.0
    screen.line(
        f"{report.total:,} looked up in {report.elapsed_seconds:.2f} s ({rate:,.0f} a second): "
        f"{report.found:,} found, {report.missing:,} missing, {report.failed:,} failed"
    )
    screen.line(
        f"{counted(report.requests, 'request')}, {report.retries:,} of them retries, "
        f"{counted(report.duplicates, f'duplicate {noun}')}; "
        f"{report.waiting_seconds:.2f} s waiting and {report.wire_seconds:.2f} s on the wire, over all requests"
    )
