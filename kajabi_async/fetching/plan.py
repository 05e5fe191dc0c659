"""What a bulk lookup will take, before it is run: by single lookups, and by scanning the list."""

import math
from typing import Any, Final, Literal

import attrs

from kajabi_async.fetching.forecast import ListSize
from kajabi_async.fetching.scan import MOST_PAGES_AT_ONCE, Scan

__all__ = ["LookupPlan", "Speed", "Strategy", "explained", "plan_for"]

Strategy = Literal["lookup", "scan", "auto"]
"""How to look up many ids: each by itself, off the pages of the list, or whichever is fewer requests."""

_MINUTE: Final = 60.0
_HOUR: Final = 3600.0
_ROUND_FROM: Final = 10.0


@attrs.frozen(kw_only=True)
class LookupPlan:
    """What looking up many ids will take either way, and which way is fewer requests; ``str()`` tells it in lines.

    Requests are counted without those for a token, and without repeats. Nothing in it is a promise: lists grow, and
    how fast the server answers changes.
    """

    strategy: Literal["lookup", "scan"]
    """What takes fewer requests; where both take the same, ``lookup``."""
    ids: int
    """How many different ids there are that can be asked for."""
    list_rows: int | None
    """How long the list is; None where it was not asked for, or the server does not say."""
    list_pages: int | None
    """On how many pages the list comes."""
    lookup_requests: int
    """One for each of the different ids: exact."""
    scan_requests: int | None
    """Pages, and a lookup for each id that no page is expected to bring; an estimate, None where none can be made."""
    lookup_seconds: float | None
    """How long the lookups would take at the client's pace; an estimate, None before anything was answered."""
    scan_seconds: float | None
    """How long the scan would take; an estimate, None where none can be made."""
    because: str
    """Why it is this strategy, in a clause."""
    estimated_from: str
    """What the seconds were worked out from, in a clause."""
    asked: int
    """Requests that the plan itself took: one for the first page of the list, or none where that cannot pay."""

    @property
    def requests(self) -> int:
        """Requests by the strategy that was chosen."""
        scanned = self.scan_requests
        return self.lookup_requests if self.strategy == "lookup" or scanned is None else scanned

    @property
    def seconds(self) -> float | None:
        """Seconds by the strategy that was chosen."""
        return self.lookup_seconds if self.strategy == "lookup" else self.scan_seconds

    def __str__(self) -> str:
        return "\n".join(
            [
                _line("lookup", self.lookup_requests, self.lookup_seconds, is_chosen=self.strategy == "lookup"),
                _line("scan", self.scan_requests, self.scan_seconds, is_chosen=self.strategy == "scan"),
                f"because {self.because}",
                f"times from {self.estimated_from}",
            ]
        )


@attrs.frozen(kw_only=True)
class Speed:
    """How fast a client goes, as far as it is known."""

    at_once: int
    pages_at_once: int
    per_second: float | None
    """Requests a second that are let go; None where no limit is known."""
    lookup_seconds: float | None
    """How long an answer takes; None before there was one."""
    page_seconds: float | None
    """How long a page of the list takes."""
    answers: int
    """Of how many answers `lookup_seconds` is the mean; 0 where it is a guess by the page."""

    def seconds_for(self, *, lookups: int, pages: int) -> float | None:
        """Give about how long *lookups* and *pages* take; None where nothing is known."""
        requests = lookups + pages
        if not requests:
            return 0.0
        paced = None if self.per_second is None else requests / self.per_second
        if self.lookup_seconds is None or self.page_seconds is None:
            return paced
        unpaced = math.ceil(lookups / self.at_once) * self.lookup_seconds
        unpaced += math.ceil(pages / self.pages_at_once) * self.page_seconds
        return unpaced if paced is None else max(paced, unpaced)

    def __str__(self) -> str:
        known = [f"{self.at_once} at a time"]
        if self.per_second is not None:
            known.append(f"{self.per_second:,.1f} requests a second")
        if self.lookup_seconds is not None and self.answers:
            known.append(f"{self.lookup_seconds:.3f} s an answer, the mean of {self.answers:,} so far")
        if self.page_seconds is not None:
            known.append(f"{self.page_seconds:.3f} s a page")
        if self.lookup_seconds is None:
            known.append("nothing was answered yet")
        elif not self.answers:
            known.append("a lookup taken to last as long, as none was answered yet")
        return ", ".join(known)


def explained(seconds: float) -> str:
    """Tell how long that is, as roughly as an estimate deserves."""
    if seconds < 1.0:
        return "under a second"
    if seconds < 2 * _MINUTE:
        return f"about {seconds:.0f} s"
    number, unit = (seconds / _MINUTE, "min") if seconds < 2 * _HOUR else (seconds / _HOUR, "h")
    return f"about {number:,.{1 if number < _ROUND_FROM else 0}f} {unit}"


def _line(name: str, requests: int | None, seconds: float | None, *, is_chosen: bool) -> str:
    counted = "unknown" if requests is None else f"{requests:,} request{'' if requests == 1 else 's'}"
    told = [f"{name:<6}  {counted}"]
    if requests is not None and seconds is not None:
        told.append(explained(seconds))
    if is_chosen:
        told.append("chosen")
    return ", ".join(told)


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
    count = scan.context.stats
    stats = None if count is None else count()
    return None if stats is None or not stats.attempts else (stats.wire_seconds / stats.attempts, stats.attempts)


def _speed(scan: Scan[Any], mean_before: tuple[float, int] | None) -> Speed:
    count = scan.context.stats
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
