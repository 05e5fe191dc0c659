"""``kajabi export RESOURCE``: a whole list written to a file, with a progress bar and a checkpoint."""

import asyncio
import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from cyclopts import App

from kajabi_async import Kajabi
from kajabi_async.cli.leftover import waiting_observer
from kajabi_async.cli.read_commands import filter_options, option, resource_classes, with_signature
from kajabi_async.cli.running import on_client
from kajabi_async.cli.terminal import error_screen
from kajabi_async.export import FORMATS, ExportProgress, ExportReport, export
from kajabi_async.output import print_json, print_line

__all__ = ["add_exports"]

_HELP = (
    "Write a whole list to a file: Parquet, Arrow, JSON lines or CSV.\n\n"
    "Run the same command again to resume an export that was interrupted or killed: until it is complete, its rows are "
    "kept in a folder beside the file, named like it with .partial appended. Rows that shift between pages during the "
    "export are found by reading every page twice, and reported. Included resources go to files of their own: "
    "customers.offers.parquet beside customers.parquet. A new file is readable by you alone. "
    "In CSV, a ' precedes a cell that a spreadsheet would run as a formula. Parquet and Arrow need the extra `arrow`."
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

    return with_signature(command, f"Export {cls.name.replace('_', ' ')}.", _parameters(cls))


def _parameters(cls: Any) -> Iterator[inspect.Parameter]:
    known = cls.list_options.__annotations__
    yield option("out", str, "The file to write.", default=inspect.Parameter.empty)
    yield option("format", str | None, f"One of {', '.join(FORMATS)}; by default the suffix of the file.")
    yield option("restart", bool, "Discard what an earlier run left and start over.", default=False, negative=())
    yield option("json", bool, "Print the report as one line of JSON; errors, too.", default=False, negative=())
    includable = sorted(name for name, relation in cls.model.relations.items() if relation.includable)
    if "include" in known and includable:
        yield option("include", str | None, f"Relations to include, separated by commas: {', '.join(includable)}.")
    if "fields" in known:
        yield option("fields", str | None, "Attributes and relations to restrict the export to, separated by commas.")
    if "page_size" in known:
        yield option("page_size", int | None, "Rows to request at a time, 100 by default; fewer for a slow server.")
    yield from filter_options(cls)


async def _export(
    api: Kajabi, name: str, out: str, options: Mapping[str, Any], *, format: str | None, restart: bool, json: bool
) -> int:
    pages = getattr(api, name).list(**options)
    try:
        screen = error_screen()
        show_waiting = waiting_observer(screen, json=json)
        with screen.progress() as bars:
            bars.show("read", completed=0)

            def show(progress: ExportProgress) -> None:
                show_waiting(progress)
                bars.show("read", completed=progress.rows, total=progress.listed)
                if progress.written:
                    bars.show("written", completed=progress.written)

            report = await export(pages, out, format=format, restart=restart, observer=show)
    except asyncio.CancelledError:
        if not json:
            print_line("kajabi: the rows so far are kept; run the same command again to resume", error=True)
        raise
    if json:
        print_json(report.to_dict())
    else:
        _print_report(report, name.replace("_", " "))
    return _INCOMPLETE if report.malformed or report.lacking else 0


def _print_report(report: ExportReport, name: str) -> None:
    """Print the result of the export on standard error."""
    if report.resumed_from is not None:
        print_line(f"resumed after {report.resumed_from:,} rows of an earlier run", error=True)
    included = "".join(f", {count:,} {type_name}" for type_name, count in sorted(report.related.items()))
    print_line(f"{report.rows:,} {name}{included} in {report.pages:,} pages, {report.seconds:.1f} s", error=True)
    for path in report.paths:
        print_line(str(path), error=True)
    for warning in report.warnings:
        print_line(f"warning: {warning}", error=True)
