"""The client: made, used, closed."""

import asyncio
import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from kajabi_async import (
    AnswerTooLargeError,
    ClientClosedError,
    ConfigurationError,
    Contact,
    DecodeError,
    InvalidArgumentError,
    Kajabi,
    NotFoundError,
    PasswordCredentials,
    Timeouts,
    UnreadableAttributeError,
)
from kajabi_async.testing import FakeKajabi


def test_credentials_are_needed_when_it_is_made() -> None:
    """The error says what to pass or to set."""
    with pytest.raises(ConfigurationError, match="KAJABI_CLIENT_ID"):
        Kajabi()
    with pytest.raises(ConfigurationError, match="not both"):
        Kajabi(client_id="a", client_secret="b", credentials=PasswordCredentials("a", "b"))
    unknown: Any = {"time_out": 5}
    with pytest.raises(ConfigurationError, match="time_out"):
        Kajabi(client_id="a", client_secret="b", **unknown)


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({}, "set KAJABI_CLIENT_ID and KAJABI_CLIENT_SECRET"),
        ({"KAJABI_CLIENT_ID": "a"}, "set KAJABI_CLIENT_SECRET in"),
        ({"KAJABI_CLIENT_ID": "a", "KAJABI_CLIENT_SECRET": ""}, "set KAJABI_CLIENT_SECRET in"),
    ],
)
def test_what_is_missing_in_the_environment_is_named(
    given: dict[str, str], missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty variable counts as missing."""
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=missing):
        Kajabi.from_env()


async def test_the_environment_gives_base_and_site_and_options_win(
    kajabi_fake: FakeKajabi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``KAJABI_BASE_URL`` and ``KAJABI_SITE_ID``."""
    monkeypatch.setenv("KAJABI_CLIENT_ID", kajabi_fake.client_id)
    monkeypatch.setenv("KAJABI_CLIENT_SECRET", kajabi_fake.client_secret)
    monkeypatch.setenv("KAJABI_BASE_URL", kajabi_fake.base_url)
    monkeypatch.setenv("KAJABI_SITE_ID", "1")
    async with Kajabi.from_env(timeout=Timeouts(total=5.0)) as api:
        await api.offers.list().first()
        assert kajabi_fake.requests[-1].query["filter[site_id]"] == ["1"]
    async with Kajabi.from_env(site_id="7", timeout=5) as api:
        assert await api.offers.list().first() is None


async def test_username_and_password_suffice(kajabi_fake: FakeKajabi) -> None:
    """Without a client id."""
    credentials = PasswordCredentials(kajabi_fake.username, kajabi_fake.password)
    async with Kajabi(credentials=credentials, base_url=kajabi_fake.base_url) as api:
        assert (await api.me()).email
        assert repr(api) == f"<Kajabi at {kajabi_fake.base_url}>"
        assert api.session.stats.token_requests == api.stats.token_requests == 1


async def test_awaiting_a_relation_while_the_client_closes_raises(kajabi_fake: FakeKajabi, kajabi_api: Kajabi) -> None:
    """For all waiters of the one request; no task of the client is left."""
    customer = await kajabi_api.customers.get("1")
    kajabi_fake.hang("contacts.get", times=None)

    async def contact() -> Contact | None:
        return await customer.contact

    waiting = [asyncio.create_task(contact()) for _ in range(3)]
    while kajabi_fake.counts["contacts.get"] == 0:
        await asyncio.sleep(0)
    await kajabi_api.aclose()
    done, _ = await asyncio.wait(waiting, timeout=10)
    assert [type(each.exception()) for each in done] == [ClientClosedError] * 3
    # The fake's own tasks run in this loop as well.
    assert [task for task in asyncio.all_tasks() if task.get_name().startswith("kajabi_async")] == []


async def test_a_closed_client_says_so(kajabi_api: Kajabi) -> None:
    """Also when a relation is awaited afterwards."""
    customer = await kajabi_api.customers.get("1")
    await kajabi_api.aclose()
    with pytest.raises(ClientClosedError):
        await kajabi_api.me()
    with pytest.raises(ClientClosedError):
        await customer.contact


async def test_any_path_of_the_api_can_be_requested(kajabi_fake: FakeKajabi, kajabi_api: Kajabi) -> None:
    """With the same token and the same errors."""
    document = await kajabi_api.request("GET", "/v1/offers", params={"page[size]": 2, "filter[title_cont]": "a b"})
    assert "data" in document
    assert kajabi_fake.requests[-1].query["page[size]"] == ["2"]
    with pytest.raises(NotFoundError):
        await kajabi_api.request("get", "/v1/customers/none")
    kajabi_fake.answer_with("DELETE", "/v1/widgets/5", status=204)
    assert await kajabi_api.request("DELETE", "/v1/widgets/5", params=[("a", 1), ("a", 2)]) is None
    kajabi_fake.answer_with("POST", "/v1/widgets", body="not json")
    with pytest.raises(DecodeError) as caught:
        await kajabi_api.request("POST", "/v1/widgets", json={"data": None})
    assert caught.value.maybe_applied


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/customers"),
        ("GET", "/v1/../oauth"),
        ("GET", "/v1/customers?x=1"),
        ("GET", "https://evil.example/v1/customers"),
        ("GET", "/v1//evil.example"),
        ("GET", "/v1/customers/%2e%2e"),
        ("TRACE", "/v1/customers"),
    ],
)
async def test_a_path_that_could_lead_elsewhere_is_refused(method: str, path: str, kajabi_api: Kajabi) -> None:
    """Before anything is sent."""
    with pytest.raises(InvalidArgumentError):
        await kajabi_api.request(method, path)


