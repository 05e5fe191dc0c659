"""Emails off the pages of a list: what is proven, what it costs, and a list that changes while it is read."""

from collections.abc import Sequence
from typing import Any

import pytest

from kajabi_async import EmailLookup, InvalidArgumentError, PagingError
from kajabi_async.errors import ServerError
from kajabi_async.exchange import Request
from kajabi_async.fetching.plan import Strategy
from kajabi_async.resources.people import Contacts
from tests.clocks import ManualClock
from tests.fetching.contact_list import World, list_of
from tests.sending import Canned, context

PROBES = 3
"""The requests that may be spent to find out that the server ignores the filter."""


async def _found(world: World, emails: Sequence[str], strategy: Strategy = "auto", **options: Any) -> dict[str, Any]:
    run = Contacts(context(Canned(world))).find_many(emails, strategy=strategy, **options)
    outcomes: dict[str, EmailLookup[Any]] = {each.email: each async for each in run}
    return outcomes


def _emails(*numbers: int) -> list[str]:
    return [f"user{number}@example.com" for number in numbers]


@pytest.mark.parametrize("requested", [1, 2, 3, 9, 60, 300])
@pytest.mark.parametrize("total", [250, pytest.param(3000, marks=pytest.mark.thorough)])
@pytest.mark.parametrize("site_id", [None, "1"])
async def test_an_ignored_filter_costs_no_more_than_a_scan(requested: int, total: int, site_id: str | None) -> None:
    """Each search would read the whole list; its first page shows that, and the run reads the list once instead."""
    emails = _emails(*range(1, 2 * total, 2 * total // requested))
    scanned = list_of(total)
    await _found(scanned, emails, "scan", site_id=site_id)
    world = list_of(total, ignores=frozenset({"email_contains"}))
    outcomes = await _found(world, emails, site_id=site_id)
    assert world.requests <= scanned.requests + PROBES
    assert {email for email, each in outcomes.items() if each.found} == set(emails) & set(_emails(*range(1, total + 1)))
    assert all(each.found or each.missing for each in outcomes.values())


async def test_one_search_at_a_time_goes_out_until_the_filter_is_known_to_work() -> None:
    """Fifty at once would each read a page of the whole list."""
    world = list_of(5000, ignores=frozenset({"email_contains"}), states_length=False)
    outcomes = await _found(world, _emails(*range(1, 50)), concurrency=50)
    assert [each.found for each in outcomes.values()] == [True] * 49
    assert world.requests <= 50 + PROBES


async def test_a_fuzzy_search_is_no_ignored_filter() -> None:
    """Its answers are short: reading on in them takes fewer requests than the list."""
    world = list_of(3000)
    searched = World(world.rows[:150], world.chance, size=100)

    def respond(request: Request) -> Any:
        is_search = "email_contains" in request.query
        world.requests += is_search
        return (
            searched(Request("GET", request.path, request.query.replace("email_contains", "x")))
            if is_search
            else (world(request))
        )

    run = Contacts(context(Canned(respond))).find_many(_emails(2999, 2998, 2997), strategy="auto", site_id="1")
    assert (await run.report()).found == 3
    assert world.requests + searched.requests < 20


async def test_a_list_that_cannot_be_read_whole_is_read_once_all_the_same() -> None:
    """A search that is not filtered has the same row that cannot be read; each email fails with what is in the way."""
    world = list_of(1000, ignores=frozenset({"email_contains"}), damaged=frozenset({500}))
    outcomes = await _found(world, _emails(1, 2, 500, *range(2000, 2100)))
    assert world.requests <= 10 + PROBES
    assert outcomes["user1@example.com"].found
    for email in _emails(500, *range(2000, 2100)):
        assert isinstance(outcomes[email].error, PagingError)
        assert "contacts 500 came with 'email' that cannot be read" in str(outcomes[email].error)


async def test_a_list_shorter_than_it_says_proves_nothing() -> None:
    """A row that no page has brought may have the email."""
    world = list_of(500, ignores=frozenset({"email_contains"}))

    def respond(request: Request) -> Any:
        answer = world(request)
        if request.path == "/v1/contacts":
            answer["meta"]["total_count"] += 1
        return answer

    run = Contacts(context(Canned(respond))).find_many(_emails(1, 2, *range(2000, 2050)), strategy="auto")
    outcomes = {each.email: each async for each in run}
    assert outcomes["user1@example.com"].found
    assert all(isinstance(outcomes[each].error, PagingError) for each in _emails(*range(2000, 2050)))
    assert world.requests <= 5 + 2 * PROBES


async def test_pages_that_fail_after_the_filter_was_ignored_are_requested_again() -> None:
    """A failure that passes is waited out, and is the outcome of no email."""
    world = list_of(1000, ignores=frozenset({"email_contains"}))
    failing = 3

    def respond(request: Request) -> Any:
        nonlocal failing
        if "page%5Bnumber%5D=4" in request.query and failing:
            failing -= 1
            return ServerError(status=503, method="GET", path=request.path)
        return world(request)

    within = context(Canned(respond), clock=ManualClock())
    run = Contacts(within).find_many(_emails(1, 2), strategy="auto", concurrency=2)
    assert (await run.report()).found == 2
    assert failing == 0


@pytest.mark.parametrize("strategy", ["scan", "auto"])
@pytest.mark.parametrize(("changes", "again"), [(1, 1), (3, 11)])
async def test_rows_inserted_while_the_list_is_read_cost_a_few_pages(
    strategy: Strategy, changes: int, again: int
) -> None:
    """New rows come first: the first page is read again for them, and what is missing is proven to be.

    Pages fetched at once that disagree about the length are read again, too: which was answered first is not known.
    """
    world = list_of(3000, moves="inserted", changes=changes)
    outcomes = await _found(world, _emails(*range(1, 6000, 6)), strategy)
    assert world.requests <= 1 + 31 + again
    assert sum(each.found for each in outcomes.values()) == 500
    assert all(each.found or each.proven for each in outcomes.values())


async def test_more_rows_inserted_than_a_page_holds_are_all_read() -> None:
    """Page after page, down to the row that was first."""
    world = list_of(3000)

    def respond(request: Request) -> Any:
        if "page%5Bnumber%5D=12&" in request.query and len(world.rows) == 3000:
            world.rows[:0] = [(key, f"user{key}@example.com", "1") for key in range(3250, 3000, -1)]
        return world(request)

    emails = _emails(*range(1, 4000, 2))
    run = Contacts(context(Canned(respond))).find_many(emails, strategy="scan", concurrency=1)
    outcomes = {each.email: each async for each in run}
    assert sum(each.found for each in outcomes.values()) == 3250 // 2
    assert all(each.found or each.proven for each in outcomes.values())
    assert world.requests <= 1 + 33 + 3


async def test_a_person_who_was_inserted_meanwhile_is_found() -> None:
    """If no page was read in between, the row would be taken as missing."""
    world = list_of(1000, moves="inserted", changes=2)
    outcomes = await _found(world, [*_emails(*range(1, 3000, 10)), "new1001@example.net"], "scan")
    assert outcomes["new1001@example.net"].found


async def test_a_list_of_one_page_proves_absence_without_a_total() -> None:
    """Its rows cannot have moved between two pages."""
    world = list_of(90, states_length=False)
    outcomes = await _found(world, _emails(1, 500), "scan")
    assert outcomes["user500@example.com"].proven
    assert world.requests == 1


async def test_pages_without_a_total_prove_nothing() -> None:
    """A row that was deleted from a page that was read pulls another onto it, and no number shows it."""
    world = list_of(300, states_length=False)
    outcomes = await _found(world, _emails(1, *range(500, 600)), "scan")
    assert outcomes["user1@example.com"].found
    assert all(outcomes[each].missing and not outcomes[each].proven for each in _emails(*range(500, 600)))
    assert world.requests == 3


def test_strategies_are_checked() -> None:
    """Before anything is sent."""
    with pytest.raises(InvalidArgumentError):
        Contacts(context(Canned(list_of(1)))).find_many(["a@b.c"], strategy="list")  # type: ignore[arg-type]
