"""Writes whose answers are lost: none is applied twice."""

import random
from contextlib import suppress
from typing import Any

from kajabi_async import Kajabi, KajabiError, RetryPolicy
from kajabi_async.testing import FakeKajabi
from tests.clocks import ManualClock
from tests.soak.figures import Figure

LOST = ("lost_answer", "reset_before_answer", "reset_mid_body", "cut_length", "html_error", "reset_reused")


async def lost_answers(runs: int, *, seed: int = 3) -> Figure:
    """Grant offers with *verify* and write notes without it while answers are lost; count the effects on the server."""
    chance = random.Random(seed)
    twice = undone = 0
    async with FakeKajabi() as fake:
        async with Kajabi(
            client_id=fake.client_id,
            client_secret=fake.client_secret,
            base_url=fake.base_url,
            clock=ManualClock(),
            retry=RetryPolicy(budget=10**9),
        ) as api:
            contact, offer = await _first_id(api.contacts.list()), await _first_id(api.offers.list())
            notes_before = await api.contact_notes.list().count()
            for _ in range(runs // 2):
                await api.contacts.replace_offers(contact, [])
                fake.effects.clear()
                fake.inject(chance.choice(LOST), method="POST", times=1)
                await api.contacts.grant_offers(contact, [offer], verify=True)
                grants = sum(effect.kind == "offer_granted" for effect in fake.effects)
                twice += grants > 1
                undone += grants < 1
                fake.inject(chance.choice(LOST), method="POST", times=1)
                with suppress(KajabiError):
                    await api.contact_notes.create(contact_id=contact, body="once")
            notes = (await api.contact_notes.list().count() or 0) - (notes_before or 0)
        injected = sum(fake.injected.values())
    twice += max(0, notes - runs // 2)
    seen = f"{twice} applied twice, {undone} left undone with verify=True, {injected:,} answers lost"
    return Figure(f"{runs:,} writes", seen, "0 and 0", twice == undone == 0)


async def _first_id(rows: Any) -> str:
    async for row in rows:
        return str(row.id)
    raise AssertionError
