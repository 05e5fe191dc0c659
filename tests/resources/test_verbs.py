"""What each verb sends and returns."""

import json
from typing import Any
from urllib.parse import unquote

import pytest

from kajabi_async import (
    AmbiguousMatchError,
    Contact,
    DecodeError,
    InvalidArgumentError,
    InvalidIdError,
    UnknownAttributeError,
    UnprocessableEntityError,
)
from kajabi_async.errors import ErrorObject
from kajabi_async.resources.account import Hooks
from kajabi_async.resources.catalog import Courses
from kajabi_async.resources.commerce import Payouts, Purchases
from kajabi_async.resources.forms import Forms
from kajabi_async.resources.people import ContactNotes, Contacts, Customers
from tests.sending import Canned, context, linkage, resource

CONTACT = {"data": resource("contacts", "1", attributes={"email": "ada@example.com"})}


def _body(send: Canned) -> Any:
    body = send.asked[-1].body
    return None if body is None else json.loads(body)


async def test_a_contact_is_created_with_exactly_what_was_given() -> None:
    """Rows 24, 75, 76, 78 and 79: On the site of the call, or the client's; null is null, left out is left out."""
    send = Canned({"/v1/contacts": CONTACT})
    contacts = Contacts(context(send, site_id="9"))
    made = await contacts.create(email="ada@example.com", phone_number=None, custom_fields={"custom_2": "blue"})
    assert isinstance(made, Contact)
    assert _body(send) == {
        "data": {
            "type": "contacts",
            "attributes": {"email": "ada@example.com", "phone_number": None, "custom_2": "blue"},
            "relationships": {"site": {"data": {"type": "sites", "id": "9"}}},
        }
    }
    await contacts.create(site_id=5, email="x@example.com")
    assert _body(send)["data"]["relationships"]["site"]["data"]["id"] == "5"


async def test_a_creation_without_a_site_is_refused() -> None:
    """The server would answer 400."""
    with pytest.raises(InvalidArgumentError, match="KAJABI_SITE_ID"):
        await Contacts(context(Canned({}))).create(email="ada@example.com")


async def test_an_update_sends_the_changes_with_type_and_id() -> None:
    """Rows 31, 77 and 80: And nothing else; a call without changes is refused."""
    send = Canned({"/v1/contacts/1": CONTACT})
    contacts = Contacts(context(send))
    await contacts.update("1", name="Ada", address_city=None)
    assert send.asked[-1].method == "PATCH"
    assert _body(send) == {"data": {"type": "contacts", "id": "1", "attributes": {"name": "Ada", "address_city": None}}}
    with pytest.raises(InvalidArgumentError, match="at least one"):
        await contacts.update("1")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"nmae": "Ada"}, UnknownAttributeError),
        ({"custom_fields": {"colour": "blue"}}, InvalidArgumentError),
        ({"custom_fields": ["custom_1"]}, InvalidArgumentError),
    ],
)
async def test_what_cannot_be_written_is_refused(given: Any, expected: type[Exception]) -> None:
    """Before anything is sent."""
    send = Canned({})
    with pytest.raises(expected):
        await Contacts(context(send)).update("1", **given)
    assert send.asked == []


async def test_a_malformed_id_never_reaches_a_path() -> None:
    """Row 24: Deleting ".." would address the parent."""
    send = Canned({})
    for bad in ("", ".", "..", "a/b", "%2e%2e", "1?x", "1\n"):
        with pytest.raises(InvalidIdError):
            await Contacts(context(send)).delete(bad)
    assert send.asked == []


@pytest.mark.parametrize(
    ("verb", "method", "relation"),
    [
        ("add_tags", "POST", "tags"),
        ("remove_tags", "DELETE", "tags"),
        ("replace_tags", "PATCH", "tags"),
        ("grant_offers", "POST", "offers"),
        ("revoke_offers", "DELETE", "offers"),
        ("replace_offers", "PATCH", "offers"),
    ],
)
async def test_linkage_is_written_as_identifiers_and_answered_as_ids(verb: str, method: str, relation: str) -> None:
    """Rows 81 and 83: Each id once, in the order of the call."""
    send = Canned({f"/v1/contacts/1/relationships/{relation}": linkage("x", "5", "7")})
    ids = await getattr(Contacts(context(send)), verb)("1", ["5", 6, "5"])
    assert ids == ("5", "7")
    assert send.asked[-1].method == method
    type_name = "contact_tags" if relation == "tags" else "offers"
    assert _body(send) == {"data": [{"type": type_name, "id": "5"}, {"type": type_name, "id": "6"}]}


