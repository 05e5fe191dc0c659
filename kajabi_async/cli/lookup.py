"""``kajabi customers lookup``: many ids from a file or a pipe, one line of JSON for each."""

import asyncio
import sys
from typing import Any, Final

import attrs
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from kajabi_async import BulkStalledError, Kajabi, KajabiError, Lookup, Report
from kajabi_async.cli.ids import IdLines, opened
from kajabi_async.cli.leftover import keep_unanswered, waiting_shown
from kajabi_async.cli.rendering import as_json, as_members
from kajabi_async.cli.terminal import error_console, print_json
from kajabi_async.resources.bulk import Lookups
from kajabi_async.resources.lookup_plan import Strategy

__all__ = ["explain_file", "look_up_file", "lookup_progress", "tell_report"]


_SILENCE: Final = 5.0
"""Seconds to wait for the rest of the ids after a run has ended: a pipe may have no end."""
_SILENCE_WHEN_INTERRUPTED: Final = 0.5


async def look_up_file(
    api: Kajabi,
    source: str,
    *,
    include: str,
    fields: dict[str, str] | None,
    concurrency: int | None,
    ordered: bool,
    strategy: Strategy,
    patience: float,
    json: bool,
) -> int:
    """Look up every id in *source*, print the outcomes as they arrive, and return the exit code.

    If the run is interrupted or ends by an error, the ids without an outcome go to a file beside *source*.
    """
    console = error_console()
    with opened(source) as lines:
        ids = IdLines(lines)
        run = api.customers.get_many(
            ids,
            include=include,
            fields=fields,
            concurrency=concurrency,
            ordered=ordered,
            strategy=strategy,
            patience=patience,
            observer=waiting_shown(console, json=json),
        )
        try:
            await _print_all(run, console)
        except asyncio.CancelledError:
            await keep_unanswered(run, ids, source, silence=_SILENCE_WHEN_INTERRUPTED, json=json)
            raise
        except KajabiError as error:
            # Credentials that were refused at the start leave the ids where they are.
            if isinstance(error, BulkStalledError) or (await run.report()).total:
                await keep_unanswered(run, ids, source, silence=_SILENCE, json=json)
            raise
    report = await run.report()
    if json:
        print_json({"report": attrs.asdict(report)}, to=sys.stderr)
    else:
        tell_report(console, report)
    return 0 if report.found == report.total else 1


async def _print_all(run: Lookups[Any], console: Console) -> None:
    with lookup_progress(console) as progress:
        task = progress.add_task("looked up", total=None)
        async for lookup in run:
            sys.stdout.write(f"{as_json(_told(lookup))}\n")
            # Whoever reads a pipe gets each row as it comes, and we hear of it when they stop.
            sys.stdout.flush()
            progress.advance(task)


async def explain_file(
    api: Kajabi, source: str, *, include: str, fields: dict[str, str] | None, concurrency: int | None, json: bool
) -> None:
    """Print what looking up every id in *source* would take by each strategy; nothing is looked up."""
    with opened(source) as lines:
        plan = await api.customers.plan(IdLines(lines), include=include, fields=fields, concurrency=concurrency)
    if json:
        print_json({"plan": attrs.asdict(plan)})
    else:
        sys.stdout.write(f"{plan}\n")


def lookup_progress(console: Console) -> Progress:
    """Give a progress bar that shows on a terminal only, and not where the rows go to the same terminal."""
    is_shown = console.is_terminal and not (console.stderr and sys.stdout.isatty())
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    # Not redirected: rich would print the rows on its own console, which is another stream, and wrap them.
    return Progress(
        *columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False, disable=not is_shown
    )


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


def _told(lookup: Lookup[Any]) -> dict[str, Any]:
    if lookup.found:
        return {"id": lookup.id, "found": True, "customer": as_members(lookup.customer)}
    return {"id": lookup.id, "found": False, "missing": lookup.missing, "error": str(lookup.error)}
