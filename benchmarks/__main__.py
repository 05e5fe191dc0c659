"""``make bench``: every figure of kajabi_async, compared with alternatives, in one run of less than five minutes.

``python -m benchmarks bulk scan`` runs some of the parts. Only a complete run without ``--quick`` writes ``RESULTS.md``
and ``growth.svg``.
"""

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import (
    beside,
    bulk,
    decoding,
    engine,
    fake,
    floor,
    growth,
    imports,
    latency,
    memory,
    parquet,
    refresh,
    scan,
    serving,
    start,
)
from benchmarks.machine import allow_sockets, client_core, described, load, tying, versions
from benchmarks.results import Part, figures_table, page, part_figures
from benchmarks.sizes import FULL, QUICK, Sizes

PARTS: Mapping[str, Callable[[Sizes], Part]] = {
    "bulk": bulk.measure,
    "floor": floor.measure,
    "scan": scan.measure,
    "export": parquet.measure,
    "decoding": decoding.measure,
    "latency": latency.measure,
    "beside": beside.measure,
    "engine": engine.measure,
    "refresh": refresh.measure,
    "memory": memory.measure,
    "imports": imports.measure,
    "start": start.measure,
    "growth": growth.measure,
    "fake": fake.measure,
}
FOLDER = Path(__file__).parent

HOW = """\
Contenders take turns, round after round. Each median has the range from lowest to highest next to it. "Ours is" is the
value of kajabi_async divided by that of the row, as the median over the rounds: other load on the machine affects both
turns of a round alike. Clients, connections and tokens exist before the clock starts. The garbage collector is enabled
for all contenders, and runs just before each turn."""


def run(names: Sequence[str], sizes: Sizes) -> list[Part]:
    """Measure the named parts, and print each when it is complete."""
    allow_sockets(4096)
    parts: list[Part] = []
    with client_core():
        for name in names:
            begin = time.perf_counter()
            parts.append(PARTS[name](sizes))
            print(*parts[-1].tables, sep="\n\n")
            print(f"\n({name}: {time.perf_counter() - begin:.0f} seconds)\n", flush=True)
    print(figures_table(part_figures(parts)))
    return parts


def write(folder: Path, parts: Sequence[Part], *, seconds: float, before: float) -> None:
    """Write the page and its drawings into *folder*."""
    when = f"{datetime.now(UTC):%d %B %Y}"
    where = f"on {described()}, with a load of {before:.1f} before the run"
    preface = [
        f"Written by `make bench` on {when}, in {seconds:.0f} seconds, {where}. {tying()}",
        f"{versions(serving.name())}. For tokens, and with a latency, the server is asyncio under uvloop.",
        HOW,
    ]
    folder.joinpath("RESULTS.md").write_text(page("\n\n".join(preface), parts))
    for part in parts:
        for name, drawing in part.drawings.items():
            folder.joinpath(name).write_text(drawing)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], metavar="part", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--quick", action="store_true", help="smaller sizes, rougher figures")
    parser.add_argument("--exported", type=int, metavar="ROWS", help="the rows of the lists that are exported")
    given = parser.parse_args()
    sizes = QUICK if given.quick else FULL
    if given.exported:
        sizes = replace(sizes, exported=given.exported, exported_with_latency=given.exported)
    load_before, begin = load(), time.perf_counter()
    parts = run(given.parts or list(PARTS), sizes)
    seconds = time.perf_counter() - begin
    print(f"\n{seconds:.0f} seconds")
    if not (given.parts or given.quick or given.exported):
        write(FOLDER, parts, seconds=seconds, before=load_before)


if __name__ == "__main__":
    main()