async def test_replacing_by_nothing_sends_an_empty_list() -> None:
    """Row 80: Which removes everything."""
    send = Canned({"/v1/contacts/1/relationships/tags": linkage("contact_tags")})
    assert await Contacts(context(send)).replace_tags("1", []) == ()
    assert _body(send) == {"data": []}


async def test_one_string_of_ids_is_refused() -> None:
    """It would be taken apart into its characters."""
    with pytest.raises(InvalidArgumentError, match="got one string"):
        await Contacts(context(Canned({}))).grant_offers("1", "77")


@pytest.mark.parametrize(("mail", "meta"), [(True, None), (False, {"send_customer_welcome_email": False})])
async def test_the_welcome_email_is_switched_off_in_meta(mail: bool, meta: Any) -> None:
    """It is on if the member is left out, the default of the API."""
    send = Canned({"/v1/contacts/1/relationships/offers": linkage("offers", "77")})
    await Contacts(context(send)).grant_offers("1", ["77"], send_customer_welcome_email=mail)
    assert _body(send).get("meta") == meta


@pytest.mark.parametrize(("mail", "meta"), [(True, None), (False, {"send_customer_welcome_email": False})])
async def test_ensuring_offers_grants_what_is_missing(mail: bool, meta: Any) -> None:
    """Row 88: Nothing twice; if nothing is missing, nothing is sent. The email can be switched off."""
    send = Canned({"/v1/contacts/1/relationships/offers": linkage("offers", "1")})
    contacts = Contacts(context(send))
    assert await contacts.ensure_offers("1", ["1", "2", 3], send_customer_welcome_email=mail) == ("2", "3")
    assert [entry["id"] for entry in _body(send)["data"]] == ["2", "3"]
    assert _body(send).get("meta") == meta
    assert await contacts.ensure_offers("1", ["1"]) == ()
    assert [request.method for request in send.asked] == ["GET", "POST", "GET"]


@pytest.mark.parametrize("answer", [{}, {"data": 7}, {"data": [{"id": "1"}]}, b"<html>"])
async def test_a_write_with_an_unreadable_answer_may_have_been_applied(answer: Any) -> None:
    """Its status was success."""
    send = Canned({"/v1/contacts/1/relationships/tags": answer, "/v1/contacts/1": b"[]"})
    contacts = Contacts(context(send))
    with pytest.raises(DecodeError) as caught:
        await contacts.add_tags("1", ["2"])
    assert caught.value.maybe_applied
    with pytest.raises(DecodeError) as caught:
        await contacts.tag_ids("1")
    assert not caught.value.maybe_applied
    with pytest.raises(DecodeError) as caught:
        await contacts.update("1", name="Ada")
    assert caught.value.maybe_applied


def _people(type_name: str, *emails: str | None) -> dict[str, Any]:
    rows = [resource(type_name, str(number), attributes={"email": email}) for number, email in enumerate(emails, 1)]
    return {"data": rows, "links": {}}


async def test_an_email_is_found_exactly_however_many_contain_it() -> None:
    """The API only has a filter for what contains it; letter case does not matter."""
    found = _people("customers", "xada@example.com", "ada@example.com.au", None, "Ada@Example.com")
    send = Canned({"/v1/customers": found})
    customer = await Customers(context(send)).find_by_email(" ADA@example.com ", site_id="9")
    assert customer is not None
    assert customer.id == "4"
    assert send.paths == ["/v1/customers?filter%5Bemail_contains%5D=ada%40example.com&filter%5Bsite_id%5D=9"]


async def test_an_email_of_no_one_and_of_several() -> None:
    """None, and an error that names the ids."""
    assert await Customers(context(Canned({"/v1/customers": _people("customers")}))).find_by_email("a@b.c") is None
    twice = Canned({"/v1/customers": _people("customers", "a@b.c", "A@b.c")})
    with pytest.raises(AmbiguousMatchError, match="1, 2"):
        await Customers(context(twice)).find_by_email("a@b.c")
    with pytest.raises(InvalidArgumentError, match="no email"):
        await Customers(context(twice)).find_by_email("ada")


