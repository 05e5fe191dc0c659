"""Answers as models: one resource, a page of a list, samples of any type."""

import copy
import json
import pickle
from collections.abc import Callable
from functools import partial
from typing import Any
from unittest.mock import patch

import pytest

from kajabi_async import (
    AnswerTooLargeError,
    ConfigurationError,
    Contact,
    Course,
    Customer,
    DecodeError,
    Offer,
    Resource,
    UntypedResource,
)
from kajabi_async.decoding.answers import read_page, read_resource, read_samples, refuse_stranger
from kajabi_async.decoding.decoder import Decoder
from kajabi_async.decoding.fast import FastReader, TypedReader
from kajabi_async.jsonapi.document import MANY_BYTES
from kajabi_async.jsonapi.linkage import MISSING, Identifier, LinkageState
from kajabi_async.jsonapi.query import Query
from kajabi_async.models.account import Me
from kajabi_async.models.origin import Scope
from tests.models.building import build, read, strict

CONTEXT = "GET /v1/customers"
ADA: dict[str, Any] = {"type": "customers", "id": "1", "attributes": {"name": "Ada"}}


def _refused(call: Any, problem: str, path: str) -> None:
    with pytest.raises(DecodeError, match=problem) as caught:
        call()
    assert (caught.value.path, caught.value.context) == (path, CONTEXT)


@pytest.mark.parametrize(
    ("document", "problem", "path"),
    [
        ({"data": []}, "one resource object was expected, 0 came", "data"),
        ({"data": None}, "a resource object was expected, null came", "data"),
        ({"data": {**ADA, "type": "offers"}}, "expected a resource of type 'customers', got 'offers'", "data.type"),
        ({"data": {**ADA, "type": "x" * 70}}, f"got '{'x' * 38}", "data.type"),
        ({"data": {**ADA, "attributes": {"name": []}}}, "expected text, got", "data.attributes.name"),
    ],
)
def test_what_is_no_resource_of_the_class_is_refused(document: Any, problem: str, path: str) -> None:
    """With the place of what is wrong, and the request."""
    body = json.dumps(document).encode()
    _refused(lambda: read_resource(body, cls=Customer, scope=strict(), context=CONTEXT), problem, path)


def test_the_user_is_read_whatever_type_is_stated() -> None:
    """The API document does not state the type of this one resource."""
    assert read(Me, {"data": {"type": "users", "id": "9", "attributes": {}}}).id == "9"
    assert read(Me, {"data": {"type": "me", "id": "9", "attributes": {}}}).id == "9"


def test_another_resource_than_the_requested_one_is_refused() -> None:
    """The error has both ids, of a long one the beginning."""
    refuse_stranger(build(Customer), "1", context=CONTEXT)
    stranger = build(Customer, id="2" * 70)
    _refused(
        lambda: refuse_stranger(stranger, "1", context=CONTEXT), f"^.*asked for id '1', got '{'2' * 60}' at", "data.id"
    )


@pytest.mark.parametrize("data", [ADA, None, {**ADA, "attributes": {"name": 5}}])
def test_what_is_no_array_is_no_page(data: Any) -> None:
    """Even if it is one resource of the class."""
    body = json.dumps({"data": data}).encode()
    problem = "an array of resource objects was expected"
    _refused(lambda: read_page(body, cls=Customer, scope=Scope(), context=CONTEXT), problem, "data")


def test_a_malformed_row_stands_in_its_place_in_the_page() -> None:
    """Among rows that are read; the top-level members are kept as they came."""
    rows: list[Any] = [ADA, {**ADA, "type": "offers"}, 5, {**ADA, "attributes": {"name": []}}, {**ADA, "id": "2"}]
    body = json.dumps({"data": rows, "links": {"next": "/x"}, "meta": {"total": 5}}).encode()
    page = read_page(body, cls=Customer, scope=strict(), context=CONTEXT)
    shown = [(row.path, row.context) if isinstance(row, DecodeError) else row.id for row in page.rows]
    places = ["data[1].type", "data[2]", "data[3].attributes.name"]
    assert shown == ["1", *((place, CONTEXT) for place in places), "2"]
    assert (page.links, page.meta) == ({"next": "/x"}, {"total": 5})


