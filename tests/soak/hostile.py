"""Damaged and hostile answers result in an object or a KajabiError, and no byte goes to another host."""

import asyncio
import copy
import json
import random
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kajabi_async import Customer, Failed, Found, KajabiError, NotFoundError, RequestTimeoutError, dumps, loads
from kajabi_async.client import OFFICIAL_ORIGINS
from kajabi_async.decoding.answers import read_page, read_resource
from kajabi_async.jsonapi.codec import json_array, json_object
from kajabi_async.jsonapi.linkage import Identifier
from kajabi_async.models.origin import Scope
from kajabi_async.resources.people import Customers
from tests.sending import Canned, context, links, resource
from tests.soak.figures import Figure
from tests.webhooks.mutated import run

REFERENCE = Path(__file__).parents[3] / "shared" / "reference"
BY_HYPOTHESIS = 20_000
JUNK: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1.5,
    10**30,
    1e308,
    "",
    "x",
    "\ud7ff",
    "9" * 400,
    [],
    {},
    [[]],
    [None],
    {"data": None},
    {"data": []},
    {"type": "customers"},
    {"type": "customers", "id": "1"},
    {"type": ["customers"], "id": {}},
    "2024-13-45T99:99:99Z",
    "https://evil.example/v1/contacts/1",
)
BYTES = (b"", b"{", b"NaN", b"\xff", b"\x00", b'"', b"[" * 3000, b"1e999", b'"\\ud800"', b"}}", b",", b" " * 100)
NAMES = (
    *("data", "included", "links", "meta", "errors", "attributes", "relationships", "type", "id"),
    *("contact", "offers", "products", "net_revenue", "created_at"),
)


def examples() -> list[bytes]:
    """Return the official examples, or one of the same shape if they are not beside the checkout."""
    found = sorted(REFERENCE.glob("customer-details*.json"))
    if found:
        return [path.read_bytes() for path in found]
    contact = resource("contacts", "2", attributes={"email": "a@example.com"})
    linkage: dict[str, Any] = {"contact": {"data": {"type": "contacts", "id": "2"}}, "offers": {"data": []}}
    primary = resource("customers", "1", attributes={"name": "A", "net_revenue": "1.5"}, relationships=linkage)
    return [json.dumps({"data": primary, "included": [contact]}).encode()]


def damaged(example: bytes, chance: random.Random) -> bytes:
    """Return *example* with one to four defects."""
    document = json.loads(example)
    for _ in range(chance.randrange(4)):
        _damage(document, chance)
    body = json.dumps(document).encode("utf-8", "replace")
    if chance.random() < 0.4:
        at = chance.randrange(len(body) + 1)
        body = body[:at] + chance.choice(BYTES) + body[at + chance.choice((0, 0, 1, 50, 10**6)) :]
    return body


def _damage(document: Any, chance: random.Random) -> None:
    holder, key = chance.choice(list(_places(document)))
    what = chance.randrange(4)
    if what == 0:
        del holder[key]
    elif what == 1 and json_object(holder) is not None:
        holder[chance.choice(NAMES)] = copy.deepcopy(holder[key])
    elif what == 2 and json_array(holder) is not None:
        holder.append(copy.deepcopy(holder[key]))
    else:
        holder[key] = copy.deepcopy(chance.choice(JUNK))


def _places(value: Any) -> Iterable[tuple[Any, Any]]:
    members = json_object(value)
    pairs: list[tuple[Any, Any]] = list(enumerate(json_array(value) or ()) if members is None else members.items())
    for key, inner in pairs:
        yield value, key
        yield from _places(inner)
    if not value:
        yield [None], 0


def read_whole(body: bytes) -> bool:
    """Read a document as a customer and as a page, with all their parts; return whether any of it was readable."""
    readable = False
    scope = Scope(primary=Identifier("customers", "123"))
    for read in (_one, _many):
        try:
            for customer in read(body, scope):
                _touch(customer)
                readable = True
        except KajabiError:
            continue
    return readable


def _one(body: bytes, scope: Scope) -> list[Customer]:
    return [read_resource(body, cls=Customer, scope=scope, context="soak")]


def _many(body: bytes, scope: Scope) -> list[Customer]:
    rows = read_page(body, cls=Customer, scope=scope, context="soak").rows
    return [row for row in rows if isinstance(row, Customer)]


def _touch(customer: Customer) -> None:
    for name in ("name", "email", "net_revenue", "created_at", "updated_at", "extra", "links", "meta"):
        try:
            getattr(customer, name)
        except (KajabiError, AttributeError):
            continue
    for handle in (customer.contact, customer.offers, customer.products):
        try:
            _ = (handle.ids, handle.loaded, repr(handle))
        except KajabiError:
            continue
    repr(customer)


