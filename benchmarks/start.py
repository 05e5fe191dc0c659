"""How soon the command answers, and what the client costs to import: the processor time of fresh interpreters."""

import os
import subprocess
import sys
from functools import partial

from benchmarks import serving
from benchmarks.measuring import Spread, interleaved_here, turns_taken
from benchmarks.results import Part, Table, spread, under
from benchmarks.sizes import Sizes

COMMAND = "import sys; from kajabi_async.cli import main; sys.argv[0] = 'kajabi'; main()"
ARGPARSE = "import argparse"
AIOHTTP = "import aiohttp"
CLIENT = "from kajabi_async import Kajabi"
GET = "kajabi customers get 123"
ANSWERS = {
    "kajabi --version": 0,
    "kajabi --help": 0,
    "kajabi customers list --help": 0,
    "kajabi custmers": 2,
    "kajabi customers list --zzz": 2,
    "kajabi customers list --limit many": 2,
}
"""What needs no request, and its exit code."""
SHARE = 1.5
"""Of the time of ``import argparse``: what the parser of the standard library would take, and half as much again."""
SECONDS = 20.0
"""The limit for all rounds together."""


def measure(sizes: Sizes) -> Part:
    with serving.with_latency(0.0) as server:
        environment = {
            **os.environ,
            "KAJABI_BASE_URL": server.base_url,
            "KAJABI_CLIENT_ID": "bench",
            "KAJABI_CLIENT_SECRET": "bench",
        }
        turns = {
            **{each: partial(turn, ["-c", each], environment) for each in (ARGPARSE, AIOHTTP, CLIENT)},
            **{
                each: partial(turn, ["-c", COMMAND, *each.split()[1:]], environment, code=code)
                for each, code in {**ANSWERS, GET: 0}.items()
            },
        }
        for take in turns.values():
            take()
        measured = interleaved_here(turns, repeats=sizes.imports, within=SECONDS)
    slowest = max((measured[each] for each in ANSWERS), key=lambda each: each.median)
    note = f"Fresh interpreters, compiled before, {turns_taken(measured)}; `get` with a token and one answer."
    header = ["Milliseconds of the processor, less is better", "median", "range", "over it", "of"]
    return Part(
        [Table("Start", header, [_row(name, measured) for name in measured], note)],
        [
            under(
                "A page or a refusal of kajabi, over 1.5 times import argparse",
                slowest.over(measured[ARGPARSE].each(lambda taken: SHARE * taken)),
                *(60, "ms"),
            ),
            under(f"{GET}, over {AIOHTTP}", measured[GET].over(measured[AIOHTTP]), 150, "ms"),
            under(f"{CLIENT}, over {AIOHTTP}", measured[CLIENT].over(measured[AIOHTTP]), 35, "ms"),
        ],
    )


def turn(arguments: list[str], environment: dict[str, str], *, code: int = 0) -> float:
    """Return the milliseconds of processor time that an interpreter takes, in which other load has no part."""
    process = subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != code:
        raise RuntimeError(f"{arguments[-1]} ended with {process.returncode} instead of {code}")
    return (used.ru_utime + used.ru_stime) * 1000


def _row(name: str, measured: dict[str, Spread]) -> list[str]:
    base = {ARGPARSE: "", AIOHTTP: "", CLIENT: AIOHTTP, GET: AIOHTTP}.get(name, ARGPARSE)
    return [name, *spread(measured[name]), f"{measured[name].over(measured[base]):+,.0f}" if base else "", base]
