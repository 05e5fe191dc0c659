"""``make bench``: bulk lookups with three includes, ours beside four other ways, in one run.

Prints the median of interleaved repeats and the ratio to each; machines are noisy, so the ratios are what counts.
"""

import argparse
import asyncio
from functools import partial

from benchmarks import contenders
from benchmarks.measuring import canned_server, interleaved

CONTENDERS = {
    "kajabi_async": (contenders.ours, 1.0),
    "aiohttp by hand, json": (contenders.handwritten, 1.0),
    "bare aiohttp, orjson": (contenders.bare_aiohttp, 1.0),
    "httpx loop": (contenders.httpx_loop, 0.2),
    "kajabi-py": (contenders.peer, 0.1),
}
"""Each with the share of the lookups it does, so that the slow ones do not take all the time."""


async def compare(lookups: int, concurrency: int, repeats: int) -> None:
    counts = {name: max(1, int(lookups * share)) for name, (_, share) in CONTENDERS.items()}
    async with canned_server() as base_url:
        runs = {name: partial(run, base_url, counts[name], concurrency) for name, (run, _) in CONTENDERS.items()}
        seconds = await interleaved(runs, repeats=repeats)
    rates = {name: counts[name] / taken for name, taken in seconds.items()}
    print(f"{lookups:,} lookups, {concurrency} at a time, three includes, median of {repeats}")
    for name, rate in rates.items():
        print(f"{name:<24} {rate:>8,.0f} a second   kajabi_async does {rates['kajabi_async'] / rate:.2f} times that")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--lookups", type=int, default=4000)
    parser.add_argument("--concurrency", type=int, default=50)
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    asyncio.run(compare(given.lookups, given.concurrency, given.repeats))


if __name__ == "__main__":
    main()