def test_the_rows_of_a_page_are_known_to_what_came_with_them() -> None:
    """All of them, and what is included once for all; a malformed row is not."""
    linkage = {"offers": {"data": [{"type": "offers", "id": "4"}]}}
    rows = [{**ADA, "relationships": linkage}, 5, {**ADA, "id": "2", "relationships": linkage}]
    included = [{"type": "offers", "id": "4", "attributes": {"title": "Year pass"}}, 5]
    body = json.dumps({"data": rows, "included": included}).encode()
    first, _, second = read_page(body, cls=Customer, scope=Scope(), context=CONTEXT).rows
    assert isinstance(first, Customer)
    assert isinstance(second, Customer)
    assert first.offers.at_hand == second.offers.at_hand
    assert set(first.origin.scope.known) == {
        Identifier("customers", "1"), Identifier("customers", "2"), Identifier("offers", "4"),
    }  # fmt: skip


def _sparse(included: list[Any], **members: Any) -> Customer:
    scope = Scope(Query(include=("offers", "contact"), fields={"customers": ("name",)}))
    return read(Customer, {"data": {**ADA, **members}, "included": included}, scope=scope)


def test_what_is_included_belongs_to_its_owner_though_sparse_fields_dropped_the_linkage() -> None:
    """It can only have come for the relation of its type; nothing is known of one for which nothing came."""
    offers: list[Any] = [{"type": "offers", "id": each, "attributes": {}} for each in ("4", "5")]
    customer = _sparse(offers)
    assert (customer.offers.ids, customer.offers.loaded) == (("4", "5"), True)
    assert customer.contact.ids is None
    one = _sparse([{"type": "contacts", "id": "7", "attributes": {}}]).contact
    assert (one.id, one.loaded) == ("7", True)
    stated = _sparse(offers, relationships={"offers": {"data": [{"type": "offers", "id": "4"}]}})
    assert stated.offers.ids == ("4",)
    unstated = _sparse(offers, relationships={"offers": {"links": {"related": "/v1/customers/1/offers"}}})
    assert unstated.offers.ids is None


@pytest.mark.parametrize(
    ("include", "known"),
    [
        (("offers",), {"offers": ("4",)}),
        (("offers", "offers.products"), {"offers": ("4",)}),
        (("offers.products", "contact"), {"offers": ("4",), "contact": ("7",)}),
        (("products", "contact"), {"products": ("5", "6"), "contact": ("7",)}),
        (("products", "offers.products"), {"offers": ("4",)}),
        (("offers", "contact.offers"), {"contact": ("7",)}),
        (("offers", "contact.customer.offers"), {"contact": ("7",)}),
        (("offers", "of_tomorrow"), {}),
        (("offers", "contact.of_tomorrow"), {}),
        (("offers.of_tomorrow.products", "products"), {}),
        (("of_tomorrow",), {}),
    ],
)
def test_what_two_paths_may_have_brought_belongs_to_none_for_certain(
    include: tuple[str, ...], known: dict[str, tuple[str, ...]]
) -> None:
    """Nor what a relation may have brought that the SDK does not know: it may lead to any type."""
    came: list[Any] = [
        {"type": resource_type, "id": each, "attributes": {}}
        for resource_type, ids in (("offers", ["4"]), ("products", ["5", "6"]), ("contacts", ["7"]))
        for each in ids
    ]
    scope = Scope(Query(include=include, fields={"customers": ("name",)}))
    customer = read(Customer, {"data": ADA, "included": came}, scope=scope)
    found = {name: getattr(customer, name).ids for name in ("offers", "products", "contact")}
    assert {name: ids for name, ids in found.items() if ids is not None} == known


def test_what_is_stated_of_one_relation_leaves_the_others_to_what_was_included() -> None:
    """In whatever order the paths were requested."""
    came: list[Any] = [{"type": "offers", "id": "4"}, {"type": "contacts", "id": "7"}]
    for include in (("offers", "contact"), ("contact", "offers")):
        scope = Scope(Query(include=include, fields={"customers": ("name",)}))
        stated: dict[str, Any] = {**ADA, "relationships": {"offers": {"data": []}}}
        customer = read(Customer, {"data": stated, "included": came}, scope=scope)
        assert (customer.offers.ids, customer.contact.ids) == ((), ("7",))


def test_what_a_requested_resource_links_to_is_still_the_owners() -> None:
    """The contact of a customer is no reason why the customer should not have the same offer."""
    contact = {"type": "contacts", "id": "7", "relationships": {"offers": {"data": [{"type": "offers", "id": "4"}]}}}
    customer = _sparse([contact, {"type": "offers", "id": "4"}])
    assert (customer.offers.ids, customer.contact.ids) == (("4",), ("7",))


