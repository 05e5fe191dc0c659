"""A state machine of grants, revocations, purchases, ends, outages and the clock, and what a gate may say meanwhile.

Two gates share one cache, as two processes do. Of each person and question the machine knows since when access is had,
or until when it was. A no is wrong for a person who has had access for longer than a no is kept, and at once after an
event was noticed; a yes is wrong for a person who has not had access within ``stale``, and at once after a planned end
that was known. What is unknown is never wrong, but only right if Kajabi does not answer, or if an email is not found.
"""

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from kajabi_async import ConnectionFailedError, PausedError, ServerError
from kajabi_async.access import AccessGate
from tests.access.test_caches import Custom
from tests.access.world import Bought, World

T = TypeVar("T")

PEOPLE = ("1", "2")
OFFERS = ("4", "5")
CONTENTS = {"4": ["8"], "5": ["8", "9"]}
QUESTIONS: tuple[dict[str, Any], ...] = (
    {"offers": ["4"]},
    {"offers": ["5"]},
    {"offers": ["4", "5"]},
    {"products": ["8"]},
    {"products": ["9"]},
    {"offers": ["4"], "products": ["9"]},
    {},
)
SECONDS = st.sampled_from([0.5, 1.0, 9.0, 11.0, 29.0, 61.0, 550.0])
NAMES = st.sampled_from(["customer_id", "email"])
FRESH, DENIED, STALE = 60.0, 10.0, 600.0
FAILURES = (
    ConnectionFailedError("refused"),
    PausedError(status=429, method="GET", path="/v1/customers/1", retry_after=60.0),
    ServerError(status=503),
)


@attrs.define
class Fact:
    """Whether a person has access for one question, and since when."""

    may: bool
    since: float
    had_until: float = float("-inf")
    """The last moment at which the person might in."""


