"""Answers built to expand: the cost of reading each in memory and time, whatever its content."""

import random
import time
import tracemalloc
from collections.abc import Callable
from functools import lru_cache
from typing import Final, NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kajabi_async import Contact, Customer, KajabiError, Payout
from kajabi_async.clock import SystemClock
from kajabi_async.decoding.answers import read_page, read_resource, read_samples
from kajabi_async.errors import AnswerTooLargeError
from kajabi_async.exchange import Answer, Request
from kajabi_async.jsonapi.codec import decode, json_object
from kajabi_async.jsonapi.limits import MAX_ELEMENTS, excess_in, width_in
from kajabi_async.jsonapi.linkage import Identifier, identifiers_of
from kajabi_async.models.origin import Scope
from kajabi_async.models.resource import Resource
from kajabi_async.session.auth.token import Token
from kajabi_async.session.error_answers import error_of
from kajabi_async.webhooks import MAX_BYTES, parse
from kajabi_async.webhooks import MAX_ELEMENTS as MAX_DELIVERED
from tests.soak.expanding import KINDS, PLACES, document, filling
from tests.soak.figures import Figure

__all__ = [
    "COSTLY",
    "OF_MANY_MEMBERS",
    "Cost",
    "answers",
    "at_size",
    "deliveries",
    "with_most_elements",
    "worst",
    "worst_deliveries",
]

MIB: Final = 2**20
_TIMES: Final = 6
_SMALLEST: Final = MIB // 32


class Cost(NamedTuple):
    """The cost of reading one body."""

    what: str
    size: int
    seconds: float
    peak: int
    rejected: bool

    @property
    def time_used(self) -> float:
        """The share of the allowed time, 10 ms for each MiB plus 50 ms."""
        return self.seconds / _allowed(self.size)

    @property
    def memory_used(self) -> float:
        """The share of the allowed memory, four times the size plus 32 MiB; the body itself counts."""
        return (self.peak + self.size) / (4 * self.size + 32 * MIB)

    def __str__(self) -> str:
        figures = f"{self.size / MIB:.2f} MiB: {self.seconds * 1000:.0f} ms, {(self.peak + self.size) / MIB:.0f} MiB"
        return f"{self.what}, {figures}{', rejected' if self.rejected else ''}"


def _look(resource: Resource) -> None:
    handles = [getattr(resource, name) for name in resource.relations]
    _ = ([(handle.ids, handle.loaded) for handle in handles], resource.origin.scope.known)
    _ = (resource.origin.links, resource.origin.meta, resource.loaded_attributes(), resource.extra)


def _one(body: bytes) -> None:
    _look(read_resource(body, cls=Customer, scope=Scope(primary=Identifier("customers", "1")), context="one"))


def _contact(body: bytes) -> None:
    _look(read_resource(body, cls=Contact, scope=Scope(primary=Identifier("contacts", "1")), context="contact"))


def _page(body: bytes, cls: type[Resource] = Customer) -> None:
    for row in read_page(body, cls=cls, scope=Scope(), context="page").rows[:1]:
        if isinstance(row, Resource):
            _look(row)
        else:
            str(row)


def _with_relations(body: bytes) -> None:
    for row in read_page(body, cls=Customer, scope=Scope(), context="page").rows:
        if isinstance(row, Resource):
            _look(row)


def _linkage(body: bytes) -> None:
    identifiers_of((json_object(decode(body, context="linkage")) or {}).get("data"))


def _samples(body: bytes) -> None:
    read_samples(body, scope=Scope(), context="samples")


def _error(body: bytes) -> None:
    str(error_of(Answer(422, {}, body), Request("GET", "/v1/customers"), SystemClock()))


def _delivery(body: bytes) -> None:
    parse(body, max_bytes=max(MAX_BYTES, len(body)))