async def test_the_version_needs_no_token(kajabi_fake: FakeKajabi, kajabi_api: Kajabi) -> None:
    """Revoking without a token sends nothing."""
    assert (await kajabi_api.version()).title
    await kajabi_api.revoke()
    assert kajabi_fake.counts["oauth.token"] == 0
    kajabi_fake.answer_with("GET", "/v1/version", body=b"[]")
    with pytest.raises(DecodeError):
        await kajabi_api.version()


async def test_the_limit_of_elements_holds_on_every_way_to_an_answer(kajabi_fake: FakeKajabi) -> None:
    """For lists, single resources, bulk runs and relations; what is below it is read."""
    names = {"contacts": ["name"]}
    options: Any = {
        "client_id": kajabi_fake.client_id,
        "client_secret": kajabi_fake.client_secret,
        "base_url": kajabi_fake.base_url,
    }
    async with Kajabi(**options, max_answer_elements=400) as few, Kajabi(**options, max_answer_elements=20) as least:
        contact = await few.contacts.get("2150000001")
        assert len(await few.contacts.list(page_size=3).collect(limit=3)) == 3
        with pytest.raises(AnswerTooLargeError, match="max_answer_elements"):
            await few.contacts.list(page_size=100).first()
        # Small rows: it is their number that is too high.
        with pytest.raises(AnswerTooLargeError, match="12 resource objects, more than the 8"):
            await few.contacts.list(page_size=12, fields=names).first()
        with pytest.raises(AnswerTooLargeError, match="max_answer_elements"):
            await least.contacts.get("2150000001")
        (lookup,) = [each async for each in least.contacts.get_many(["2150000001"])]
        assert isinstance(lookup.error, AnswerTooLargeError)
        assert (await contact.customer) is not None


async def test_one_odd_value_does_not_lose_the_resource(kajabi_fake: FakeKajabi) -> None:
    """By id, in a list, in a bulk run, along a relation or included; with `strict` it does."""
    odd = {"type": "offers", "id": "9001", "attributes": {"title": "Pass", "price_in_cents": "much"}}
    kajabi_fake.add(odd)
    kajabi_fake.add(
        {
            "type": "customers",
            "id": "9001",
            "attributes": {"name": "Ada", "created_at": "2024-01-10"},
            "relationships": {"offers": {"data": [{"type": "offers", "id": "9001"}]}},
        }
    )
    credentials: Any = {
        "client_id": kajabi_fake.client_id,
        "client_secret": kajabi_fake.client_secret,
        "base_url": kajabi_fake.base_url,
    }
    async with Kajabi(**credentials) as api, Kajabi(**credentials, strict=True) as strict:
        single = await api.customers.get("9001")
        included = await api.customers.get("9001", include="offers")
        listed = [row async for row in api.customers.list(page_size=100) if row.id == "9001"]
        (lookup,) = [each async for each in api.customers.get_many(["9001"])]
        for customer in (single, included, *listed, lookup.customer):
            assert customer.name == "Ada"
            with pytest.raises(UnreadableAttributeError, match="customers 9001 came with 'created_at'"):
                _ = customer.created_at
            (offer,) = await customer.offers
            assert offer.title == "Pass"
            with pytest.raises(UnreadableAttributeError, match="offers 9001 came with 'price_in_cents'"):
                _ = offer.price_in_cents
        with pytest.raises(DecodeError, match=r"at data\.attributes\.created_at") as caught:
            await strict.customers.get("9001")
        assert not isinstance(caught.value, UnreadableAttributeError)
        with pytest.raises(DecodeError, match=r"at data\.attributes\.price_in_cents"):
            await strict.offers.get("9001")
        (refused,) = [each async for each in strict.customers.get_many(["9001"])]
        assert isinstance(refused.error, DecodeError)
        pages = [page async for page in strict.customers.list(page_size=100).pages()]
        assert sum(len(page.errors) for page in pages) == 1
        assert "9001" not in {row.id for page in pages for row in page}


@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, pickle.dumps])
@pytest.mark.parametrize("name", ["", "session"])
async def test_a_client_is_neither_copied_nor_pickled(way: Callable[[Any], Any], name: str) -> None:
    """A copy would share the pool and close it; the text says what to do instead."""
    async with Kajabi(client_id="a", client_secret="hidden") as api:
        with pytest.raises(TypeError, match=r"can be neither copied nor pickled: share ") as caught:
            way(getattr(api, name) if name else api)
        assert "hidden" not in str(caught.value)


async def test_the_operations_of_a_resource_are_not_copied_deeply() -> None:
    """They refer to the session, whose error is raised."""
    async with Kajabi(client_id="a", client_secret="b") as api:
        with pytest.raises(TypeError, match="can be neither copied nor pickled"):
            copy.deepcopy(api.customers)


@pytest.mark.parametrize(
    ("params", "query"),
    [
        ({"page[size]": 2}, {"page[size]": ["2"]}),
        ([("a", 1), ("a", 2)], {"a": ["1", "2"]}),
        ((), {}),
        (None, {}),
    ],
)
async def test_parameters_are_named_or_in_pairs(
    kajabi_fake: FakeKajabi, kajabi_api: Kajabi, params: Any, query: dict[str, list[str]]
) -> None:
    """None of them is none."""
    await kajabi_api.request("GET", "/v1/offers", params=params)
    assert kajabi_fake.requests[-1].query == query


@pytest.mark.parametrize("params", [5, "page=2", [("a",)], [5], {5: "a"}, [("a", 1, 2)]])
async def test_parameters_of_another_shape_are_refused(
    kajabi_fake: FakeKajabi, kajabi_api: Kajabi, params: Any
) -> None:
    """Before anything is sent."""
    with pytest.raises(InvalidArgumentError, match=r"params= takes|the name of a parameter must be text"):
        await kajabi_api.request("GET", "/v1/offers", params=params)
    assert not kajabi_fake.requests
