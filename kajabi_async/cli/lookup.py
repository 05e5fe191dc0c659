"""``kajabi customers lookup``: many ids from a file or a pipe, one line of JSON for each."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final, TextIO

import attrs
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from kajabi_async import ConfigurationError, Kajabi, Lookup, Report
from kajabi_async.cli.rendering import as_json, as_members
from kajabi_async.cli.terminal import error_console, print_json

__all__ = ["look_up_file", "lookup_progress", "tell_report"]

_STANDARD_INPUT: Final = "-"


async def look_up_file(
    api: Kajabi,
    source: str,
    *,
    include: str,
    fields: dict[str, str] | None,
    concurrency: int | None,
    ordered: bool,
    json: bool,
) -> int:
    """Look up every id in *source*, print the outcomes as they arrive, and give the exit code."""
    console = error_console()
    with _opened(source) as lines:
        run = api.customers.get_many(
            _ids_in(lines), include=include, fields=fields, concurrency=concurrency, ordered=ordered
        )
        with lookup_progress(console) as progress:
            task = progress.add_task("looked up", total=None)
            async for lookup in run:
                sys.stdout.write(f"{as_json(_told(lookup))}\n")
                progress.advance(task)
    sys.stdout.flush()
    report = await run.report()
    if json:
        print_json({"report": attrs.asdict(report)}, to=sys.stderr)
    else:
        tell_report(console, report)
    return 0 if report.found == report.total else 1


def lookup_progress(console: Console) -> Progress:
    """Give a progress bar that shows on a terminal only."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def tell_report(console: Console, report: Report) -> None:
    """Print what a run came to in a few lines."""
    rate = report.total / report.elapsed_seconds if report.elapsed_seconds else 0.0
    console.print(
        f"{report.total:,} looked up in {report.elapsed_seconds:.2f} s ({rate:,.0f} a second): "
        f"{report.found:,} found, {report.missing:,} missing, {report.failed:,} failed"
    )
    console.print(
        f"{report.requests:,} requests, {report.retries:,} of them repeated, {report.duplicates:,} ids answered again; "
        f"{report.waiting_seconds:.2f} s waiting and {report.wire_seconds:.2f} s on the wire, over all requests"
    )


def _opened(source: str) -> TextIO:
    if source == _STANDARD_INPUT:
        return sys.stdin
    try:
        return Path(source).open(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"cannot read {source}: {error.strerror}") from None


async def _ids_in(lines: TextIO) -> AsyncIterator[str]:
    # In a thread: a pipe may take its time, and lookups go on meanwhile.
    while line := await asyncio.to_thread(lines.readline):
        resource_id = line.partition("#")[0].strip()
        if resource_id:
            yield resource_id


def _told(lookup: Lookup[Any]) -> dict[str, Any]:
    if lookup.found:
        return {"id": lookup.id, "found": True, "customer": as_members(lookup.customer)}
    return {"id": lookup.id, "found": False, "missing": lookup.missing, "error": str(lookup.error)}
