"""Many ids or emails from a file or a pipe, one line of JSON for each: ``kajabi customers lookup`` and ``find``."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from kajabi_async import BulkStalledError, KajabiError, LookupPlan, Report
from kajabi_async.cli.exit_codes import message_of
from kajabi_async.cli.id_files import IDS, Content, IdLines, count_values, open_source
from kajabi_async.cli.leftover import keep_unanswered, waiting_observer
from kajabi_async.cli.screens import Screen, error_screen
from kajabi_async.fetching.lookups import BulkRun, Observer
from kajabi_async.output import flush, output_is_stored, print_json, print_line
from kajabi_async.wording import counted

__all__ = ["explain_file", "look_up_file", "print_report"]


_SILENCE: Final = 5.0
"""Seconds without a line after which the rest of the source is given up: a pipe may never end."""
_SILENCE_WHEN_INTERRUPTED: Final = 0.5


async def look_up_file(
    start: Callable[[IdLines, Observer], BulkRun[Any]], source: str, content: Content, *, json: bool
) -> int:
    """Look up everything in *source* in the run that *start* returns, and return the exit code.

    Outcomes are printed as they arrive. If the run is interrupted or ends by an error, what has no outcome goes to a
    file beside *source*.
    """
    screen = error_screen()
    with open_source(source, content) as opened:
        lines = IdLines(opened, content)
        run = start(lines, waiting_observer(screen, json=json))
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
    return 0 if report.found == report.total else 1


async def _report(run: BulkRun[Any], screen: Screen, content: Content, *, json: bool, is_over: bool = False) -> Report:
    """Print what was done, and return it; *is_over* if the whole source was read."""
    report = await run.report()
    if json:
        print_json({"report": report.to_dict()}, error=True)
    elif is_over and not report.total:
        screen.line(f"no {content.plural} to look up")
    else:
        print_report(screen, report, noun=content.noun)
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


async def explain_file(
    plan_for: Callable[[IdLines], Awaitable[LookupPlan]], source: str, content: Content, *, json: bool
) -> None:
    """Print the cost of looking up everything in *source* by each strategy; nothing is looked up."""
    with open_source(source, content) as lines:
        plan = await plan_for(IdLines(lines, content))
    if json:
        print_json({"plan": plan.to_dict()})
    else:
        for line in str(plan).split("\n"):
            print_line(line)


def print_report(screen: Screen, report: Report, *, noun: str = IDS.noun) -> None:
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
