"""What a bulk run adds up, outcome by outcome."""

import time
from typing import Any

from kajabi_async.exchange import Tally
from kajabi_async.resources.outcomes import Lookup, Progress, Report

__all__ = ["Counts"]


class Counts:
    """What a run adds up."""

    def __init__(self) -> None:
        self.given = self.found = self.missing = self.failed = self.duplicates = 0
        self._started = self._latest = 0.0

    def start(self) -> None:
        """Begin to measure the time that the run takes."""
        self._started = self._latest = time.monotonic()

    def note(self, outcome: Lookup[Any]) -> None:
        """Count one outcome that was given to the caller."""
        self.given += 1
        if outcome.found:
            self.found += 1
        elif outcome.missing:
            self.missing += 1
        else:
            self.failed += 1
        self._latest = time.monotonic()

    def progress(self, stalled_since: float | None = None, paused_until: float | None = None) -> Progress:
        """Return how far the run has come, and whether it waits just now."""
        return Progress(
            given=self.given,
            found=self.found,
            missing=self.missing,
            failed=self.failed,
            duplicates=self.duplicates,
            stalled_since=stalled_since,
            paused_until=paused_until,
        )

    def report(self, tally: Tally) -> Report:
        """Give what the run came to; *tally* has what its requests cost."""
        return Report(
            total=self.given,
            found=self.found,
            missing=self.missing,
            failed=self.failed,
            duplicates=self.duplicates,
            requests=tally.attempts,
            retries=tally.retries,
            waiting_seconds=tally.waiting_seconds,
            wire_seconds=tally.wire_seconds,
            elapsed_seconds=self._latest - self._started,
        )
