"""Many people by their emails: each outcome as it was given, from the list or the search."""

from typing import Any
from urllib.parse import parse_qs

import pytest

from kajabi_async import AmbiguousMatchError, InvalidArgumentError, InvalidEmailError
from kajabi_async.exchange import Request
from kajabi_async.resources.people import Contacts
from kajabi_async.testing import FakeKajabi
from tests.resources.fakes import client_of
from tests.sending import Canned, context, resource

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
