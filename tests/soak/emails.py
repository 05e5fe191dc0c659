"""Emails by the thousand: random lists, each outcome compared with a full reading of the list."""

import gc
import math
import random
import time
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import psutil

from kajabi_async import EmailLookup, InvalidEmailError
from kajabi_async.resources.people import Contacts
from tests.fetching.contact_list import World, list_of
from tests.sending import Canned, context
from tests.soak.figures import Figure

SPACES = ("", "", "", " ", "\t", "\n")
NO_EMAILS: tuple[Any, ...] = ("", "ada", "@", "a@", "@b.c", "a b@c.d", "a@b@c.d", None, 7, "a@b\x00.c", "\ud800@b.c")
ALLOWED_BYTES = 64 * 2**20


def _key(email: str) -> str:
    return unicodedata.normalize("NFC", email.lower().strip())


def made(seed: int) -> tuple[World, list[Any], str | None]:
    """Return a world, the emails to find in it, and the site to keep to."""
    chance = random.Random(seed)
    sites = ["1"] if chance.random() < 0.5 else ["1", "2", "3"]
    names = ["ada", "a.da", "ada+news", "straße", "strasse", "jos\u00e9", "o'neil,jr", "x", "ax", "ada_b"]
    stored = [f"{chance.choice(names)}{chance.randrange(30)}@example.com" for _ in range(chance.randrange(40))]
    stored += [f"other{number}@example.org" for number in range(chance.randrange(60))]
    unique = {(email, chance.choice(sites)) for email in stored}
    unique |= {(email, site) for email, _ in list(unique) for site in sites if chance.random() < 0.1}
    ordered = sorted(unique)
    chance.shuffle(ordered)
    rows = [(len(ordered) - index, chance.choice(SPACES) + email, site) for index, (email, site) in enumerate(ordered)]
    world = World(rows, chance, size=chance.choice([1, 3, 10, 100]))
    if chance.random() < 0.3:
        world.stale = frozenset(key for key, _, _ in rows if chance.random() < 0.3)
    if chance.random() < 0.3:
        world.ignores = frozenset(chance.sample(["email_contains", "site_id"], chance.randrange(1, 3)))
    if chance.random() < 0.4:
        world.moves, world.changes = chance.choice(["inserted", "removed"]), chance.randrange(1, 4)
    pool = [email for email in stored if not email.startswith("other")]
    pool += [f"{chance.choice(names)}{chance.randrange(90)}@example.com" for _ in range(chance.randrange(20))]
    emails: list[Any] = [_respelled(each, chance) for each in pool for _ in range(chance.choice([0, 1, 1, 1, 2]))]
    emails += chance.sample(NO_EMAILS, chance.randrange(3))
    chance.shuffle(emails)
    return world, emails, chance.choice([None, *sites])


def _respelled(email: str, chance: random.Random) -> str:
    text = "".join(each.upper() if chance.random() < 0.3 and len(each.upper()) == 1 else each for each in email)
    form = chance.choice(["NFC", "NFD"])
    return chance.choice(SPACES) + unicodedata.normalize(form, text) + chance.choice(SPACES)  # type: ignore[arg-type]


async def wrong_in(seed: int) -> list[str]:
    """Return what is wrong with the outcomes of one world, for each strategy."""
    wrong: list[str] = []
    costs: dict[str, int] = {}
    for strategy in ("lookup", "scan", "auto"):
        world, emails, site = made(seed)
        by_email: defaultdict[str, set[str]] = defaultdict(set)
        hidden: set[str] = set()
        for key, email, of in world.rows:
            if site in {None, of}:
                by_email[_key(email)].add(str(key))
                hidden |= {str(key)} if key in world.stale and "email_contains" not in world.ignores else set()
        contacts = Contacts(context(Canned(world)))
        ordered = seed % 2 == 0
        run = contacts.find_many(
            emails,
            site_id=site,
            strategy=strategy,
            ordered=ordered,
            concurrency=world.chance.choice([1, 3, 20]),
        )
        outcomes = [each async for each in run]
        given = [each if isinstance(each, str) else str(each) for each in emails]
        shown = [each.email for each in outcomes]
        if (shown if ordered else sorted(shown)) != (given if ordered else sorted(given)):
            wrong.append(f"{seed} {strategy}: the outcomes are not those of the emails")
        wrong += [
            f"{seed} {strategy}: {problem}"
            for outcome in outcomes
            if (problem := _wrong(outcome, by_email, hidden, is_scan=strategy == "scan"))
        ]
        costs[strategy] = world.requests
    if "email_contains" in world.ignores and not world.moves and costs["auto"] > _allowed_for(costs["scan"]):
        wrong.append(f"{seed}: with the filter ignored, auto takes {costs['auto']} requests and scan {costs['scan']}")
    return wrong


def _allowed_for(scan: int) -> int:
    """Return the requests that auto may take if the server ignores the filter, which a few show."""
    return math.ceil(1.1 * scan) + 3


