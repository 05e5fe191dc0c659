"""Bulk lookups of which one answer in twenty goes wrong: none lost, none wrong, none doubled, and no memory kept."""

import time

import psutil

from kajabi_async import Kajabi, RetryPolicy
from tests.soak.figures import Figure
from tests.soak.processes import fake_process

TWELVE_WAYS = (
    "failure",
    "html_error",
    "html_success",
    "retry_after_absent",
    "cut_length",
    "cut_chunked",
    "reset_before_answer",
    "reset_mid_body",
    "reset_reused",
    "lost_answer",
    "broken_gzip",
    "dribble",
)
GROWTH_BYTES = 64 * 2**20


async def lookups(number: int, *, settled: int) -> list[Figure]:
    """Look *number* customers up; memory counts from the *settled*-th outcome on."""
    kinds = [flag for way in TWELVE_WAYS for flag in ("--fault", way)]
    faults = ("--fault-rate", "0.05", "--fault-seed", "7", *kinds)
    async with fake_process("--customers", str(number), *faults) as fake:
        policy = RetryPolicy(max_attempts=10, base_seconds=0.02, budget=1000)
        # A known rate: 429s that come by chance and not by rate would teach a pace that nobody asks for.
        async with Kajabi(**fake.settings, retry=policy, rate_limit=100_000, concurrency=50) as api:
            seen = bytearray(number + 1)
            wrong = doubled = 0
            memory = psutil.Process().memory_info
            before = after = 0
            began = time.monotonic()
            run = api.customers.get_many(range(1, number + 1))
            done = 0
            async for lookup in run:
                place = int(lookup.id)
                doubled += seen[place]
                seen[place] = 1
                wrong += not (lookup.found and lookup.customer.id == lookup.id)
                done += 1
                if done == settled:
                    before = memory().rss
            after = memory().rss
            took = time.monotonic() - began
            report = await run.report()
        injected = (await fake.counts())["injected"]
    lost = number - sum(seen)
    hit = sum(injected.values())
    what = f"{number:,} lookups, {hit:,} answers gone wrong in {len(injected)} ways, {took:.0f} s"
    return [
        Figure(what, f"{lost} lost, {wrong} wrong, {doubled} doubled", "0", lost == wrong == doubled == 0),
        Figure("  repeats", f"{report.retries:,}", "as many as went wrong", report.retries > 0.6 * hit),
        Figure(
            "  growth of memory",
            f"{(after - before) / 2**20:.1f} MB",
            "under 64 MB",
            after - before < GROWTH_BYTES,
        ),
    ]
