"""People by email: what the search misses is not taken as absent, and what it finds is compared."""

from typing import Any
from urllib.parse import parse_qs

import pytest

from kajabi_async import (
    AmbiguousMatchError,
    ConnectionFailedError,
    UnprocessableEntityError,
    UnreadableAttributeError,
)
from kajabi_async.errors import ErrorObject, InvalidIdError
from kajabi_async.exchange import Request
from kajabi_async.resources.people import Contacts, Customers
from tests.clocks import ManualClock
from tests.sending import Canned, context, resource

ADA = "ada@example.com"


def _taken(detail: str = "Email has already been taken") -> UnprocessableEntityError:
    errors = (ErrorObject(title="Unprocessable Content", detail=detail),)
    return UnprocessableEntityError(status=422, method="POST", path="/v1/contacts", errors=errors)


class StaleSearch:
    """A list of contacts whose search finds nothing, and that refuses an email that is taken."""

    def __init__(self, *rows: dict[str, Any], refusal: Any = None) -> None:
        self.rows = rows
        self.refusal = refusal or _taken()
        self.asked: list[str] = []

    def __call__(self, request: Request) -> Any:
        if request.is_write:
            self.asked.append("create")
            return self.refusal
        searched = "filter[email_contains]" in parse_qs(request.query)
        self.asked.append("search" if searched else "list")
        return {"data": [] if searched else list(self.rows), "links": {}}


def _contact(number: str, email: str) -> dict[str, Any]:
    return resource("contacts", number, attributes={"email": email})


async def test_a_search_that_finds_nothing_is_no_proof() -> None:
    """``thorough=True`` then reads the whole list of the site."""
    server = StaleSearch(_contact("76", "other@example.com"), _contact("77", "Ada@Example.com "))
    send = Canned(server)
    contacts = Contacts(context(send))
    assert await contacts.find_by_email(ADA) is None
    found = await contacts.find_by_email(ADA, site_id="9", thorough=True)
    assert found is not None
    assert found.id == "77"
    assert server.asked == ["search", "search", "list"]
    assert parse_qs(send.asked[-1].query) == {"filter[site_id]": ["9"], "page[size]": ["100"]}


async def test_what_the_search_finds_needs_no_list() -> None:
    """One request, thorough or not."""
    send = Canned({"/v1/customers": {"data": [resource("customers", "1", attributes={"email": ADA})], "links": {}}})
    found = await Customers(context(send)).find_by_email(ADA, thorough=True)
    assert found is not None
    assert len(send.asked) == 1


async def test_the_whole_list_may_hold_the_email_twice() -> None:
    """On two sites: only the caller knows which one is meant."""
    contacts = Contacts(context(Canned(StaleSearch(_contact("1", ADA), _contact("2", ADA)))))
    with pytest.raises(AmbiguousMatchError, match="ids 1, 2: name one site"):
        await contacts.find_by_email(ADA, thorough=True)


async def test_a_row_that_comes_on_two_pages_is_one() -> None:
    """Rows shift to the next page while one is read."""
    contacts = Contacts(context(Canned(StaleSearch(_contact("1", ADA), _contact("1", ADA)))))
    found = await contacts.find_by_email(ADA, thorough=True)
    assert found is not None
    assert found.id == "1"


async def test_an_email_with_a_comma_is_searched_by_a_part_of_it() -> None:
    """The server splits a filter at its commas; the whole email is compared here."""
    email = "o'neil,jr@example.com"
    rows = [_contact("1", "jr@example.com"), _contact("2", email)]
    send = Canned({"/v1/contacts": {"data": rows, "links": {}}})
    found = await Contacts(context(send)).find_by_email(email)
    assert found is not None
    assert found.id == "2"
    assert parse_qs(send.asked[0].query)["filter[email_contains]"] == ["jr@example.com"]


async def test_get_or_create_finds_what_the_search_does_not_know_yet() -> None:
    """After a refusal as taken, the whole list is searched for the email."""
    server = StaleSearch(_contact("77", ADA))
    got = await Contacts(context(Canned(server), site_id="1")).get_or_create(email=ADA, name="Ada")
    assert (got.contact.id, got.created) == ("77", False)
    assert server.asked == ["search", "create", "search", "list"]


async def test_get_or_create_reads_no_list_for_an_email_that_is_refused() -> None:
    """An undeliverable email belongs to no contact."""
    server = StaleSearch(refusal=_taken("Undeliverable address"))
    with pytest.raises(UnprocessableEntityError, match="Undeliverable"):
        await Contacts(context(Canned(server), site_id="1")).get_or_create(email=ADA)
    assert server.asked == ["search", "create", "search"]


async def test_taken_after_a_lost_answer_is_what_that_one_created() -> None:
    """With ``verify=True``, although the search does not find it yet."""
    lost = ConnectionFailedError("the connection broke", method="POST", path="/v1/contacts")
    refusals = [lost.sent(attempts=1, maybe_applied=True), _taken()]
    server = StaleSearch(_contact("77", ADA))

    def respond(request: Request) -> Any:
        if request.is_write:
            server.refusal = refusals.pop(0)
        return server(request)

    contacts = Contacts(context(Canned(respond), site_id="1", clock=ManualClock()))
    created = await contacts.create(email=ADA, verify=True)
    assert created.id == "77"
    assert server.asked == ["create", "search", "create", "search", "list"]


async def test_taken_at_once_is_an_error() -> None:
    """Another contact has the email: ``create`` returns only a contact that it created."""
    server = StaleSearch(_contact("77", ADA))
    with pytest.raises(UnprocessableEntityError, match="taken"):
        await Contacts(context(Canned(server), site_id="1")).create(email=ADA, verify=True)
    assert server.asked == ["create"]


async def test_an_email_that_cannot_be_read_is_not_taken_for_another() -> None:
    """It is ignored if another row has the email that is searched for; otherwise its row may be that one."""
    odd = resource("contacts", "5", attributes={"email": [ADA]})
    found = await Contacts(context(Canned({"/v1/contacts": {"data": [odd, _contact("7", ADA)]}}))).find_by_email(ADA)
    assert found is not None
    assert found.id == "7"
    with pytest.raises(UnreadableAttributeError, match="contacts 5 came with 'email'"):
        await Contacts(context(Canned({"/v1/contacts": {"data": [odd]}}))).find_by_email(ADA)


@pytest.mark.parametrize("operations", [Customers, Contacts])
async def test_an_email_in_place_of_an_id_leads_to_the_call_that_takes_emails(operations: Any) -> None:
    """Of reads, of writes and of runs."""
    people = operations(context(Canned({})))
    cure = rf"'{ADA}' cannot be the id of {people.name}: .* customers and contacts have find_by_email and find_many"
    with pytest.raises(InvalidIdError, match=cure):
        await people.get(ADA)
    with pytest.raises(InvalidIdError, match=cure):
        await people.grant_offers(ADA, ["1"])
    [lookup] = [each async for each in people.get_many([ADA])]
    assert "find_many" in str(lookup.error)