def _wrong(outcome: EmailLookup[Any], truth: dict[str, set[str]], hidden: set[str], *, is_scan: bool) -> str:
    if isinstance(outcome.error, InvalidEmailError):
        return "" if outcome.email in map(str, NO_EMAILS) else f"{outcome.email!r} was refused"
    ids = truth.get(_key(outcome.email), set())
    rows = (outcome.resource,) if outcome.found else outcome.candidates
    seen = {row.id for row in rows}
    stranger = [row for row in rows if _key(row.email or "") != _key(outcome.email)]
    # A search that misses people misses them here, too; that is not taken for proof.
    is_excused = not is_scan and seen <= ids and not (ids - seen) - hidden and not getattr(outcome, "proven", False)
    if stranger or (seen != ids and not is_excused):
        return f"{outcome.email!r} is {sorted(seen)}, and should be {sorted(ids)}"
    if not outcome.found and (outcome.ambiguous is not (len(seen) > 1) or outcome.missing is not (not seen)):
        return f"{outcome.email!r} is said to be {outcome}"
    return ""


async def worlds(number: int) -> Figure:
    """Find emails in *number* random worlds by every strategy."""
    wrong = [each for seed in range(number) for each in await wrong_in(seed)]
    return Figure(
        f"emails in {number:,} random lists, by each strategy", f"{len(wrong)} wrong {wrong[:3]}", "0", not wrong
    )


async def planned(total: int) -> Figure:
    """Compare the requests of "auto" with those of the better strategy, over a grid of sizes."""
    world = list_of(total)
    worst = 0.0
    for place in ("newest", "oldest", "scattered", "half missing"):
        for requested in (1, 2, 3, 9, 10, 30, 100, 300, 1000):
            costs: dict[str, int] = {}
            for strategy in ("lookup", "scan", "auto"):
                world.requests = 0
                emails = _chosen(place, total, requested)
                run = Contacts(context(Canned(world))).find_many(emails, strategy=strategy)
                await run.report()
                costs[strategy] = world.requests
            better = min(costs["lookup"], costs["scan"])
            excess = costs["auto"] - better
            # If the better one takes fewer than ten, one request may be spent to find out which it is.
            worst = max(worst, (excess - 1) / better if better < 10 else excess / better)
    return Figure(f"requests of auto for {total:,} contacts", f"{worst:.0%} more", "at most 10 %", worst <= 0.1)


async def ignored(total: int) -> Figure:
    """Compare the requests of "auto" with those of a scan, over the same grid, if the server ignores the filter."""
    worst = ""
    for place in ("newest", "oldest", "scattered", "half missing"):
        for requested in (1, 2, 3, 9, 10, 30, 100, 300, 1000):
            costs: dict[str, int] = {}
            for strategy in ("scan", "auto"):
                world = list_of(total, ignores=frozenset({"email_contains"}))
                run = Contacts(context(Canned(world))).find_many(_chosen(place, total, requested), strategy=strategy)
                await run.report()
                costs[strategy] = world.requests
            if costs["auto"] > _allowed_for(costs["scan"]):
                worst = worst or f"; {costs['auto']} against {costs['scan']} for {requested:,} {place}"
    seen = f"{'within' if not worst else 'beyond'} the bar{worst}"
    return Figure(f"auto for {total:,} contacts with the filter ignored", seen, "a scan, 10 % and 3", not worst)


def _chosen(place: str, total: int, requested: int) -> list[str]:
    if place == "newest":
        numbers: Any = range(total, total - requested, -1)
    elif place == "oldest":
        numbers = range(1, requested + 1)
    else:
        share = 2 if place == "half missing" else 1
        numbers = random.Random(requested).sample(range(1, share * max(total, requested) + 1), requested)
    return [f"User{number}@example.com" for number in numbers]


async def requests_for(emails: int, contacts: int) -> Figure:
    """Count the requests for *emails* of *contacts*."""
    world = list_of(contacts)
    chosen = _chosen("scattered", contacts, emails)
    report = await Contacts(context(Canned(world))).find_many(chosen).report()
    is_right = report.found == emails and world.requests <= 60
    return Figure(f"{emails:,} emails of {contacts:,} contacts", f"{world.requests} requests", "at most 60", is_right)


async def memory(emails: int, contacts: int) -> Figure:
    """Find *emails* of which *contacts* exist, and measure the memory beside the set of the emails."""
    gc.collect()
    process = psutil.Process()
    start = process.memory_info().rss
    kept = {f"user{number}@example.com" for number in range(1, emails + 1)}
    of_set = process.memory_info().rss - start
    del kept
    world = list_of(contacts)
    canned = Canned(world)
    canned.asked = _Nothing()
    gc.collect()
    before = most = process.memory_info().rss
    found = done = 0
    began = time.monotonic()

    def source() -> Iterator[str]:
        for number in range(1, emails + 1):
            yield f"user{number}@example.com"

    async for outcome in Contacts(context(canned)).find_many(source()):
        found += outcome.found
        done += 1
        if done % 1000 == 0:
            most = max(most, process.memory_info().rss)
    grown = most - before - of_set
    took = time.monotonic() - began
    return Figure(
        f"{emails:,} emails against {contacts:,} contacts, {world.requests:,} requests, {took:.0f} s",
        f"{found:,} found, {grown / 2**20:.1f} MB beside the {of_set / 2**20:.0f} MB of the emails",
        "under 64 MB",
        found == min(emails, contacts) and done == emails and grown < ALLOWED_BYTES,
    )


class _Nothing(list[Any]):
    """A list that keeps nothing."""

    def append(self, _: Any, /) -> None:
        return
