"""The memory of one customer whose relations are unread."""

import gc
import tracemalloc

from kajabi import AsyncClient

from benchmarks.contenders import OURS
from benchmarks.decoders import Decode, decoders
from benchmarks.documents import PAGE_SIZE, listed
from benchmarks.results import Part, Table, under
from benchmarks.sizes import Sizes


def measure(sizes: Sizes) -> Part:
    pages = max(1, sizes.objects // PAGE_SIZE)
    peer = AsyncClient(client_id="bench", client_secret="bench")
    taken = {name: bytes_each(decode, pages) for name, decode in decoders(peer).items()}
    rows = [
        [name, f"{each:,.0f}", "" if name == OURS else f"{taken[OURS] / each:.2f} times"]
        for name, each in taken.items()
    ]
    note = (
        f"Of {pages * PAGE_SIZE:,} in memory at once, with all that they keep alive, answers included; by tracemalloc."
    )
    return Part(
        [Table("Memory of one customer", ["Bytes, less is better", "each", "ours is"], rows, note)],
        [under("Memory of one Customer, relations unread", taken[OURS], 1200, "bytes")],
    )


def bytes_each(decode: Decode, pages: int) -> float:
    """Return the bytes per object, including the answer if the object keeps it alive."""
    decode(listed(1, pages))
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        objects = [row for number in range(1, pages + 1) for row in decode(listed(number, pages))]
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return (after - before) / len(objects)
