"""Which requests a scan for emails sends: pages, the sites if that pays, searches, and pages again after a shift."""

import random
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import parse_qs

import pytest

from kajabi_async import EmailLookup, PagingError
from kajabi_async.exchange import Request
from kajabi_async.fetching.plan import Strategy
from kajabi_async.resources.people import Contacts
from tests.fetching.contact_list import World
from tests.relationships.crowd import Crowd
from tests.sending import Canned, context

PAGE = 5


def _world(rows: int, *, sites: int = 1, **settings: Any) -> World:
    """Return a list of ``user1@example.com`` and so on, newest first, five on a page, on as many sites in turn."""
    numbered = [(key, f"user{key}@example.com", str(key % sites + 1)) for key in range(rows, 0, -1)]
    return World(numbered, random.Random(1), size=PAGE, **settings)


def _emails(*numbers: int) -> list[str]:
    return [f"user{number}@example.com" for number in numbers]


class _Sent(Canned):
    """Names what was requested: ``sites``, ``?`` for a search, or the number of a page."""

    @property
    def kinds(self) -> list[str]:
        return [self._kind(request) for request in self.asked]

    @staticmethod
    def _kind(request: Request) -> str:
        if request.path != "/v1/contacts":
            return request.path.removeprefix("/v1/")
        query = parse_qs(request.query)
        return "?" if "filter[email_contains]" in query else query["page[number]"][0]


async def _outcomes(
    world: Callable[[Request], Any], emails: Sequence[str], strategy: Strategy = "scan", **options: Any
) -> tuple[dict[str, EmailLookup[Any]], list[str]]:
    send = _Sent(world)
    settings: dict[str, Any] = {"concurrency": 1, **options}
    run = Contacts(context(send)).find_many(emails, strategy=strategy, **settings)
    outcomes: dict[str, EmailLookup[Any]] = {each.email: each async for each in run}
    # Pages, sites and searches alike are on the tally of the run.
    assert (await run.report()).requests == len(send.asked)
    return outcomes, send.kinds


def _pages(first: int, last: int) -> list[str]:
    return [str(number) for number in range(first, last + 1)]


async def test_the_sites_are_requested_once_if_the_scan_could_stop_earlier() -> None:
    """With one site an email is in the list once: the scan ends with the last email, after the page that has it."""
    outcomes, sent = await _outcomes(_world(150), _emails(*range(150, 120, -1)))
    assert sent == ["1", "sites", *_pages(2, 6)]
    assert all(each.found and not each.proven for each in outcomes.values())


@pytest.mark.parametrize(("pages", "number"), [(20, 30), (30, 19)])
async def test_the_sites_are_not_requested_for_few_pages_or_emails(pages: int, number: int) -> None:
    """It would add more than a request in twenty."""
    outcomes, sent = await _outcomes(_world(pages * PAGE), _emails(*range(1, number + 1)))
    assert sent == _pages(1, pages)
    assert all(each.found for each in outcomes.values())


async def test_the_sites_are_requested_from_twenty_pages_and_emails_on() -> None:
    """Those that are left after the first page."""
    _, sent = await _outcomes(_world(21 * PAGE), _emails(*range(1, 21)))
    assert sent == ["1", "sites", *_pages(2, 21)]


async def test_the_sites_are_not_requested_if_a_page_has_rows_of_two() -> None:
    """All pages are read for the emails of another site."""
    outcomes, sent = await _outcomes(_world(150, sites=2), _emails(*range(150, 120, -1)))
    assert sent == _pages(1, 30)
    assert all(each.found for each in outcomes.values())


async def test_one_site_that_is_kept_to_needs_no_list_of_sites() -> None:
    """An email is unique within it."""
    outcomes, sent = await _outcomes(_world(150), _emails(*range(150, 120, -1)), site_id="1")
    assert sent == _pages(1, 6)
    assert all(each.found for each in outcomes.values())


