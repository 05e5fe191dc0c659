"""``python -m benchmarks.instructions``: instructions of a lookup, counted by valgrind, which no other load changes.

Two runs of different length are subtracted from each other, so that neither imports nor connections count.
"""

import asyncio
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import product
from typing import Final

from benchmarks import serving
from benchmarks.contenders import BARE, CONTENDERS, OURS, ids_of

FEW, MANY = 200, 800
CONCURRENCY = 50
NAMES: Final = (OURS, BARE)
WAYS: Final[Mapping[str, bool]] = {"Awaited get": False, "Bulk lookup, three includes": True}
COUNTED: Final = re.compile(r"Collected : (\d+)")


async def look_up(base_url: str, name: str, *, in_bulk: bool, count: int) -> None:
    """Do the work that is counted."""
    contender = next(each for each in CONTENDERS if each.name == name)
    async with contender.open(base_url, CONCURRENCY) as client:
        if in_bulk:
            assert await client.look_up(ids_of(count), concurrency=CONCURRENCY, included=True) == count
            return
        for resource_id in ids_of(count):
            await client.get(resource_id)


def counted(base_url: str, name: str, way: str, count: int) -> int:
    """Return the instructions of a process that looks up *count* customers."""
    command = [
        "valgrind",
        "--tool=callgrind",
        "--callgrind-out-file=/dev/null",
        sys.executable,
        "-m",
        "benchmarks.instructions",
    ]
    ended = subprocess.run([*command, base_url, name, way, str(count)], capture_output=True, text=True, check=True)
    found = COUNTED.search(ended.stderr)
    assert found is not None, ended.stderr
    return int(found[1])


def main() -> None:
    """Print the instructions of one lookup by each contender, in thousands."""
    if shutil.which("valgrind") is None:
        sys.exit("valgrind counts the instructions: install it first")
    runs: list[tuple[str, str, int]] = [*product(NAMES, WAYS, (FEW, MANY))]
    with serving.fastest() as server, ThreadPoolExecutor(2) as pool:
        counts = dict(zip(runs, pool.map(partial(counted, server.base_url), *zip(*runs, strict=True)), strict=True))
    for way in WAYS:
        print(way)
        each = {name: (counts[name, way, MANY] - counts[name, way, FEW]) / (MANY - FEW) for name in NAMES}
        for name, instructions in each.items():
            print(f"  {name:24} {instructions / 1000:7.1f}  ours is {each[OURS] / instructions:.3f} times")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        asyncio.run(look_up(sys.argv[1], sys.argv[2], in_bulk=WAYS[sys.argv[3]], count=int(sys.argv[4])))
    else:
        main()
