import asyncio
from collections import Counter
from html import escape

import aiohttp
import pytest

from kajabi_async.testing import FakeKajabi
from tests.examples.serving import APPS, serve

PEOPLE = 20


@pytest.mark.thorough
@pytest.mark.parametrize("name", APPS)
async def test_two_thousand_visitors_at_once_are_all_served_with_one_token(name: str) -> None:
    """No visitor gets an error, each gets the right page, and one token is enough."""
    async with FakeKajabi(customers=60) as fake, serve(name, fake) as served:
        members = [each for each in map(str, range(1, 61)) if _holds_offers(fake, each)][:PEOPLE]
        pages = await _visit(served.base_url, members, 2000)
        assert Counter(status for status, _, _ in pages) == {200: 2000}
        assert all(f"<h1>{_name(fake, customer_id)}</h1>" in page for _, customer_id, page in pages)
        # Each page reads its customer, and the gate before it reads each of the people once.
        assert fake.counts == {"oauth.token": 1, "customers.get": 2000 + PEOPLE, "purchases.list": PEOPLE}


@pytest.mark.parametrize("visitors", [200, pytest.param(2000, marks=pytest.mark.thorough)])
@pytest.mark.parametrize("name", APPS)
async def test_many_visitors_of_ten_people_ask_once_for_each(name: str, visitors: int) -> None:
    """Whether they may see a product, which is read for each visitor who may."""
    async with FakeKajabi(customers=60) as fake, serve(name, fake) as served:
        members = [each for each in map(str, range(1, 61)) if _holds_offers(fake, each)][:10]
        seen = await _visit(served.base_url, members, visitors, "/products/no-such-product")
        assert Counter(status for status, _, _ in seen) == {403: visitors}
        counts = {kind: number for kind, number in fake.counts.items() if kind != "offers.GET.products"}
        assert counts == {"oauth.token": 1, "customers.get": 10, "purchases.list": 10}


def _holds_offers(fake: FakeKajabi, customer_id: str) -> bool:
    customer = fake.resource("customers", customer_id)
    return customer is not None and bool(customer["relationships"]["offers"]["data"])


def _name(fake: FakeKajabi, customer_id: str) -> str:
    customer = fake.resource("customers", customer_id)
    assert customer is not None
    return escape(customer["attributes"]["name"])


async def _visit(base_url: str, members: list[str], visitors: int, path: str = "") -> list[tuple[int, str, str]]:
    all_connected = asyncio.Barrier(visitors)
    async with aiohttp.ClientSession(base_url, connector=aiohttp.TCPConnector(limit=0)) as session:

        async def visit(number: int) -> tuple[int, str, str]:
            await all_connected.wait()
            customer_id = members[number % len(members)]
            async with session.get(f"/members/{customer_id}{path}") as answer:
                return answer.status, customer_id, await answer.text()

        return await asyncio.gather(*map(visit, range(visitors)))