@pytest.mark.parametrize(
    ("include", "stated", "ids"),
    [
        (("lessons", "lessons.media"), {}, ("20", "21")),
        (("lessons",), {}, None),
        (("lessons.media",), {"media": {"data": [{"type": "media", "id": "20"}]}}, ("20",)),
    ],
)
def test_what_was_included_along_a_path_is_that_of_the_relation_that_leads_along_it(
    include: tuple[str, ...], stated: dict[str, Any], ids: tuple[str, ...] | None
) -> None:
    """Unless the answer states the relation itself."""
    course = {"type": "courses", "id": "1", "attributes": {}, "relationships": stated}
    came: list[Any] = [
        {"type": "lessons", "id": "7", "relationships": {"media": {"data": {"type": "media", "id": "20"}}}},
        *({"type": "media", "id": each} for each in ("20", "21")),
    ]
    assert read(Course, {"data": course, "included": came}, scope=Scope(Query(include=include))).media.ids == ids


def test_what_belongs_to_an_included_resource_of_another_kind_is_not_the_owners() -> None:
    """One that was not requested came with resources of its own."""
    theirs: list[Any] = [
        {"type": "offers", "id": "4", "attributes": {}},
        {"type": "offers", "id": "5", "attributes": {}},
        {"type": "purchases", "id": "8", "relationships": {"offer": {"data": {"type": "offers", "id": "5"}}}},
    ]
    assert _sparse(theirs).offers.ids == ("4",)


def test_two_resources_are_not_taken_for_the_one_of_a_relation() -> None:
    """Either may be it."""
    assert _sparse([{"type": "contacts", "id": each, "attributes": {}} for each in ("7", "8")]).contact.ids is None


def test_without_sparse_fields_of_its_type_nothing_is_tied() -> None:
    """Then the answer would mention a relation that the server knows."""
    scope = Scope(Query(include=("offers",), fields={"offers": ("title",)}))
    included: list[Any] = [{"type": "offers", "id": "4", "attributes": {}}]
    assert read(Customer, {"data": ADA, "included": included}, scope=scope).offers.ids is None


def test_samples_are_of_any_type_and_know_each_other() -> None:
    """A bare array; a type that the SDK does not know keeps its name."""
    back = {"customer": {"data": {"type": "customers", "id": "1"}}}
    body = json.dumps([ADA, {"type": "contacts", "id": "7", "relationships": back}, {"type": "gadgets", "id": "3"}])
    customer, contact, gadget = read_samples(body.encode(), scope=Scope(), context=CONTEXT)
    assert isinstance(contact, Contact)
    assert contact.customer.at_hand == (customer,)
    assert isinstance(gadget, UntypedResource)
    assert gadget.resource_type == "gadgets"


def test_a_malformed_sample_is_refused() -> None:
    """No run goes on without it, so that none is left out."""
    odd = json.dumps([ADA, {**ADA, "attributes": {"name": []}}]).encode()
    _refused(lambda: read_samples(odd, scope=strict(), context=CONTEXT), "expected text", "[1].attributes.name")
    with pytest.raises(DecodeError, match=CONTEXT):
        read_samples(json.dumps([ADA, 5]).encode(), scope=Scope(), context=CONTEXT)


def _through_pickle(resource: Resource) -> Resource:
    travelled: Resource = pickle.loads(pickle.dumps(resource))
    return travelled


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, _through_pickle])
def test_a_resource_of_no_known_type_travels_with_its_type(duplicate: Callable[[Any], Any]) -> None:
    """No class says it."""
    (gadget,) = read_samples(b'[{"type":"gadgets","id":"3","attributes":{"size":4}}]', scope=Scope(), context=CONTEXT)
    twin = duplicate(gadget)
    assert (twin.resource_type, twin.id, dict(twin.extra)) == ("gadgets", "3", {"size": 4})


def test_what_an_answer_says_beside_the_attributes_is_kept() -> None:
    """Links and meta as they came, of a relation what is known; what a later answer says of it is added."""
    members: dict[str, Any] = {
        "links": {"self": "/v1/customers/1", "contact": {"href": "/v1/contacts/7"}},
        "meta": {"seen": True},
    }
    origin = build(Customer, **members).origin
    assert (origin.links, origin.meta) == (members["links"], members["meta"])
    assert (origin.link("contact"), origin.link("self"), origin.link("offers")) == (
        *("/v1/contacts/7", "/v1/customers/1"),
        None,
    )
    assert origin.relationship("offers") is MISSING
    learned = Customer.relations["offers"].stated((Identifier("offers", "4"),))
    origin.set_relationship("offers", learned)
    assert origin.relationship("offers") is learned
    assert learned.state is LinkageState.TO_MANY
    assert Customer.relations["contact"].stated(()).state is LinkageState.TO_ONE


