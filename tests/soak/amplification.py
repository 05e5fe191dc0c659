"""Answers built to expand: the cost of reading each in memory and time, whatever its content."""

import random
import time
import tracemalloc
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kajabi_async import Contact, Customer, KajabiError
from kajabi_async.clock import SystemClock
from kajabi_async.decoding.answers import read_page, read_resource, read_samples
from kajabi_async.errors import AnswerTooLargeError
from kajabi_async.exchange import Answer, Request
from kajabi_async.jsonapi.codec import decode
from kajabi_async.jsonapi.limits import MAX_ELEMENTS, excess_in, width_in
from kajabi_async.jsonapi.linkage import Identifier
from kajabi_async.models.resource import Resource, Scope
from kajabi_async.session.auth.token import Token
from kajabi_async.session.error_answers import error_of
from kajabi_async.webhooks import MAX_BYTES, parse
from tests.soak.figures import Figure

__all__ = ["COSTLY", "OF_MANY_MEMBERS", "Cost", "answers", "at_size", "deliveries", "with_most_elements", "worst"]

MIB: Final = 2**20
_TIMES: Final = 6
UNITS: Final[dict[str, bytes]] = {
    "numbers": b"0,",
    "nulls": b"null,",
    "objects": b"{},",
    "arrays": b"[],",
    "nested arrays": b"[" * 90 + b"]" * 90 + b",",
    "nested objects": b'{"a":' * 90 + b"1" + b"}" * 90 + b",",
    "texts": b'"",',
    "short texts": b'"ab",',
    "small objects": b'{"a":0},',
    "rows": b'{"type":"customers","id":"1"},',
    "rows of another type": b'{"type":"offers","id":"1"},',
    "rows without id": b'{"type":"customers"},',
    "rows with attributes": b'{"type":"customers","id":"1","attributes":{}},',
    "rows with odd attributes": b'{"type":"customers","id":"1","attributes":{"name":[],"x":{}}},',
    "rows with relations": b'{"type":"customers","id":"1","relationships":{"offers":{"data":[]}}},',
    "error objects": b'{"title":{},"detail":[[]],"source":{}},',
    "long numbers": b"1" * 4000 + b",",
    "large numbers": b"12345678901234567890123,",
    "fractions": b"1." + b"1" * 40 + b",",
    "escapes": b'"' + b"\\n" * 500 + b'",',
    "hidden quotes": b'"' + b'\\"' * 500 + b'",',
    "commas in text": b'"' + b",[{" * 200 + b'",',
    "wide texts": '"aaaaaaaaaaaaaaa\U0001f600",'.encode(),
    "spaces": b" " * 4000 + b"0,",
}
ROWS: Final[dict[str, bytes]] = {
    "rows with members": b'{"type":"contacts","id":"1","attributes":%s}',
    "rows with members of objects": b'{"type":"contacts","id":"1","attributes":%s}',
    "rows with members that cannot be decoded": b'{"type":"contacts","id":"1","attributes":%s}',
    "rows with custom fields": b'{"type":"contacts","id":"1","attributes":%s}',
    "rows with odd custom fields": b'{"type":"contacts","id":"1","attributes":%s}',
}
TEXTS: Final[dict[str, bytes]] = {
    "consecutive escapes": b"\\n",
    "hidden quotes": b'\\"',
    "hidden quotes and separators": b'\\",[{',
    "hidden quotes and commas": b'\\",',
    "hidden quotes and digits": b'\\"' * 50 + b"7" * 201,
    "hidden quotes among separators": b'\\",[{,[{,[{,[{,[{,',
    "code points": b"\\u0041",
    "pairs": b"\\ud83d\\ude00",
    "letters": b"a",
    "separators": b",[{:",
    "digits": b"7",
    "wide": "\U0001f600".encode(),
}
NUMBERED: Final[dict[str, bytes]] = {
    "members": b'"k%d":1',
    "members of objects": b'"k%d":{"a":1}',
    "members that cannot be decoded": b'"k%d":1e999',
    "relations": b'"k%d":{"data":{"type":"a","id":"b"}}',
    "custom fields": b'"custom_%d":"x"',
    "odd custom fields": b'"custom_%d":[]',
}
SPREAD: Final = (*NUMBERED, "a repeated name", "long names")
_IN_A_ROW: Final = 900


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


