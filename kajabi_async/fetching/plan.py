"""The cost of a bulk lookup before it is run: by single lookups, and by a scan of the list."""

import math
from typing import Any, Final, Literal

import attrs

from kajabi_async.fetching.forecast import ListSize
from kajabi_async.fetching.scan import MOST_PAGES_AT_ONCE, Scan
from kajabi_async.plain import PlainRecord
from kajabi_async.wording import counted

__all__ = ["LookupPlan", "Speed", "Strategy", "explained", "plan_for"]

Strategy = Literal["lookup", "scan", "auto"]
"""How to look up many ids: each by itself, off the pages of the list, or whichever takes fewer requests."""

_MINUTE: Final = 60.0
_HOUR: Final = 3600.0
_ROUND_FROM: Final = 10.0


@attrs.frozen(kw_only=True)
class LookupPlan(PlainRecord):
    """The cost of looking up many ids either way, and the way that takes fewer requests; ``str()`` shows it in lines.

    Requests are counted without token requests and retries. Nothing in it is a promise: lists grow, and the speed of
    the server changes.
    """

    strategy: Literal["lookup", "scan"]
    """The way that takes fewer requests; ``lookup`` if both take the same."""
    ids: int
    """The number of different, valid ids or emails."""
    list_rows: int | None
    """The number of rows of the list; None if it was not requested, or the server does not say."""
    list_pages: int | None
    """The number of pages of the list; None as for its rows."""
    lookup_requests: int
    """One for each: exact for ids; an email that many others contain may take more."""
    scan_requests: int | None
    """Pages, and a lookup for each id that no page is expected to bring; an estimate, None if there is none."""
    lookup_seconds: float | None
    """The duration of the lookups at the client's pace; an estimate, None before the first answer."""
    scan_seconds: float | None
    """The duration of the scan; an estimate, None if there is none."""
    because: str
    """The reason for the strategy, in a clause."""
    estimated_from: str
    """What the seconds were estimated from, in a clause."""
    asked: int
    """Requests that the plan itself took: one for the first page of the list, or none if that cannot pay."""

    @property
    def requests(self) -> int:
        """The requests of the chosen strategy."""
        scanned = self.scan_requests
        return self.lookup_requests if self.strategy == "lookup" or scanned is None else scanned

    @property
    def seconds(self) -> float | None:
        """The seconds of the chosen strategy."""
        return self.lookup_seconds if self.strategy == "lookup" else self.scan_seconds

    def __str__(self) -> str:
        return "\n".join(
            [
                _line("lookup", self.lookup_requests, self.lookup_seconds, is_chosen=self.strategy == "lookup"),
                _line("scan", self.scan_requests, self.scan_seconds, is_chosen=self.strategy == "scan"),
                f"because {self.because}",
                f"times estimated from {self.estimated_from}",
            ]
        )


@attrs.frozen(kw_only=True)
class Speed:
    """The speed of a client, as far as it is known."""

    at_once: int
    pages_at_once: int
    per_second: float | None
    """The limit of requests a second; None if none is known."""
    lookup_seconds: float | None
    """The duration of a lookup; None before the first answer."""
    page_seconds: float | None
    """The duration of a page of the list."""
    answers: int
    """The number of answers that `lookup_seconds` is the mean of; 0 if it is taken from a page."""

    def seconds_for(self, *, lookups: int, pages: int) -> float | None:
        """Return the estimated duration of ``lookups`` and ``pages``; None if nothing is known."""
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
            known.append("a lookup assumed to take as long, as none was answered yet")
        return ", ".join(known)


def explained(seconds: float) -> str:
    """Return the duration in words, as roughly as an estimate deserves."""
    if seconds < 1.0:
        return "under a second"
    if seconds < 2 * _MINUTE:
        return f"about {seconds:.0f} s"
    number, unit = (seconds / _MINUTE, "min") if seconds < 2 * _HOUR else (seconds / _HOUR, "h")
    return f"about {number:,.{1 if number < _ROUND_FROM else 0}f} {unit}"


