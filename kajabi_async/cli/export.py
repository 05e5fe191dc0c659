"""``kajabi export RESOURCE``: a whole list into a file, with a progress bar and a checkpoint."""

import asyncio
import inspect
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import attrs
from cyclopts import App
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from kajabi_async import Kajabi
from kajabi_async.cli.leftover import waiting_shown
from kajabi_async.cli.reads import filter_options, option, resource_classes, shaped
from kajabi_async.cli.running import on_client
from kajabi_async.cli.terminal import error_console, print_json
from kajabi_async.export import FORMATS, ExportProgress, ExportReport, export

__all__ = ["add_exports"]

_HELP = (
    "Write a whole list to a file: Parquet, Arrow, JSON lines or CSV.\n\n"
    "An export that was interrupted or killed goes on where it stopped when the same command is given again; until it "
    "is whole, what came is kept in a folder beside the file, called like it with .partial behind. Rows that shift "
    "because others add and remove meanwhile are found by looking at every page twice, and told. Included resources go "
    "to files of their own: customers.offers.parquet beside customers.parquet. In CSV, text that a spreadsheet would "
    "run as a formula has a ' in front. Parquet and Arrow need the extra `arrow`."
)
_INCOMPLETE = 1


def add_exports(app: App) -> None:
    """Add ``kajabi export`` with a command for each resource to *app*."""
    group = App(name="export", help=_HELP)
    for cls in resource_classes():
        group.command(_export_command(cls), name=cls.name.replace("_", "-"))
    app.command(group)


def _export_command(cls: Any) -> Any:
    def command(
        *,
        out: str,
        format: str | None = None,
        restart: bool = False,
        fields: str | None = None,
        json: bool = False,
        **given: Any,
    ) -> int:
        options = {name: value for name, value in given.items() if value is not None}
        if fields is not None:
            options["fields"] = {cls.model.resource_type: fields}
        return on_client(lambda api: _export(api, cls.name, out, options, format=format, restart=restart, json=json))

    return shaped(command, f"Export {cls.name.replace('_', ' ')}.", _parameters(cls))


def _parameters(cls: Any) -> Iterator[inspect.Parameter]:
    known = cls.list_options.__annotations__
    yield option("out", str, "The file to write.", default=inspect.Parameter.empty)
    yield option("format", str | None, f"One of {', '.join(FORMATS)}; the suffix of the file says it, unless given.")
    yield option("restart", bool, "Discard what an earlier run has left and begin anew.", default=False, negative=())
    yield option("json", bool, "Print the report as one line of JSON; errors, too.", default=False, negative=())
    includable = sorted(name for name, relation in cls.model.relations.items() if relation.includable)
    if "include" in known and includable:
        yield option("include", str | None, f"Relations to bring along, with commas: {', '.join(includable)}.")
    if "fields" in known:
        yield option("fields", str | None, "Attributes and relations to restrict the export to, with commas.")
    if "page_size" in known:
        yield option("page_size", int | None, "Rows to ask for at a time, 100 unless given; fewer for a slow server.")
    yield from filter_options(cls)


async def _export(
    api: Kajabi, name: str, out: str, options: Mapping[str, Any], *, format: str | None, restart: bool, json: bool
) -> int:
    console = error_console()
    pages = getattr(api, name).list(**options)
    try:
        with _progress_bar(console) as bar:
            reading = bar.add_task("read", total=None)
            writing = bar.add_task("written", total=None, visible=False)

            tell_waiting = waiting_shown(console, json=json)

            def show(progress: ExportProgress) -> None:
                tell_waiting(progress)
                bar.update(reading, completed=progress.rows, total=progress.listed)
                bar.update(writing, completed=progress.written, visible=progress.written > 0)

            report = await export(pages, out, format=format, restart=restart, observer=show)
    except asyncio.CancelledError:
        if not json:
            sys.stderr.write("kajabi: what came is kept; give the same command again to go on\n")
        raise
    if json:
        print_json(_members(report))
    else:
        _tell(report, name.replace("_", " "))
    return _INCOMPLETE if report.malformed or report.lacking else 0


def _progress_bar(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def _members(report: ExportReport) -> dict[str, Any]:
    members = attrs.asdict(report)
    return {**members, "paths": [str(path) for path in report.paths], "warnings": list(report.warnings)}


def _tell(report: ExportReport, name: str) -> None:
    """Print what the export came to, to standard error as all that is said to people here."""
    if report.resumed_from is not None:
        sys.stderr.write(f"went on after {report.resumed_from:,} rows of an earlier run\n")
    included = "".join(f", {count:,} {type_name}" for type_name, count in sorted(report.related.items()))
    sys.stderr.write(f"{report.rows:,} {name}{included} in {report.pages:,} pages, {report.seconds:.1f} s\n")
    for path in report.paths:
        sys.stderr.write(f"{path}\n")
    for warning in report.warnings:
        sys.stderr.write(f"warning: {warning}\n")
