"""``kajabi customers lookup``: many ids from a file or a pipe, one line of JSON for each."""

import sys
from typing import Any

import attrs

from kajabi_async import Kajabi, Lookup, Report
from kajabi_async.cli.ids import ids_in, opened
from kajabi_async.cli.rendering import as_members, print_members
from kajabi_async.cli.terminal import Screen, error_screen
from kajabi_async.output import flush, print_json, print_line
from kajabi_async.resources.lookup_plan import Strategy

__all__ = ["explain_file", "look_up_file", "tell_report"]


async def look_up_file(
    api: Kajabi,
    source: str,
    *,
    include: str,
    fields: dict[str, str] | None,
    concurrency: int | None,
    ordered: bool,
    strategy: Strategy,
    json: bool,
) -> int:
    """Look up every id in *source*, print the outcomes as they arrive, and give the exit code."""
    screen = error_screen()
    with opened(source) as lines:
        run = api.customers.get_many(
            ids_in(lines),
            include=include,
            fields=fields,
            concurrency=concurrency,
            ordered=ordered,
            strategy=strategy,
        )
        # On a terminal the rows themselves show how far it is.
        with screen.progress(is_shown=not sys.stdout.isatty(), redirect=False) as bars:
            bars.show("looked up", completed=0)
            answered = 0
            async for lookup in run:
                print_members(_told(lookup))
                # Whoever reads a pipe gets each row as it comes, and we hear of it when they stop.
                flush()
                answered += 1
                bars.show("looked up", completed=answered)
    report = await run.report()
    if json:
        print_json({"report": attrs.asdict(report)}, error=True)
    else:
        tell_report(screen, report)
    return 0 if report.found == report.total else 1


async def explain_file(
    api: Kajabi, source: str, *, include: str, fields: dict[str, str] | None, concurrency: int | None, json: bool
) -> None:
    """Print what looking up every id in *source* would take by each strategy; nothing is looked up."""
    with opened(source) as lines:
        plan = await api.customers.plan(ids_in(lines), include=include, fields=fields, concurrency=concurrency)
    if json:
        print_json({"plan": attrs.asdict(plan)})
    else:
        for line in str(plan).split("\n"):
            print_line(line)


def tell_report(screen: Screen, report: Report) -> None:
    """Print what a run came to in a few lines."""
    rate = report.total / report.elapsed_seconds if report.elapsed_seconds else 0.0
    screen.line(
        f"{report.total:,} looked up in {report.elapsed_seconds:.2f} s ({rate:,.0f} a second): "
        f"{report.found:,} found, {report.missing:,} missing, {report.failed:,} failed"
    )
    screen.line(
        f"{report.requests:,} requests, {report.retries:,} of them repeated, {report.duplicates:,} ids answered again; "
        f"{report.waiting_seconds:.2f} s waiting and {report.wire_seconds:.2f} s on the wire, over all requests"
    )


def _told(lookup: Lookup[Any]) -> dict[str, Any]:
    if lookup.found:
        return {"id": lookup.id, "found": True, "customer": as_members(lookup.customer)}
    return {"id": lookup.id, "found": False, "missing": lookup.missing, "error": str(lookup.error)}
