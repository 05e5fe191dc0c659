"""Bulk lookups with one faulty answer in twenty: none lost, wrong or doubled, and no growth of memory."""

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
    """Look up *number* customers; measure memory from the *settled*-th outcome."""
    kinds = [flag for way in TWELVE_WAYS for flag in ("--fault", way)]
    faults = ("--fault-rate", "0.05", "--fault-seed", "7", *kinds)
    async with fake_process("--customers", str(number), *faults) as fake:
        policy = RetryPolicy(max_attempts=10, base_seconds=0.02, budget=1000)
        # A known rate: random 429s would teach the client a rate that the server does not require.
        async with Kajabi(**fake.settings, retry=policy, rate_limit=100_000, concurrency=50) as api:
            seen = bytearray(number + 1)
            wrong = doubled = 0
            memory = psutil.Process().memory_info
            before = after = 0
            started = time.monotonic()
            run = api.customers.get_many(range(1, number + 1))
            done = 0
            async for lookup in run:
                index = int(lookup.id)
                doubled += seen[index]
                seen[index] = 1
                wrong += not (lookup.found and lookup.customer.id == lookup.id)
                done += 1
                if done == settled:
                    before = memory().rss
            after = memory().rss
            took = time.monotonic() - started
            report = await run.report()
        injected = (await fake.counts())["injected"]
    lost = number - sum(seen)
    hit = sum(injected.values())
    what = f"{number:,} lookups, {hit:,} faulty answers in {len(injected)} ways, {took:.0f} s"
    return [
        Figure(what, f"{lost} lost, {wrong} wrong, {doubled} doubled", "0", lost == wrong == doubled == 0),
        Figure("  retries", f"{report.retries:,}", "as many as faulty answers", report.retries > 0.6 * hit),
        Figure(
            "  growth of memory",
            f"{(after - before) / 2**20:.1f} MB",
            "under 64 MB",
            after - before < GROWTH_BYTES,
        ),
    ]
