"""How long an import takes, in fresh interpreters."""

import subprocess
import sys
from functools import partial

from benchmarks.comparison import plain_table
from benchmarks.contenders import OURS
from benchmarks.measuring import interleaved_here, turns_taken
from benchmarks.results import Part, under
from benchmarks.sizes import Sizes

MODULES = {OURS: "kajabi_async", "aiohttp": "aiohttp", "httpx": "httpx", "kajabi-py": "kajabi"}
SECONDS = 15.0
"""For all rounds together."""
TIMED = "import time; begin = time.perf_counter(); import {}; print(time.perf_counter() - begin)"


def measure(sizes: Sizes) -> Part:
    for module in MODULES.values():
        turn(module)
    turns = {name: partial(turn, module) for name, module in MODULES.items()}
    measured = interleaved_here(turns, repeats=sizes.imports, within=SECONDS)
    more = measured[OURS].over(measured["aiohttp"])
    note = f"Fresh interpreters, compiled before, {turns_taken(measured)}; ours imports aiohttp as well."
    return Part(
        [plain_table("Import", "Milliseconds", measured, note=note)],
        [under("import kajabi_async, over import aiohttp", more, 60, "ms")],
    )


def turn(module: str) -> float:
    """Give the milliseconds of one import."""
    told = subprocess.run([sys.executable, "-c", TIMED.format(module)], capture_output=True, text=True, check=True)
    return float(told.stdout) * 1000
