import asyncio

import pytest

from tests.examples.conftest import App

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_health_shows_what_the_client_has_done(app: App) -> None:
    """Each visit counts in the one client, and only the first takes a token."""
    stats: list[dict[str, float]] = []
    for _ in range(2):
        # A page that the access gate, which reads again in the background, has no part in.
        async with app.visitor.get("/members/7/profile") as answer:
            assert answer.status == 200
        stats.append(await _settled_stats(app))
    first, second = stats
    assert second["operations"] == first["operations"] + 1
    assert second["token_requests"] == first["token_requests"] >= 1


async def test_health_sends_no_request_to_kajabi(app: App) -> None:
    """A supervisor can probe often, and does not stop the application while Kajabi is down."""
    app.fake.fail(status=503, times=None)
    await _stats(app)
    assert app.fake.counts.total() == 0


async def _settled_stats(app: App) -> dict[str, float]:
    """Return the stats once nothing is under way that an earlier test has started."""
    before: dict[str, float] = {}
    stats = await _stats(app)
    while stats != before:
        await asyncio.sleep(0.2)
        before, stats = stats, await _stats(app)
    return stats


async def _stats(app: App) -> dict[str, float]:
    async with app.visitor.get("/health") as answer:
        assert answer.status == 200
        health = await answer.json()
    assert health["status"] == "ok"
    stats: dict[str, float] = health["stats"]
    assert stats.keys() >= {
        "operations",
        "attempts",
        "retries",
        "waiting_seconds",
        "wire_seconds",
        "rate_limited",
        "token_requests",
    }
    return stats
