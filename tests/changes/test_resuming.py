"""Where a run starts: at a time in the past, or behind a cursor."""

from datetime import timedelta

import pytest

from kajabi_async import InvalidArgumentError, Kajabi
from tests.changes.site import kinds, opened


async def test_since_starts_in_the_past() -> None:
    """A duration counts back from now by the client's clock, a time is taken as it is; submissions start now."""
    async with opened(same_time=True) as site:
        for number in range(4):
            site.add("contacts", str(3_000_000_000 + number))
            site.clock.advance(600)
        for since, expected in (
            (timedelta(seconds=1300), 2),
            (1300, 2),
            (timedelta(hours=2), 4),
            (site.now - timedelta(seconds=700), 1),
        ):
            changes = site.api.changes(since=since, watch=["contacts", "form_submissions"])
            assert len(await changes.poll()) == expected


async def test_a_cursor_resumes_behind_its_change_and_wins_over_since() -> None:
    """since= is for the first run."""
    async with opened() as site:
        changes = await site.started(watch="contacts")
        ids = [str(3_000_000_000 + number) for number in range(9)]
        for each in ids:
            site.add("contacts", each)
            site.clock.advance(17)
        found = await changes.poll()
        assert [each.resource.id for each in found] == ids
        for place, change in enumerate(found, start=1):
            again = site.api.changes(watch="contacts", cursor=change.cursor, since=timedelta(days=900))
            assert [each.resource.id for each in await again.poll()] == ids[place:]


async def test_the_cursor_of_the_changes_moves_on_while_nothing_changes() -> None:
    """So a restart after a quiet day reads one page, and a run that yielded nothing has a place to go on from."""
    async with opened(customers=600) as site:
        changes = site.api.changes(watch="contacts")
        assert changes.cursor is None
        await changes.poll()
        cursor = changes.cursor
        site.add("contacts", "3000000000")
        site.clock.advance(60)
        assert kinds(await site.api.changes(watch="contacts", cursor=cursor).poll()) == ["contact_added 3000000000"]


async def test_a_list_that_is_new_to_a_cursor_starts_now() -> None:
    """The others go on from their place."""
    async with opened() as site:
        changes = await site.started(watch="contacts")
        site.add("contacts", "3000000000")
        site.add("orders", "900")
        site.clock.advance(60)
        more = site.api.changes(watch=["contacts", "orders"], cursor=changes.cursor)
        assert kinds(await more.poll()) == ["contact_added 3000000000"]


async def test_another_clients_cursor_is_refused() -> None:
    """Another site, other credentials, another address."""
    async with opened() as site, opened() as other:
        changes = await site.started(watch="contacts")
        cursor = changes.cursor
        with pytest.raises(InvalidArgumentError, match="another site"):
            site.api.with_options(site_id="1").changes(cursor=cursor)
        with pytest.raises(InvalidArgumentError, match="base_url"):
            other.api.changes(cursor=cursor)
        fake = site.fake
        async with Kajabi(client_id="another", client_secret="s", base_url=fake.base_url) as stranger:
            with pytest.raises(InvalidArgumentError, match="credentials"):
                stranger.changes(cursor=cursor)
        site.api.with_options(timeout=5).changes(cursor=cursor)
