"""Tables, figures to reach, and the page that contains them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.measuring import Spread


@dataclass(frozen=True)
class Figure:
    """A figure to reach, and its measured value."""

    what: str
    measured: str
    target: str
    met: bool

    @property
    def row(self) -> tuple[str, ...]:
        return self.what, self.measured, self.target, "met" if self.met else "**not met**"


def at_least(what: str, value: float, bar: float) -> Figure:
    return Figure(what, f"{value:.3g}", f"at least {bar:g}", value >= bar)


def at_most(what: str, value: float, bar: float) -> Figure:
    return Figure(what, f"{value:.3g}", f"at most {bar:g}", value <= bar)


def under(what: str, value: float, bar: float, unit: str) -> Figure:
    return Figure(what, f"{value:,.0f} {unit}", f"under {bar:,.0f} {unit}", value < bar)


@dataclass(frozen=True)
class Table:
    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""

    def __str__(self) -> str:
        parts = [f"## {self.title}", self.note, *(["\n".join(self._lines())] if self.rows else [])]
        return "\n\n".join(filter(None, parts))

    def _lines(self) -> Iterable[str]:
        widths = [max(map(len, column)) for column in zip(self.header, *self.rows, strict=True)]
        yield _line(self.header, widths)
        yield "|" + "|".join(["-" * (widths[0] + 2), *("-" * (width + 1) + ":" for width in widths[1:])]) + "|"
        for row in self.rows:
            yield _line(row, widths)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = zip(cells, widths, strict=True)
    padded = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]
    return f"| {' | '.join(padded)} |"


@dataclass(frozen=True)
class Part:
    """The results of one subject."""

    tables: Sequence[Table]
    figures: Sequence[Figure] = ()
    drawings: Mapping[str, str] = field(default_factory=dict[str, str])
    """Files that belong to the tables, by name."""


def part_figures(parts: Sequence[Part]) -> list[Figure]:
    return [figure for part in parts for figure in part.figures]


def figures_table(figures: Sequence[Figure]) -> Table:
    header = ("Under asyncio", "Measured", "To reach", "")
    return Table("Figures to reach", header, [figure.row for figure in figures])


def page(preface: str, parts: Sequence[Part]) -> str:
    """Return the page in Markdown."""
    sections = [str(figures_table(part_figures(parts)))]
    for part in parts:
        sections.extend(map(str, part.tables))
        sections.extend(f"![{part.tables[-1].title}]({name})" for name in part.drawings)
    return "\n\n".join(["# Results", preface, *sections]) + "\n"


def spread(measured: Spread, decimals: int = 0) -> tuple[str, str]:
    """Return a median and its range as two cells."""
    return f"{measured.median:,.{decimals}f}", f"{measured.low:,.{decimals}f}..{measured.high:,.{decimals}f}"