def test_an_attribute_of_what_was_included_inside_data_is_pointed_to_there() -> None:
    """Courses are documented so."""
    linkage = {"modules": {"data": [{"type": "modules", "id": "4"}]}}
    module: dict[str, Any] = {"type": "modules", "id": "4", "attributes": {"title": []}}
    course: dict[str, Any] = {
        "type": "courses",
        "id": "1",
        "attributes": {},
        "relationships": linkage,
        "included": [module],
    }
    loaded = read(Course, {"data": course}).modules.at_hand
    assert loaded is not None
    (only,) = loaded
    assert only.unreadable_attributes()["title"].pointer == "/data/included/0/attributes/title"


@pytest.mark.parametrize("odd", [5, ADA, {"type": "offers", "id": "5", "attributes": {"title": []}}])
def test_an_included_resource_that_is_not_read_leaves_those_after_it(odd: Any) -> None:
    """Whether it is malformed, one of the primary resources, or has an attribute that a strict scope refuses."""
    offer: Any = {"type": "offers", "id": "4", "attributes": {"title": "All"}}
    customer = read(Customer, {"data": ADA, "included": [odd, offer]}, scope=strict())
    known = customer.origin.scope.known
    assert set(known) == {customer.identifier, Identifier("offers", "4")}
    assert known[customer.identifier] is customer


@pytest.mark.parametrize("member", ["links", "meta", "relationships"])
@pytest.mark.parametrize("odd", [None, [], 5, "x"])
def test_odd_members_are_none(member: str, odd: Any) -> None:
    """They never cost the attributes."""
    origin = build(Customer, {"name": "Ada"}, **{member: odd}).origin
    assert (origin.links, origin.meta, origin.relationships) == ({}, {}, {})


def test_all_of_several_are_known_or_none() -> None:
    """In the requested order; of no identifiers, all are known."""
    offers: dict[Identifier, Resource] = {Identifier("offers", each): build(Offer, id=each) for each in ("4", "5")}
    scope = Scope(loaded=dict(offers))
    assert scope.all_of([]) == ()
    assert scope.all_of(reversed(offers)) == tuple(reversed(offers.values()))
    assert scope.all_of([*offers, Identifier("offers", "6")]) is None


def _included_offers(number: int) -> bytes:
    offers = [{"type": "offers", "id": str(each)} for each in range(number)]
    return json.dumps({"data": ADA, "included": offers}).encode()


@pytest.mark.parametrize("odd", [False, True])
def test_more_included_resources_than_the_limit_allows_are_refused_at_once(odd: bool) -> None:
    """Whichever way the answer is read, and not only when a relation needs them."""
    body = _included_offers(1001)
    if odd:
        body = body.replace(b'"Ada"', b"5")
    assert (
        len(read_resource(body, cls=Customer, scope=Scope(most_elements=20_020), context=CONTEXT).offers.ids or ()) == 0
    )
    with pytest.raises(
        AnswerTooLargeError, match=r"1001 resource objects, more than the 1000 .* at included$"
    ) as caught:
        read_resource(body, cls=Customer, scope=Scope(most_elements=20_000), context=CONTEXT)
    assert caught.value.context == CONTEXT
    page = body.replace(b'"data": {', b'"data": [{').replace(b'}, "included"', b'}], "included"')
    assert len(read_page(page, cls=Customer, scope=Scope(most_elements=20_020), context=CONTEXT).rows) == 1
    with pytest.raises(AnswerTooLargeError, match=r"1001 resource objects, .* the 1000 .* at included$") as caught:
        read_page(page, cls=Customer, scope=Scope(most_elements=20_000), context=CONTEXT)
    assert caught.value.context == CONTEXT


@pytest.mark.parametrize("member", ["links", "meta"])
@pytest.mark.parametrize("name", ["Ada", 5])
def test_a_page_with_links_or_meta_that_are_nested_too_deeply_is_refused(member: str, name: Any) -> None:
    """If they were ignored, a list would silently end early."""
    row = {**ADA, "attributes": {"name": name}}
    body = json.dumps({"data": [row], member: {"a": json.loads("[" * 200 + "]" * 200)}}).encode()
    with pytest.raises(DecodeError, match="nested too deeply") as caught:
        read_page(body, cls=Customer, scope=Scope(), context=CONTEXT)
    assert caught.value.context == CONTEXT


