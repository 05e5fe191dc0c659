"""The trip of one call through the package: which functions are called, in which files, in which order."""

import asyncio
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import FrameType
from typing import Any, Self

import attrs

import kajabi_async
from kajabi_async.testing import FakeKajabi

__all__ = ["FakeInAThread", "Trip", "follow"]

PACKAGE = Path(kajabi_async.__file__).parent


@attrs.define
class Trip:
    """The functions of the package that were called, as file and qualified name; a resumed coroutine counts once."""

    calls: list[tuple[str, str]] = attrs.field(factory=list[tuple[str, str]])

    @property
    def files(self) -> list[str]:
        """The files, each once, in the order of their first call."""
        return list(dict.fromkeys(file for file, _ in self.calls))

    @property
    def changes(self) -> int:
        """How often a call is in another file than the call before it."""
        return sum(one[0] != other[0] for one, other in zip(self.calls, self.calls[1:], strict=False))

    def first_missing(self, stops: list[tuple[str, str]]) -> tuple[str, str] | None:
        """Return the first of *stops* that is not called after those before it; None if all are."""
        calls = iter(self.calls)
        return next((stop for stop in stops if stop not in calls), None)


async def follow(call: Callable[[], Awaitable[Any]]) -> Trip:
    """Await *call* and return its trip. Other tasks of this thread are followed, too, and other threads are not."""
    trip = Trip()
    seen: dict[int, FrameType] = {}

    def note(frame: FrameType, event: str, _: object) -> None:
        if event != "call" or id(frame) in seen:
            return
        file = Path(frame.f_code.co_filename)
        if file.is_relative_to(PACKAGE):
            # The reference keeps the id from being used again.
            seen[id(frame)] = frame
            trip.calls.append((file.relative_to(PACKAGE).as_posix(), frame.f_code.co_qualname))

    sys.setprofile(note)
    try:
        await call()
    finally:
        sys.setprofile(None)
    return trip


class FakeInAThread:
    """A fake on the event loop of another thread, so that what it calls is no part of a trip."""

    fake: FakeKajabi

    def __init__(self) -> None:
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._stop is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        async with FakeKajabi(customers=20) as self.fake:
            self._ready.set()
            await self._stop.wait()
