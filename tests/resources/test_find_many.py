"""Many people by their emails: each outcome as it was given, from the list or the search."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import parse_qs

import pytest

from kajabi_async import AmbiguousMatchError, BulkStalledError, InvalidArgumentError, InvalidEmailError
from kajabi_async.errors import ConnectionFailedError
from kajabi_async.exchange import Request
from kajabi_async.fetching.plan import Strategy
from kajabi_async.resources.people import Contacts
from kajabi_async.testing import FakeKajabi
from tests.resources.fakes import client_of
from tests.sending import Canned, context, resource
from tests.virtual_time import LoopClock, virtually

ADA, BOB = "ada@example.com", "bob@example.com"


def _contact(number: str, email: Any, site: str = "1") -> dict[str, Any]:
    relationships = {"site": {"data": {"type": "sites", "id": site}}}
    return resource("contacts", number, attributes={"email": email}, relationships=relationships)


def _list(*rows: dict[str, Any]) -> Canned:
    return Canned({"/v1/contacts": {"data": list(rows), "links": {}, "meta": {"total_count": len(rows)}}})


async def test_each_spelling_gets_its_outcome_and_one_lookup() -> None:
    """In the words of the caller; nothing is sent for what is no email."""
    send = _list(_contact("1", ADA), _contact("2", "ada+x@example.com"))
    emails: list[Any] = [ADA, " ADA@example.com\n", "ada", None, "Ada@Example.com"]
    run = Contacts(context(send)).find_many(emails, strategy="lookup", ordered=True)
    outcomes = [each async for each in run]
    assert [each.email for each in outcomes] == [ADA, " ADA@example.com\n", "ada", "None", "Ada@Example.com"]
    assert [each.found and each.contact.id for each in outcomes] == ["1", "1", False, False, "1"]
    assert [isinstance(each.error, InvalidEmailError) for each in outcomes] == [False, False, True, True, False]
    assert len(send.asked) == 1
    assert parse_qs(send.asked[0].query)["filter[email_contains]"] == [ADA]
    report = await run.report()
    assert (report.total, report.found, report.failed, report.duplicates) == (5, 3, 2, 2)


async def test_an_email_of_two_sites_is_ambiguous_and_never_a_guess() -> None:
    """All candidates are in the outcome; the site that is kept to decides."""
    for strategy in ("lookup", "scan"):
        contacts = Contacts(context(_list(_contact("1", ADA), _contact("2", ADA, "2"))))
        [both] = [each async for each in contacts.find_many([ADA], strategy=strategy)]
        assert (both.found, both.missing, both.ambiguous) == (False, False, True)
        assert [each.id for each in both.candidates] == ["1", "2"]
        assert isinstance(both.error, AmbiguousMatchError)
        [one] = [each async for each in contacts.find_many([ADA], site_id="2", strategy=strategy)]
        assert one.found
        assert one.resource.id == "2"


async def test_absence_is_proven_by_the_whole_list_alone() -> None:
    """A search misses people."""
    contacts = Contacts(context(_list(_contact("1", ADA))))
    [searched] = [each async for each in contacts.find_many([BOB], strategy="lookup")]
    [scanned] = [each async for each in contacts.find_many([BOB], strategy="scan")]
    assert searched.missing
    assert scanned.missing
    assert not searched.found
    assert not scanned.found
    assert (searched.proven, scanned.proven) == (False, True)


async def test_an_email_that_cannot_be_read_is_no_proof_of_absence() -> None:
    """It may be the one."""
    contacts = Contacts(context(_list(_contact("1", [ADA]))))
    [outcome] = [each async for each in contacts.find_many([ADA], strategy="scan")]
    assert not outcome.found
    assert not outcome.missing


async def test_a_deleted_row_hides_no_other() -> None:
    """It pulls the first row of the next page onto one that was read; the scan goes back for it."""
    rows = [_contact(str(number), f"u{number}@example.com") for number in range(9, 0, -1)]

    def respond(request: Request) -> Any:
        query = parse_qs(request.query)
        if "filter[email_contains]" in query:
            return {"data": [], "links": {}}
        number = int(query["page[number]"][0])
        page, total = rows[3 * number - 3 : 3 * number], len(rows)
        if number == 1 and total == 9:
            del rows[0]
        following = f"http://127.0.0.1:8080/v1/contacts?page[number]={number + 1}" if 3 * number < total else None
        return {"data": page, "links": {"next": following}, "meta": {"total_count": total}}

    run = Contacts(context(Canned(respond))).find_many(
        ["u6@example.com", "u0@example.com"], site_id="1", strategy="scan"
    )
    outcomes = {each.email: each async for each in run}
    assert outcomes["u6@example.com"].found
    assert outcomes["u0@example.com"].missing


async def test_a_plan_counts_emails_and_takes_one_request() -> None:
    """It takes ids or emails, and not both."""
    async with FakeKajabi(customers=500) as fake, client_of(fake) as api:
        emails = [row.email async for row in api.customers.list(page_size=100) if row.email]
        fake.reset_counts()
        plan = await api.customers.plan(emails=emails)
        assert (plan.strategy, plan.ids, plan.scan_requests, plan.asked) == ("scan", 500, 5, 1)
        assert fake.counts.total() == 1
        with pytest.raises(InvalidArgumentError, match="either ids or emails"):
            await api.customers.plan(["1"], emails=emails)
        found = [
            each async for each in api.customers.find_many(emails, include=["offers"], fields={"customers": ["name"]})
        ]
        assert all(each.found and each.customer.offers.loaded for each in found)


async def test_one_text_is_no_list_of_emails() -> None:
    """It would be taken apart into its characters."""
    with pytest.raises(InvalidArgumentError, match="an iterable of emails is needed"):
        Contacts(context(_list())).find_many(ADA)


class Outage:
    """Thirty contacts; from the third request on nothing is answered, until *seconds* have passed."""

    emails = tuple(f" Person{number}@Example.com" for number in range(30))

    def __init__(self, seconds: float) -> None:
        self.clock = LoopClock()
        self.ends = self.clock.monotonic() + seconds
        self.rows = {f"person{number}@example.com": number for number in range(30)}
        self.send = Canned(self._answer)
        self.contacts = Contacts(context(self.send, clock=self.clock))

    def _answer(self, request: Request) -> Any:
        if len(self.send.asked) > 2 and self.clock.monotonic() < self.ends:
            return ConnectionFailedError("gone", method="GET", path=request.path)
        query = parse_qs(request.query)
        part = query.get("filter[email_contains]", [""])[0]
        found = [_contact(str(number), email) for email, number in self.rows.items() if part in email]
        page = int(query.get("page[number]", ["1"])[0])
        links = {"next": f"/v1/contacts?page[number]={page + 1}"} if len(found) > 10 * page else {}
        return {"data": found[10 * (page - 1) : 10 * page], "links": links, "meta": {"total_count": len(found)}}


@pytest.mark.parametrize("strategy", ["lookup", "scan"])
def test_an_outage_that_passes_is_waited_out(strategy: Strategy) -> None:
    """No email is lost to it, and none is said to be missing."""

    async def run() -> None:
        api = Outage(30.0)
        found = [each async for each in api.contacts.find_many(api.emails, strategy=strategy, concurrency=3)]
        assert all(each.found for each in found)
        assert sorted(each.email for each in found) == sorted(api.emails)

    virtually(run())


@pytest.mark.parametrize("strategy", ["lookup", "scan"])
def test_a_run_that_stalls_names_emails_as_they_were_given(strategy: Strategy) -> None:
    """Another run over those without an outcome completes the set."""

    async def run() -> None:
        api = Outage(1000.0)
        found: list[str] = []
        with pytest.raises(BulkStalledError) as raised:
            async for lookup in api.contacts.find_many(api.emails, strategy=strategy, concurrency=3, patience=120.0):
                assert lookup.found
                found.append(lookup.email)
        assert raised.value.answered == len(found)
        assert 0 < len(raised.value.unanswered) <= len(api.emails) - len(found)
        rest = [each for each in api.emails if each not in found]
        assert set(raised.value.unanswered) <= set(rest)
        api.ends = 0.0
        found += [each.email async for each in api.contacts.find_many(rest, strategy=strategy) if each.found]
        assert sorted(found) == sorted(api.emails)

    virtually(run())


async def test_leaving_the_loop_ends_the_run() -> None:
    """No task is left, and the generator of the emails is closed."""
    closed: list[bool] = []

    async def source() -> AsyncGenerator[str]:
        try:
            for number in range(1000):
                yield f"person{number}@example.com"
        finally:
            closed.append(True)

    others = asyncio.all_tasks()
    contacts = Contacts(context(_list(_contact("1", ADA))))
    async for lookup in contacts.find_many(source(), strategy="lookup", concurrency=5):
        assert lookup.missing
        break
    for _ in range(20):
        await asyncio.sleep(0)
    assert asyncio.all_tasks() == others
    assert closed == [True]