@pytest.mark.parametrize("most_elements", [200_000, 100])
@pytest.mark.parametrize("name", ["Ada", 5])
@pytest.mark.parametrize("is_page", [False, True])
def test_an_included_attribute_that_cannot_be_read_is_pointed_to_there(
    most_elements: int, name: Any, is_page: bool
) -> None:
    """Whichever way the answer was read, and however large a part of it was included."""
    row = {**ADA, "attributes": {"name": name}, "relationships": {"offers": {"data": [{"type": "offers", "id": "4"}]}}}
    offer: dict[str, Any] = {"type": "offers", "id": "4", "attributes": {"price_in_cents": "much", "title": "x" * 200}}
    body = json.dumps({"data": [row] if is_page else row, "included": [offer]}).encode()
    scope = Scope(most_elements=most_elements)
    if is_page:
        (customer,) = read_page(body, cls=Customer, scope=scope, context=CONTEXT).rows
    else:
        customer = read_resource(body, cls=Customer, scope=scope, context=CONTEXT)
    assert isinstance(customer, Customer)
    loaded = customer.offers.at_hand
    assert loaded is not None
    (only,) = loaded
    assert only.unreadable_attributes()["price_in_cents"].pointer == "/included/0/attributes/price_in_cents"


def test_more_rows_than_the_limit_allows_are_refused() -> None:
    """As many as it allows are read."""
    body = json.dumps({"data": [ADA] * 11}).encode()
    assert len(read_page(body, cls=Customer, scope=Scope(most_elements=550), context=CONTEXT).rows) == 11
    with pytest.raises(AnswerTooLargeError, match=r"11 resource objects, more than the 10 .* at data$"):
        read_page(body, cls=Customer, scope=Scope(most_elements=549), context=CONTEXT)
    with pytest.raises(AnswerTooLargeError, match="11 resource objects, more than the 10 "):
        read_samples(json.dumps([ADA] * 11).encode(), scope=Scope(most_elements=549), context=CONTEXT)


def test_an_answer_larger_than_any_page_is_read_row_by_row_alone() -> None:
    """So that no large text is decoded twice."""
    long = {**ADA, "attributes": {"name": "x" * MANY_BYTES}}
    with patch.object(TypedReader, "decode", side_effect=AssertionError("decoded twice")):
        one = read_resource(json.dumps({"data": long}).encode(), cls=Customer, scope=Scope(), context=CONTEXT)
        page = read_page(json.dumps({"data": [long, 5]}).encode(), cls=Customer, scope=Scope(), context=CONTEXT)
    assert one.name == "x" * MANY_BYTES
    assert [type(row) for row in page.rows] == [Customer, DecodeError]


@pytest.mark.parametrize("body", [b"", b"null", b"5", b"{}", b'{"data": []}', b"[", b"[1e999", b'[],"a":[]'])
def test_what_is_no_array_of_samples_is_refused(body: bytes) -> None:
    """Nothing but one array is read, whatever is wrong with the rest."""
    with pytest.raises(DecodeError, match=CONTEXT):
        read_samples(body, scope=Scope(), context=CONTEXT)


@pytest.mark.parametrize(
    ("cls", "name", "read_it"),
    [
        (FastReader, "read_one", partial(read_resource, b"", cls=Customer)),
        (FastReader, "read_page", partial(read_page, b"", cls=Customer)),
        (Decoder, "read", partial(read_samples, b'[{"type":"customers","id":"1"}]')),
    ],
)
def test_a_spent_stack_is_reported_with_the_request(cls: type, name: str, read_it: Callable[..., object]) -> None:
    """Wherever in the decoding it ends."""
    with (
        patch.object(cls, name, side_effect=RecursionError),
        pytest.raises(ConfigurationError, match=f"^{CONTEXT}: called too deep in a recursion"),
    ):
        read_it(scope=Scope(), context=CONTEXT)


def test_samples_may_have_as_many_values_as_other_answers() -> None:
    """Half as many as the limit of elements are converted one by one."""
    sample: dict[str, Any] = {"type": "kajabi_payments_payouts", "id": "1", "attributes": {"transactions": [{}] * 100}}
    body = json.dumps([sample] * 2).encode()
    assert len(read_samples(body, scope=Scope(most_elements=4_000), context=CONTEXT)) == 2
    with pytest.raises(AnswerTooLargeError) as caught:
        read_samples(body, scope=Scope(most_elements=3_998), context=CONTEXT)
    problem = "more than 1999 values to convert, which is what a limit of 3998 elements allows"
    assert (caught.value.problem, caught.value.context) == (problem, CONTEXT)


def test_a_malformed_sample_says_where_it_was() -> None:
    """From the top of what came, by the path that leads to the array."""
    body = json.dumps([ADA, 5]).encode()
    for within, path in (((), "[1]"), (("payload",), "payload[1]")):
        _refused(lambda: read_samples(body, scope=Scope(), context=CONTEXT, within=within), "not a resource", path)  # noqa: B023
