"""How much is measured: a run to quote, a quick one, and whatever a test wants."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    repeats: int
    """How often each contender takes its turn, where there is time; the median counts."""
    lookups: int
    """Of each contender in one turn."""
    scans: int
    """How often a list is scanned."""
    rows: int
    """Of the list that is scanned."""
    rows_with_latency: int
    """Of the list that is scanned over 20 ms of latency, one page after the other and ahead."""
    decodings: int
    """Pages that are decoded in one turn."""
    calls: int
    """Awaited one after the other in one turn."""
    waiters: int
    """For one token."""
    objects: int
    """Held in memory at once."""
    imports: int
    """Fresh interpreters for each library."""
    growth_repeats: int
    growth_seconds: float
    """How long an ideal client would take for one turn."""
    concurrencies: tuple[int, ...] = (1, 10, 100, 1000)


FULL = Sizes(
    repeats=7,
    lookups=3000,
    scans=3,
    rows=100_000,
    rows_with_latency=3_000,
    decodings=40,
    calls=150,
    waiters=10_000,
    objects=2_000,
    imports=7,
    growth_repeats=3,
    growth_seconds=0.4,
)
QUICK = Sizes(
    repeats=3,
    lookups=500,
    scans=1,
    rows=10_000,
    rows_with_latency=2_000,
    decodings=20,
    calls=100,
    waiters=2_000,
    objects=2_000,
    imports=3,
    growth_repeats=2,
    growth_seconds=0.2,
)
