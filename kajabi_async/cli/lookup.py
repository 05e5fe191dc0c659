"""``kajabi customers lookup``: many ids from a file or a pipe, one line of JSON for each."""

import asyncio
from typing import Any, Final, cast

from kajabi_async import BulkStalledError, Kajabi, KajabiError, Report
from kajabi_async.cli.id_files import IdLines, count_values, open_source
from kajabi_async.cli.leftover import keep_unanswered, waiting_observer
from kajabi_async.cli.screens import Screen, error_screen
from kajabi_async.cli.wording import counted
from kajabi_async.fetching.lookups import Lookups
from kajabi_async.fetching.plan import Strategy
from kajabi_async.models.names import Fieldsets
from kajabi_async.output import flush, output_is_stored, print_json, print_line

__all__ = ["explain_file", "look_up_file", "print_report"]


_SILENCE: Final = 5.0
"""Seconds without a line after which the rest of the ids is given up: a pipe may never end."""
_SILENCE_WHEN_INTERRUPTED: Final = 0.5


async def look_up_file(
    api: Kajabi,
    source: str,
    *,
    column: str | None,
    include: list[str],
    fields: Fieldsets | None,
    concurrency: int | None,
    ordered: bool,
    strategy: Strategy,
    patience: float,
    json: bool,
) -> int:
    """Look up every id in *source*, print the outcomes as they arrive, and return the exit code.

    If the run is interrupted or ends by an error, the ids without an outcome go to a file beside *source*.
    """
    screen = error_screen()
    with open_source(source) as lines:
        ids = IdLines(lines, column=column)
        run = api.customers.get_many(
            ids,
            include=cast("Any", include),
            fields=fields,
            concurrency=concurrency,
            ordered=ordered,
            strategy=strategy,
            patience=patience,
            observer=waiting_observer(screen, json=json),
        )
        try:
            await _print_all(run, screen, source, column)
        except asyncio.CancelledError:
            await _report(run, screen, json=json)
            await keep_unanswered(run, ids, source, silence=_SILENCE_WHEN_INTERRUPTED, json=json)
            raise
        except KajabiError as error:
            # Nothing was read from the source if the credentials were rejected at the start.
            if isinstance(error, BulkStalledError) or (await run.report()).total:
                await keep_unanswered(run, ids, source, silence=_SILENCE, json=json)
            raise
    report = await _report(run, screen, json=json)
    return 0 if report.found == report.total else 1


async def _report(run: Lookups[Any], screen: Screen, *, json: bool) -> Report:
    """Print what was done, and return it."""
    report = await run.report()
    if json:
        print_json({"report": report.to_dict()}, error=True)
    else:
        print_report(screen, report)
    return report


async def _print_all(run: Lookups[Any], screen: Screen, source: str, column: str | None) -> None:
    # On a terminal the rows themselves show the progress; the reader of a pipe may write to the same terminal.
    is_shown = screen.is_terminal and output_is_stored()
    total = await asyncio.to_thread(count_values, source, column=column) if is_shown else None
    with screen.progress(is_shown=is_shown, redirect=False) as bars:
        bars.show("looked up", completed=0, total=total)
        answered = 0
        async for lookup in run:
            print_json(lookup.to_dict(relations="loaded"))
            # The reader of a pipe gets each row as it arrives, and a closed pipe ends the run.
            flush()
            answered += 1
            bars.show("looked up", completed=answered, total=total)


async def explain_file(
    api: Kajabi,
    source: str,
    *,
    column: str | None,
    include: list[str],
    fields: Fieldsets | None,
    concurrency: int | None,
    json: bool,
) -> None:
    """Print the cost of looking up every id in *source* by each strategy; nothing is looked up."""
    with open_source(source) as lines:
        plan = await api.customers.plan(
            IdLines(lines, column=column), include=cast("Any", include), fields=fields, concurrency=concurrency
        )
    if json:
        print_json({"plan": plan.to_dict()})
    else:
        for line in str(plan).split("\n"):
            print_line(line)


def print_report(screen: Screen, report: Report) -> None:
    """Print the report of a run in a few lines."""
    rate = report.total / report.elapsed_seconds if report.elapsed_seconds else 0.0
    screen.line(
        f"{report.total:,} looked up in {report.elapsed_seconds:.2f} s ({rate:,.0f} a second): "
        f"{report.found:,} found, {report.missing:,} missing, {report.failed:,} failed"
    )
    screen.line(
        f"{counted(report.requests, 'request')}, {report.retries:,} of them repeated, "
        f"{counted(report.duplicates, 'id')} answered again; "
        f"{report.waiting_seconds:.2f} s waiting and {report.wire_seconds:.2f} s on the wire, over all requests"
    )