async def test_getting_or_creating_survives_a_faster_process() -> None:
    """After a refusal as taken, the contact that the other process created is found."""
    taken = UnprocessableEntityError(status=422, errors=[ErrorObject(detail="has already been taken")])
    answers: list[Any] = [_people("contacts"), taken, _people("contacts", "ada@example.com")]
    contacts = Contacts(context(Canned(lambda _: answers.pop(0)), site_id="9"))
    contact, created = await contacts.get_or_create(email="ada@example.com", name="Ada")
    assert (contact.id, created) == ("1", False)


async def test_getting_or_creating_creates_and_passes_other_refusals_on() -> None:
    """An existing contact is returned unchanged."""
    answers: list[Any] = [_people("contacts"), CONTACT, _people("contacts", "ada@example.com")]
    contacts = Contacts(context(Canned(lambda _: answers.pop(0)), site_id="9"))
    assert (await contacts.get_or_create(email="ada@example.com")).created is True
    assert (await contacts.get_or_create(email="ada@example.com")).created is False
    refused = UnprocessableEntityError(status=422)
    answers[:] = [_people("contacts"), refused, _people("contacts")]
    with pytest.raises(UnprocessableEntityError):
        await contacts.get_or_create(email="new@example.com")


async def test_owning_is_asked_of_offers_or_of_products() -> None:
    """Of one of the two, by linkage alone."""
    owned = resource("customers", "1", relationships={"products": linkage("products", "5")})
    send = Canned({"/v1/customers/1": {"data": owned}, "/v1/customers/1/relationships/offers": linkage("offers", "7")})
    customers = Customers(context(send))
    assert await customers.owns("1", product_id=5)
    assert not await customers.owns("1", product_id="6")
    assert await customers.owns("1", offer_id="7")
    with pytest.raises(InvalidArgumentError, match="either"):
        await customers.owns("1")


async def test_owning_a_product_is_looked_up_if_the_answer_does_not_state_it() -> None:
    """By reading the customer again with its products."""
    complete = resource("customers", "1", relationships={"products": linkage("products", "5")})
    send = Canned(
        lambda request: (
            {"data": complete, "included": [resource("products", "5")]}
            if request.query
            else {"data": resource("customers", "1")}
        )
    )
    assert await Customers(context(send)).owns("1", product_id="5")


async def test_included_filters_need_their_include() -> None:
    """The server would ignore them."""
    send = Canned({"/v1/customers/1": {"data": resource("customers", "1")}})
    customers = Customers(context(send))
    with pytest.raises(InvalidArgumentError, match="add 'offers' to include="):
        await customers.get("1", include=["products"], offers_per=5)
    await customers.get("1", include=["offers"], offers_per=5, offers_search="year")
    assert "filter%5Boffers_per%5D=5" in send.paths[0]


async def test_sparse_fields_keep_the_relations_that_are_included() -> None:
    """Without linkage nothing links an included resource to its owner; fields of other types are sent unchanged."""
    send = Canned({"/v1/courses/1": {"data": resource("courses", "1")}, "/v1/customers": {"data": []}})
    courses, customers = Courses(context(send)), Customers(context(send))
    await courses.get("1", include=["lessons.media", "modules"], fields={"courses": "title", "lessons": "title"})
    await courses.get("1", include=["modules"], fields={"courses": "title,modules"})
    await courses.get("1", include=["modules"], fields={"modules": "title"})
    assert [
        row async for row in customers.list(include="offers", fields={"customers": ["name"]}, extra_filters={"a": 1})
    ] == []
    assert [unquote(path.partition("?")[2]) for path in send.paths] == [
        "include=lessons.media,modules&fields[courses]=title,lessons,modules&fields[lessons]=title",
        "include=modules&fields[courses]=title,modules",
        "include=modules&fields[modules]=title",
        "include=offers&fields[customers]=name,offers&filter[a]=1",
    ]


