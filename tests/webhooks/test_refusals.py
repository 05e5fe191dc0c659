"""Rejected deliveries and their errors."""

import json
from typing import Any

import pytest

from kajabi_async import InvalidArgumentError
from kajabi_async.webhooks import (
    MAX_BYTES,
    DeliveryTooLargeError,
    MalformedDeliveryError,
    UnknownDeliveryError,
    parse,
)
from tests.webhooks.deliveries import API_DELIVERIES, PERSON, PERSONAL, delivery, row


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "a delivery cannot be read: not the JSON that was expected"),
        (b"member_email=ada%40lovelace.example", "not the JSON that was expected"),
        (b'{"id": "1", "event": "purchase", "payload": [', "not the JSON that was expected"),
        (b'{"id": "1", "event": "pur\xffchase"}', "not"),
        (b"null", "expected an object, got null or nothing"),
        (b"[]", "expected an object, got an array"),
        (b'"purchase"', "expected an object, got text"),
        (b"7", "expected an object, got a number"),
        (b"true", "expected an object, got true or false"),
        (b"{}", "it has no event"),
        (b'{"data": [], "included": []}', "it has no event"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[" * 500 + b"1e999" + b"]" * 500, "Number out of range"),
    ],
)
def test_a_body_that_is_no_envelope_is_malformed(body: bytes, problem: str) -> None:
    """400, with the expected and the actual kind of value."""
    with pytest.raises(MalformedDeliveryError) as caught:
        parse(body)
    assert problem in str(caught.value)
    assert len(str(caught.value)) < 200
    assert (caught.value.event, caught.value.http_status) == (None, 400)


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        (None, "expected an array of resource objects, got null or nothing at payload"),
        ({"data": []}, "expected an array of resource objects, got an object at payload"),
        ([], "expected a resource of type 'purchases', got only these types: none that is known at payload"),
        ([row("offers", "1"), row("Ada Lovelace", "2")], "got only these types: offers at payload"),
        ([None], "at payload[0]"),
        ([row("purchases", "1"), "Ada Lovelace"], "not a resource object at payload[1]"),
        ([row("purchases", "")], "id must be a string at payload[0].id"),
        ([{"type": {"Ada": 1}, "id": "1"}], "type must be a string at payload[0].type"),
        ([row("purchases", "1") | {"attributes": ["Ada"]}], "attributes must be an object at payload[0].attributes"),
        ([row("purchases", "1", {"created_at": "Lovelace"})], "ISO 8601 time at payload[0].attributes.created_at"),
        (
            [row("purchases", "1", {"raw_extra_contact_information": "Lovelace"})],
            "expected an object at payload[0].attributes.raw_extra_contact_information",
        ),
        ([row("purchases", "1"), row("customers", "2", {"net_revenue": PERSON})], "payload[1].attributes.net_revenue"),
    ],
)
def test_a_payload_of_another_shape_is_malformed(payload: object, problem: str) -> None:
    """The error names event and path, and no value, which may be personal data."""
    with pytest.raises(MalformedDeliveryError) as caught:
        parse(delivery("purchase", payload), strict=True)
    error = caught.value
    assert problem in str(error)
    assert str(error).startswith("a delivery of 'purchase' cannot be read: ")
    assert not [word for word in PERSONAL if word in repr(error) + str(vars(error))]
    # An error tracker would print it as the cause.
    assert error.__context__ is None


@pytest.mark.parametrize("missing", ["contacts", "contact_tags"])
def test_a_delivery_without_what_its_event_is_about_is_malformed(missing: str) -> None:
    """Such as a tag without a contact, or no tag at all."""
    payload = [each for each in (row("contacts", "4"), row("contact_tags", "6")) if each["type"] != missing]
    with pytest.raises(MalformedDeliveryError, match=f"expected a resource of type '{missing}'"):
        parse(delivery("tag_added", payload))


@pytest.mark.parametrize("odd", [None, "", [], {}, True, 1.5])
def test_a_delivery_needs_an_id(odd: object) -> None:
    """Text, or a whole number."""
    shapes: dict[str, Any] = {"purchase": [row("purchases", "1")], "form_submission.created": {}}
    for event, payload in shapes.items():
        with pytest.raises(MalformedDeliveryError, match=r"expected text, got .* at id"):
            parse(delivery(event, payload, delivery_id=odd))


