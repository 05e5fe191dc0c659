"""Bulk lookups, as users hold them: any number of ids, a bounded number at a time, each outcome as it arrives."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, Final, Generic, TypedDict, TypeVar, cast

from kajabi_async.checks import boolean, function, whole_number
from kajabi_async.clock import Clock
from kajabi_async.concurrency import Guarded, Producer
from kajabi_async.errors import InvalidArgumentError
from kajabi_async.fetching.email_outcomes import EmailLookup
from kajabi_async.fetching.id_source import IDS, Ids, Naming, source_of
from kajabi_async.fetching.outcomes import Lookup, Report
from kajabi_async.fetching.run import LookUp, Observer, Read, Run, Scanning
from kajabi_async.hints import NamesCure, refusing
from kajabi_async.models.resource import Resource
from kajabi_async.stall import PATIENCE_SECONDS, Stalls, checked_patience
from kajabi_async.wording import counted

__all__ = ["BulkRun", "EmailLookups", "Ids", "Lookups", "Observer", "RunSettings"]

T = TypeVar("T")
R = TypeVar("R", bound=Resource)


class RunSettings(TypedDict):
    """The options of a run."""

    concurrency: int
    ordered: bool
    observer: Observer | None
    patience: float
    clock: Clock
    stalls: Stalls
    has_calls: Callable[[], bool] | None


_ITS_OUTCOMES: Final = "write 'async for lookup in run' for the outcomes, or 'await run.report()' for the totals alone"


@refusing(
    {
        "__await__": f"a run of lookups is not awaited: {_ITS_OUTCOMES}",
        "__getitem__": f"a run of lookups has no index: {_ITS_OUTCOMES}",
        "__len__": f"a run of lookups has no length: {_ITS_OUTCOMES}",
        "__bool__": f"a run of lookups is neither true nor false: {_ITS_OUTCOMES}",
        "__iter__": "lookups arrive one by one: write 'async for', not 'for'",
        "__contains__": f"a run of lookups is not searched by 'in': {_ITS_OUTCOMES}",
        "__next__": f"a run of lookups is not read by next(): {_ITS_OUTCOMES}",
        "__anext__": f"a run of lookups is not read by anext(): {_ITS_OUTCOMES}",
        "__aenter__": f"a run of lookups needs no 'async with': {_ITS_OUTCOMES}",
        "__aexit__": f"a run of lookups needs no 'async with': {_ITS_OUTCOMES}",
    }
)
class BulkRun(Generic[T], metaclass=NamesCure):
    """A run of lookups: ``async for`` yields the outcomes, ``await run.report()`` returns the totals.

    Values are read lazily, at most twice ``concurrency`` ahead of the loop. A run is used once. Leaving its loop early
    ends it, cancels its tasks, and closes an async generator that the values came from.
    """

    model: type[Resource] | None = None
    """The class of the resources that are looked up, if it is known."""
    _cure = "read it with 'async for', then call .to_dict() of each outcome"

    def __init__(
        self,
        look_up: LookUp[Any],
        read: Read[Any],
        ids: Ids,
        *,
        concurrency: int,
        ordered: bool = False,
        observer: Observer | None = None,
        patience: float = PATIENCE_SECONDS,
        clock: Clock | None = None,
        stalls: Stalls | None = None,
        has_calls: Callable[[], bool] | None = None,
        scan: Scanning | None = None,
        naming: Naming = IDS,
    ) -> None:
        self._run: Run[Any] = Run(
            look_up,
            read,
            source_of(ids, noun=naming.noun),
            whole_number(concurrency, of="concurrency"),
            ordered=boolean(ordered, of="ordered"),
            observer=observer if observer is None else function(observer, of="observer"),
            patience=checked_patience(patience),
            clock=clock,
            stalls=stalls,
            has_calls=has_calls,
            scan=scan,
            naming=naming,
        )
        self._verb = naming.verb
        self._started = False

    def __aiter__(self) -> AsyncIterator[T]:
        if self._started:
            raise InvalidArgumentError(f"a lookup run is used once; call {self._verb}() again for another")
        self._started = True
        return Guarded(cast("Producer[T]", self._run))

    def __repr__(self) -> str:
        name, progress = type(self).__name__, self._run.progress()
        if not self._started:
            return f"<{name}: not started>"
        return (
            f"<{name}: {counted(progress.given, 'outcome')}; {progress.found:,} found, {progress.missing:,} missing, "
            f"{progress.failed:,} failed>"
        )

    @property
    def unanswered(self) -> tuple[Any, ...]:
        """The values taken from the source whose outcome the loop did not get, in the order of the source.

        After a run that was left, cancelled or ended by an error, hand them to another run, before the ids that the
        source still has. A scan reads the whole source first, so with it nothing is left in the source.
        """
        return self._run.unanswered()

    async def report(self) -> Report:
        """Return the totals of the run, after looking up what its loop did not get to.

        If the loop was left early, or has raised an error, the totals are those of that moment.
        """
        self._started = True
        try:
            while True:
                await self._run.next()
        except StopAsyncIteration:
            return self._run.report()
        except asyncio.CancelledError:
            self._run.close()
            raise

    async def aclose(self) -> None:
        """End the run, and wait until its tasks have ended and its source is closed."""
        await self._run.aclose()


class Lookups(BulkRun[Lookup[R]], Generic[R]):
    """A run of lookups by id: ``async for`` yields a `Lookup` for every id, ``await run.report()`` the totals."""


class EmailLookups(BulkRun[EmailLookup[R]], Generic[R]):
    """A run of lookups by email: ``async for`` yields an `EmailLookup` for every email; used like `Lookups`."""