async def test_several_sites_are_a_reason_to_read_the_whole_list() -> None:
    """Even if all rows of the first page are of one."""
    world = _world(150)
    world.rows.append((200, "user150@example.com", "2"))
    outcomes, sent = await _outcomes(world, _emails(*range(150, 120, -1)))
    assert sent == ["1", "sites", *_pages(2, 31)]
    assert outcomes["user150@example.com"].ambiguous
    assert [each.id for each in outcomes["user150@example.com"].candidates] == ["150", "200"]


async def test_a_list_of_sites_that_fails_is_as_good_as_several_sites() -> None:
    """It is not requested again."""
    world = _world(150)
    outcomes, sent = await _outcomes(
        lambda request: None if request.path == "/v1/sites" else world(request), _emails(*range(150, 120, -1))
    )
    assert sent == ["1", "sites", *_pages(2, 30)]
    assert all(each.found for each in outcomes.values())


@pytest.mark.parametrize(("pages", "asks"), [(2, False), (3, True)])
async def test_if_searches_read_the_whole_list_the_sites_are_requested_for_two_pages(pages: int, asks: bool) -> None:
    """An email is then looked for on all of them, unless there is one site."""
    world = _world(pages * PAGE, ignores=frozenset({"email_contains"}))
    outcomes, sent = await _outcomes(world, _emails(pages * PAGE, 1), "auto")
    assert sent == ["?", "1", *(["sites"] if asks else []), *_pages(2, pages)]
    assert all(each.found for each in outcomes.values())


@pytest.mark.parametrize(
    ("pages", "number", "sent"),
    [
        (30, 1, _pages(1, 30)),
        (30, 2, ["1", "sites"]),
        (3, 2, ["1", "sites"]),
        (2, 2, ["1", "2"]),
    ],
)
async def test_the_sites_are_requested_in_place_of_two_pages_for_two_emails(
    pages: int, number: int, sent: list[str]
) -> None:
    """Otherwise the rest of the list takes no more requests."""
    newest = pages * PAGE
    outcomes, kinds = await _outcomes(_world(newest), _emails(*range(newest, newest - number, -1)))
    assert kinds == sent
    assert all(each.found for each in outcomes.values())


async def test_a_list_of_unknown_length_is_read_in_place_of_searches_of_the_whole_list() -> None:
    """Which are no shorter."""
    world = _world(40, ignores=frozenset({"email_contains"}), states_length=False)
    outcomes, sent = await _outcomes(world, _emails(1, 2), "auto", site_id="1")
    assert sent == ["?", *_pages(1, 8)]
    assert all(each.found for each in outcomes.values())


async def test_what_was_found_is_completed_by_the_list_of_sites() -> None:
    """If all was found before the end, that is one request in place of the rest of the list."""
    outcomes, sent = await _outcomes(_world(150), _emails(150, 149, 148))
    assert sent == ["1", "sites"]
    assert all(each.found for each in outcomes.values())
    outcomes, sent = await _outcomes(_world(2 * PAGE), _emails(10, 9, 8))
    assert sent == ["1", "2"]


@pytest.mark.parametrize("ordered", [False, True])
async def test_an_email_is_handed_over_with_its_page(ordered: bool) -> None:
    """If it cannot be in the list twice: the next page is fetched when the loop asks for more."""
    send = _Sent(_world(150))
    emails = _emails(150, 149, 1)
    run = Contacts(context(send)).find_many(emails, strategy="scan", site_id="1", concurrency=1, ordered=ordered)
    outcomes = aiter(run)
    assert (await anext(outcomes)).found
    assert send.kinds == ["1"]
    assert [each.found async for each in outcomes] == [True, True]
    assert send.kinds == _pages(1, 30)


@pytest.mark.parametrize(("emails", "at_once"), [(60, 12), (200, 16)])
async def test_pages_that_are_needed_in_any_case_are_fetched_at_once(emails: int, at_once: int) -> None:
    """Even if every row of them is one of the emails; never more than sixteen, which are in memory together."""
    send = Crowd(_world(41 * PAGE))
    run = Contacts(context(send)).find_many(
        _emails(*range(1, emails + 1)), strategy="scan", site_id="1", concurrency=100
    )
    assert (await run.report()).found == emails
    assert send.most_at_once == at_once
    _, sent = await _outcomes(_world(150), _emails(*range(150, 135, -1)), site_id="1", concurrency=100)
    assert sent == _pages(1, 3)


