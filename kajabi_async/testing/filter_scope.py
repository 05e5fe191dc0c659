"""What filters read besides the row that they test."""

from collections.abc import Callable

import attrs

from kajabi_async.testing.comparing import moment
from kajabi_async.testing.moments import Moment
from kajabi_async.testing.quirks import Quirks
from kajabi_async.testing.rows import Readable
from kajabi_async.testing.state import Source

__all__ = ["FilterScope", "Passes"]

Passes = Callable[[Readable], bool]


@attrs.frozen
class FilterScope:
    """The resources, the time and the behaviour that the filters of one list work with."""

    source: Source[Readable]
    moment: Moment
    quirks: Quirks
    sites: frozenset[str]
    """The ids of the current sites."""

    def has_ended(self, purchase: Readable) -> bool:
        """Return whether the purchase grants no access any more; its end may lie in the future."""
        ended = moment(purchase.value("deactivated_at"))
        return ended is not None and self.moment.has_reached(ended)
