"""One list against servers that sort ties at random, show rows late, delete them, and do not say how long the list is.

No sockets: thousands of polls against a list in memory.
"""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest

from kajabi_async import DecodeError, PagingError
from kajabi_async.changes.list_reader import ListReader, NewRows
from kajabi_async.changes.stream import Changes, Engine
from kajabi_async.changes.waiting import Patience, Sleeper
from kajabi_async.changes.watched import WATCHED
from kajabi_async.changes.window import Window, stamp_of
from kajabi_async.exchange import Request
from kajabi_async.jsonapi.query import Query
from tests.clocks import ManualClock
from tests.sending import Canned, context, resource

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


@attrs.define
class Row:
    id: int
    time: float
    visible_at: float
    """When the server shows it: a transaction may take a while to commit."""


@attrs.define
class World:
    """A list of contacts, newest first."""

    chance: random.Random
    clock: ManualClock
    size: int = 10
    has_totals: bool = True
    shuffles: bool = False
    rows: list[Row] = attrs.field(factory=list)
    between: Callable[[], None] = lambda: None
    """Called after every page."""
    next_id: int = 1
    requests: int = 0
    deleted: set[int] = attrs.field(factory=set)

    def __call__(self, request: Request) -> Any:
        self.requests += 1
        query = dict(part.split("=") for part in request.query.split("&"))
        number = int(query.get("page%5Bnumber%5D", query.get("page[number]", "1")))
        shown = [row for row in self.rows if row.visible_at <= self.clock.now]
        shown.sort(key=lambda row: (-row.time, self.chance.random() if self.shuffles else row.id))
        page = shown[(number - 1) * self.size : number * self.size]
        more = number * self.size < len(shown)
        following = f"http://127.0.0.1:8080/v1/contacts?sort=-created_at&page[number]={number + 1}"
        answer = {
            "data": [_contact(row) for row in page],
            "links": {"next": following if more else None},
            "meta": {"total_count": len(shown)} if self.has_totals else {},
        }
        self.between()
        return answer

    def add(self, *, late: float = 0.0, tied: float = 0.3) -> int:
        time = self.clock.now
        if self.rows and self.chance.random() < tied:
            newest = max(row.time for row in self.rows)
            time = newest if self.clock.now - newest < 50 else time
        row = Row(self.next_id, time, self.clock.now + late)
        self.next_id += 1
        self.rows.append(row)
        return row.id

    def delete(self) -> None:
        if self.rows:
            row = self.rows.pop(self.chance.randrange(len(self.rows)))
            self.deleted.add(row.id)


def _contact(row: Row) -> dict[str, Any]:
    time = (EPOCH + timedelta(seconds=row.time)).isoformat()
    return resource("contacts", str(row.id), attributes={"created_at": time})


def changes_of(world: World, cursor: str | None = None) -> Changes:
    within = context(Canned(world), clock=world.clock)
    return Changes(Engine(within, "owner", cursor=cursor, since=None, every=60, watch="contacts", sweep=None))


def reader_of(answers: Callable[[Request], Any]) -> ListReader:
    watched, within = WATCHED["contacts"], context(Canned(answers))
    patience = Patience(Sleeper(within.clock, within.stalls))
    return ListReader(watched, watched.request(within, sort="-created_at"), patience)


async def read(world: World, seconds: float, aimed: float = 1e6) -> NewRows:
    window = Window(stamp_of(EPOCH + timedelta(seconds=seconds)))
    return await reader_of(world).read(window, lambda _: stamp_of(EPOCH + timedelta(seconds=aimed)))


async def test_several_pages_are_sure_once_a_second_look_shows_nothing_new() -> None:
    """Or at once, if what is to be settled is on the last of them."""
    world = World(random.Random(1), ManualClock())
    for _ in range(30):
        world.add(tied=0)
        world.clock.advance(1)
    reading = await read(world, 1002.5)
    assert (reading.is_sure, len(reading.rows), world.requests) == (True, 27, 6)
    world.requests = 0
    reading = await read(world, 1002.5, aimed=1004)
    assert (reading.is_sure, len(reading.rows), world.requests) == (True, 27, 3)