READERS: Final[dict[str, Callable[[bytes], object]]] = {
    "one": _one,
    "page": _page,
    "contact": _contact,
    "page of contacts": lambda body: _page(body, Contact),
    "page of payouts": lambda body: _page(body, Payout),
    "page and its relations": _with_relations,
    "linkage": _linkage,
    "samples": _samples,
    "error": _error,
    "raw": lambda body: decode(body, context="raw"),
    "token": lambda body: Token.from_body(body, asked_at=0.0),
}


def _received(body: bytes, read: Callable[[bytes], object]) -> None:
    """Read *body* like the session: reject it by its bytes, or decode it."""
    if excess := excess_in(body, MAX_ELEMENTS, "max_answer_elements") or width_in(body):
        raise AnswerTooLargeError(excess)
    read(body)


def cost_of(what: str, body: bytes, read: Callable[[bytes], object], *, with_memory: bool = True) -> Cost:
    """Return the cost of reading *body*: the best time of several runs, and the peak of memory in a separate run.

    Load on the machine makes a run slower, never faster.
    """
    rejected = False

    def run() -> None:
        nonlocal rejected
        rejected = False
        try:
            read(body)
        except AnswerTooLargeError:
            rejected = True
        except KajabiError:
            pass

    seconds = float("inf")
    for _ in range(_TIMES):
        started = time.thread_time()
        run()
        seconds = min(seconds, time.thread_time() - started)
        if seconds < _allowed(len(body)) / 2:
            break
    peak = 0
    if with_memory:
        tracemalloc.start(1)
        run()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return Cost(what, len(body), seconds, peak, rejected)


def _allowed(size: int) -> float:
    return 0.05 + 0.01 * size / MIB


def _figure(what: str, costs: list[Cost], others: list[str]) -> Figure:
    slowest, largest = max(costs, key=lambda cost: cost.time_used), max(costs, key=lambda cost: cost.memory_used)
    shown = f"slowest {slowest} ({slowest.time_used:.0%}); largest {largest} ({largest.memory_used:.0%}); {others[:2]}"
    holds = slowest.time_used <= 1 and largest.memory_used <= 1 and not others
    return Figure(what, shown, "10 ms for each MiB + 50 ms, 4 x its size + 32 MiB", holds)


def answers(number: int, *, size: int = 65_536) -> Figure:
    """Read *number* generated answers of *size* bytes, with every reader."""
    return _measured(f"{number:,} answers of {size / 1024:.0f} KiB", number, size, _read_every_way)


def deliveries(number: int, *, size: int = 65_536) -> Figure:
    """Read *number* generated deliveries of *size* bytes."""
    what = f"{number:,} deliveries of {size / 1024:.0f} KiB"
    return _measured(what, number, size, lambda _: [("delivery", _delivery)])


def _read_every_way(seed: int) -> list[tuple[str, Callable[[bytes], object]]]:
    name = list(READERS)[seed % len(READERS)]
    return [(name, lambda body: _received(body, READERS[name]))]


