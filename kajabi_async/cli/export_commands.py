"""``kajabi export RESOURCE``: a whole list written to a file, with a progress bar and a checkpoint."""

import asyncio
import inspect
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs
from cyclopts import App

from kajabi_async.checks import whole_number
from kajabi_async.cli.confirming import confirm
from kajabi_async.cli.contents import COMMANDS, Command
from kajabi_async.cli.error_lines import print_sentence
from kajabi_async.cli.front import ExitCode
from kajabi_async.cli.leftover import waiting_observer
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
    option,
    resource_classes,
    typed_options,
    with_signature,
    words_of,
)
from kajabi_async.errors import InvalidArgumentError
from kajabi_async.export import FORMATS, ExportProgress, ExportReport, export
from kajabi_async.output import flush, print_file, print_json, print_line
from kajabi_async.private_files import private_folder
from kajabi_async.wording import counted

if TYPE_CHECKING:
    from kajabi_async.client import Kajabi

__all__ = ["export_group"]

_HELP: Final = """Write a whole list to a file: Parquet, Arrow, JSON lines or CSV.

Run the same command again to resume an export that was interrupted or killed: until it is complete, its rows are
kept in a folder beside the file, named like it with .partial appended. Rows that shift between pages during the
export are found by reading every page twice, and reported. Included resources go to files of their own:
customers.offers.parquet beside customers.parquet. A new file is readable by you alone; one that exists is replaced
only if you say so, or with --force. In CSV, a ' precedes a cell that a spreadsheet would run as a formula. Parquet
and Arrow need the extra `arrow`.

Examples:
  kajabi export customers --include offers --out customers.parquet
  kajabi export orders --created-at-gteq 2024-01-01 --out - --format csv
"""
_STANDARD_OUTPUT: Final = "-"
_STREAMED: Final = ("jsonl", "csv")
"""The formats that standard output takes: the others are binary, with an index that only a file can be read by."""


@attrs.frozen
class _Options:
    """What every export takes besides the options of its list."""

    out: str
    format: str | None
    restart: bool
    json: bool


def export_group(command: Command) -> App:
    """Return the group with a command for each resource."""
    group = App(name=command.name, help=_HELP)
    for family in {each.family for each in COMMANDS if each.family}:
        import_module(f"kajabi_async.resources.{family}")
    for cls in resource_classes():
        group.command(_export_command(cls), name=command_name(cls))
    return group


def _export_command(cls: ResourceClass) -> Any:
    def command(
        *,
        out: str,
        format: str | None = None,
        restart: bool = False,
        force: bool = False,
        json: bool = False,
        **given: Any,
    ) -> int:
        chosen = _Options(out, format, restart, json)
        options = typed_options(cls, given)
        if "page_size" in options:
            whole_number(options["page_size"], of="--page-size")
        if out == _STANDARD_OUTPUT:
            return _to_standard_output(cls, options, chosen)
        _check_overwriting(Path(out), force=force)
        return on_client(lambda api: _export(api, cls.name, options, chosen), sends_many=True)

    name = command_name(cls)
    site = example_site(cls)
    examples = f"  kajabi export {name} --out {name}.csv{site}\n  kajabi export {name} --out - --format jsonl{site}"
    return with_signature(
        command,
        f"Export {words_of(cls)}.\n\n`kajabi help export` says how an export works.\n\n"
        f"{date_note(cls)}Examples:\n{examples}",
        _parameters(cls),
    )


def _parameters(cls: ResourceClass) -> Iterator[inspect.Parameter]:
    known = cls.list_options.__annotations__
    yield option(
        *("out", str, "The file to write; - for standard output, in the formats jsonl and csv."),
        default=inspect.Parameter.empty,
        word="FILE",
        allow_leading_hyphen=True,
    )
    yield option(
        *("format", str | None, f"One of {', '.join(FORMATS)}; by default the suffix of the file, jsonl for -."),
        word="NAME",
    )
    yield flag("restart", "Discard what an earlier run left and start over.")
    yield flag("force", "Replace a file that exists without asking.")
    yield flag("json", "Print the report as one line of JSON; errors, too.")
    if "include" in known:
        yield from include_option(cls)
    if "fields" in known:
        yield fields_option()
    if "page_size" in known:
        text = "Rows to request at a time, 100 by default; fewer for a slow server."
        yield option("page_size", int | None, text, word="NUMBER")
    yield from filter_options(cls)


