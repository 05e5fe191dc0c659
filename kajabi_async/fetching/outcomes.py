"""What a bulk lookup tells: an outcome for each id, progress, and a report at the end."""

import time
from typing import Any, ClassVar, Generic, Literal, TypeAlias, TypeVar

import attrs

from kajabi_async.errors import KajabiError, NotFoundError
from kajabi_async.exchange import Tally
from kajabi_async.models.resource import Resource

__all__ = ["Counts", "Failed", "Found", "Lookup", "Progress", "Report"]

R = TypeVar("R", bound=Resource)


@attrs.frozen
class Found(Generic[R]):
    """The resource is there."""

    id: str
    """The id that was asked for."""
    resource: R
    found: ClassVar[Literal[True]] = True
    missing: ClassVar[Literal[False]] = False
    error: ClassVar[None] = None

    @property
    def customer(self) -> R:
        """The resource, by the name it has in lookups of customers."""
        return self.resource


@attrs.frozen
class Failed:
    """No resource; ``error`` says why, and ``missing`` whether it is that there is none."""

    id: str
    """The id that was asked for, as it was given."""
    error: KajabiError
    found: ClassVar[Literal[False]] = False
    resource: ClassVar[Any] = None
    """None. Typed as anything, since pyright does not tell the two kinds of outcome apart by ``if lookup.found``."""

    @property
    def missing(self) -> bool:
        """Whether the API knows no such resource (404)."""
        return isinstance(self.error, NotFoundError)

    @property
    def customer(self) -> Any:
        """None: nothing was found."""
        return None


Lookup: TypeAlias = Found[R] | Failed
"""One outcome; ``found`` tells which of the two it is."""


@attrs.frozen(kw_only=True)
class Progress:
    """How far a run has come, told to its observer with every outcome, and when it stalls, is paused and goes on."""

    given: int
    """Outcomes given out so far."""
    found: int
    missing: int
    failed: int
    """Neither found nor missing."""
    duplicates: int
    """Ids answered without asking again."""
    stalled_since: float | None = None
    """Since when nothing is answered, in seconds since the epoch as of ``time.time``; None if the run goes on.

    A run that is stalled takes no more ids and asks for one at a time, to find out when it is over."""
    paused_until: float | None = None
    """Until when the API asked to wait, in seconds since the epoch as of ``time.time``; None if it did not."""


@attrs.frozen(kw_only=True)
class Report:
    """What a run came to; times are in seconds."""

    total: int
    """Outcomes given out."""
    found: int
    missing: int
    failed: int
    """Neither found nor missing."""
    duplicates: int
    """Ids answered without asking again."""
    requests: int
    """Requests put on the wire, repeated ones counted each time, token requests not at all."""
    retries: int
    waiting_seconds: float
    """Time in the queue and between attempts, summed over lookups."""
    wire_seconds: float
    """Time between sending and having read the answer, summed over requests."""
    elapsed_seconds: float
    """From the first id taken to the last outcome given."""


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
