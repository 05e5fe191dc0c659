"""The ids of a bulk run between its source and the caller's loop: in flight, or with an outcome that waits.

It is bounded: by slots, one for each id until the loop has taken its outcome, and by the bytes of large bodies.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Final, Generic, TypeAlias, TypeVar

from kajabi_async.concurrency import WaitingLine
from kajabi_async.errors import InvalidArgumentError
from kajabi_async.fetching.id_source import Naming
from kajabi_async.fetching.outcomes import Counts, Failed, Found
from kajabi_async.models.resource import Resource
from kajabi_async.passing import is_passing

__all__ = ["MOST_LARGE_BYTES", "RECENT_BYTES", "RECENT_OUTCOMES", "Backlog", "Unread"]

T = TypeVar("T")
R = TypeVar("R", bound=Resource)

Unread: TypeAlias = Found[R] | Failed | bytes
"""What is known of an id: its outcome, or the body of an answer that has not been read."""

MOST_LARGE_BYTES: Final = 32 * 2**20
"""The most bytes of large bodies that wait for the loop; beyond it no further id is taken."""
RECENT_OUTCOMES: Final = 4096
"""The most outcomes that are kept; at least half of them are, unless they are too large."""
RECENT_BYTES: Final = 4 * 2**20
"""The most bytes of answers that are kept; at least half of them are."""
_LARGE_BODY: Final = 64 * 2**10
_LONGEST_SHOWN: Final = 1000
_SIZE_OF_AN_OBJECT: Final = 16 * 2**10
"""The size that anything but a body counts as: it cannot be measured."""


class Backlog(Generic[R]):
    """The ids that were taken, from then until the loop has their outcomes."""

    def __init__(
        self,
        most: int,
        counts: Counts,
        began: Callable[[], object],
        *,
        ordered: bool,
        comes_once: bool,
        naming: Naming,
    ) -> None:
        """Hold at most *most* ids; with *ordered*, release outcomes in the order of the ids.

        *began* is called when an id is in flight after none was. With *comes_once* no outcome is kept for an id that
        comes again.
        """
        self.slots = WaitingLine(most)
        self.in_flight: dict[str, list[int]] = {}
        """The ids whose request is running, each with the numbers under which it was taken."""
        self.arrived: InOrder[Unread[R]] | AsArrived[Unread[R]] = InOrder() if ordered else AsArrived()
        self.recent: Recent[Unread[R]] = Recent(0 if comes_once else RECENT_BYTES)
        self.latest_answered: str | None = None
        """The latest id that the API has answered."""
        self.taken = 0
        """The number of ids taken from the source."""
        self.large_bytes = 0
        """The bytes of large bodies that wait for the loop."""
        self._counts = counts
        self._began = began
        self._waiters: list[asyncio.Future[None]] = []
        self._room_for_bytes = asyncio.Event()
        self._lost: list[tuple[int, str]] = []
        """The ids that were taken and will have no outcome, or none that the loop gets."""
        self._key, self._has_spellings = naming.key, naming.has_spellings
        self._spellings: dict[int, Any] = {}
        """The values that differ from their key, by number, until the loop has their outcome."""

    def accept(self, value: object) -> str | None:
        """Take *value* from the source, and return its id if that needs a request.

        It needs none if it is no id, was answered lately or is in flight; its outcome then arrives by itself.
        """
        number, self.taken = self.taken, self.taken + 1
        try:
            resource_id = self._key(value)
        except InvalidArgumentError as error:
            shown = _shown(value)
            self._deliver(number, shown, Failed(shown, error))
            return None
        if self._has_spellings and value != resource_id:
            self._spellings[number] = value
        outcome = self.recent.get(resource_id)
        if outcome is None and resource_id not in self.in_flight:
            if not self.in_flight:
                self._began()
            self.in_flight[resource_id] = [number]
            return resource_id
        self._counts.duplicates += 1
        if outcome is None:
            self.in_flight[resource_id].append(number)
        else:
            self._deliver(number, resource_id, outcome)
        return None

    def answered(self, resource_id: str, outcome: Unread[R]) -> None:
        """Note the *outcome* of an id in flight, for every time that it was taken."""
        if type(outcome) is bytes:
            size, is_answered = len(outcome), True
        else:
            size, is_answered = _SIZE_OF_AN_OBJECT, not (isinstance(outcome, Failed) and is_passing(outcome.error))
        if is_answered:
            self.latest_answered = resource_id
        self.recent.put(resource_id, outcome, size)
        numbers = self.in_flight.pop(resource_id, ())
        for number in numbers:
            self.arrived.put((number, resource_id, outcome))
        if size > _LARGE_BODY:
            self._count_large(size * len(numbers))
        if self._waiters:
            self._wake_loop()

    def take(self) -> tuple[str, Unread[R]]:
        """Return the next value that has arrived, with its outcome, and free its slot."""
        number, resource_id, outcome = self.arrived.take()
        if self._spellings:
            resource_id = self._spellings.pop(number, resource_id)
        self.slots.leave()
        if type(outcome) is bytes and len(outcome) > _LARGE_BODY:
            self._count_large(-len(outcome))
        return resource_id, outcome

    async def arrival(self) -> None:
        """Wait until an outcome arrives, or `wake` is called."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        await waiter

    async def room_for_bytes(self) -> None:
        """Wait until the large bodies are no more than `MOST_LARGE_BYTES`."""
        if self.large_bytes > MOST_LARGE_BYTES:
            self._room_for_bytes.clear()
            await self._room_for_bytes.wait()

    def wake(self) -> None:
        """Wake the loop, though no outcome has arrived, and one that waits for a slot; it wakes the next."""
        self._wake_loop()
        self.slots.leave()

    def without_answer(self) -> list[Any]:
        """Return the values in flight, in the order of the source."""
        return self._values(self._in_flight_numbers())

    def unanswered(self) -> list[Any]:
        """Return the values that were taken and whose outcome the loop does not have, in the order of the source."""
        waiting = [(number, resource_id) for number, resource_id, _ in self.arrived]
        return self._values([*self._lost, *self._in_flight_numbers(), *waiting])

    def drop_in_flight(self) -> None:
        """Drop the ids in flight; outcomes that have arrived are still released."""
        self._lost += self._in_flight_numbers()
        self.in_flight.clear()
        self.arrived.close_gaps()

    def close(self) -> None:
        """Drop every id, and wake the loop."""
        self._lost += [*self._in_flight_numbers(), *((number, resource_id) for number, resource_id, _ in self.arrived)]
        self.taken = self._counts.given
        self.in_flight.clear()
        self.arrived.clear()
        self.recent.clear()
        self._wake_loop()

    def _in_flight_numbers(self) -> list[tuple[int, str]]:
        return [(number, resource_id) for resource_id, numbers in self.in_flight.items() for number in numbers]

    def _values(self, numbered: list[tuple[int, str]]) -> list[Any]:
        return [self._spellings.get(number, resource_id) for number, resource_id in sorted(numbered)]

    def _deliver(self, number: int, resource_id: str, outcome: Unread[R]) -> None:
        if isinstance(outcome, bytes) and len(outcome) > _LARGE_BODY:
            self._count_large(len(outcome))
        self.arrived.put((number, resource_id, outcome))
        self._wake_loop()

    def _wake_loop(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    def _count_large(self, more: int) -> None:
        self.large_bytes += more
        if self.large_bytes <= MOST_LARGE_BYTES:
            self._room_for_bytes.set()


class AsArrived(deque[tuple[int, str, T]]):
    """Outcomes in the order of their arrival; false if there is none."""

    put = deque[tuple[int, str, T]].append
    take = deque[tuple[int, str, T]].popleft

    def close_gaps(self) -> None:
        """Do nothing: there are none."""


class InOrder(Generic[T]):
    """Outcomes in the order of their numbers; false if the next has not arrived."""

    def __init__(self) -> None:
        self._waiting: dict[int, tuple[int, str, T]] = {}
        self._next = 0

    def __bool__(self) -> bool:
        return self._next in self._waiting

    def __iter__(self) -> Iterator[tuple[int, str, T]]:
        return iter(self._waiting.values())

    def put(self, numbered: tuple[int, str, T]) -> None:
        """Keep an outcome until those before it have been taken."""
        self._waiting[numbered[0]] = numbered

    def take(self) -> tuple[int, str, T]:
        """Return the next outcome."""
        numbered = self._waiting.pop(self._next)
        self._next += 1
        return numbered

    def close_gaps(self) -> None:
        """Skip the numbers that have not arrived: they never will."""
        arrived = [self._waiting[number] for number in sorted(self._waiting)]
        self._waiting = dict(enumerate(arrived, self._next))

    def clear(self) -> None:
        """Drop everything."""
        self._waiting.clear()


class Recent(Generic[T]):
    """The latest outcomes, for ids that come again."""

    def __init__(self, most_bytes: int) -> None:
        """Keep at most *most_bytes* of answers."""
        self._latest: dict[str, T] = {}
        self._before: dict[str, T] = {}
        self._bytes = 0
        self._most_bytes, self._most_outcomes = most_bytes // 2, RECENT_OUTCOMES // 2

    def __len__(self) -> int:
        return len(self._latest) + len(self._before)

    def get(self, resource_id: str) -> T | None:
        """Return the outcome of an id; None if it is not kept."""
        outcome = self._latest.get(resource_id)
        return self._before.get(resource_id) if outcome is None else outcome

    def put(self, resource_id: str, outcome: T, size: int) -> None:
        """Keep the outcome of an id, unless its *size* is more than half of the most bytes."""
        if size > self._most_bytes:
            return
        self._bytes += size
        latest = self._latest
        if self._bytes > self._most_bytes or len(latest) >= self._most_outcomes:
            self._before, self._latest, self._bytes = latest, {}, size
            latest = self._latest
        latest[resource_id] = outcome

    def clear(self) -> None:
        """Drop everything."""
        self._latest, self._before, self._bytes = {}, {}, 0


def _shown(value: object) -> str:
    """Return the text that stands for a value that is no id, however long the value is, or if it cannot be shown."""
    try:
        return value if isinstance(value, str) else str(value)[:_LONGEST_SHOWN]
    except Exception:  # noqa: BLE001 - a number of more digits than Python prints, or a __str__ of the caller's
        return f"<{type(value).__name__}>"
