"""What the records say of people: loaded, stored and forgotten under names that hold no email.

A customer is ``c:ID``, an email ``e:HASH``, a contact ``n:ID``. `forget` leaves a mark, a random token, beside a name.
A record says which mark was valid when its reading began, so that what was read before a `forget` never counts after
it, in whatever order writes of other processes arrive.
"""

import hmac
import uuid
from collections import OrderedDict
from collections.abc import Awaitable, Generator, Iterable, Sequence
from contextlib import suppress
from typing import Any, Final

import attrs

from kajabi_async.access.holdings import Contents, CustomerIds, Holdings, Identity, Mark, read_record, written_record
from kajabi_async.access.holdings_reader import CustomerReading
from kajabi_async.access.judging import Known, judge
from kajabi_async.access.notices import Named
from kajabi_async.access.question import Person, Question
from kajabi_async.access.records import Records
from kajabi_async.clock import Clock
from kajabi_async.errors import PermissionDeniedError, StoreUnavailableError

__all__ = ["KnownPeople", "Loading", "is_person"]

_MOST_SKEW_SECONDS: Final = 5.0
"""How far the clocks of machines that share a cache may differ."""
_NAMED_LONGER: Final = 60.0
_MOST_DROPS: Final = 10_000


Loading = Generator[Sequence[str], list[bytes | None], Known]
"""Yields the keys that it needs, and is sent their values."""


