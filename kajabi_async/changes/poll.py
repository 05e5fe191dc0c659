"""One poll: read every watched list down to what is settled, look for planned ends that have come, order the changes.

The lists are read one after the other, effects before their causes. Writes go on meanwhile: a row that a later list
shows may be younger than one that an earlier list did not show yet. If that is possible, the earlier lists are read
again, and what is younger than the rows of the first reading is left to the next poll. So the changes of a poll, and
those of the polls after each other, are in the order of their times.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final, cast

import attrs

from kajabi_async.changes.batch import Batch, Item, Settled, items_of_end, items_of_purchase, items_of_row
from kajabi_async.changes.cursor import State
from kajabi_async.changes.ends import PlannedEnds, end_of
from kajabi_async.changes.list_reader import LATE, ListReader, NewRows
from kajabi_async.changes.waiting import SECOND, Patience, ServerTime
from kajabi_async.changes.watched import Watched
from kajabi_async.changes.window import Version, Window, earliest
from kajabi_async.clock import Clock
from kajabi_async.exchange import Answer, Request, Send
from kajabi_async.fetching.context import Context
from kajabi_async.models.commerce import Purchase

__all__ = ["Poller", "timed_context"]

FIRST_LOOK: Final = 600 * SECOND
"""When the ends that were planned before the first poll are looked for, in microseconds after it."""
_PURCHASES: Final = "purchases"


def timed_context(context: Context, time: ServerTime) -> Context:
    """Return *context* with answers whose Date is noted."""
    send: Send = context.send

    async def noting(request: Request, **options: Any) -> Answer:
        answer = await send(request, **options)
        time.note(answer.headers.get("date"))
        return answer

    return attrs.evolve(context, send=cast("Send", noting))


class Poller:
    """Polls the watched lists of one state."""

    def __init__(
        self,
        context: Context,
        watched: Sequence[Watched],
        state: State,
        *,
        time: ServerTime,
        patience: Patience,
        since: int | None,
    ) -> None:
        """Poll through *context*; lists that are new to *state* start at the stamp *since*, or now."""
        self._state = state
        self._time = time
        self._clock: Clock = context.clock
        self._readers: dict[str, ListReader] = {
            each.name: ListReader(each, each.request(context, sort=f"-{each.sort_key}"), patience) for each in watched
        }
        self._ends = PlannedEnds(context, patience)
        self._since = since
        self._newest: dict[str, list[tuple[float, int]]] = {name: [] for name in self._readers}
        """The highest stamps of whole reads, each with its moment by the client's clock."""
        self._started: dict[str, float] = {}
        """When the latest read of each list began, by the client's clock."""

    async def poll(self) -> Batch:
        """Return the changes since the last poll; state and cursor advance as they are taken."""
        self._time.restart()
        names = list(self._readers)
        is_known = self._time.is_known
        looks = is_known and self._is_time_for_first_look()
        if looks:
            names.remove(_PURCHASES)
        readings = {name: await self._read(name) for name in names}
        first = self._time.first
        if looks and any(map(self._has_news, readings, readings.values())):
            names.append(_PURCHASES)
            readings[_PURCHASES] = await self._read(_PURCHASES)
        cut = await self._read_again(names, readings, first)
        # A process that has just started knows the server's time only now.
        looks = looks or (not is_known and self._is_time_for_first_look())
        return await self._batch(readings, cut, looks=looks)

    # Reading

    async def _read(self, name: str) -> NewRows:
        reader, window = self._readers[name], self._window(name)
        is_first = window.settled is None
        started = self._clock.monotonic()
        reading = await reader.read(window, lambda newest: self._aim(name, newest, started))
        self._started[name] = started
        window.resolve(version for _, version in reading.rows.values())
        if is_first:
            self._start(name, window, reading)
        return reading

    def _window(self, name: str) -> Window:
        window = self._state.windows.get(name)
        if window is None:
            since = self._since if self._readers[name].watched.is_timed else None
            window = self._state.windows[name] = Window(None if since is None else since - 1)
            if since is not None and name == _PURCHASES:
                self._state.ends, self._state.next_end, self._state.knows_plans = Window(since - 1), since, True
        return window

    def _start(self, name: str, window: Window, reading: NewRows) -> None:
        """Take all rows of the first read for old."""
        window.settle(reading.settled)
        for _, version in reading.rows.values():
            window.add(version)
        if name != _PURCHASES:
            return
        now = self._time.now
        rows = [cast("Purchase", row) for row in (*(row for row, _ in reading.rows.values()), *reading.settled_rows)]
        ends = [Version(end, row.id) for row in rows if (end := end_of(row)) is not None]
        planned = (each.stamp for each in ends if each.stamp > now)
        # From the start of this second on: an end within it may be one to yield.
        self._state.ends = Window(now - SECOND, [each for each in ends if each.stamp <= now])
        self._state.knows_plans = reading.is_entire
        self._state.next_end = earliest(*planned, None if reading.is_entire else now + FIRST_LOOK)

    def _has_news(self, name: str, reading: NewRows) -> bool:
        window = self._state.windows[name]
        return any(not window.has(version) for _, version in reading.rows.values())

    async def _read_again(self, names: list[str], readings: dict[str, NewRows], first: int | None) -> int | None:
        """Read the lists again that may lack rows older than those of later lists; return the highest stamp kept."""
        news: dict[str, int] = {}
        for name, reading in readings.items():
            window = self._state.windows[name]
            if self._readers[name].watched.is_timed:
                stamps = [each.stamp for _, each in reading.rows.values() if not window.has(each)]
                news |= {name: max(stamps)} if stamps else {}
        doubtful = [
            index
            for index, name in enumerate(names)
            if index and name in news and (first is None or news[name] >= first)
        ]
        if not doubtful:
            return None
        for name in names[: doubtful[-1]]:
            readings[name] = await self._read(name)
        return max(news.values())

    # From rows to changes

    async def _batch(self, readings: dict[str, NewRows], cut: int | None, *, looks: bool) -> Batch:
        state = self._state
        if cut is not None:
            for name, reading in readings.items():
                if self._readers[name].watched.is_timed:
                    reading.rows = {key: row for key, row in reading.rows.items() if row[1].stamp <= cut}
        now = self._time.now
        settled = Settled(next_end=state.next_end, knows_plans=state.knows_plans)
        items = [item for name, reading in readings.items() for item in self._items(name, reading, now)]
        for name, reading in readings.items():
            stamp = self._settled(name, reading)
            settled.lists[name] = stamp if cut is None or not self._readers[name].watched.is_timed else min(stamp, cut)
        if _PURCHASES in self._readers:
            known = {item.change.key for item in items}
            ended = await self._ended(readings.get(_PURCHASES), settled, now, looks=looks)
            items += [item for item in ended if item.change.key not in known]
        return Batch(state, items, settled)

    def _items(self, name: str, reading: NewRows, now: int) -> Iterator[Item]:
        window, watched = self._state.windows[name], self._readers[name].watched
        for row, version in reading.rows.values():
            if window.has(version):
                continue
            if isinstance(row, Purchase):
                yield from items_of_purchase(row, version, now=now, window=window, ends=self._state.ends)
            else:
                yield from items_of_row(watched, row, version, now)

    def _settled(self, name: str, reading: NewRows) -> int:
        """Return the stamp up to which all rows of a list are known, and no other can appear."""
        before = self._state.windows[name].settled or 0
        if not reading.is_sure:
            return before
        self._newest[name] = [each for each in self._newest[name] if each[1] > reading.aimed]
        self._newest[name].append((self._started[name], self._cut_future(name, reading.newest)))
        return max(before, reading.aimed)

    def _aim(self, name: str, newest: int, started: float) -> int:
        """Return the stamp that a read which began at *started* can settle, if it misses no row up to there.

        That is a minute before the *newest* row, by the clock that wrote both; and the newest row of a read a minute
        ago, whatever the clocks say.
        """
        old = [stamp for moment, stamp in self._newest[name] if started - moment >= LATE / SECOND - 1]
        late = [self._cut_future(name, newest) - LATE] if self._readers[name].watched.is_timed else []
        return max(old + late, default=0)

    def _cut_future(self, name: str, stamp: int) -> int:
        """Return *stamp*, or now: a row from the future would settle all those before it."""
        return min(stamp, self._time.now) if self._time.is_known and self._readers[name].watched.is_timed else stamp

    async def _ended(self, reading: NewRows | None, settled: Settled, now: int, *, looks: bool) -> list[Item]:
        """Return the planned ends that have come, and set when to look again."""
        state = self._state
        rows = () if reading is None else tuple(row for row, _ in reading.rows.values())
        for row in rows:
            purchase = cast("Purchase", row)
            end = end_of(purchase)
            self._ends.note(purchase, end, now)
            if end is not None and end > now:
                settled.next_end = earliest(settled.next_end, end)
        items: list[Item] = []
        found_all = True
        is_look = settled.next_end is not None and settled.next_end <= now and (looks or state.knows_plans)
        if is_look:
            found = await self._ends.look(state.ends.settled or 0, now)
            state.ends.resolve(Version(end, purchase.id) for purchase, end in found.come.values())
            for purchase, end in found.come.values():
                items += items_of_end(purchase, end, state.ends)
            found_all = found.is_sure
            settled.next_end = found.following if found_all else now
            settled.knows_plans = True
        if settled.knows_plans:
            # Other ends than planned ones are those of writes, which are seen within the minute.
            settled.ends = now - LATE if settled.next_end is None else min(now - LATE, settled.next_end - 1)
            if is_look and not found_all:
                settled.ends = state.ends.settled
        return items

    def _is_time_for_first_look(self) -> bool:
        """Return whether the ends that were planned before the first poll are due to be looked for."""
        state = self._state
        if _PURCHASES not in self._readers or state.next_end is None or state.knows_plans:
            return False
        return state.next_end <= self._time.now
