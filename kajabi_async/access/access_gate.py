"""The gate: answers from what is known where that suffices, and otherwise asks the API, once for all who wait."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import Any, Final, Never

import attrs

from kajabi_async.access.answer import Access
from kajabi_async.access.cache import Cache, MemoryCache
from kajabi_async.access.gate_options import Settings, checked_cache, refuse_unknown_options
from kajabi_async.access.holdings import Contents
from kajabi_async.access.holdings_reader import CustomerReading, HoldingsReader
from kajabi_async.access.judging import Decision, Known, decide
from kajabi_async.access.known import KnownPeople, Loading, is_person
from kajabi_async.access.notices import Named, named_by
from kajabi_async.access.question import Person, Question, refuse_unknown_arguments
from kajabi_async.access.records import Records
from kajabi_async.checks import shown
from kajabi_async.client import Kajabi
from kajabi_async.concurrency import SingleFlight, for_each
from kajabi_async.errors import ConfigurationError, InvalidArgumentError, KajabiError, RequestTimeoutError
from kajabi_async.fetching.email_address import checked_email
from kajabi_async.jsonapi.ids import checked_id

__all__ = ["AccessGate"]

_LOG: Final = logging.getLogger("kajabi_async")
_READING_SECONDS: Final = 10.0
"""The least time that a reading has in all: it may go on after those who wait have left."""
_THOROUGH_SECONDS: Final = 600.0
_CACHE_SHARE: Final = 0.25
_LONGEST_CACHE_SECONDS: Final = 0.5
_REST_SECONDS: Final = 1.0
"""After a failed reading nothing is refreshed ahead for this long."""
_AT_ONCE: Final = 5
_MOST_READINGS: Final = 3


class AccessGate:
    """Says who has access: yes, no or not known. Make one per process, beside the client, and share it.

    A person has access by an offer or a product held, or by a purchase that is not over; a product also comes with
    each offer that contains it. An email stands for all customers that have it on the site of the client, or on all
    sites if the client has none.

    Answers are kept in ``cache``, by default in the memory of this process. Kajabi is not asked again for ``fresh``
    seconds after a yes, and ``fresh_denied`` after a no, at most ``fresh``. An older yes is returned up to ``stale``
    seconds after it was read, while one refresh runs behind. Everything else is read: if Kajabi has not answered after
    ``budget`` seconds in all, the answer is unknown. A failure turns neither a yes into a no nor an unknown into
    a yes. A purchase with a planned end gives access until that end, without asking.

    The search of the API misses people, so an email that it does not find is unknown, and denied only if the contact
    is found and is no customer. With ``thorough`` the list of customers is read in that case, a request for each 100,
    usually longer than the budget: the proof serves later checks.

    It has no connection of its own and needs no closing. ConfigurationError for an option that makes no sense.
    """

    def __init__(
        self,
        api: Kajabi,
        *,
        cache: Cache | None = None,
        fresh: float = 60.0,
        stale: float = 86_400.0,
        budget: float = 2.0,
        fresh_denied: float = 10.0,
        thorough: bool = False,
        **unknown: Never,
    ) -> None:
        refuse_unknown_options(unknown)
        given: Any = api
        if not isinstance(given, Kajabi):
            raise ConfigurationError(f"AccessGate takes a Kajabi client, got {shown(given)}")
        self._settings = settings = Settings.of(
            fresh=fresh, fresh_denied=fresh_denied, stale=stale, budget=budget, thorough=thorough
        )
        self._session = api.session
        self._clock = clock = api.session.clock
        chosen = MemoryCache(monotonic=clock.monotonic) if cache is None else checked_cache(cache)
        key = api.session.derive_key("access")
        self._records = Records(
            chosen,
            clock,
            seconds=min(_LONGEST_CACHE_SECONDS, _CACHE_SHARE * settings.budget),
            namespace=api.session.derive_key("access records").hex()[:16],
        )
        self._known = KnownPeople(self._records, clock, key, api.site_id, settings.stale)
        self._seconds = max(_READING_SECONDS, 2 * settings.budget)
        limit = api.session.timeouts.total
        own = api.with_options(timeout=self._seconds if limit is None else min(limit, self._seconds))
        self._reader = HoldingsReader(own, self._known.hash_of, clock.time, thorough=settings.thorough)
        self._readings: SingleFlight[tuple[str, str], Known] = SingleFlight(abandon=False)
        self._customers: SingleFlight[tuple[str, str], CustomerReading] = SingleFlight(abandon=False)
        self._contents: SingleFlight[str, Contents] = SingleFlight(abandon=False)
        self._rest_until = float("-inf")
        self._is_failing = False

    async def check(
        self,
        *,
        email: str | None = None,
        customer_id: str | int | None = None,
        offers: Iterable[str | int] = (),
        products: Iterable[str | int] = (),
        **unknown: Never,
    ) -> Access:
        """Return whether the person has any of ``offers`` and ``products``; without both, whether any access at all.

        The person is named by ``email``, in any spelling, or by ``customer_id``. InvalidArgumentError unless exactly
        one of them is set, and for values that cannot be ids; ClientClosedError once the client is closed, and
        WrongLoopError on another event loop. No other failure is raised: the answer is unknown then, with ``error``.
        """
        refuse_unknown_arguments(unknown, of="check", known=["email", "customer_id", "offers", "products"])
        person, question = Person.of(email, customer_id), Question.of(offers, products)
        self._session.check_open()
        deadline = asyncio.get_running_loop().time() + self._settings.budget
        name = self._known.name_of(person)
        loading = self._known.loading(name, question)
        if self._records.is_local:
            known = _loaded(loading, self._records.read_now)
            assert known is not None  # noqa: S101 - every key has an answer there
        else:
            recent = self._recent_yes(name, question) if self._records.is_busy else None
            if recent is not None:
                return recent
            known = await _loaded_from(loading, self._records)
        decision = self._decide(known, question)
        if decision.age == "too old" or decision.unread:
            return await self._asked(person, question, known, decision, deadline=deadline)
        if decision.age == "stale":
            self._refresh_behind(person, name, known)
        return decision.access

    def forget(
        self,
        *,
        email: str | None = None,
        customer_id: str | int | None = None,
        contact_id: str | int | None = None,
        **unknown: Never,
    ) -> Awaitable[None]:
        """Drop what is known of a person, by one or more of the three names.

        Takes effect in this process at once; await the result to wait until it has in the cache, for all processes.
        Awaiting it raises StoreUnavailableError if the cache cannot be reached. A reading that is under way is not
        kept either.
        """
        refuse_unknown_arguments(unknown, of="forget", known=["email", "customer_id", "contact_id"])
        if email is None and customer_id is None and contact_id is None:
            raise InvalidArgumentError("forget() takes email=, customer_id= or contact_id=")
        named = Named()
        if email is not None:
            named.emails.add(checked_email(email))
        if customer_id is not None:
            named.customers.add(checked_id(customer_id, of="customers"))
        if contact_id is not None:
            named.contacts.add(checked_id(contact_id, of="contacts"))
        return self._known.drop(named)

    async def notice(self, event: Any) -> None:
        """Drop what is known of the people that ``event`` names, by customer, contact, member or email.

        ``event`` is a delivery that `kajabi_async.webhooks` parsed, or a change. One that names no person, such as an
        UnreadDelivery, drops nothing. InvalidArgumentError for anything else, and StoreUnavailableError if the cache
        cannot be reached: have the event delivered again then.
        """
        await self._known.drop(named_by(event))

    def __repr__(self) -> str:
        settings = self._settings
        return f"<AccessGate: fresh {settings.fresh:g} s, stale {settings.stale:g} s, budget {settings.budget:g} s>"

    def _recent_yes(self, name: str, question: Question) -> Access | None:
        """Return a yes from records that were in the cache a moment ago: under load, most need not wait for it."""
        known = _loaded(self._known.loading(name, question), self._records.read_recent)
        if known is None:
            return None
        decision = self._decide(known, question)
        return decision.access if decision.age == "fresh" and decision.access.allowed else None

    def _decide(self, known: Known, question: Question) -> Decision:
        return decide(known, question, self._clock.time(), self._settings)

    def _refresh_behind(self, person: Person, name: str, known: Known) -> None:
        if self._clock.monotonic() >= self._rest_until:
            self._readings.begin((name, known.mark), partial(self._read, person, name, known.mark))
            if known.contents_as_of < self._clock.time() - self._settings.fresh:
                for offer in known.contents:
                    self._contents.begin(offer, partial(self._read_offer, offer))

    async def _asked(
        self, person: Person, question: Question, known: Known, before: Decision, *, deadline: float
    ) -> Access:
        """Return the answer of the API; unknown if there is none before the *deadline*."""
        name = self._known.name_of(person)
        decision = before
        failure: KajabiError | None = None
        try:
            async with asyncio.timeout_at(deadline):
                if not (before.unread and before.age == "fresh"):
                    known = await self._readings.run((name, known.mark), partial(self._read, person, name, known.mark))
                    decision, failure = self._decide(known, question), known.failure
                if decision.unread:
                    known = await self._with_contents(known, decision.unread)
                    decision, failure = self._decide(known, question), known.failure
        except ConfigurationError:
            raise
        except KajabiError as error:
            failure = error
        except TimeoutError:
            because = f"Kajabi did not answer within {self._settings.budget:g} s"
            return attrs.evolve(decision.access, state="unknown", because=because)
        else:
            return attrs.evolve(decision.access, error=failure if decision.access.unknown else None)
        because = f"Kajabi could not be read ({type(failure).__name__})"
        return attrs.evolve(decision.access, state="unknown", because=because, error=failure)

    async def _read(self, person: Person, name: str, mark: str) -> Known:
        """Read a person and store what was read; runs once for all who wait."""
        seconds = _THOROUGH_SECONDS if self._settings.thorough else self._seconds
        try:
            async with asyncio.timeout(seconds):
                if person.customer_id is not None:
                    known = await self._read_by_id(person.customer_id, name, mark)
                else:
                    known = await self._read_by_email(person.email or "", name, mark)
        except KajabiError as error:
            self._failed(error)
            raise
        except TimeoutError:
            late = RequestTimeoutError(f"a customer was not read within {seconds:g} s", phase="total", seconds=seconds)
            self._failed(late)
            raise late from None
        if known.failure is not None:
            self._failed(known.failure)
        else:
            self._succeeded()
        return known

    async def _read_by_id(self, customer_id: str, name: str, mark: str) -> Known:
        reading = await self._customers.run((name, mark), partial(self._read_customer, customer_id, mark))
        return Known(mark, (reading.holdings,), is_whole=True, failure=reading.failure)

    async def _read_by_email(self, email: str, name: str, mark: str) -> Known:
        identity = await self._reader.identity(email, mark)
        await self._known.store_identity(name, identity)
        names = [f"c:{each}" for each in identity.customers]
        marks = dict(zip(identity.customers, await self._known.marks_of(names), strict=True))
        readings: dict[str, CustomerReading] = {}

        async def read(customer_id: str) -> None:
            found = marks[customer_id]
            token = found.token if found else ""
            start = partial(self._read_customer, customer_id, token)
            readings[customer_id] = await self._customers.run((f"c:{customer_id}", token), start)

        await for_each(identity.customers, read, at_once=_AT_ONCE)
        read_people = [readings[each].holdings for each in identity.customers]
        people = tuple(each for each in read_people if is_person(each, name))
        failure = next((each.failure for each in readings.values() if each.failure is not None), None)
        return Known(mark, people, identity, is_whole=len(people) == len(read_people), failure=failure)

    async def _read_customer(self, customer_id: str, mark: str) -> CustomerReading:
        """Read a customer, and again if the person is forgotten meanwhile: later checks may wait for it."""
        left = _MOST_READINGS
        while True:
            drops_before = self._known.drops_so_far
            reading = await self._reader.holdings(customer_id, mark)
            left -= 1
            if await self._known.store(reading, drops_before) or not left:
                return reading

    async def _with_contents(self, known: Known, offers: Sequence[str]) -> Known:
        """Return *known* with the contents of *offers*, read if they are not stored, or not fresh."""
        stored = await self._known.contents_of(offers)
        since = self._clock.time() - self._settings.fresh
        old = [each for each in offers if each not in stored or stored[each].as_of < since]
        failures: list[KajabiError] = []

        async def read(offer: str) -> None:
            try:
                stored[offer] = await self._contents.run(offer, partial(self._read_offer, offer))
            except ConfigurationError:
                raise
            except KajabiError as error:
                # What is stored may still prove a yes.
                failures.append(error)

        await for_each(old, read, at_once=_AT_ONCE)
        products = {each: stored[each].products if each in stored else None for each in offers}
        return attrs.evolve(
            known,
            contents={**known.contents, **products},
            contents_as_of=min((each.as_of for each in stored.values()), default=known.contents_as_of),
            failure=failures[0] if failures else known.failure,
        )

    async def _read_offer(self, offer: str) -> Contents:
        contents = await self._reader.contents(offer)
        await self._known.store_contents(contents)
        return contents

    def _failed(self, error: KajabiError) -> None:
        self._rest_until = self._clock.monotonic() + _REST_SECONDS
        if not self._is_failing and not isinstance(error, ConfigurationError):
            # Once for each outage. The text of the API may hold personal data.
            self._is_failing = True
            _LOG.warning("who has access cannot be read, known answers are repeated: %s", type(error).__name__)

    def _succeeded(self) -> None:
        self._rest_until = float("-inf")
        if self._is_failing:
            self._is_failing = False
            _LOG.info("who has access can be read again")


def _loaded(loading: Loading, read: Callable[[Sequence[str]], "list[bytes | None] | None"]) -> Known | None:
    """Return what is known from what *read* has at once; None if it returns None."""
    keys: Sequence[str] = next(loading)
    while (values := read(keys)) is not None:
        try:
            keys = loading.send(values)
        except StopIteration as end:
            known: Known = end.value
            return known
    return None


async def _loaded_from(loading: Loading, records: Records) -> Known:
    keys: Sequence[str] = next(loading)
    while True:
        try:
            keys = loading.send(await records.read(keys))
        except StopIteration as end:
            known: Known = end.value
            return known
