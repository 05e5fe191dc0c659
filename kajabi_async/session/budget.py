"""The retry budget: how many repeats a client may add to the load of a server that is failing."""

from typing import Final

from kajabi_async.errors import ConfigurationError

__all__ = ["RetryBudget"]

_EARNED_BY_SUCCESS: Final = 0.2


class RetryBudget:
    """Repeats in stock: each repeat takes one, each success brings a fifth of one back, up to *capacity*.

    A server that fails now and then has all of its failures repeated. In an outage the stock runs dry, and from then
    on at most every fifth request that succeeds pays for another's repeat: load grows by a fifth, not by a factor.
    """

    def __init__(self, capacity: float) -> None:
        if isinstance(capacity, bool) or not capacity >= 0:
            raise ConfigurationError(f"the retry budget must be a number of at least 0, got {capacity!r}")
        self._capacity = self._left = float(capacity)
        self.is_full = True
        """Whether a success brings nothing any more."""

    @property
    def left(self) -> float:
        """How many repeats are in stock."""
        return self._left

    def earn(self) -> None:
        """Note a success."""
        self._left = min(self._capacity, self._left + _EARNED_BY_SUCCESS)
        self.is_full = self._left == self._capacity

    def spend(self) -> bool:
        """Take one repeat; False where there is none in stock."""
        if self._left < 1.0:
            return False
        self._left -= 1.0
        self.is_full = False
        return True
