"""What filters read besides the row that they test: other resources, the time, and the behaviour of the server."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import attrs

from kajabi_async.testing.comparing import moment
from kajabi_async.testing.dataset.family import Readable
from kajabi_async.testing.quirks import Quirks
from kajabi_async.testing.state import Source

__all__ = ["FilterScope", "Moment", "Passes"]

Passes = Callable[[Readable], bool]

_NO_TIME: Final = timedelta(0)
_JUST_AFTER: Final = timedelta(microseconds=1)


class Moment:
    """A time to compare others with; it remembers when the next of these comparisons turns out otherwise."""

    def __init__(self, now: datetime) -> None:
        """Compare with *now*."""
        self.now = now
        self.until: datetime | None = None
        """The earliest of the compared times that lie ahead."""
        self.is_compared = False
        """Whether a time was compared."""

    def has_reached(self, time: datetime, after: timedelta = _NO_TIME) -> bool:
        """Return whether *time* and *after* have passed, or pass now."""
        self.is_compared = True
        try:
            due = time + after
        except OverflowError:
            return False
        if due <= self.now:
            return True
        if self.until is None or due < self.until:
            self.until = due
        return False

    def is_past(self, time: datetime, after: timedelta) -> bool:
        """Return whether it is later than *time* and *after*, and not just then."""
        return self.has_reached(time, after + _JUST_AFTER)

    def has_changed(self, now: datetime) -> bool:
        """Return whether a comparison so far turns out otherwise at *now*, which is not earlier."""
        return self.until is not None and now >= self.until

    def is_set_back(self, now: datetime) -> bool:
        """Return whether *now* is earlier, so that the comparisons so far may turn out otherwise."""
        return self.is_compared and now < self.now

    def restart(self, now: datetime) -> None:
        """Compare with *now* from here on, and forget the comparisons so far."""
        self.now, self.until, self.is_compared = now, None, False


@attrs.frozen
class FilterScope:
    """The resources, the time and the behaviour that the filters of one list work with."""

    source: Source[Readable]
    moment: Moment
    quirks: Quirks
    sites: frozenset[str]
    """The ids of the current sites."""

    def ignores(self, filter_name: str) -> bool:
        """Return whether the server ignores a filter."""
        return self.quirks.gte == "ignored" and filter_name.endswith(("_gte", "_lte"))

    def is_searchable(self, person: Readable) -> bool:
        """Return whether the search finds a contact or customer by now."""
        if str(person.value("email")).casefold() in self.quirks.unsearchable:
            return False
        created = moment(person.value("created_at")) if self.quirks.search_lag else None
        return created is None or self.moment.has_reached(created, timedelta(seconds=self.quirks.search_lag))

    def has_ended(self, purchase: Readable) -> bool:
        """Return whether the purchase grants no access any more; its end may lie in the future."""
        ended = moment(purchase.value("deactivated_at"))
        return ended is not None and self.moment.has_reached(ended)
