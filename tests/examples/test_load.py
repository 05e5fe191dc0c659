import asyncio
from collections import Counter
from html import escape

import aiohttp
import pytest

from kajabi_async.testing import FakeKajabi
from tests.examples.serving import APPS, serve

REQUESTS = 2000


@pytest.mark.parametrize("name", APPS)
async def test_two_thousand_visitors_at_once_are_all_served_with_one_token(name: str) -> None:
    """No visitor gets an error, each gets the right page, and one token is enough."""
    async with FakeKajabi(customers=20) as fake, serve(name, fake) as served:
        pages = await _visit(served.base_url)
        assert Counter(status for status, _, _ in pages) == {200: REQUESTS}
        assert all(f"<h1>{_name(fake, customer_id)}</h1>" in page for _, customer_id, page in pages)
        # Each page reads its customer, and the gate before it asks once for each of the twenty people.
        assert fake.counts == {"oauth.token": 1, "customers.get": REQUESTS + 20, "purchases.list": 20}


def _name(fake: FakeKajabi, customer_id: str) -> str:
    customer = fake.resource("customers", customer_id)
    assert customer is not None
    return escape(customer["attributes"]["name"])


async def _visit(base_url: str) -> list[tuple[int, str, str]]:
    all_connected = asyncio.Barrier(REQUESTS)
    async with aiohttp.ClientSession(base_url, connector=aiohttp.TCPConnector(limit=0)) as session:

        async def visit(number: int) -> tuple[int, str, str]:
            await all_connected.wait()
            customer_id = str(number % 20 + 1)
            async with session.get(f"/members/{customer_id}") as answer:
                return answer.status, customer_id, await answer.text()

        return await asyncio.gather(*map(visit, range(REQUESTS)))