@pytest.mark.parametrize(
    "seed", [*range(6), *(pytest.param(seed, marks=pytest.mark.thorough) for seed in range(6, 60))]
)
async def test_nothing_is_missed_invented_or_repeated_whatever_the_list_does(seed: int) -> None:
    """Inserts, deletions, late rows, ties in random order, unknown totals, restarts."""
    chance = random.Random(seed)
    world = World(chance, ManualClock(), has_totals=chance.random() < 0.7, shuffles=chance.random() < 0.5)
    for _ in range(chance.choice([0, 5, 200])):
        world.add(tied=0.0)
        world.clock.advance(chance.choice([0.1, 30]))
    world.clock.advance(100)
    changes = changes_of(world)
    assert await changes.poll() == ()
    first = world.next_id
    deletes = chance.random() < 0.5

    def move() -> None:
        if chance.random() < 0.1:
            world.add(late=chance.choice([0, 0, 20]))
            if deletes:
                world.delete()

    seen: list[int] = []
    world.between = move
    for _ in range(40):
        for _ in range(chance.choice([0, 1, 5, 25])):
            world.add(late=chance.choice([0, 0, 0, 5, 40]))
            world.clock.advance(chance.choice([0, 0, 0.01, 2]))
        if deletes and chance.random() < 0.3:
            world.delete()
        before, found = changes.cursor, await changes.poll()
        if chance.random() < 0.3:
            found = found[: chance.randrange(len(found) + 1)]
            changes = changes_of(world, found[-1].cursor if found else before)
        seen += [int(each.resource.id) for each in found]
        world.clock.advance(chance.choice([1, 60, 60, 300]))
    world.between = lambda: None
    for _ in range(30):
        seen += [int(each.resource.id) for each in await changes.poll()]
        world.clock.advance(60)
    expected = set(range(first, world.next_id)) - world.deleted
    assert expected - set(seen) == set()
    assert min(seen, default=first) >= first
    world.requests = 0
    assert await changes.poll() == ()
    assert world.requests == 1


async def test_one_page_is_sure() -> None:
    """It is one answer, so nothing can have moved."""
    world = World(random.Random(1), ManualClock())
    for _ in range(30):
        world.add(tied=0)
        world.clock.advance(1)
    reading = await read(world, 1025)
    assert (reading.is_sure, sorted(map(int, reading.rows)), world.requests) == (True, [27, 28, 29, 30], 1)


async def test_a_list_that_never_comes_to_rest_is_read_a_few_times_and_not_settled() -> None:
    """The next poll reads it again."""
    world = World(random.Random(1), ManualClock())
    for _ in range(40):
        world.add(tied=0)
        world.clock.advance(1)

    def show_another() -> None:
        world.rows.append(Row(1000 + len(world.rows), 1020.5, 0.0))

    world.between = show_another
    reading = await read(world, 0)
    assert not reading.is_sure


async def test_a_list_without_times_is_an_error_that_says_so() -> None:
    """Every poll would read it to its end, and know nothing."""

    def untimed(_: Request) -> Any:
        return {"data": [resource("contacts", "1")], "links": {}, "meta": {}}

    with pytest.raises(DecodeError, match="created_at"):
        await reader_of(untimed).read(Window(), lambda newest: newest)


async def test_pages_that_bring_nothing_new_end_in_an_error() -> None:
    """A server may link page after page without end."""

    def endless(request: Request) -> Any:
        number = len(request.query)
        row = resource("contacts", "1", attributes={"created_at": "2026-01-01T00:00:00Z"})
        following = f"http://127.0.0.1:8080/v1/contacts?page[number]={'1' * (number % 7 + 1)}{endless_page()}"
        return {"data": [row], "links": {"next": following}, "meta": {}}

    pages = iter(range(10_000))

    def endless_page() -> int:
        return next(pages)

    with pytest.raises(PagingError):
        await reader_of(endless).read(Window(0), lambda newest: newest)


def test_the_query_of_a_list_is_that_of_the_resource() -> None:
    """With the site of the client."""
    watched = WATCHED["purchases"]
    request = watched.request(context(Canned({}), site_id="7"), sort="-updated_at")
    assert request.query == Query(filters=(("filter[site_id]", "7"),), sort=("-updated_at",), page_size=100)