def _line(name: str, requests: int | None, seconds: float | None, *, is_chosen: bool) -> str:
    cost = "unknown" if requests is None else counted(requests, "request")
    parts = [f"{name:<6}  {cost}"]
    if requests is not None and seconds is not None:
        parts.append(explained(seconds))
    if is_chosen:
        parts.append("chosen")
    return ", ".join(parts)


async def plan_for(scan: Scan[Any]) -> LookupPlan:
    """Read the ids of ``scan``, request the first page of the list if that can pay, and return the plan.

    AuthenticationError and ConfigurationError are raised; if the page fails in another way, lookups are planned.
    """
    await scan.read_ids()
    mean_before = _mean_seconds(scan)
    if scan.is_worth_a_page():
        await scan.fetch_pages()
    asked = 0 if scan.pages is None else scan.pages.tally.attempts
    speed = _speed(scan, mean_before)
    forecast = scan.forecast
    size = forecast.size
    scanned = None if scan.lacks is not None or size is None else forecast.total
    is_scanned = scanned is not None and sum(scanned) < forecast.ids
    return LookupPlan(
        strategy="scan" if is_scanned else "lookup",
        ids=forecast.ids,
        list_rows=None if size is None else size.rows,
        list_pages=None if size is None else size.pages,
        lookup_requests=forecast.ids,
        scan_requests=None if scanned is None else sum(scanned),
        lookup_seconds=speed.seconds_for(lookups=forecast.ids, pages=0),
        scan_seconds=None if scanned is None else speed.seconds_for(pages=scanned[0], lookups=scanned[1]),
        because=_because(scan, scanned, size),
        estimated_from=str(speed),
        asked=asked,
    )


def _because(scan: Scan[Any], scanned: tuple[int, int] | None, size: ListSize | None) -> str:
    ids, failure = scan.forecast.ids, None if scan.pages is None else scan.pages.failure
    if not ids:
        return "there is nothing to look up"
    if scan.pages is None:
        return "no list brings what is asked for"
    if failure is not None:
        return f"the list cannot be read: {failure}"
    if scan.lacks is not None:
        return f"the list does not bring along what is to be included: {scan.lacks}"
    if scanned is None or size is None:
        return (
            "the server does not say how long the list is"
            if scan.forecast.pages
            else "to ask how long the list is would take as many requests as it could save"
        )
    rows = "" if size.rows is None else f"{counted(size.rows, 'row')} on "
    pages, lookups = scanned
    needed = "all of it" if pages >= size.pages else counted(pages, "page")
    guessed = f" if {scan.noun} go on as on the first page" if 1 < pages < size.pages else ""
    absent = f"an {scan.noun.removesuffix('s')} that is" if lookups == 1 else f"{scan.noun} that are"
    after = f", and {counted(lookups, 'lookup')} of {absent} not there" if lookups else ""
    return f"the list has {rows}{counted(size.pages, 'page')}; a scan takes {needed}{guessed}{after}"


def _mean_seconds(scan: Scan[Any]) -> tuple[float, int] | None:
    """Return the mean duration of the answers so far, and their number; None before the first."""
    stats = scan.context.stats()
    return (stats.wire_seconds / stats.attempts, stats.attempts) if stats.attempts else None


def _speed(scan: Scan[Any], mean_before: tuple[float, int] | None) -> Speed:
    tally = None if scan.pages is None else scan.pages.tally
    page = tally.wire_seconds / tally.attempts if tally is not None and tally.attempts else None
    mean, answers = mean_before or (page, 0)
    return Speed(
        at_once=scan.concurrency,
        pages_at_once=min(scan.concurrency, MOST_PAGES_AT_ONCE),
        per_second=scan.context.stats().requests_per_second,
        lookup_seconds=mean,
        page_seconds=mean if page is None else page,
        answers=answers,
    )
