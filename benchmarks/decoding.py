"""Decoding alone: a page of 100 customers, bytes to objects."""

from functools import partial

from kajabi import AsyncClient

from benchmarks.comparison import plain_table
from benchmarks.contenders import OURS
from benchmarks.decoders import STRUCTS, Decode, decoders
from benchmarks.documents import PAGE_SIZE, listed, with_offsets
from benchmarks.measuring import interleaved_here, stopwatch, turns_taken
from benchmarks.results import Part, at_most
from benchmarks.sizes import Sizes

WITH_OFFSETS = f"{OURS}, times with offsets"
STRUCTS_WITH_OFFSETS = f"{STRUCTS}, times with offsets"
SECONDS = 10.0
"""The limit for all rounds together."""


def measure(sizes: Sizes) -> Part:
    body = listed(1, 1)
    peer = AsyncClient(client_id="bench", client_secret="bench")
    by_name = decoders(peer)
    turns = {name: partial(turn, decode, body, sizes.decodings) for name, decode in by_name.items()}
    for name, decode in ((WITH_OFFSETS, by_name[OURS]), (STRUCTS_WITH_OFFSETS, by_name[STRUCTS])):
        turns[name] = partial(turn, decode, with_offsets(body), sizes.decodings)
    measured = interleaved_here(turns, repeats=3 * sizes.repeats, within=SECONDS)
    note = (
        f"{len(body) / 1000:.0f} kB; {sizes.decodings} pages a turn, {turns_taken(measured)}. The structs have the "
        "types of our class; kajabi_async decodes relationships on first access. The times are in UTC, with Z, unless "
        "stated otherwise."
    )
    ratio = measured[OURS].times(measured[STRUCTS])
    with_both = measured[WITH_OFFSETS].times(measured[STRUCTS_WITH_OFFSETS])
    offsets = measured[WITH_OFFSETS].times(measured[OURS])
    return Part(
        [plain_table(f"Decoding a page of {PAGE_SIZE} customers", "Microseconds", measured, note=note)],
        [
            at_most("Decoding a page of 100 customers, times the time of msgspec structs", ratio, 1.5),
            at_most("The same with offsets in the times of both", with_both, 1.5),
            at_most("Ours with offsets in its times, times the time without", offsets, 1.2),
        ],
    )


def turn(decode: Decode, body: bytes, pages: int) -> float:
    """Return the microseconds per page."""
    assert len(decode(body)) == PAGE_SIZE
    with stopwatch() as watch:
        for _ in range(pages):
            decode(body)
    return watch.seconds / pages * 1e6