async def test_emails_that_are_given_again_have_their_outcome_again() -> None:
    """In each of their spellings, at no further cost."""
    send = _Sent(_world(10))
    emails = ["user9@example.com", " USER9@example.com", "user9@example.com", "none@example.com", "NONE@example.com"]
    run = Contacts(context(send)).find_many(emails, strategy="scan", ordered=True, concurrency=1)
    assert [(each.email, each.found) async for each in run] == [(each, "9" in each) for each in emails]
    assert send.kinds == ["1", "2"]


async def test_pages_that_may_have_shifted_are_read_again() -> None:
    """As many as rows were lost, and the latest; what is missing is proven to be."""
    world = _world(60)
    gone = 0

    def respond(request: Request) -> Any:
        nonlocal gone
        if "page%5Bnumber%5D=4" in request.query and not gone:
            gone = 6
            del world.rows[:gone]
        return world(request)

    outcomes, sent = await _outcomes(respond, _emails(*range(60, 0, -3), 99), site_id="1")
    # Six rows are on two pages: the fourth page is read again, and two before it.
    assert sent == [*_pages(1, 4), *_pages(2, 11)]
    assert all(outcomes[each].found for each in _emails(*range(60, 0, -3)))
    assert outcomes["user99@example.com"].proven


async def test_rows_of_pages_and_of_the_search_are_the_candidates() -> None:
    """Each once, though the search does not find all that pages have brought."""
    world = _world(150, sites=2)
    world.rows.append((200, "user150@example.com", "2"))
    emails = _emails(150, 149, 2)
    for stale in ((), (150,)):
        world.stale = frozenset(stale)
        outcomes, sent = await _outcomes(world, emails, "auto")
        assert sorted(sent) == ["1", "?", "?", "?"]
        assert sorted(each.id for each in outcomes["user150@example.com"].candidates) == ["150", "200"]
        assert all(outcomes[each].found for each in emails[1:])


async def test_inserted_rows_that_cannot_be_read_are_no_proof_of_absence() -> None:
    """Of what was not found: it is searched for."""
    world = _world(40)
    failing = False

    def respond(request: Request) -> Any:
        nonlocal failing
        if failing and "page%5Bnumber%5D=1&" in request.query and "email_contains" not in request.query:
            return None
        if "page%5Bnumber%5D=8" in request.query and not failing:
            failing = True
            world.rows.insert(0, (41, "user41@example.com", "1"))
        return world(request)

    outcomes, sent = await _outcomes(respond, _emails(40, 39, 38, 99), site_id="1")
    assert sent[-1] == "?"
    assert [each.found for each in outcomes.values()] == [True, True, True, False]
    assert (outcomes["user99@example.com"].missing, outcomes["user99@example.com"].proven) == (True, False)


async def test_rows_that_were_inserted_are_read_from_the_first_page() -> None:
    """At the end, down to the row that was the first."""
    world = _world(40)

    def respond(request: Request) -> Any:
        if "page%5Bnumber%5D=8" in request.query and len(world.rows) == 40:
            world.rows[:0] = [(key, f"user{key}@example.com", "1") for key in range(47, 40, -1)]
        return world(request)

    outcomes, sent = await _outcomes(respond, _emails(47, 41, *range(40, 0, -2), 99), site_id="1")
    assert sent[:8] == _pages(1, 8)
    assert sent[-2:] == ["1", "2"]
    assert all(each.found or each.proven for each in outcomes.values())
    assert [outcomes[each].found for each in _emails(47, 41, 99)] == [True, True, False]


