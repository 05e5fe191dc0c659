"""A log-log plot as SVG, in colours that are distinct on light and on dark backgrounds."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 680, 440
LEFT, RIGHT, TOP, BOTTOM = 84, 24, 44, 60
MIDDLE_ACROSS, MIDDLE_UP = (LEFT + WIDTH - RIGHT) / 2, (TOP + HEIGHT - BOTTOM) / 2
INK = "#7a828c"
COLOURS = ("#1f9e77", "#d9691e", "#8172c4")
MARKS = (
    '<circle cx="{0}" cy="{1}" r="4.5"/>',
    '<path d="M{0} {1}m-4.5-4.5h9v9h-9z"/>',
    '<path d="M{0} {1}m0-5.5l5.5 9.5h-11z"/>',
)

Point = tuple[float, float]


@dataclass(frozen=True)
class Line:
    label: str
    points: Sequence[Point]
    ideal: Sequence[Point]
    """Drawn dashed, in the same colour, clipped to the plot."""


@dataclass(frozen=True)
class Axis:
    """From one power of ten to another, drawn from *start* to *end*."""

    first: int
    last: int
    start: float
    end: float

    @classmethod
    def around(cls, values: Iterable[float], start: float, end: float) -> "Axis":
        """Return the axis of the fewest whole decades that contain *values*."""
        logs = [math.log10(value) for value in values]
        first, last = math.floor(min(logs)), math.ceil(max(logs))
        return cls(first, max(last, first + 1), start, end)

    def place(self, value: float) -> float:
        share = (math.log10(value) - self.first) / (self.last - self.first)
        return round(self.start + share * (self.end - self.start), 1)

    @property
    def powers(self) -> list[int]:
        return [10**each for each in range(self.first, self.last + 1)]


def drawn(title: str, *, across: str, up: str, lines: Sequence[Line], dashed: str) -> str:
    """Return the SVG of up to three lines; *dashed* is the label of the dashed ones."""
    points = [point for line in lines for point in line.points]
    x = Axis.around((point[0] for point in points), LEFT, WIDTH - RIGHT)
    y = Axis.around((point[1] for point in points), HEIGHT - BOTTOM, TOP)
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'role="img" aria-label="{escape(title)}" font-family="sans-serif" font-size="13" fill="{INK}">'
    )
    parts = [
        opening,
        f'<clipPath id="inside"><path d="M{LEFT} {TOP}H{WIDTH - RIGHT}V{HEIGHT - BOTTOM}H{LEFT}z"/></clipPath>',
        _text(MIDDLE_ACROSS, 26, title, ' text-anchor="middle" font-size="16"'),
        *_grid(x, y),
        _text(MIDDLE_ACROSS, HEIGHT - 14, across, ' text-anchor="middle"'),
        _text(18, MIDDLE_UP, up, f' text-anchor="middle" transform="rotate(-90 18 {MIDDLE_UP:g})"'),
        *(part for number, line in enumerate(lines) for part in _line(number, line, x, y)),
        *_legend([*(line.label for line in lines), dashed]),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _grid(x: Axis, y: Axis) -> Iterator[str]:
    yield f'<g stroke="{INK}" stroke-opacity="0.3">'
    for power in x.powers:
        yield f'<path d="M{x.place(power)} {y.start}V{y.end}"/>'
    for power in y.powers:
        yield f'<path d="M{x.start} {y.place(power)}H{x.end}"/>'
    yield "</g>"
    for power in x.powers:
        yield _text(x.place(power), y.start + 20, f"{power:,}", ' text-anchor="middle"')
    for power in y.powers:
        yield _text(x.start - 8, y.place(power) + 4, f"{power:,}", ' text-anchor="end"')


def _line(number: int, line: Line, x: Axis, y: Axis) -> Iterator[str]:
    colour = COLOURS[number]
    ideal, real = (" ".join(f"{x.place(a)},{y.place(b)}" for a, b in each) for each in (line.ideal, line.points))
    yield f'<g fill="none" stroke="{colour}" stroke-width="2">'
    yield f'<polyline points="{ideal}" stroke-dasharray="5 5" clip-path="url(#inside)"/>'
    yield f'<polyline points="{real}"/></g>'
    marks = "".join(MARKS[number].format(x.place(a), y.place(b)) for a, b in line.points)
    yield f'<g fill="{colour}">{marks}</g>'


def _legend(labels: Sequence[str]) -> Iterator[str]:
    # At the lower right, where rising lines leave space.
    left, first = WIDTH - RIGHT - 230, HEIGHT - BOTTOM - 20 * len(labels)
    *shown, dashed = labels
    for number, label in enumerate(shown):
        middle = first + 20 * number
        yield f'<g fill="{COLOURS[number]}">{MARKS[number].format(left + 14, middle)}</g>'
        yield _text(left + 36, middle + 4, label)
    middle = first + 20 * len(shown)
    yield f'<path d="M{left} {middle}h28" stroke="{INK}" stroke-width="2" stroke-dasharray="5 5"/>'
    yield _text(left + 36, middle + 4, dashed)


def _text(x: float, y: float, text: str, attributes: str = "") -> str:
    return f'<text x="{x:g}" y="{y:g}"{attributes}>{escape(text)}</text>'