async def test_another_resource_than_was_asked_for_is_refused() -> None:
    """Acting on another person's record is worse than an error; a form's alias stands for another id."""
    send = Canned(
        {"/v1/customers/1": {"data": resource("customers", "2")}, "/v1/forms/default": {"data": resource("forms", "8")}}
    )
    with pytest.raises(DecodeError, match="asked for id '1', got '2'"):
        await Customers(context(send)).get("1")
    assert (await Forms(context(send)).get("default")).id == "8"


async def test_a_write_that_is_answered_with_another_resource_is_refused() -> None:
    """It was sent, so it may have been applied, to an unknown resource."""
    send = Canned({"/v1/contacts/1": {"data": resource("contacts", "2")}})
    with pytest.raises(DecodeError, match="asked for id '1', got '2'") as caught:
        await Contacts(context(send)).update("1", name="Ada")
    assert caught.value.maybe_applied


@pytest.mark.parametrize("ids", [b"77", bytearray(b"77"), 77, None])
async def test_what_is_no_iterable_of_ids_is_never_sent(ids: Any) -> None:
    """Least of all as an empty list, which would remove everything."""
    send = Canned({})
    with pytest.raises(InvalidArgumentError, match="an iterable of ids of offers"):
        await Contacts(context(send)).replace_offers("1", ids)
    assert not send.asked


async def test_notes_forms_and_purchases() -> None:
    """With and without a body."""
    note = {"data": resource("contact_notes", "3", attributes={"body": "called"})}
    purchase = {"data": resource("purchases", "4")}
    send = Canned(
        {
            "/v1/contact_notes": note,
            "/v1/contact_notes/3": note,
            "/v1/forms/8/submit": {"data": resource("form_submissions", "6")},
            "/v1/purchases/4/deactivate": purchase,
        }
    )
    notes = ContactNotes(context(send))
    await notes.create(contact_id="1", body="called")
    assert _body(send)["data"]["relationships"] == {"contact": {"data": {"type": "contacts", "id": "1"}}}
    await notes.update("3", body="called twice")
    assert _body(send) == {"data": {"type": "contact_notes", "id": "3", "attributes": {"body": "called twice"}}}
    submitted = await Forms(context(send)).submit("8", email="ada@example.com", custom_fields={"custom_1": "x"})
    assert submitted.resource_type == "form_submissions"
    assert _body(send)["data"] == {
        "type": "form_submissions",
        "attributes": {"email": "ada@example.com", "custom_1": "x"},
    }
    await Purchases(context(send)).deactivate("4")
    assert (send.asked[-1].method, _body(send)) == ("POST", None)


async def test_samples_are_distinguished_by_type_since_their_ids_are_all_zero() -> None:
    """A bare array, the primary one first; relations among them work."""
    rows = [
        resource("purchases", "0", relationships={"offer": {"data": {"type": "offers", "id": "0"}}}),
        resource("offers", "0", attributes={"title": "Year"}),
    ]
    purchase: Any
    purchase, offer = await Hooks(context(Canned({"/v1/hooks/purchase_sample": rows}))).sample("purchase")
    assert await purchase.offer is offer
    unknown: Any = "refund"
    with pytest.raises(InvalidArgumentError, match="no hook event 'refund'"):
        await Hooks(context(Canned({}))).sample(unknown)
    with pytest.raises(DecodeError):
        await Hooks(context(Canned({"/v1/hooks/purchase_sample": [5]}))).sample("purchase")


async def test_payouts_are_of_a_site() -> None:
    """That of the call, or of the client."""
    send = Canned({"/v1/kajabi_payments_payouts": {"data": []}})
    with pytest.raises(InvalidArgumentError, match="site_id"):
        Payouts(context(send)).list()
    await Payouts(context(send, site_id="9")).list(status="paid").collect()
    assert send.paths == ["/v1/kajabi_payments_payouts?filter%5Bsite_id%5D=9&filter%5Bstatus%5D=paid"]


async def test_lists_are_of_the_clients_site_unless_another_is_named() -> None:
    """None means all sites."""
    send = Canned({"/v1/customers": {"data": []}})
    customers = Customers(context(send, site_id="9"))
    everywhere: Any = None
    await customers.list().collect()
    await customers.list(site_id="5").collect()
    await customers.list(site_id=everywhere).collect()
    assert send.paths == ["/v1/customers?filter%5Bsite_id%5D=9", "/v1/customers?filter%5Bsite_id%5D=5", "/v1/customers"]
