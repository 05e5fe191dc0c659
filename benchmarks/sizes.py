"""The amount of work that is measured: in a full run, in a quick one, and in tests."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    repeats: int
    """Turns of each contender, if time permits; the median counts."""
    lookups: int
    """Lookups of each contender in one turn."""
    scans: int
    """Scans of a list."""
    rows: int
    """Rows of the list that is scanned."""
    rows_with_latency: int
    """Rows of the list that is scanned over 20 ms of latency, one page at a time and ahead."""
    decodings: int
    """Pages that are decoded in one turn."""
    calls: int
    """Consecutive calls in one turn."""
    waiters: int
    """Calls that wait for one token."""
    objects: int
    """Objects in memory at once."""
    imports: int
    """Fresh interpreters for each library."""
    growth_repeats: int
    """Further turns of the settings that have a figure to reach."""
    growth_seconds: float
    """The duration of one turn of an ideal client."""
    beside_repeats: int
    beside_calls: int
    """Calls beside a bulk run, in one turn."""
    engine_ids: tuple[int, ...]
    """Numbers of ids and emails of a run whose answers are there at once."""
    exported: int
    """Rows of the list that is exported."""
    exported_with_latency: int
    """Rows of the list that is exported over 20 ms of latency."""
    customers: int
    """Customers of the fake."""
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
    growth_repeats=2,
    growth_seconds=0.8,
    beside_repeats=3,
    beside_calls=300,
    engine_ids=(10_000, 100_000),
    exported=100_000,
    exported_with_latency=5_000,
    customers=1_000_000,
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
    beside_repeats=1,
    beside_calls=200,
    engine_ids=(5_000, 20_000),
    exported=3_000,
    exported_with_latency=3_000,
    customers=1_000_000,
)
