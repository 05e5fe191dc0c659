"""``make bench``: every figure, ours beside other ways to do the same, in one run of less than five minutes.

``python -m benchmarks bulk scan`` runs some of the parts. Only a whole run, and none that is ``--quick``, writes
``RESULTS.md`` and ``growth.svg``.
"""

import argparse
import time
from collections.abc import Callable, Mapping

from benchmarks import bulk, decoding, imports, latency, memory, scan
from benchmarks.machine import allow_sockets, client_core
from benchmarks.results import Figure, Part, figures_table
from benchmarks.sizes import FULL, QUICK, Sizes

PARTS: Mapping[str, Callable[[Sizes], Part]] = {
    "bulk": bulk.measure,
    "scan": scan.measure,
    "decoding": decoding.measure,
    "latency": latency.measure,
    "memory": memory.measure,
    "imports": imports.measure,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], metavar="part", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--quick", action="store_true", help="smaller sizes, rougher figures")
    given = parser.parse_args()
    sizes = QUICK if given.quick else FULL
    figures: list[Figure] = []
    allow_sockets(4096)
    with client_core():
        for name in given.parts or PARTS:
            begin = time.perf_counter()
            part = PARTS[name](sizes)
            figures += part.figures
            print(*part.tables, sep="\n\n", end="\n\n")
            print(f"({name}: {time.perf_counter() - begin:.0f} s)\n", flush=True)
    print(figures_table(figures))


if __name__ == "__main__":
    main()
