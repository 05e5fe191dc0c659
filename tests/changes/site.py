"""A fake and a client whose clocks move together, and only when a test moves them or the client waits."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs

from kajabi_async import Kajabi
from kajabi_async.changes import Change, Changes
from kajabi_async.testing import FakeKajabi
from tests.clocks import ManualClock

__all__ = ["START", "Site", "kinds", "opened", "text_of"]

START = datetime(2026, 3, 1, tzinfo=UTC)


def text_of(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def kinds(changes: Iterable[Change]) -> list[str]:
    return [f"{each.kind} {each.resource.id}" for each in changes]


@attrs.define
class Site:
    """An account on the fake."""

    fake: FakeKajabi
    api: Kajabi
    clock: ManualClock

    @property
    def now(self) -> datetime:
        return self.fake.clock.now()

    def later(self, seconds: float) -> str:
        return text_of(self.now + timedelta(seconds=seconds))

    def add(self, type_name: str, resource_id: str, *, customer: str | None = None, **attributes: Any) -> None:
        times = {"created_at": text_of(self.now), "updated_at": text_of(self.now)}
        relationships = {"customer": {"data": {"type": "customers", "id": customer}}} if customer else {}
        row = {"type": type_name, "id": resource_id, "attributes": {**times, **attributes}}
        self.fake.add({**row, "relationships": relationships})

    def purchases(self, number: int) -> list[str]:
        """Return the ids of the oldest purchases that are not over."""
        rows = self.fake._world.store.rows("purchases")
        return [each.id for each in rows if each.attributes["deactivated_at"] is None][:number]

    async def started(self, **options: Any) -> Changes:
        """Return changes that have polled once, a minute ago; the requests are forgotten."""
        changes = self.api.changes(**options)
        assert await changes.poll() == ()
        self.clock.advance(60)
        self.fake.reset_counts()
        return changes

    @property
    def requests(self) -> int:
        return self.fake.counts.total()


@asynccontextmanager
async def opened(*, customers: int = 30, same_time: bool = False, **options: Any) -> AsyncGenerator[Site]:
    """Open an account whose server is years ahead of the client's clock, or has the ``same_time``."""
    clock = ManualClock(START.timestamp()) if same_time else ManualClock()

    def now() -> datetime:
        return START + timedelta(seconds=clock.now)

    async with (
        FakeKajabi(customers=customers, now=now, **options) as fake,
        Kajabi(
            client_id=fake.client_id,
            client_secret=fake.client_secret,
            base_url=fake.base_url,
            clock=clock,
        ) as api,
    ):
        yield Site(fake, api, clock)