def filling(kind: str, size: int) -> bytes:
    """Return a JSON value of one *kind* of about *size* bytes."""
    if kind in TEXTS:
        unit = TEXTS[kind]
        return b'"' + unit * (size // len(unit)) + b'"'
    if kind == "a letter among many":
        return b'"' + b"a" * (size - 10) + '\U0001f600"'.encode()
    if kind in NUMBERED or kind in ROWS:
        return _of_many_members(kind, size)
    if kind == "a repeated name":
        return _joined(b"{", [b'"name":[]'] * (size // 10), b"}")
    if kind == "long names":
        return _joined(b"{", (b'"%s%d":0' % (b"k" * 2000, index) for index in range(size // 2010)), b"}")
    unit = UNITS[kind]
    return b"[" + unit * max(1, size // len(unit)) + unit[:-1] + b"]"


def _of_many_members(kind: str, size: int) -> bytes:
    if kind in NUMBERED:
        return _numbered(kind, size // (len(NUMBERED[kind]) + 5))
    row = ROWS[kind] % _numbered(kind.removeprefix("rows with "), _IN_A_ROW)
    return _joined(b"[", [row] * (size // len(row)), b"]")


def _numbered(kind: str, number: int) -> bytes:
    return _joined(b"{", (NUMBERED[kind] % index for index in range(number)), b"}")


def _joined(opening: bytes, parts: Any, closing: bytes) -> bytes:
    return opening + b",".join(parts) + closing


KINDS: Final = (*UNITS, *ROWS, *TEXTS, "a letter among many", *SPREAD)
PLACES: Final[dict[str, bytes]] = {
    "data": b'{"data":%s,"links":{}}',
    "name": b'{"data":{"type":"customers","id":"1","attributes":{"name":%s}}}',
    "amount": b'{"data":{"type":"customers","id":"1","attributes":{"name":"a","net_revenue":%s,"created_at":[]}}}',
    "attributes": b'{"data":{"type":"customers","id":"1","attributes":%s}}',
    "attributes of a contact": b'{"data":{"type":"contacts","id":"1","attributes":%s}}',
    "an unknown attribute": b'{"data":[{"type":"customers","id":"1","attributes":{"name":1,"zz":%s}}]}',
    "relationships": b'{"data":{"type":"customers","id":"1","relationships":%s}}',
    "linkage": b'{"data":{"type":"customers","id":"1","relationships":{"offers":{"data":%s}}}}',
    "included": b'{"data":{"type":"customers","id":"1"},"included":%s}',
    "meta": b'{"data":[],"meta":{"x":%s}}',
    "links": b'{"data":[],"links":{"next":%s}}',
    "links of a row": b'{"data":{"type":"customers","id":"1","links":%s,"meta":%s}}',
    "type": b'{"data":[{"type":%s,"id":"1"}]}',
    "id": b'{"data":[{"type":"customers","id":%s}]}',
    "errors": b'{"errors":%s}',
    "title": b'{"errors":[{"title":%s,"meta":{}}]}',
    "error": b'{"error":%s,"error_description":%s}',
    "expires_in": b'{"access_token":"x","expires_in":%s}',
    "an unknown member": b'{"data":[],"zz":%s}',
    "all of it": b"%s",
    "payload": b'{"id":"1","event":"purchase","payload":%s}',
    "payload of the dashboard": b'{"id":"1","event":"purchase.created","payload":{"member":{"email":%s}}}',
}


def document(place: str, kind: str, size: int, *, second: str = "numbers") -> bytes:
    """Return a body of at most about *size* bytes with values of *kind* at *place*."""
    template = PLACES[place]
    if template.count(b"%s") == 1:
        return template.replace(b"%s", filling(kind, size - len(template) - 4500))
    half = size // 2 - len(template) - 4500
    return template.replace(b"%s", filling(kind, half), 1).replace(b"%s", filling(second, half), 1)


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


def worst(size: int = 64 * MIB, *, small: int = 2 * MIB, most: int = 12) -> list[Figure]:
    """Read every kind at every place with every reader at *small* bytes, and the *most* costly ones at *size*.

    If *small* bytes have more elements than is allowed, they are as many as have not.
    """
    every = [(place, kind, name) for place in PLACES for kind in KINDS for name in READERS]
    costs = {key: with_most_elements(*key, small) for key in every}
    by_time = sorted(costs, key=lambda key: -costs[key].time_used)[:most]
    by_memory = sorted(costs, key=lambda key: -costs[key].memory_used)[:most]
    large = [at_size(*key, size) for key in {*by_time, *by_memory, *COSTLY}]
    return [
        _figure(f"{len(costs):,} answers of up to {small / MIB:.0f} MiB", list(costs.values()), []),
        _figure(f"the worst {len(large)} at {size / MIB:.0f} MiB", large, []),
    ]


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
    ("data", "rows with custom fields", "page of contacts"),
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
def _within_limits(place: str, kind: str, size: int) -> bytes:
    while excess_in(body := document(place, kind, size), MAX_ELEMENTS, "") and size > MIB // 4:
        size -= size // 10
    return body


def _cost_at(place: str, kind: str, name: str, body: bytes) -> Cost:
    read = READERS[name]
    return cost_of(f"{kind} in {place} read as {name}", body, lambda body: _received(body, read))
