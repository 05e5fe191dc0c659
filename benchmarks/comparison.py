"""The usual table: a row for each contender, and a rate and a ratio for each event loop."""

from collections.abc import Mapping

from benchmarks.contenders import OURS
from benchmarks.measuring import Results, Spread
from benchmarks.results import Table, spread


def rates(seconds: Results) -> Results:
    """Convert seconds per item into items per second."""
    return {
        loop: {name: each.each(lambda taken: 1 / taken) for name, each in by_name.items()}
        for loop, by_name in seconds.items()
    }


def ratio(measured: Results, other: str, *, loop: str = "asyncio", ours: str = OURS) -> float:
    """Return the value of *ours* divided by that of *other*."""
    return measured[loop][ours].times(measured[loop][other])


def rate_table(title: str, measured: Results, note: str = "") -> Table:
    columns = [(loop, "range", "ours is") for loop in measured]
    header = ["A second, more is better", *(cell for column in columns for cell in column)]
    names = next(iter(measured.values()))
    rows = [[name, *(cell for loop in measured for cell in _cells(measured, loop, name))] for name in names]
    return Table(title, header, rows, note)


def _cells(measured: Results, loop: str, name: str) -> tuple[str, ...]:
    return *spread(measured[loop][name]), "" if name == OURS else f"{ratio(measured, name, loop=loop):.2f} times"


def plain_table(
    title: str, unit: str, measured: Mapping[str, Spread], *, decimals: int = 0, ours: str = OURS, note: str = ""
) -> Table:
    """Return a table of measurements without an event loop, for which less is better."""
    header = [f"{unit}, less is better", "median", "range", "ours is"]
    rows = [
        [name, *spread(each, decimals), "" if name == ours else f"{measured[ours].times(each):.2f} times"]
        for name, each in measured.items()
    ]
    return Table(title, header, rows, note)
