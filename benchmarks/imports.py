"""How long an import takes, in fresh interpreters."""

import subprocess
import sys
from functools import partial

from benchmarks.comparison import plain_table
from benchmarks.contenders import OURS
from benchmarks.measuring import interleaved_here, turns_taken
from benchmarks.results import Part
from benchmarks.sizes import Sizes

NAMELESS = f"{OURS}, no name of it yet"
IMPORTS = {
    OURS: "from kajabi_async import Kajabi",
    NAMELESS: "import kajabi_async",
    "aiohttp": "import aiohttp",
    "httpx": "import httpx",
    "kajabi-py": "import kajabi",
}
SECONDS = 15.0
"""The limit for all rounds together."""
TIMED = "import time; begin = time.perf_counter(); {}; print(time.perf_counter() - begin)"


def measure(sizes: Sizes) -> Part:
    for statement in IMPORTS.values():
        turn(statement)
    turns = {name: partial(turn, statement) for name, statement in IMPORTS.items()}
    measured = interleaved_here(turns, repeats=sizes.imports, within=SECONDS)
    note = (
        f"Fresh interpreters, compiled before, {turns_taken(measured)}. kajabi_async imports a public name on "
        "first use; the client imports aiohttp."
    )
    return Part([plain_table("Import", "Milliseconds", measured, note=note)])


def turn(statement: str) -> float:
    """Return the milliseconds of one import."""
    ended = subprocess.run([sys.executable, "-c", TIMED.format(statement)], capture_output=True, text=True, check=True)
    return float(ended.stdout) * 1000