class KnownPeople:
    """The records of one gate, by person."""

    def __init__(self, records: Records, clock: Clock, key: bytes, site_id: str | None, stale: float) -> None:
        self._records = records
        self._clock = clock
        self._key = key
        self._site_id = site_id or ""
        self._stale = stale
        # Longer than it may be used, so that nothing is dropped for a clock that is a little ahead.
        self._seconds = stale + _NAMED_LONGER
        self._drops: OrderedDict[str, int] = OrderedDict()
        """When each name was last dropped in this process, as a count of drops."""
        self.drops_so_far = 0

    def hash_of(self, email: str) -> str:
        """Return the keyed hash of the key of an email."""
        return hmac.digest(self._key, email.encode(errors="surrogatepass"), "sha256").hex()[:32]

    def name_of(self, person: Person) -> str:
        """Return the name of a person."""
        if person.customer_id is not None:
            return f"c:{person.customer_id}"
        assert person.email is not None  # noqa: S101 - one of the two is set
        return f"e:{self.hash_of(person.email)}"

    def loading(self, name: str, question: Question) -> Loading:
        """Load what is stored of the person *name*, and what *question* needs besides."""
        now = self._clock.time()
        if name.startswith("c:"):
            known = yield from self._customer(name, now)
        else:
            known = yield from self._by_email(name, now)
        unread = judge(question, known.people, now, {}).unread if known.people and question.products else ()
        if unread:
            known = yield from self._with_contents(known, unread, now)
        return known

    async def store_identity(self, name: str, identity: Identity) -> None:
        """Store who has the email *name*."""
        await self._write(f"{name}:{self._site_id}", identity)

    async def contents_of(self, offers: Sequence[str]) -> dict[str, Contents]:
        """Return what is stored of the contents of *offers*."""
        values = await self._records.read([f"o:{each}" for each in offers])
        return self._valid_contents(offers, values, self._clock.time())

    async def store_contents(self, contents: Contents) -> None:
        """Store what comes with an offer."""
        await self._write(f"o:{contents.offer}", contents)

    async def store(self, reading: CustomerReading, drops_before: int) -> bool:
        """Store what a customer holds; False if the person was forgotten, by any name, since *drops_before*."""
        holdings = reading.holdings
        aliases = [f"e:{holdings.email}"] if holdings.email else []
        aliases += [f"n:{contact}" for contact in reading.contacts]
        # In this order: `drop` by an alias leaves its mark before it looks for customers.
        await self._add_to(aliases, holdings.customer)
        marks = await self.marks_of(aliases)
        was_dropped = any(self._drops.get(alias, 0) > drops_before for alias in aliases)
        if was_dropped or any(mark is not None and mark.at > holdings.as_of for mark in marks):
            return False
        if reading.failure is None or isinstance(reading.failure, PermissionDeniedError):
            # After another failure it would replace more than it says.
            await self._write(f"c:{holdings.customer}", holdings)
        return True

    async def marks_of(self, names: Sequence[str]) -> list[Mark | None]:
        """Return the valid mark of each name."""
        if not names:
            return []
        return [read_record(raw, Mark) for raw in await self._records.read([f"m:{name}" for name in names])]

    def drop(self, named: Named) -> Awaitable[None]:
        """Forget people, in this process at once; the awaitable ends when all processes have.

        StoreUnavailableError from it if the cache cannot be reached.
        """
        names = [f"c:{each}" for each in named.customers] + [f"n:{each}" for each in named.contacts]
        names += [f"e:{self.hash_of(each)}" for each in named.emails]
        mark = written_record(Mark(uuid.uuid4().hex, self._clock.time()))
        customers = _names_of(self._records.read_now([f"x:{name}" for name in names]))
        for name in dict.fromkeys([*names, *customers]):
            self._drop_now(name, mark)
        if self._records.is_local or not names:
            return _Done()
        return self._records.begin(lambda: self._drop_everywhere(names, mark))

    def _drop_now(self, name: str, mark: bytes) -> None:
        self.drops_so_far += 1
        self._drops[name] = self.drops_so_far
        self._drops.move_to_end(name)
        if len(self._drops) > _MOST_DROPS:
            self._drops.popitem(last=False)
        self._records.write_now(f"m:{name}", mark, seconds=self._seconds + _NAMED_LONGER)
        self._records.drop_now(self._key_of(name))

    async def _drop_everywhere(self, names: Sequence[str], mark: bytes) -> None:
        failures: list[StoreUnavailableError] = []
        for name in names:
            await self._drop_shared(name, mark, failures)
        for name in _names_of(await self._records.read([f"x:{name}" for name in names])):
            if name not in names:
                self._drop_now(name, mark)
                await self._drop_shared(name, mark, failures)
        if failures:
            raise failures[0]

    async def _drop_shared(self, name: str, mark: bytes, failures: list[StoreUnavailableError]) -> None:
        try:
            await self._records.write(f"m:{name}", mark, seconds=self._seconds + _NAMED_LONGER)
            await self._records.delete(self._key_of(name))
        except StoreUnavailableError as error:
            failures.append(error)

    def _key_of(self, name: str) -> str:
        return f"{name}:{self._site_id}" if name.startswith("e:") else name

    async def _add_to(self, aliases: Sequence[str], customer: str) -> None:
        if not aliases:
            return
        found = await self._records.read([f"x:{alias}" for alias in aliases])
        for alias, raw in zip(aliases, found, strict=True):
            before = read_record(raw, CustomerIds)
            ids = dict.fromkeys((*(before.ids if before else ()), customer))
            await self._write(f"x:{alias}", CustomerIds(tuple(ids)))

    async def _write(self, key: str, record: Any) -> None:
        with suppress(StoreUnavailableError):
            await self._records.write(key, written_record(record), seconds=self._seconds)

    def _customer(self, name: str, now: float) -> Loading:
        raw, raw_mark = yield (name, f"m:{name}")
        mark = read_record(raw_mark, Mark)
        holdings = self._valid_holdings(raw, mark, name, now)
        token = mark.token if mark else ""
        return Known(token) if holdings is None else Known(token, (holdings,), is_whole=True)

    def _by_email(self, name: str, now: float) -> Loading:
        raw, raw_mark = yield (f"{name}:{self._site_id}", f"m:{name}")
        mark = read_record(raw_mark, Mark)
        identity = read_record(raw, Identity)
        if identity is None or not self._is_valid(identity.as_of, identity.mark, mark, now):
            return Known(mark.token if mark else "")
        names = [f"c:{each}" for each in identity.customers]
        people: list[Holdings] = []
        if names:
            values = yield [key for each in names for key in (each, f"m:{each}")]
            for each, raw_holdings, raw_of in zip(names, values[::2], values[1::2], strict=True):
                holdings = self._valid_holdings(raw_holdings, read_record(raw_of, Mark), each, now)
                if holdings is not None and is_person(holdings, name):
                    people.append(holdings)
        return Known(mark.token if mark else "", tuple(people), identity, is_whole=len(people) == len(names))

    def _with_contents(self, known: Known, offers: Sequence[str], now: float) -> Loading:
        values = yield [f"o:{each}" for each in offers]
        contents = self._valid_contents(offers, values, now)
        products: dict[str, tuple[str, ...] | None] = {offer: found.products for offer, found in contents.items()}
        as_of = min((each.as_of for each in contents.values()), default=known.contents_as_of)
        return attrs.evolve(known, contents=products, contents_as_of=as_of)

    def _valid_contents(self, offers: Sequence[str], values: Sequence[bytes | None], now: float) -> dict[str, Contents]:
        contents: dict[str, Contents] = {}
        for offer, raw in zip(offers, values, strict=True):
            found = read_record(raw, Contents)
            if found is not None and found.offer == offer and self._is_of_time(found.as_of, now):
                contents[offer] = found
        return contents

    def _valid_holdings(self, raw: bytes | None, mark: Mark | None, name: str, now: float) -> Holdings | None:
        holdings = read_record(raw, Holdings)
        if holdings is None or f"c:{holdings.customer}" != name:
            return None
        return holdings if self._is_valid(holdings.as_of, holdings.mark, mark, now) else None

    def _is_valid(self, as_of: float, token: str, mark: Mark | None, now: float) -> bool:
        # A mark is kept for longer than what was read before it may be used.
        return (mark is None or mark.token == token) and self._is_of_time(as_of, now)

    def _is_of_time(self, as_of: float, now: float) -> bool:
        return now - self._stale <= as_of <= now + _MOST_SKEW_SECONDS


def is_person(holdings: Holdings, name: str) -> bool:
    """Return whether a customer that was found by the email *name* still is that person, or exists no more."""
    return holdings.email == name.removeprefix("e:") or not holdings.exists


def _names_of(found: Iterable[bytes | None]) -> list[str]:
    records = (read_record(raw, CustomerIds) for raw in found)
    return [f"c:{each}" for customers in records if customers is not None for each in customers.ids]


class _Done:
    """An awaitable that has ended."""

    def __await__(self) -> Generator[Any, None, None]:
        return
        yield
