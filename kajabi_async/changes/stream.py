"""``api.changes()``: the loop that takes the changes."""

from collections.abc import AsyncIterator
from typing import Final

from kajabi_async.changes.engine import Engine
from kajabi_async.changes.kinds import Change
from kajabi_async.concurrency import Guarded
from kajabi_async.errors import InvalidArgumentError
from kajabi_async.hints import NamesCure, refusing

__all__ = ["Changes"]

_ITS_CHANGES: Final = "write 'async for change in api.changes(...)', or 'await api.changes(...).poll()' for one poll"


@refusing(
    {
        "__await__": f"changes arrive one by one and are not awaited: {_ITS_CHANGES}",
        "__getitem__": f"changes arrive one by one and have no index: {_ITS_CHANGES}",
        "__len__": f"changes arrive one by one and have no length: {_ITS_CHANGES}",
        "__bool__": f"changes are neither true nor false: {_ITS_CHANGES}",
        "__iter__": "changes arrive one by one: write 'async for', not 'for'",
        "__contains__": f"changes are not searched by 'in': {_ITS_CHANGES}",
        "__next__": f"changes are not read by next(): {_ITS_CHANGES}",
        "__anext__": f"changes are not read by anext(): {_ITS_CHANGES}",
        "__aenter__": f"changes need no 'async with': {_ITS_CHANGES}",
        "__aexit__": f"changes need no 'async with': {_ITS_CHANGES}",
    }
)
class Changes(metaclass=NamesCure):
    """The changes of an account: ``async for`` yields them as they are noticed, oldest first, and never ends by itself.

    An instance is used once, by one loop or by calls of `poll`. Nothing runs while the loop does not wait for the next
    change, and leaving it leaves nothing behind. An error raised from the loop loses nothing either: continue with
    another instance at `cursor`.
    """

    _cure = "read it with 'async for', then call .to_dict() of each change"

    def __init__(self, engine: Engine) -> None:
        """Yield what ``engine`` produces."""
        self._engine = engine
        self._started = False

    def __aiter__(self) -> AsyncIterator[Change]:
        if self._started:
            raise InvalidArgumentError("changes are iterated once: call api.changes(cursor=changes.cursor) for more")
        self._started = True
        return Guarded(self._engine)

    def __repr__(self) -> str:
        return f"<Changes of {', '.join(self._engine.names)}: {self._engine.yielded:,} yielded>"

    @property
    def cursor(self) -> str | None:
        """The place behind the change that was yielded last, or behind the last poll if all its changes were taken.

        None before the first poll of a run that started without a cursor. Unlike the cursors of the changes, it moves
        on while nothing changes: store it now and then, and a later run starts from there.
        """
        return self._engine.cursor

    async def poll(self) -> tuple[Change, ...]:
        """Return the changes since the last poll, oldest first, without waiting for more; none if it is empty.

        For scheduled tasks, which end: store `cursor` when the changes are processed. Outages are waited out; bound
        them with ``asyncio.timeout``, which loses nothing. Sweeps need a loop.
        """
        return await self._engine.poll()