@pytest.mark.parametrize("event", ["purchase_refunded", "purchase.deleted", "offer.created", "purchases"])
def test_an_unknown_event_is_named(event: str) -> None:
    """422: it can be parsed, but its meaning is unknown."""
    with pytest.raises(UnknownDeliveryError, match=f"the event '{event}'") as caught:
        parse(delivery(event, []))
    assert (caught.value.event, caught.value.http_status) == (event, 422)


@pytest.mark.parametrize(
    "odd", [None, 7, [], {"Ada": "Lovelace"}, "", "Ada Lovelace", "ada@lovelace.example", "a" * 65]
)
def test_an_event_that_is_no_name_is_not_repeated(odd: object) -> None:
    """The value may be anything, even personal data."""
    with pytest.raises(UnknownDeliveryError, match="something that is not the name of an event") as caught:
        parse(delivery(odd, []))
    assert caught.value.event is None


def test_a_large_delivery_is_refused_before_it_is_decoded() -> None:
    """413 by the number of bytes alone; the content is not read."""
    with pytest.raises(DeliveryTooLargeError, match="larger than 1048576 bytes") as caught:
        parse(b"\xff" * (MAX_BYTES + 1))
    assert (caught.value.limit, caught.value.http_status) == (MAX_BYTES, 413)


def test_the_limit_is_exact_and_can_be_set() -> None:
    """A body of exactly the limit is read."""
    body = API_DELIVERIES["purchase"]
    assert parse(body, max_bytes=len(body)).name == "purchase"
    with pytest.raises(DeliveryTooLargeError):
        parse(body, max_bytes=len(body) - 1)


@pytest.mark.parametrize(("levels", "read"), [(60, True), (61, False), (800, False)])
def test_the_limit_of_depth_is_exact(levels: int, read: bool) -> None:
    """64 levels in total, of which four are envelope, payload, resource and attributes."""
    deep = json.loads("[" * levels + "]" * levels)
    body = delivery("purchase", [row("purchases", "1", {"odd": deep})])
    if read:
        assert parse(body).name == "purchase"
    else:
        with pytest.raises(MalformedDeliveryError, match="nested more than 64 levels deep"):
            parse(body)


def test_text_is_not_taken_for_a_body() -> None:
    """Decoding is not left to the framework, which may assume another encoding."""
    text: Any = API_DELIVERIES["purchase"].decode()
    with pytest.raises(InvalidArgumentError, match="the received bytes, got str"):
        parse(text)


@pytest.mark.parametrize("junk", [b"0,", b"{},", b'"",', b"[],", b'{"type":"purchases","id":"1"},'])
def test_a_delivery_of_many_elements_is_refused_before_it_is_decoded(junk: bytes) -> None:
    """413 by the number of separators: a few bytes can decode to hundreds of objects."""
    body = b'{"id": "1", "event": "purchase", "payload": [%s0]}' % (junk * (900_000 // len(junk)))
    with pytest.raises(DeliveryTooLargeError, match="more than 20000 elements, the limit that max_elements= sets"):
        parse(body)


def test_the_limit_of_elements_is_exact_and_can_be_set() -> None:
    """A body of exactly the limit is read."""
    body = delivery("purchase", [row("purchases", "1", {"odd": [0] * 300_000})])
    with pytest.raises(DeliveryTooLargeError):
        parse(body)
    assert parse(body, max_elements=300_100).name == "purchase"


def test_a_payload_of_too_many_resources_is_too_large() -> None:
    """Each becomes a model and counts as fifty elements."""
    body = delivery("purchase", [row("purchases", str(index)) for index in range(401)])
    with pytest.raises(
        DeliveryTooLargeError, match="holds 401 resource objects, more than the 400 that a limit of 20000"
    ):
        parse(body)
    assert parse(body, max_elements=20_050).name == "purchase"


@pytest.mark.parametrize("number", [10**300, -(10**4000)])
def test_a_number_that_is_too_long_is_no_id(number: int) -> None:
    """The error does not repeat it."""
    with pytest.raises(MalformedDeliveryError, match="expected text, got a number at id"):
        parse(delivery("purchase", [row("purchases", "1")], delivery_id=number))