class AccessMachine(RuleBasedStateMachine):
    """The steps, each followed by a check of what both gates say."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.world = World()
        self.world.contents = {offer: list(products) for offer, products in CONTENTS.items()}
        self.cache = Custom()
        self.is_noticed = False
        self.wrong: list[str] = []
        self.facts: dict[tuple[str, int], Fact] = {}
        self.grants: dict[str, set[str]] = {person: set() for person in PEOPLE}
        self.noticed_at: dict[str, float] = {}
        self.lists_purchases = self.lists_products = self.states_products = False
        self.gates: list[AccessGate] = []

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run *work*, and what it started: while the loop stands still between steps, a call would seem to hang."""

        async def settled() -> T:
            result = await work
            while len(asyncio.all_tasks()) > 1:
                await asyncio.sleep(0)
            return result

        return self.runner.run(settled())

    def teardown(self) -> None:
        self.runner.close()

    @initialize(bought=st.booleans(), listed=st.booleans(), states=st.booleans())
    def start(self, bought: bool, listed: bool, states: bool) -> None:
        """Customers list granted offers, perhaps bought ones and products, too."""
        self.lists_purchases, self.lists_products, self.states_products = bought, listed, states

        async def make() -> None:
            api = self.world.client()
            settings: dict[str, Any] = {"fresh": FRESH, "stale": STALE, "fresh_denied": DENIED, "budget": 60.0}
            self.gates = [self.world.gate(api, cache=self.cache, **settings) for _ in range(2)]

        self.run(make())
        for person in PEOPLE:
            self.world.person(person, f"{person}@example.com")
        self._changed()

    @property
    def now(self) -> float:
        return self.world.clock.time()

    def _may(self, person: str, question: dict[str, Any], now: float) -> bool:
        active = [each for each in self.world.purchases.values() if each.customer == person and _is_active(each, now)]
        offers = self.grants[person] | {each.offer for each in active}
        products = {product for offer in offers for product in CONTENTS[offer]}
        if not question:
            return bool(offers)
        return not (offers.isdisjoint(question.get("offers", ())) and products.isdisjoint(question.get("products", ())))

    def _changed(self) -> None:
        """Bring what customers list, and the facts, up to date."""
        for person in PEOPLE:
            listed = set(self.grants[person])
            if self.lists_purchases:
                bought = [each for each in self.world.purchases.values() if each.customer == person]
                listed |= {each.offer for each in bought if _is_active(each, self.now)}
            self.world.people[person].offers = sorted(listed)
            products = {product for offer in listed for product in CONTENTS[offer]}
            self.world.people[person].products = sorted(products) if self.lists_products else []
            for number, question in enumerate(QUESTIONS):
                may = self._may(person, question, self.now)
                fact = self.facts.get((person, number))
                if fact is None or fact.may is not may:
                    until = self.now if fact is not None and fact.may else float("-inf")
                    self.facts[person, number] = Fact(may, self.now, until)

    @rule(person=st.sampled_from(PEOPLE), offer=st.sampled_from(OFFERS))
    def grant(self, person: str, offer: str) -> None:
        self.grants[person].add(offer)
        self._changed()

    @rule(person=st.sampled_from(PEOPLE), offer=st.sampled_from(OFFERS))
    def revoke(self, person: str, offer: str) -> None:
        """As the API does: purchases of the offer end, too."""
        self.grants[person].discard(offer)
        self._end(person, offer)

    @rule(
        person=st.sampled_from(PEOPLE),
        offer=st.sampled_from(OFFERS),
        lasts=st.sampled_from([None, 1.0, 30.0, 90.0, 700.0]),
    )
    def buy(self, person: str, offer: str, lasts: float | None) -> None:
        products = CONTENTS[offer] if self.states_products else []
        self.world.bought(offer, customer=person, ends_in=lasts, products=products)
        self._changed()

    @rule(person=st.sampled_from(PEOPLE), offer=st.sampled_from(OFFERS))
    def deactivate(self, person: str, offer: str) -> None:
        self._end(person, offer)

    def _end(self, person: str, offer: str) -> None:
        for each in self.world.purchases.values():
            if (each.customer, each.offer) == (person, offer) and _is_active(each, self.now):
                each.ends_at = self.now
        self._changed()

    @rule(person=st.sampled_from(PEOPLE), name=st.sampled_from(["customer_id", "email", "contact_id"]))
    def notice(self, person: str, name: str) -> None:
        values: dict[str, Any] = {"customer_id": person, "email": f"{person}@example.com", "contact_id": f"9{person}"}

        async def forget() -> None:
            await self.gates[0].forget(**{name: values[name]})

        self.run(forget())
        self.noticed_at[person] = self.now

    @rule(failure=st.sampled_from((None, None, None, *FAILURES)))
    def fail(self, failure: Exception | None) -> None:
        """Let every request fail from now on, or none."""
        self.world.failure = failure

    @rule(seconds=SECONDS)
    def wait(self, seconds: float) -> None:
        ends = sorted(each.ends_at for each in self.world.purchases.values() if each.ends_at is not None)
        until = self.now + seconds
        for end in [each for each in ends if self.now < each <= until]:
            self.world.clock.advance(end - self.now)
            self._changed()
        self.world.clock.advance(max(0.0, until - self.now))
        self._changed()

    @rule(seconds=SECONDS, gate=st.sampled_from([0, 1]), person=st.sampled_from(PEOPLE), by=NAMES)
    def wait_and_check(self, seconds: float, gate: int, person: str, by: str) -> None:
        self.wait(seconds)
        self.check(gate, person, by)

    @rule(gate=st.sampled_from([0, 1]), person=st.sampled_from(PEOPLE), by=NAMES)
    def check(self, gate: int, person: str, by: str) -> None:
        self.run(self._check(self.gates[gate], person, by))

    async def _check(self, gate: AccessGate, person: str, by: str) -> None:
        for number, question in enumerate(QUESTIONS):
            asked: dict[str, Any] = {by: person if by == "customer_id" else f"{person}@example.com"}
            access = await gate.check(**asked, **question)
            if problem := self._problem(access, self.facts[person, number], person):
                self.wrong.append(f"{access} of {question}: {problem}")
            # What is refreshed behind may end before the next check, or not.
            for _ in range(number):
                await asyncio.sleep(0)

    def _problem(self, access: Any, fact: Fact, person: str) -> str:
        noticed = self.noticed_at.get(person, float("-inf"))
        if access.denied and fact.may:
            if self.now - fact.since > DENIED:
                return f"had for {self.now - fact.since} s"
            if noticed > fact.since:
                return "noticed since"
        if access.allowed and not fact.may:
            if self.now - fact.had_until > STALE:
                return f"not had for {self.now - fact.had_until} s"
            if noticed > fact.had_until:
                return "noticed since"
        if access.unknown and self.world.failure is None:
            return "Kajabi answers"
        return ""

    @invariant()
    def nothing_is_wrong(self) -> None:
        assert not self.wrong, self.wrong


def walk(seed: int, steps: int) -> list[str]:
    """Take random *steps*, of which most are time and checks, and return what was wrong."""
    chance = random.Random(seed)
    machine = AccessMachine()
    machine.start(*(chance.random() < 0.5 for _ in range(3)))
    try:
        for _ in range(steps):
            _step(machine, chance)
    finally:
        machine.teardown()
    return [f"walk {seed}: {each}" for each in machine.wrong]


def _step(machine: AccessMachine, chance: random.Random) -> None:
    person, offer = chance.choice(PEOPLE), chance.choice(OFFERS)
    seconds = chance.choice([0.5, 1.0, 9.0, 11.0, 29.0, 61.0, 550.0])
    lasts = chance.choice([None, 1.0, 30.0, 90.0, 700.0])
    steps: dict[str, tuple[int, Callable[[], None]]] = {
        "check": (8, lambda: machine.check(chance.choice([0, 1]), person, chance.choice(["customer_id", "email"]))),
        "wait": (6, lambda: machine.wait(seconds)),
        "buy": (2, lambda: machine.buy(person, offer, lasts)),
        "grant": (2, lambda: machine.grant(person, offer)),
        "revoke": (2, lambda: machine.revoke(person, offer)),
        "deactivate": (2, lambda: machine.deactivate(person, offer)),
        "notice": (2, lambda: machine.notice(person, chance.choice(["customer_id", "email", "contact_id"]))),
        "fail": (2, lambda: machine.fail(chance.choice((None, *FAILURES)))),
    }
    (name,) = chance.choices([*steps], [weight for weight, _ in steps.values()])
    steps[name][1]()


def _is_active(bought: Bought, now: float) -> bool:
    return bought.ends_at is None or bought.ends_at > now
