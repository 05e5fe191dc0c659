"""Changes against the log of the fake: random writes with faults, rows that move, restarts, and equal times."""

import random
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs

from kajabi_async import Kajabi
from kajabi_async.changes import (
    AccessEnded,
    Change,
    Changes,
    ContactAdded,
    CustomerAdded,
    FormSubmitted,
    NoteWritten,
    OrderPlaced,
    PurchaseChanged,
    PurchaseMade,
)
from kajabi_async.changes.watched import WATCHED
from kajabi_async.testing import FakeKajabi, FaultPlan
from kajabi_async.testing.comparing import moment
from kajabi_async.testing.faults import DataChange
from tests.clocks import ManualClock
from tests.soak.figures import Figure

START = datetime(2026, 1, 1, tzinfo=UTC)
ADDED = {
    "contacts": ContactAdded,
    "customers": CustomerAdded,
    "orders": OrderPlaced,
    "form_submissions": FormSubmitted,
}
FAULTS = ("refused", "broken", "throttled", "tokens")


def server_time(clock: ManualClock) -> Callable[[], datetime]:
    """Return a wall clock of the fake that moves with the clock of the client, some hours apart from it."""
    return lambda: START + timedelta(seconds=clock.now)


def text_of(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@attrs.define
class Site:
    """An account that is written to at random, and everything that was ever true of it."""

    fake: FakeKajabi
    clock: ManualClock
    chance: random.Random
    states: defaultdict[tuple[str, str], set[tuple[Any, ...]]] = attrs.field(factory=lambda: defaultdict(set))
    """Every state that each resource had since the start."""
    written: set[tuple[str, str]] = attrs.field(factory=set)
    created: set[tuple[str, str]] = attrs.field(factory=set)
    planned: set[str] = attrs.field(factory=set)
    """The purchases whose end was planned before the start."""
    purchases: list[str] = attrs.field(factory=list)
    notes: list[str] = attrs.field(factory=list)
    contacts: list[str] = attrs.field(factory=list)
    next_id: int = 9_000_000
    noted: int = 0

    @property
    def now(self) -> datetime:
        return self.fake.clock.now()

    def new_id(self, type_name: str) -> str:
        self.next_id += 1
        return str(int(self.fake._world.store.new_id(type_name)) + self.chance.choice([0, 0, 0, 1, 7]))

    def add(self, type_name: str, *, customer: str | None = None, **attributes: Any) -> str:
        resource_id = self.new_id(type_name)
        times = {"created_at": text_of(self.now), "updated_at": text_of(self.now)}
        relationships = {"customer": {"data": {"type": "customers", "id": customer}}} if customer else {}
        row = {"type": type_name, "id": resource_id, "attributes": {**times, **attributes}}
        self.fake.add({**row, "relationships": relationships})
        return resource_id

    def state(self, type_name: str, resource_id: str) -> tuple[Any, ...] | None:
        found = self.fake.resource(type_name, resource_id)
        if found is None:
            return None
        members = found["attributes"]
        times = (moment(members.get("updated_at")), moment(members.get("deactivated_at")))
        return (*times, members.get("body"), members.get("multipay_payments_made"))

    def note(self) -> None:
        """Take over what was written since the last call."""
        total = len(self.fake.writes)
        for index in range(self.noted - total, 0):
            write = self.fake.writes[index]
            key = write.type, write.id
            if write.type not in WATCHED:
                continue
            self.written.add(key)
            if write.kind == "created":
                self.created.add(key)
            state = self.state(*key)
            if state is not None:
                self.states[key].add(state)
        self.noted = total

    def write(self) -> None:
        """Write something at random, without a request."""
        chance = self.chance
        customer = str(chance.randrange(1, 100))
        kind = chance.randrange(13)
        if kind < 2:
            ends = chance.choice([None, None, text_of(self.now + timedelta(seconds=chance.randrange(1, 7200)))])
            self.purchases.append(self.add("purchases", customer=customer, deactivated_at=ends))
        elif kind < 8:
            self.write_purchase(chance.choice(self.purchases))
        elif kind == 8:
            self.add("orders", customer=customer)
        elif kind == 9:
            self.add("customers", email=f"c{self.next_id}@example.com")
        elif kind == 10:
            self.contacts.append(self.add("contacts", email=f"p{self.next_id}@example.com"))
        elif kind == 11 and self.contacts:
            self.fake.remove("contacts", self.contacts.pop(chance.randrange(len(self.contacts))))
        elif self.notes:
            self.fake.change("contact_notes", chance.choice(self.notes), body=f"edited {chance.random()}")
        self.note()

    def write_purchase(self, resource_id: str) -> None:
        if self.fake.resource("purchases", resource_id) is None:
            return
        now = self.now
        attributes: dict[str, Any] = self.chance.choice(
            [
                {"multipay_payments_made": self.chance.randrange(100)},
                {"deactivated_at": text_of(now)},
                {"deactivated_at": None},
                {"deactivated_at": text_of(now + timedelta(seconds=self.chance.randrange(1, 7200)))},
                {"deactivated_at": text_of(now - timedelta(seconds=self.chance.randrange(1, 7200)))},
            ]
        )
        self.fake.change("purchases", resource_id, **attributes)

    async def write_by_api(self, api: Kajabi) -> None:
        """Write something at random through the API."""
        kind = self.chance.randrange(5)
        if kind == 0:
            person = await api.contacts.create(site_id="1", email=f"n{self.next_id}.{self.noted}@example.com")
            self.contacts.append(person.id)
        elif kind == 1:
            note = await api.contact_notes.create(contact_id="2150000001", body=f"written {self.chance.random()}")
            self.notes.append(note.id)
        elif kind == 2:
            await api.forms.submit("1", name="x", email=f"f{self.next_id}.{self.noted}@example.com")
        elif kind == 3:
            await api.purchases.deactivate(self.chance.choice(self.purchases))
        else:
            await api.purchases.reactivate(self.chance.choice(self.purchases))
        self.note()

    def burst(self) -> None:
        """Write more rows of one list than fit a page, or a cursor, all at the same moment."""
        for _ in range(self.chance.choice([20, 60, 120, 260])):
            if self.chance.random() < 0.5:
                self.contacts.append(self.add("contacts", email=f"b{self.next_id}@example.com"))
            else:
                self.write_purchase(self.chance.choice(self.purchases))
        self.note()

    def before_the_start(self) -> None:
        """Plan ends of purchases that the first page does not show."""
        store = self.fake._world.store
        self.purchases += store.ids("purchases", 0, 400)
        for number, resource_id in enumerate(self.purchases[:30]):
            soon = text_of(self.now + timedelta(seconds=300 * number + 1))
            self.fake.change("purchases", resource_id, deactivated_at=soon, updated_at="2019-01-01T00:00:00Z")
            self.planned.add(resource_id)
        self.noted = len(self.fake.writes)
        for resource_id in self.purchases:
            self.states["purchases", resource_id].add(self.state("purchases", resource_id) or ())


@attrs.define
class Reader:
    """What was yielded, and what is wrong with it."""

    site: Site
    started: datetime
    yielded: defaultdict[tuple[str, str], list[Change]] = attrs.field(factory=lambda: defaultdict(list))
    content: dict[str, tuple[Any, ...]] = attrs.field(factory=dict)
    keys: set[str] = attrs.field(factory=set)
    """Those of the run since the latest restart."""
    latest: dict[str, datetime] = attrs.field(factory=dict)
    """The time of the latest change of each customer in this run."""
    total: int = 0
    doubles: int = 0
    longest: int = 0
    wrong: list[str] = attrs.field(factory=list)

    def restart(self) -> None:
        self.keys.clear()
        self.latest.clear()

    def take(self, change: Change) -> None:
        self.total += 1
        self.longest = max(self.longest, len(change.cursor))
        row = change.resource
        key = row.resource_type, row.id
        state = self._state(change)
        if change.key in self.content:
            self.doubles += 1
            self._expect(self.content[change.key][:2] == (change.kind, row.id), f"{change.key} is two changes")
        elif any(each.key != change.key and self._content(each) == self._content(change) for each in self.yielded[key]):
            self.wrong.append(f"{change.key} came before under another key")
        self.content.setdefault(change.key, (change.kind, row.id))
        self.yielded[key].append(change)
        self._expect(key in self.site.written or row.id in self.site.planned, f"{change.key} was never written")
        if key[0] in {"purchases", "contact_notes"}:
            self._expect(state in self.site.states[key], f"{change.key} was never so")
        else:
            self._expect(key in self.site.created, f"{change.key} was not created")
        is_again = isinstance(change, AccessEnded) and (
            change.at < self.latest.get(change.customer_id or "", self.started) or change.key in self.content
        )
        if not isinstance(change, AccessEnded):
            self._expect(change.key not in self.keys, f"{change.key} came twice without a restart")
        if isinstance(change, AccessEnded):
            self._expect(change.at <= self.site.now + timedelta(seconds=1), f"{change.key} is not over")
            self._expect(state[1] == change.at, f"{change.key} is at another time")
        self.keys.add(change.key)
        if change.customer_id is not None and not is_again and not isinstance(change, FormSubmitted):
            before = self.latest.get(change.customer_id, change.at)
            self._expect(before <= change.at, f"{change.key} is older than what came before of the same customer")
            self.latest[change.customer_id] = max(before, change.at)

    @staticmethod
    def _state(change: Change) -> tuple[Any, ...]:
        row: Any = change.resource
        members = row.loaded_attributes()
        return tuple(members.get(name) for name in ("updated_at", "deactivated_at", "body", "multipay_payments_made"))

    def _content(self, change: Change) -> tuple[Any, ...]:
        if isinstance(change, PurchaseMade | OrderPlaced | ContactAdded | CustomerAdded | FormSubmitted):
            return (change.kind,)
        state = self._state(change)
        return (change.kind, state[1] if isinstance(change, AccessEnded) else state)

    def _expect(self, holds: bool, problem: str) -> None:
        if not holds:
            self.wrong.append(problem)

    def missed(self) -> list[str]:
        """Return what was written and not yielded."""
        missed: list[str] = []
        for type_name, resource_id in self.site.written | {("purchases", each) for each in self.site.planned}:
            state = self.site.state(type_name, resource_id)
            if state is None:
                continue
            seen = self.yielded[type_name, resource_id]
            if type_name in ADDED:
                was_created = (type_name, resource_id) in self.site.created
                if was_created and not any(isinstance(each, ADDED[type_name]) for each in seen):
                    missed.append(f"{type_name} {resource_id}")
                continue
            kinds = (NoteWritten, PurchaseMade, PurchaseChanged, AccessEnded)
            is_written = (type_name, resource_id) in self.site.written
            if is_written and not any(isinstance(each, kinds) and self._state(each) == state for each in seen):
                missed.append(f"{type_name} {resource_id} in its latest state {state}")
            end = state[1]
            since = self.started + timedelta(seconds=700) if resource_id in self.site.planned else self.started
            # The plans from before the start are looked for ten minutes after it.
            is_past = end is not None and self.started < end <= self.site.now - timedelta(seconds=1)
            is_yielded = any(isinstance(each, AccessEnded) and each.at == end for each in seen)
            if is_past and since < self.site.now and not is_yielded:
                missed.append(f"the end of {type_name} {resource_id} at {end}")
        return missed


async def random_writes(
    writes: int, *, seed: int = 1, faults: bool = True, meta: Any = "documented"
) -> tuple[Reader, int]:
    """Return what was yielded of *writes* random writes, and the number of restarts."""
    clock = ManualClock()
    chance = random.Random(seed)
    async with FakeKajabi(customers=300, now=server_time(clock), meta=meta) as fake:
        settings: Any = {"client_id": fake.client_id, "client_secret": fake.client_secret, "base_url": fake.base_url}
        async with Kajabi(**settings, clock=clock) as api, Kajabi(**settings, clock=clock) as writer:
            site = Site(fake, clock, chance)
            site.before_the_start()
            changes = api.changes(every=60)
            assert await changes.poll() == ()
            reader, restarts = Reader(site, site.now), 0
            plans = (
                FaultPlan(seed=seed, rate=0.1, kinds=[DataChange(site.write)], method="GET", by="arrival"),
                FaultPlan(seed=seed, rate=0.05, kinds=FAULTS, method="GET", max_in_a_row=5, by="arrival"),
            )
            while len(fake.writes) < writes:
                fake.faults = ()
                await _some_writes(site, writer)
                clock.advance(chance.choice([0.0, 0.3, 60.0, 60.0, 400.0]))
                fake.faults = plans if faults else ()
                changes, has_restarted = await _poll(api, changes, reader, chance)
                restarts += has_restarted
                if chance.random() < 0.1:
                    fake.faults = ()
                    await _settle(changes, reader, clock)
            fake.faults = ()
            await _settle(changes, reader, clock)
            return reader, restarts


async def _some_writes(site: Site, writer: Kajabi) -> None:
    chance = site.chance
    for _ in range(chance.randrange(12)):
        site.write()
        if chance.random() < 0.5:
            site.clock.advance(chance.choice([0.001, 0.05, 1.0, 20.0]))
    for _ in range(chance.randrange(3)):
        await site.write_by_api(writer)
    if chance.random() < 0.05:
        site.burst()


async def _poll(api: Kajabi, changes: Changes, reader: Reader, chance: random.Random) -> tuple[Changes, bool]:
    """Poll once; at times the process dies after some of the changes, before or after it has stored the cursor."""
    start = changes.cursor
    found = await changes.poll()
    reader.site.note()
    if chance.random() < 0.7:
        for change in found:
            reader.take(change)
        return changes, False
    processed = chance.randrange(len(found) + 1)
    stored = max(0, processed - chance.choice([0, 0, 0, 1, 3]))
    for change in found[:processed]:
        reader.take(change)
    reader.restart()
    cursor = found[stored - 1].cursor if stored else start
    return api.changes(cursor=cursor, every=60), True


async def _settle(changes: Changes, reader: Reader, clock: ManualClock) -> None:
    """Poll until nothing can be left, and compare with the log."""
    for _ in range(3):
        clock.advance(61)
        for change in await changes.poll():
            reader.take(change)
    reader.wrong += [f"missed: {each}" for each in reader.missed()]


async def logged(writes: int, *, seed: int = 1) -> Figure:
    """Compare what was yielded with the log of *writes* random writes."""
    reader, restarts = await random_writes(writes, seed=seed)
    kinds = Counter(type(each).__name__ for all_of in reader.yielded.values() for each in all_of)
    return Figure(
        f"{writes:,} random writes, {restarts} restarts, {reader.total:,} changes of {len(kinds)} kinds, "
        f"{reader.doubles} twice, cursors of {reader.longest:,} characters",
        f"{len(reader.wrong)} missed, invented or wrong {reader.wrong[:3]}",
        "0, and cursors of at most 4,096",
        not reader.wrong and reader.longest <= 4096,
    )


async def ended(purchases: int) -> Figure:
    """Count the requests that find five deactivations among *purchases*."""
    clock = ManualClock()
    async with FakeKajabi(customers=purchases * 10 // 11, now=server_time(clock)) as fake:
        settings: Any = {"client_id": fake.client_id, "client_secret": fake.client_secret, "base_url": fake.base_url}
        async with Kajabi(**settings, clock=clock) as api:
            total = await api.purchases.list().count() or 0
            changes = api.changes(watch="purchases")
            await changes.poll()
            active = [each.id async for each in api.purchases.list(active=True, page_size=100)]
            chosen = random.Random(1).sample(active, 5)
            for each in chosen:
                clock.advance(1)
                await api.purchases.deactivate(each)
            fake.reset_counts()
            found = await changes.poll()
            requests = fake.counts.total()
    is_right = [each.resource.id for each in found] == chosen and all(isinstance(each, AccessEnded) for each in found)
    return Figure(f"5 deactivations among {total:,} purchases", f"{requests} request", "1", is_right and requests == 1)


async def quiet(polls: int) -> Figure:
    """Count the requests of polls without a change, an hour's worth at least."""
    clock = ManualClock()
    async with FakeKajabi(customers=3000, now=server_time(clock)) as fake:
        settings: Any = {"client_id": fake.client_id, "client_secret": fake.client_secret, "base_url": fake.base_url}
        async with Kajabi(**settings, clock=clock) as api:
            changes = api.changes()
            await changes.poll()
            fake.reset_counts()
            for _ in range(polls):
                clock.advance(60)
                assert await changes.poll() == ()
            requests = fake.counts.total()
    return Figure(f"{polls} quiet polls of 6 lists", f"{requests} requests", f"{6 * polls}", requests == 6 * polls)