def _check_overwriting(path: Path, *, force: bool) -> None:
    if path.is_file() and not path.is_symlink():
        confirm(f"replace {path}, which exists", yes=force, option="--force")


def _to_standard_output(cls: ResourceClass, options: Mapping[str, Any], chosen: _Options) -> int:
    """Export to a folder of its own and copy the file from there: rows are final when every page was read."""
    form = chosen.format or _STREAMED[0]
    if form not in _STREAMED:
        raise InvalidArgumentError(
            f"standard output takes {' and '.join(_STREAMED)}, not {form[:40]!r}: name a file with --out"
        )
    if "include" in options:
        raise InvalidArgumentError("included resources go to files of their own: name a file with --out")
    if chosen.json:
        raise InvalidArgumentError("the rows go to standard output, so --json cannot print the report there")
    with private_folder() as folder:
        path = folder / f"{command_name(cls)}.{form}"
        settings = attrs.evolve(chosen, out=str(path), format=form)
        code = on_client(lambda api: _export(api, cls.name, options, settings, is_kept=False), sends_many=True)
        print_file(path)
        flush()
    return code


def _listed(api: "Kajabi", name: str, options: Mapping[str, Any]) -> Any:
    """Return the list to export; an error of its arguments names the export in place of the list."""
    try:
        return getattr(api, name).list(**options)
    except InvalidArgumentError as error:
        own = f"{name}.list "
        if str(error).startswith(own):
            text = f"export {name.replace('_', '-')} {str(error).removeprefix(own)}"
            raise InvalidArgumentError(text) from None
        raise


async def _export(
    api: "Kajabi", name: str, options: Mapping[str, Any], chosen: _Options, *, is_kept: bool = True
) -> int:
    pages = _listed(api, name, options)
    latest: ExportProgress | None = None
    try:
        screen = error_screen()
        show_waiting = waiting_observer(screen, json=chosen.json)
        with screen.progress() as bars:
            bars.show("read", completed=0)

            def show(progress: ExportProgress) -> None:
                nonlocal latest
                latest = progress
                show_waiting(progress)
                bars.show("read", completed=progress.rows, total=progress.listed)
                if progress.written:
                    bars.show("written", completed=progress.written)

            report = await export(pages, chosen.out, format=chosen.format, restart=chosen.restart, observer=show)
    except asyncio.CancelledError:
        if not chosen.json and is_kept:
            _print_kept(latest)
        raise
    if chosen.json:
        print_json(report.to_dict())
    else:
        _print_report(report, name.replace("_", " "), names_files=is_kept)
    return ExitCode.INCOMPLETE if report.malformed or report.lacking else ExitCode.DONE


def _print_kept(progress: ExportProgress | None) -> None:
    rows = 0 if progress is None else progress.rows
    if not rows:
        return
    kept = f"{counted(rows, 'row')} so far {'is' if rows == 1 else 'are'} kept"
    print_sentence(f"{kept}; run the same command again to resume")


def _print_report(report: ExportReport, name: str, *, names_files: bool) -> None:
    """Print the result of the export on standard error."""
    if report.resumed_from is not None:
        print_line(f"resumed after {counted(report.resumed_from, 'row')} of an earlier run", error=True)
    parts = [(report.rows, name), *((count, type_name) for type_name, count in sorted(report.related.items()))]
    rows = ", ".join(counted(count, plural.removesuffix("s"), plural) for count, plural in parts)
    print_line(f"{rows} in {counted(report.pages, 'page')}, {report.seconds:.1f} s", error=True)
    for path in report.paths if names_files else ():
        print_line(str(path), error=True)
    for warning in report.warnings:
        print_line(f"warning: {warning}", error=True)
