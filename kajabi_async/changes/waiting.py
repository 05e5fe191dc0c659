"""Waiting between polls and through outages, and the time of the server."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final, TypeVar

from kajabi_async.changes.window import stamp_of
from kajabi_async.clock import Clock
from kajabi_async.errors import AuthenticationError, ClientClosedError, KajabiError
from kajabi_async.passing import is_passing, pause_asked_for
from kajabi_async.stall import Stalls

__all__ = ["SECOND", "Patience", "ServerTime", "Sleeper"]

T = TypeVar("T")

SECOND: Final = 1_000_000
"""In microseconds, as stamps count."""
FIRST_BACKOFF_SECONDS: Final = 1.0
LONGEST_BACKOFF_SECONDS: Final = 60.0
_MOST_REFUSALS: Final = 3
"""The number of new tokens in a row that a resource may reject."""
_LOG: Final = logging.getLogger("kajabi_async")


class Sleeper:
    """Sleeps by the clock of the client, until that is closed at most."""

    def __init__(self, clock: Clock, among: Stalls) -> None:
        self._clock = clock
        self._is_closed = False
        self._ended: asyncio.Event | None = None
        among.add(self)

    def end(self, _: Exception, /) -> None:
        """End a sleep, and refuse every further one: the client was closed."""
        self._is_closed = True
        if self._ended is not None:
            self._ended.set()

    async def sleep(self, seconds: float) -> None:
        """Wait for *seconds*; ClientClosedError as soon as the client is closed. A cancelled call leaves no task."""
        self._refuse_closed()
        loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        sleep = loop.create_task(self._clock.sleep(seconds), name="kajabi_async sleep")
        ended = loop.create_task(self._ended.wait(), name="kajabi_async end of sleep")
        try:
            await asyncio.wait({sleep, ended}, return_when=asyncio.FIRST_COMPLETED)
            self._refuse_closed()
            await sleep
        finally:
            self._ended = None
            for task in (sleep, ended):
                task.cancel()
            await asyncio.wait({sleep, ended})

    def _refuse_closed(self) -> None:
        if self._is_closed:
            raise ClientClosedError("the client was closed while changes were awaited")


class Patience:
    """Waits out what passes: pauses, outages, broken connections, a failing token endpoint."""

    def __init__(self, sleeper: Sleeper) -> None:
        self._sleeper = sleeper
        self._refusals = 0

    async def persist(self, act: Callable[[], Awaitable[T]]) -> T:
        """Await ``act()`` until it does not fail with an error that passes; each failure is logged.

        Errors of other kinds are raised, and so is AuthenticationError for rejected credentials, or for three new
        tokens in a row that are rejected.
        """
        backoff = FIRST_BACKOFF_SECONDS
        while True:
            try:
                result = await act()
            except KajabiError as error:
                if not is_passing(error) or self._is_refused(error):
                    raise
                seconds = pause_asked_for(error) or backoff * (0.5 + 0.5 * random.random())  # noqa: S311 - jitter
                _LOG.warning("changes are delayed, the next request is sent in %.0f s: %s", seconds, error)
                backoff = min(2 * backoff, LONGEST_BACKOFF_SECONDS)
                await self._sleeper.sleep(seconds)
            else:
                self._refusals = 0
                return result

    def _is_refused(self, error: KajabiError) -> bool:
        if not isinstance(error, AuthenticationError):
            self._refusals = 0
            return False
        # With a single attempt it was the old token, which may have expired.
        self._refusals += error.attempts > 1
        return self._refusals >= _MOST_REFUSALS


class ServerTime:
    """The time of the server, from the ``Date`` of its answers; by the clock of the client before the first one."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset: float | None = None
        self.first: int | None = None
        """The stamp of the first answer since `restart`, which a poll starts with; None without a Date."""

    @property
    def is_known(self) -> bool:
        """Whether an answer had a Date."""
        return self._offset is not None

    def restart(self) -> None:
        """Wait for a first answer again."""
        self.first = None

    def note(self, date: str | None) -> None:
        """Take the Date of an answer; one that cannot be read is ignored."""
        try:
            moment = parsedate_to_datetime(date or "")
            stamp = stamp_of(moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC))
        except (ArithmeticError, IndexError, TypeError, ValueError):
            return
        self.first = stamp if self.first is None else self.first
        self._offset = stamp / SECOND - self._clock.monotonic()

    @property
    def now(self) -> int:
        """The end of the current second, as a stamp: a Date has no fractions."""
        if self._offset is None:
            return round(self._clock.time() * SECOND)
        return round((self._offset + self._clock.monotonic()) * SECOND) + SECOND - 1
