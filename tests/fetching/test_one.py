"""One resource by its id: what is sent for it, and what is read from the answer."""

from typing import Any

import attrs
import pytest

from kajabi_async import AnswerTooLargeError, Customer, DecodeError, Form, InvalidIdError
from kajabi_async.exchange import Tally
from kajabi_async.fetching.one import Reader
from kajabi_async.jsonapi.query import Query
from kajabi_async.operations import operation
from tests.sending import Canned, context, linkage, resource

QUERY = Query(include=("offers",))


def _reader(send: Canned, **settings: Any) -> Reader[Customer]:
    return Reader(context(send, **settings), operation("customers.get"), Customer, QUERY, QUERY.encode(), 7.0)


def _answer(resource_id: str, **members: Any) -> dict[str, Any]:
    return {f"/v1/customers/{resource_id}": {"data": resource("customers", resource_id, **members)}}


async def test_an_id_is_sent_as_one_segment_of_the_path() -> None:
    """With the query, within the timeout of the call; a number is the id that it prints as."""
    send = Canned(_answer("7") | {"/v1/customers/a%2Bb": {"data": resource("customers", "a+b")}})
    reader = _reader(send)
    assert [(await reader.read(each)).id for each in (7, "a+b")] == ["7", "a+b"]
    assert send.paths == ["/v1/customers/7?include=offers", "/v1/customers/a%2Bb?include=offers"]
    assert [(each.method, each.once) for each in send.asked] == [("GET", False)] * 2
    assert send.timeouts == [(7.0, "call")] * 2


async def test_a_value_that_is_no_id_is_refused_before_anything_is_sent() -> None:
    """The error names the resource."""
    send = Canned({})
    with pytest.raises(InvalidIdError, match="customers"):
        await _reader(send).read("a/b")
    assert send.asked == []


async def test_a_run_sends_the_request_once() -> None:
    """The time counts from when it is sent, and its cost is on the tally of the run."""
    send, tally = Canned(_answer("7")), Tally()
    answer = await _reader(send).request_once("7", tally)
    assert _reader(send).resource_in(answer.body, "7").id == "7"
    assert send.paths == ["/v1/customers/7?include=offers"]
    assert [(each.method, each.once) for each in send.asked] == [("GET", True)]
    assert (send.timeouts, tally.attempts) == ([(7.0, "sent")], 1)


async def test_another_resource_than_the_requested_one_is_an_error() -> None:
    """Unless the id stands for another one; the error names the request."""
    send = Canned({"/v1/forms/default": {"data": resource("forms", "12")}})
    settings = (operation("forms.get"), Form, Query(), "")
    aliased = Reader(context(send), *settings, aliases=frozenset({"default"}))
    assert (await aliased.read("default")).id == "12"
    with pytest.raises(DecodeError, match="asked for id 'default', got '12'") as raised:
        await Reader(context(send), *settings).read("default")
    assert raised.value.context == "GET /v1/forms/default"


async def test_an_answer_is_read_with_the_limits_of_the_client() -> None:
    """Strictly, if that is its option; with so many elements at most."""
    send = Canned(_answer("7", attributes={"created_at": 5}, relationships={"offers": linkage("offers", "1", "2")}))
    assert (await _reader(send).read("7")).id == "7"
    with pytest.raises(DecodeError) as raised:
        await _reader(send, strict=True).read("7")
    assert raised.value.context == "GET /v1/customers/7"
    reader = _reader(send, most_elements=100)
    body = b'{"data":{"type":"customers","id":"7"},"included":[%b]}' % b",".join([b'{"type":"offers","id":"1"}'] * 200)
    with pytest.raises(AnswerTooLargeError):
        reader.resource_in(body, "7")


async def test_what_the_answer_leaves_out_can_be_asked_for_later() -> None:
    """The resource knows the query that it came by, and how its relations are resolved."""
    send = Canned(
        _answer("7", relationships={"offers": linkage("offers", "1")})
        | {"/v1/offers/1": {"data": resource("offers", "1")}}
    )
    customer = await _reader(send).read("7")
    assert [offer.id for offer in await customer.offers] == ["1"]
    assert customer.origin.scope.query == QUERY
    assert not customer.offers.partial
    part = Query(include=("offers",), filters=(("filter[offers_per]", "1"),))
    assert (await attrs.evolve(_reader(send), query=part).read("7")).offers.partial
