"""What ends a run and what only delays it: outages, rejected credentials, closing, cancellation."""

import asyncio
import logging

import pytest

from kajabi_async import AuthenticationError, ClientClosedError, Kajabi, PermissionDeniedError
from kajabi_async.testing import RequestLimit
from tests.changes.site import kinds, opened


async def test_an_outage_delays_and_loses_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """It is waited out for as long as it takes, and the log says so."""
    async with opened() as site:
        changes = await site.started()
        site.add("contacts", "3000000000")
        site.fake.inject("failure", times=300)
        with caplog.at_level(logging.WARNING, "kajabi_async"):
            found = await changes.poll()
        assert kinds(found) == ["contact_added 3000000000"]
        assert "changes are delayed" in caplog.text


async def test_a_pause_that_the_api_asks_for_is_kept() -> None:
    """Through the gate of the client, as by every other request."""
    async with opened() as site:
        changes = await site.started(watch="contacts")
        site.add("contacts", "3000000000")
        site.fake.rate_limit = RequestLimit(1, per=20)
        seen = kinds(await changes.poll())
        site.fake.rate_limit = None
    assert seen == ["contact_added 3000000000"]


async def test_rejected_credentials_end_it() -> None:
    """Waiting would not help."""
    async with opened() as site:
        fake = site.fake
        async with Kajabi(client_id=fake.client_id, client_secret="wrong", base_url=fake.base_url) as api:
            with pytest.raises(AuthenticationError):
                await anext(aiter(api.changes()))


async def test_tokens_that_a_list_always_rejects_end_it() -> None:
    """After three new ones in a row."""
    async with opened() as site:
        changes = await site.started(watch="contacts")
        site.fake.inject("token_refused", times=None, path="contacts.list")
        with pytest.raises(AuthenticationError):
            await changes.poll()


async def test_a_list_that_the_key_may_not_read_ends_it_with_its_error() -> None:
    """The cure is to watch the others."""
    async with opened(denied_types={"contact_notes"}) as site:
        with pytest.raises(PermissionDeniedError):
            await site.api.changes().poll()
        assert await site.api.changes(watch=["contacts"]).poll() == ()


async def test_closing_the_client_ends_the_waiting_loop() -> None:
    """At once, not with the next poll."""
    async with opened() as site:
        site.clock.sleep = asyncio.sleep  # type: ignore[method-assign, assignment]
        loop = aiter(site.api.changes())
        waiting = asyncio.ensure_future(anext(loop))
        while site.requests < 7:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        await site.api.aclose()
        with pytest.raises(ClientClosedError):
            await asyncio.wait_for(waiting, 5)
        with pytest.raises(ClientClosedError):
            await anext(loop)


async def test_leaving_or_cancelling_the_loop_leaves_no_task() -> None:
    """Nothing runs unless the loop waits for the next change."""
    async with opened() as site:
        changes = await site.started(watch="contacts")
        site.add("contacts", "3000000000")
        async for change in changes:
            assert change.resource.id == "3000000000"
            break
        site.clock.sleep = asyncio.sleep  # type: ignore[method-assign, assignment]
        before = asyncio.all_tasks()
        waiting = asyncio.ensure_future(anext(aiter(site.api.changes(cursor=changes.cursor))))
        await asyncio.sleep(0.1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert {each for each in asyncio.all_tasks() if each.get_name().startswith("kajabi_async")} <= before


async def test_an_error_or_a_timeout_in_the_middle_of_a_poll_loses_nothing() -> None:
    """The next call reads again."""
    async with opened() as site:
        changes = await site.started(watch=["contacts", "contact_notes"])
        site.add("contacts", "3000000000")
        site.fake.inject("cyclic_next", times=2, path="contacts.list")
        site.fake.denied_types.add("contacts")
        with pytest.raises(PermissionDeniedError):
            await changes.poll()
        site.fake.denied_types.clear()
        site.fake.latency = 5
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await changes.poll()
        site.fake.latency = 0
        assert kinds(await changes.poll()) == ["contact_added 3000000000"]


async def test_a_malformed_row_is_left_out_and_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    """It would otherwise end every poll."""
    async with opened() as site:
        changes = await site.started(watch="contacts")
        site.fake.add({"type": "contacts", "id": "3000000000", "attributes": {"created_at": "tomorrow"}})
        site.add("contacts", "3000000001")
        with caplog.at_level(logging.WARNING, "kajabi_async"):
            assert kinds(await changes.poll()) == ["contact_added 3000000001"]
            await changes.poll()
        assert caplog.text.count("is left out of the changes") == 1
