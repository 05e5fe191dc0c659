"""A number of places, and who stands in line for one; moments are on a clock of the caller's."""

import asyncio
from collections import OrderedDict

__all__ = ["Places", "TooLateError"]


class TooLateError(Exception):
    """What somebody waits for cannot come before their deadline."""

    def __init__(self, seconds_left: float) -> None:
        super().__init__()
        self.seconds_left = seconds_left


class Places:
    """A number of places and the line before them: one that comes free wakes one who waits, and nobody else.

    Unlike asyncio's semaphore it can tell those in line that waiting has become pointless.
    """

    def __init__(self, number: int) -> None:
        self.free = number
        """Where it is above zero, a place may be taken by taking one off: that is `enter` without waiting."""
        self._line: OrderedDict[asyncio.Future[None], float | None] = OrderedDict()

    @property
    def waiting(self) -> int:
        """How many stand in line."""
        return len(self._line)

    async def enter(self, deadline: float | None = None) -> None:
        """Wait for a place and take it; TooLateError where waiting until *deadline* has become pointless."""
        if self.free > 0:
            self.free -= 1
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._line[future] = deadline
        try:
            await future
        except BaseException:
            if future in self._line:
                del self._line[future]
            elif _was_given(future):
                # The place came in the same moment as the cancellation.
                self.leave()
            raise

    def leave(self) -> None:
        """Give a place back, to whoever has waited longest."""
        while self._line:
            future, _ = self._line.popitem(last=False)
            if not future.done():
                future.set_result(None)
                return
        self.free += 1

    def refuse_late(self, until: float, now: float) -> None:
        """Tell everybody in line whose deadline is not after *until* that they need not wait."""
        for future, deadline in self._line.items():
            if deadline is not None and deadline <= until and not future.done():
                future.set_exception(TooLateError(until - now))


def _was_given(future: "asyncio.Future[None]") -> bool:
    return future.done() and not future.cancelled() and future.exception() is None
