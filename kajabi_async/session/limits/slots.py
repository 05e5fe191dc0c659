"""The slots of the gate: calls come before the lookups of runs, and find as many slots free as calls needed lately.

A run that has all slots would otherwise hold up each call until one of its answers arrives.
"""

from typing import Final

from kajabi_async.concurrency import Waiters

__all__ = ["MOST_PASSED", "Slots"]

MOST_PASSED: Final = 9
"""The most calls in a row that pass a waiting lookup of a run, so that a run goes on in any case."""
_KEPT_SECONDS: Final = 1.0
"""Slots that no call has needed for this long are no longer kept for calls."""


class Slots:
    """A number of slots; at most half of them are kept for calls, and these are free or used by calls."""

    def __init__(self, slots: int) -> None:
        self.free = slots
        """The number of free slots that calls and runs may take."""
        self.kept = 0
        """The number of free slots that only calls may take."""
        self.in_runs = 0
        """The number of slots that lookups of runs have."""
        self._most_kept = slots // 2
        self.unneeded = 0
        """The least `kept` since the latest review."""
        self._review_at = 0.0
        self._calls: Waiters[None] = Waiters()
        self._lookups: Waiters[None] = Waiters()
        self._passed = 0
        """How many calls got a slot in a row while a lookup waited."""

    @property
    def waiting(self) -> int:
        """The number of requests that wait for a slot."""
        return len(self._calls) + len(self._lookups)

    @property
    def any_free(self) -> bool:
        """Whether a call finds a slot."""
        return self.free > 0 or self.kept > 0

    async def enter(self, deadline: float | None) -> None:
        """Wait for a slot for a call; TooLateError as soon as a pause is found to end after *deadline*."""
        if self.kept > 0:
            self._take_kept()
        elif self.free > 0:
            self.free -= 1
        else:
            await self._calls.wait(deadline, self._hand_back)

    async def enter_for_run(self, now: float) -> None:
        """Wait for a slot for a lookup of a run, and free what is kept for calls and was not needed for a while."""
        if now >= self._review_at:
            self._review(now)
        if self.free > 0:
            self.free -= 1
        elif self.kept > 0 and not self.in_runs:
            # Calls may have all others for long.
            self._take_kept()
        else:
            await self._lookups.wait(None, self._hand_back)
        self.in_runs += 1

    def leave(self) -> None:
        """Return the slot of a call: the next call gets it, or it is kept for one, unless runs wait and have none."""
        if self.kept < self._most_kept and not self._calls and (self.in_runs or not self._lookups):
            self.kept += 1
        else:
            self._pass_on()

    def leave_for_run(self) -> None:
        """Return the slot of a lookup: the next call gets it, or else the next lookup."""
        self.in_runs -= 1
        self._pass_on()

    def _pass_on(self) -> None:
        if self._calls and not (self._lookups and self._passed >= MOST_PASSED) and self._calls.wake(None):
            self._passed = self._passed + 1 if self._lookups else 0
        elif self._lookups and self._lookups.wake(None):
            self._passed = 0
        else:
            self.free += 1

    def refuse_late(self, until: float, now: float) -> None:
        """End the waits of calls whose deadline is not after *until* with TooLateError."""
        self._calls.refuse_late(until, now)

    def _take_kept(self) -> None:
        self.kept -= 1
        self.unneeded = min(self.unneeded, self.kept)

    def _hand_back(self, _: None) -> None:
        self._pass_on()

    def _review(self, now: float) -> None:
        unneeded, self._review_at = self.unneeded, now + _KEPT_SECONDS
        self.kept -= unneeded
        self.unneeded = self.kept
        for _ in range(unneeded):
            self._pass_on()
