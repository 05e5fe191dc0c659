"""Mutated deliveries, and the properties of every outcome.

``python -m tests.webhooks.mutated 50000`` tries that many from seed 1 (``--seed`` for another) and counts the outcomes.
"""

import argparse
import json
import pickle
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any, Final, cast

from kajabi_async import RelationshipUnavailableError
from kajabi_async.models import Resource
from kajabi_async.webhooks import DashboardEvent, Event, KnownEvent, WebhookError, parse
from tests.webhooks.deliveries import DELIVERIES, PERSONAL

__all__ = ["MAX_BYTES", "mutated", "outcome_of", "run"]

MAX_BYTES: Final = 20_000
"""Low enough for a mutation to pass it."""

_PEOPLE: Final = "Ada Lovelace of Somerset <ada@lovelace.example>"
_ODD: Final = cast("tuple[Any, ...]", (
    None, True, False, 0, -1, 2**70, 10**400, 1.5, 1e300, "", " ", "0", "purchases", "customers", "purchase",
    "payment_succeeded", "payment.succeeded", "form_submission.created", "unknown.event", _PEOPLE, "\x00\u2028\ud800",
    [], {}, [[]], [None], {"data": None}, {"data": []}, {"data": [{}]}, {"data": {"type": _PEOPLE, "id": _PEOPLE}},
    {_PEOPLE: {_PEOPLE: [_PEOPLE]}}, {"type": "customers", "id": "31"}, ["x"] * 50, "x" * MAX_BYTES,
))  # fmt: skip
_ODD_BYTES: Final = (
    b"",
    b"\xff",
    b"\x00",
    b"{",
    b"]",
    b'"',
    b"\\ud800",
    b"NaN",
    b"1e999",
    b"\xef\xbb\xbf",
    b"[" * 2000,
)


def mutated(body: bytes, random: Random) -> bytes:
    """Return *body* with one to four mutations of its structure or its bytes."""
    for _ in range(random.randint(1, 4)):
        change = random.choice((_restructured, _restructured, _restructured, _rewritten))
        body = change(body, random)
    return body


def _restructured(body: bytes, random: Random) -> bytes:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return _rewritten(body, random)
    places = list(_places(document))
    if not places:
        return json.dumps(random.choice(_ODD)).encode()
    holder, key = random.choice(places)
    random.choice((_replace, _replace, _remove, _rename, _repeat, _nest, _shuffle))(holder, key, random)
    return json.dumps(document).encode()


def _places(value: Any) -> Any:
    """Return every place of a document as a container and a key."""
    items: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType, reportUnknownArgumentType]
    for key, child in items:
        yield value, key
        yield from _places(child)


def _replace(holder: Any, key: Any, random: Random) -> None:
    holder[key] = random.choice(_ODD)


def _remove(holder: Any, key: Any, _random: Random) -> None:
    del holder[key]


def _rename(holder: Any, key: Any, random: Random) -> None:
    name = random.choice(("id", "type", "attributes", "relationships", "payload", "event", "included", _PEOPLE, ""))
    if isinstance(holder, dict):
        holder[name] = holder.pop(key)  # pyright: ignore[reportUnknownMemberType]
    else:
        holder[key] = {name: holder[key]}


def _repeat(holder: Any, key: Any, random: Random) -> None:
    if isinstance(holder, list):
        holder.insert(random.randint(0, len(holder)), holder[key])  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
    else:
        holder[f"{key}_again"] = holder[key]


def _nest(holder: Any, key: Any, random: Random) -> None:
    for _ in range(random.choice((1, 2, 70))):
        holder[key] = random.choice(([holder[key]], {"data": holder[key]}))


def _shuffle(holder: Any, _key: Any, random: Random) -> None:
    if isinstance(holder, list):
        random.shuffle(holder)  # pyright: ignore[reportUnknownArgumentType]
    else:
        values = list(holder.values())
        random.shuffle(values)
        holder.update(zip(holder, values, strict=True))


def _rewritten(body: bytes, random: Random) -> bytes:
    start = random.randint(0, len(body))
    end = random.choice((start, start + 1, start + random.randint(0, 40), len(body)))
    insertion = random.choice((random.choice(_ODD_BYTES), bytes([random.randrange(256)]), body[start : start + 30]))
    return body[:start] + insertion + body[end:]


def outcome_of(body: bytes) -> str:
    """Parse *body* and return the name of the event or error; AssertionError if either breaks its contract."""
    try:
        event = parse(body, max_bytes=MAX_BYTES)
    except WebhookError as error:
        _check_error(error)
        return type(error).__name__
    _check(event)
    return type(event).__name__


def _check_error(error: WebhookError) -> None:
    shown = f"{error!r} {error} {vars(error)}"
    assert not [word for word in PERSONAL if word in shown], f"an error has personal data: {shown}"
    assert len(shown) < 2000, "an error repeats the delivery"
    assert error.__context__ is None, "the context of an error may have personal data"
    assert 400 <= error.http_status < 500


def _check(event: KnownEvent) -> None:
    assert event.id
    assert event.name in repr(event) or type(event).__name__ in repr(event)
    arrived = pickle.loads(pickle.dumps(event))
    if isinstance(event, DashboardEvent):
        assert arrived == event
        return
    assert isinstance(event, Event)
    assert [each.identifier for each in arrived.resources] == [each.identifier for each in event.resources]
    for name, cls in event.carries().items():
        assert isinstance(getattr(event, name), cls)
    for resource in event.resources:
        _check_resource(resource)


def _check_resource(resource: Resource) -> None:
    assert isinstance(resource.id, str)
    resource.loaded_attributes()
    for name in resource.relations:
        handle: Any = getattr(resource, name)
        loaded: bool = handle.loaded
        # Without a client nothing is waited for, so the first step is the last.
        try:
            handle.__await__().send(None)
        except StopIteration:
            assert loaded
        except RelationshipUnavailableError:
            assert not loaded
        else:
            raise AssertionError(f"{name} waits for something")


def run(count: int, seed: int, progress: Callable[[str], object] = print) -> Counter[str]:
    """Try *count* mutated deliveries from *seed*, return the counts of outcomes, and print one line at the end."""
    random = Random(seed)
    bodies = list(DELIVERIES.values())
    outcomes: Counter[str] = Counter(outcome_of(mutated(random.choice(bodies), random)) for _ in range(count))
    refused = sum(number for name, number in outcomes.items() if name.endswith("Error"))
    kinds = ", ".join(f"{name} {number}" for name, number in outcomes.most_common())
    progress(f"{count} mutated deliveries from seed {seed}: {count - refused} read, {refused} refused ({kinds})")
    return outcomes


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description="Read mutated deliveries and count what becomes of them.")
    arguments.add_argument("count", type=int, nargs="?", default=50_000)
    arguments.add_argument("--seed", type=int, default=1)
    given = arguments.parse_args()
    run(given.count, given.seed)
