"""Changes on another event loop than that of their client."""

import asyncio

import pytest

from kajabi_async import Kajabi, WrongLoopError
from kajabi_async.changes import Changes
from kajabi_async.testing import FakeKajabi


def test_another_loop_is_refused_at_once_and_changes_nothing() -> None:
    """It is no outage to wait out; on its own loop the poll goes on from the same cursor."""

    async def first_poll() -> tuple[FakeKajabi, Kajabi, Changes]:
        fake = FakeKajabi(customers=5)
        await fake.start()
        api = Kajabi(client_id=fake.client_id, client_secret=fake.client_secret, base_url=fake.base_url)
        changes = api.changes(watch="contacts")
        await changes.poll()
        return fake, api, changes

    with asyncio.Runner() as own, asyncio.Runner() as other:
        fake, api, changes = own.run(first_poll())
        cursor = changes.cursor
        with pytest.raises(WrongLoopError):
            other.run(asyncio.wait_for(changes.poll(), 10))
        assert changes.cursor == cursor
        assert own.run(changes.poll()) == ()
        own.run(api.aclose())
        own.run(fake.aclose())
