"""A resource that Kajabi ships tomorrow takes one small file; here it is `tests.resources.widgets`."""

import asyncio
import os
import sys

SCRIPT = """
import asyncio
from tests.resources.widgets import Widgets
from kajabi_async import Kajabi, UnknownFilterError
from kajabi_async.testing import FakeKajabi

def widget(number, **members):
    return {"type": "widgets", "id": str(number), "attributes": {"weight_in_grams": "7"}, **members}

async def main():
    async with FakeKajabi(customers=5) as fake:
        customer, parts = {"type": "customers", "id": "2"}, [{"type": "widgets", "id": "8"}]
        linked = {"customer": {"data": customer}, "parts": {"data": parts}}
        fake.answer_with("GET", "/v1/widgets/7", body={"data": widget(7, relationships=linked)})
        fake.answer_with("GET", "/v1/widgets/8", body={"data": widget(8)})
        rest = "https://api.kajabi.com/v1/widgets?page[number]=2"
        fake.answer_with("GET", "/v1/widgets", body={"data": [widget(7)], "links": {"next": rest}}, times=1)
        fake.answer_with("GET", "/v1/widgets", body={"data": [widget(8)], "links": {}}, times=1)
        async with Kajabi(client_id=fake.client_id, client_secret=fake.client_secret, base_url=fake.base_url) as api:
            widgets = api.resource(Widgets)
            first = await widgets.get("7")
            assert first.weight_in_grams == 7
            assert (await first.customer).id == "2"
            assert [part.id for part in await first.parts] == ["8"]
            assert [row.id async for row in widgets.list(title_cont="x", sort="-title")] == ["7", "8"]
            assert (await widgets.get_many(["7", "8"]).report()).found == 2
            try:
                widgets.list(title_eq="x")
            except UnknownFilterError as error:
                assert error.nearest == "title_cont"

asyncio.run(main())
"""


async def test_a_new_resource_is_read_listed_looked_up_and_related() -> None:
    """Its rows, model, filters and class in one file; typed, checked and paged like every other."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "error", "-c", SCRIPT), stderr=asyncio.subprocess.PIPE, env=dict(os.environ)
    )
    _, err = await process.communicate()
    assert (process.returncode, err.decode()) == (0, "")
