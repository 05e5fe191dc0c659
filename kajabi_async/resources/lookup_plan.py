"""What a bulk lookup will take, before it is run: by single lookups, and by scanning the list."""

import math
from typing import Final, Literal

import attrs

__all__ = ["LookupPlan", "Speed", "Strategy", "explained"]

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
