"""From what a scan has found out to a plan: requests and seconds either way, and why one of them is chosen."""

from typing import Any

from kajabi_async.resources.lookup_plan import LookupPlan, Speed
from kajabi_async.resources.outlook import ListSize
from kajabi_async.resources.scan import MOST_PAGES_AT_ONCE, Scan

__all__ = ["plan_for"]


async def plan_for(scan: Scan[Any]) -> LookupPlan:
    """Read the ids of *scan*, ask for the first page of the list where that can pay, and give the plan.

    AuthenticationError and ConfigurationError are raised; where the page fails in another way, lookups are planned.
    """
    await scan.read_ids()
    mean_before = _mean_seconds(scan)
    if scan.is_worth_a_page():
        await scan.turn()
    asked = 0 if scan.turner is None else scan.turner.tally.attempts
    speed = _speed(scan, mean_before)
    outlook = scan.outlook
    size = outlook.size
    scanned = None if scan.lacks is not None or size is None else outlook.in_all
    is_scanned = scanned is not None and sum(scanned) < outlook.wanted
    return LookupPlan(
        strategy="scan" if is_scanned else "lookup",
        ids=outlook.wanted,
        list_rows=None if size is None else size.rows,
        list_pages=None if size is None else size.pages,
        lookup_requests=outlook.wanted,
        scan_requests=None if scanned is None else sum(scanned),
        lookup_seconds=speed.seconds_for(lookups=outlook.wanted, pages=0),
        scan_seconds=None if scanned is None else speed.seconds_for(pages=scanned[0], lookups=scanned[1]),
        because=_because(scan, scanned, size),
        estimated_from=str(speed),
        asked=asked,
    )


def _because(scan: Scan[Any], scanned: tuple[int, int] | None, size: ListSize | None) -> str:
    wanted, failure = scan.outlook.wanted, None if scan.turner is None else scan.turner.failure
    if not wanted:
        return "there is nothing to look up"
    if scan.turner is None:
        return "no list brings what is asked for"
    if failure is not None:
        return f"the list cannot be read: {failure}"
    if scan.lacks is not None:
        return f"the list does not bring along what is to be included: {scan.lacks}"
    if scanned is None or size is None:
        return (
            "the server does not say how long the list is"
            if scan.outlook.pages
            else "to ask how long the list is would take as many requests as it could save"
        )
    rows = "" if size.rows is None else f"{size.rows:,} rows on "
    pages, lookups = scanned
    needed = "all of it" if pages >= size.pages else _counted(pages, "page")
    guessed = " if ids go on as on the first page" if 1 < pages < size.pages else ""
    after = f", and {_counted(lookups, 'lookup')} of ids that are not there" if lookups else ""
    return f"the list has {rows}{_counted(size.pages, 'page')}; a scan takes {needed}{guessed}{after}"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _mean_seconds(scan: Scan[Any]) -> tuple[float, int] | None:
    """Give how long an answer took on average so far, and of how many; None before the first."""
    count = scan.backend.stats
    stats = None if count is None else count()
    return None if stats is None or not stats.attempts else (stats.wire_seconds / stats.attempts, stats.attempts)


def _speed(scan: Scan[Any], mean_before: tuple[float, int] | None) -> Speed:
    count = scan.backend.stats
    tally = None if scan.turner is None else scan.turner.tally
    page = tally.wire_seconds / tally.attempts if tally is not None and tally.attempts else None
    mean, answers = mean_before or (page, 0)
    return Speed(
        at_once=scan.concurrency,
        pages_at_once=min(scan.concurrency, MOST_PAGES_AT_ONCE),
        per_second=None if count is None else count().requests_per_second,
        lookup_seconds=mean,
        page_seconds=mean if page is None else page,
        answers=answers,
    )