def documents(number: int) -> Figure:
    """Read *number* damaged documents, generated by hypothesis from the official examples."""
    seeds = examples()
    seen = {"read": 0, "rejected": 0}
    others: list[str] = []

    @settings(
        max_examples=min(number, BY_HYPOTHESIS),
        database=None,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(st.integers(0, 2**64), st.sampled_from(seeds))
    def run(seed: int, example: bytes) -> None:
        _count(damaged(example, random.Random(seed)), seen, others)

    run()
    done = sum(seen.values())
    # Hypothesis takes several milliseconds for each; the rest gets the same damage from plain seeds.
    for seed in range(done, number):
        _count(damaged(seeds[seed % len(seeds)], random.Random(-seed)), seen, others)
    what = f"{sum(seen.values()) + len(others):,} damaged documents"
    shown = f"{seen['read']:,} read, {seen['rejected']:,} rejected, {len(others)} other exceptions {others[:3]}"
    return Figure(what, shown, "0 other exceptions", not others)


def _count(body: bytes, seen: dict[str, int], others: list[str]) -> None:
    try:
        readable = read_whole(body)
    except Exception as error:  # noqa: BLE001 - any other exception is the finding
        others.append(repr(error)[:200])
    else:
        seen["read" if readable else "rejected"] += 1


def _written() -> list[bytes]:
    customer = read_resource(examples()[0], cls=Customer, scope=Scope(), context="soak")
    values: dict[str, Any] = {
        "found": Found("1", customer),
        "failed": (Failed("2", NotFoundError(status=404, method="GET", path="/v1/customers/2")),),
        "odd": [Decimal("1.5"), datetime(2026, 2, 1, tzinfo=UTC), "\ud800", {"$kajabi": 1}, float("inf")],
        "late": RequestTimeoutError("x", phase="read", seconds=5.0),
    }
    return [dumps(values).encode(), dumps(customer).encode()]


def texts(number: int) -> Figure:
    """Read *number* damaged texts of `dumps`, and use the results as a worker does."""
    seeds = _written()
    read = rejected = 0
    others: list[str] = []
    for seed in range(number):
        chance = random.Random(seed)
        text = damaged(seeds[seed % len(seeds)], chance)
        if chance.random() < 0.3:
            text = text.replace(b'"1.5"', chance.choice(SCALARS)).replace(b'"state":', chance.choice(STATES))
        try:
            value = loads(text)
            _ = (repr(value), dumps(value), value == value)  # noqa: PLR0124 - it may raise
        except KajabiError:
            rejected += 1
        except Exception as error:  # noqa: BLE001 - any other exception is the finding
            others.append(f"{error!r} of {text[:200]!r}")
        else:
            read += 1
    shown = f"{read:,} read, {rejected:,} rejected, {len(others)} other exceptions {others[:3]}"
    return Figure(f"{number:,} damaged texts of dumps", shown, "0 other exceptions", not others)


SCALARS = (
    b'"sNaN"',
    b'"NaN"',
    b'"1e999999999999999999"',
    b'"-Infinity"',
    b"1" * 4000,
    b'"%s"' % (b"9" * 5000),
    b"1e308",
)
STATES = (b'"state":{"characters_written":%s},"zz":' % (b"9" * 400), b'"state":{"args":5},"zz":', b'"state":[],"zz":')


def mutated_deliveries(number: int) -> Figure:
    """Read *number* mutated webhook deliveries; each results in an event, or in an error without personal data."""
    reported: list[str] = []
    try:
        run(number, 17, reported.append)
    except Exception as error:  # noqa: BLE001 - any other exception is the finding
        return Figure(f"{number:,} mutated deliveries", repr(error)[:300], "0 other exceptions", holds=False)
    return Figure(f"{number:,} mutated deliveries", reported[0], "0 other exceptions", holds=True)


PIECES = (
    *("https:", "http:", "//", "///", "\\\\", "@", ":", ":443", ":8443", "?", "#", "%2f", "%2e%2e", "..", "/", "\t"),
    *("api.kajabi.com", "app.kajabi.com", "evil.example", "127.0.0.1", "[::1]", "0x7f.1", "API.KAJABI.COM."),
    *("/v1", "/api/v1", "/contacts", "/customers", "/oauth/revoke", "/321", "/1;x", "\u2100", "\uff0e", "\r\nHost: x"),
)


async def hostile_links(number: int, *, seed: int = 11) -> Figure:
    """Follow *number* links built from pieces that confuse parsers; every request stays on the client's base URL."""
    chance = random.Random(seed)
    rules = links()
    followed = rejected = elsewhere = 0
    others: list[str] = []
    for _ in range(number):
        link = _link(chance)
        try:
            trusted = rules.rebuild(link, request_path="/v1/customers/1")
        except KajabiError:
            rejected += 1
            continue
        except Exception as error:  # noqa: BLE001 - any other exception is the finding
            others.append(repr(error)[:200])
            continue
        followed += 1
        elsewhere += not _is_on_api(trusted.path)
    elsewhere += await _through_a_client(chance, number // 50)
    shown = f"{rejected:,} rejected, {followed:,} rebuilt, {elsewhere} elsewhere, {len(others)} other exceptions"
    return Figure(f"{number:,} hostile links", shown, "0 elsewhere", not elsewhere and not others)


def _link(chance: random.Random) -> str:
    if chance.random() < 0.3:
        origin, prefix = chance.choice(OFFICIAL_ORIGINS)
        return f"{origin}{prefix}/contacts/{chance.choice(PIECES)}{chance.randrange(1000)}{chance.choice(PIECES)}"
    return "".join(chance.choice(PIECES) for _ in range(chance.randrange(1, 9)))


async def _through_a_client(chance: random.Random, number: int) -> int:
    """Use the links as relations of customers, and count requests to paths outside the API."""
    strange = 0
    for _ in range(number):
        shown = {"data": resource("customers", "1", links={"contact": _link(chance)})}
        send = Canned({"/v1/customers/1": shown})
        customer = await Customers(context(send)).get("1")
        with suppress(KajabiError):
            await customer.contact
        strange += sum(not _is_on_api(request.path) for request in send.asked)
        await asyncio.sleep(0)
    return strange


def _is_on_api(path: str) -> bool:
    clean = path.startswith("/v1/") and "//" not in path and "\\" not in path and ".." not in path.split("/")
    return clean and "@" not in path and "%2f" not in path.lower() and path.isascii() and path.isprintable()