async def test_a_page_that_cannot_be_read_leaves_searches() -> None:
    """Of what was not found: the list proves nothing."""
    world = _world(40)
    outcomes, sent = await _outcomes(
        lambda request: None if "page%5Bnumber%5D=3" in request.query else world(request),
        _emails(40, 29, 28, 99),
        site_id="1",
    )
    assert sorted(sent) == sorted([*_pages(1, 8), "?", "?", "?"])
    assert [outcomes[each].found for each in _emails(40, 29, 28)] == [True] * 3
    assert outcomes["user99@example.com"].missing
    assert not outcomes["user99@example.com"].proven


async def test_a_row_that_cannot_be_read_leaves_searches() -> None:
    """It may have any email."""
    world = _world(10, damaged=frozenset({3}))
    outcomes, sent = await _outcomes(world, _emails(9, 99), site_id="1")
    assert sent == ["1", "2", "?"]
    assert outcomes["user9@example.com"].found
    assert (outcomes["user99@example.com"].missing, outcomes["user99@example.com"].proven) == (True, False)


async def test_an_ignored_filter_is_found_out_once() -> None:
    """Then the list is read in place of the searches, from the page after those that were read."""
    world = _world(40, ignores=frozenset({"email_contains"}))
    outcomes, sent = await _outcomes(world, _emails(1, 2), "auto", site_id="1")
    assert sent == ["?", *_pages(1, 8)]
    assert all(each.found for each in outcomes.values())


async def test_a_filter_that_is_ignored_later_is_found_out_then() -> None:
    """Not only with the first search."""
    world = _world(40)

    def respond(request: Request) -> Any:
        answer = world(request)
        if "email_contains" in request.query:
            world.ignores = frozenset({"email_contains"})
        return answer

    outcomes, sent = await _outcomes(respond, _emails(1, 2, 3), "auto", site_id="1")
    assert sent == ["1", "?", "?", *_pages(2, 8)]
    assert all(each.found for each in outcomes.values())


async def test_a_search_takes_as_long_as_the_list_if_its_answer_does_not_say() -> None:
    """So that the rest of the list is read for three emails."""
    world = _world(45, ignores=frozenset({"email_contains"}))

    def respond(request: Request) -> Any:
        answer = world(request)
        return answer | {"meta": {}} if "email_contains" in request.query else answer

    outcomes, sent = await _outcomes(respond, _emails(1, 2, 3), "auto", site_id="1")
    assert sent == ["1", "?", *_pages(2, 9)]
    assert all(each.found for each in outcomes.values())


async def test_a_page_that_was_read_for_another_email_is_not_read_again() -> None:
    """Nor is one more: each looks whether it has what it needs."""
    world = _world(40, ignores=frozenset({"email_contains"}))
    outcomes, sent = await _outcomes(world, _emails(40, 39), "auto", site_id="1", concurrency=2)
    assert sent == ["?", "1"]
    assert all(each.found for each in outcomes.values())


async def test_searches_go_out_together_once_the_filter_is_known_to_work() -> None:
    """The first goes alone."""
    crowd, alone = Crowd(_world(400)), Crowd(_world(400))
    for send, number in ((crowd, 9), (alone, 1)):
        run = Contacts(context(send)).find_many(_emails(*range(1, number + 1)), strategy="auto", concurrency=4)
        assert (await run.report()).found == number
    assert (crowd.most_at_once, alone.most_at_once) == (4, 1)


async def test_if_neither_the_list_nor_the_search_can_be_read_that_is_the_outcome() -> None:
    """It says what the list lacks."""
    world = _world(40, ignores=frozenset({"email_contains"}))

    def respond(request: Request) -> Any:
        answer = world(request)
        answer["meta"]["total_count"] += 2
        return answer

    outcomes, _ = await _outcomes(respond, _emails(1, 99), "auto", site_id="1")
    assert outcomes["user1@example.com"].found
    error = outcomes["user99@example.com"].error
    assert isinstance(error, PagingError)
    assert str(error) == (
        "the search is not filtered by the server, and the list could not be read whole: "
        "it lacks 2 of the rows it is to have"
    )