def _measured(
    what: str, number: int, size: int, readers: Callable[[int], list[tuple[str, Callable[[bytes], object]]]]
) -> Figure:
    costs: list[Cost] = []
    others: list[str] = []

    @settings(
        max_examples=number,
        database=None,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(st.sampled_from(list(PLACES)), st.sampled_from(KINDS), st.sampled_from(KINDS), st.integers(0, 2**32))
    def run(place: str, kind: str, second: str, seed: int) -> None:
        chance = random.Random(seed)
        body = document(place, kind, chance.choice((size, size, size // 3)), second=second)
        if chance.random() < 0.3:
            body = mixed(body, chance, size)
        for name, read in readers(seed):
            try:
                costs.append(cost_of(f"{kind} in {place} read as {name}", body, read))
            except Exception as error:  # noqa: BLE001 - any other exception is the finding
                others.append(f"{kind} in {place} read as {name}: {error!r}"[:200])

    run()
    return _figure(what, costs, others)


def mixed(body: bytes, chance: random.Random, size: int) -> bytes:
    """Return *body* cut in half, with other values inserted, or as a member of another document."""
    what, part = chance.randrange(3), filling(chance.choice(KINDS), max(16, size - len(body)))
    at = chance.randrange(len(body) + 1)
    if what == 0:
        return body[:at]
    if what == 1:
        return body[:at] + part + body[at:]
    return PLACES[chance.choice(list(PLACES))].replace(b"%s", b"[%s,%s]" % (body, part))


def worst(size: int = 64 * MIB, *, small: int = 2 * MIB, rows: int = 2_000, most: int = 12) -> list[Figure]:
    """Read *rows* of the table of kinds, places and readers at *small* bytes, and the *most* costly ones at *size*.

    If *small* bytes have more elements than is allowed, they are as many as have not. The whole table takes an hour.
    """
    every = [(place, kind, name) for place in PLACES for kind in KINDS for name in READERS]
    drawn = random.Random(len(every)).sample(every, min(rows, len(every)))
    costs = {key: with_most_elements(*key, small) for key in drawn}
    by_time = sorted(costs, key=lambda key: -costs[key].time_used)[:most]
    by_memory = sorted(costs, key=lambda key: -costs[key].memory_used)[:most]
    large = [at_size(*key, size) for key in {*by_time, *by_memory, *COSTLY}]
    return [
        _figure(f"{len(costs):,} answers of up to {small / MIB:.0f} MiB", list(costs.values()), []),
        _figure(f"the worst {len(large)} at {size / MIB:.0f} MiB", large, []),
    ]


def worst_deliveries(size: int = MAX_BYTES) -> Figure:
    """Read every kind at every place as a delivery of at most *size* bytes and as many elements as it may have."""
    costs = [
        cost_of(f"{kind} in {place}", _within_limits(place, kind, size, MAX_DELIVERED), _delivery)
        for place in PLACES
        for kind in KINDS
    ]
    return _figure(f"{len(costs):,} deliveries of up to {size / MIB:.0f} MiB", costs, [])


COSTLY: Final = (
    ("name", "a letter among many", "one"),
    ("name", "hidden quotes", "one"),
    ("attributes", "long names", "one"),
    ("meta", "wide", "raw"),
    ("data", "numbers", "page"),
    ("data", "spaces", "page"),
    ("errors", "objects", "error"),
    ("included", "rows", "one"),
    ("an unknown member", "long numbers", "page"),
)
"""Combinations that are costly only because of their size."""
OF_MANY_MEMBERS: Final = (
    ("relationships", "relations", "one"),
    ("attributes of a contact", "members", "contact"),
    ("attributes of a contact", "custom fields", "contact"),
    ("data", "rows with members", "page of contacts"),
    ("data", "rows with custom fields", "page of contacts"),
    ("data", "customers with a few members", "page"),
    ("data", "rows with odd custom fields", "page of contacts"),
    ("data", "rows with members that cannot be decoded", "page of contacts"),
)
"""Combinations that are costly because of the number of members of a resource object."""


def at_size(place: str, kind: str, name: str, size: int) -> Cost:
    """Return the cost of *size* bytes of values of *kind* at *place* for the reader *name*."""
    return _cost_at(place, kind, name, document(place, kind, size))


def with_most_elements(place: str, kind: str, name: str, size: int) -> Cost:
    """Return the cost of *size* bytes of values, or of as many as have no more elements than is allowed."""
    return _cost_at(place, kind, name, _within_limits(place, kind, size))


@lru_cache(maxsize=1)
def _within_limits(place: str, kind: str, size: int, most_elements: int = MAX_ELEMENTS) -> bytes:
    while excess_in(body := document(place, kind, size), most_elements, "") and size > _SMALLEST:
        size -= size // 20
    return body


def _cost_at(place: str, kind: str, name: str, body: bytes) -> Cost:
    read = READERS[name]
    return cost_of(f"{kind} in {place} read as {name}", body, lambda body: _received(body, read))
