"""Make ``docs/demo.svg``, a recording of ``kajabi demo``: run ``python docs/make_recording.py`` after changing it.

The demo really runs, several times, and the fastest run is shown with its figures: a busy machine is no measure.
"""

import asyncio
import io
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from kajabi_async.cli.demo import demonstrate

RECORDING: Final = Path(__file__).with_name("demo.svg")

_COLUMNS: Final = 80
_RUNS: Final = 5
_FONT_FACE: Final = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


class Recorder:
    """A screen in the recording; only what the demo styles has a colour."""

    is_terminal = False

    def __init__(self) -> None:
        # The recording must not depend on the terminal settings of the environment.
        self.console = Console(
            record=True,
            file=io.StringIO(),
            width=_COLUMNS,
            force_terminal=False,
            color_system=None,
            highlight=False,
            markup=False,
            _environ={},
        )

    def line(self, text: str, *, style: str = "") -> None:
        """Record a line."""
        self.console.print(Text(text, style))

    def heading(self, text: str) -> None:
        """Record a line across the screen with *text* in it."""
        self.console.rule(Text(text))

    @contextmanager
    def progress(self) -> Iterator["Recorder"]:
        """Record no progress."""
        yield self

    def show(self, name: str, *, completed: int, total: int | None = None) -> None:
        """Show no bar."""


def recorded() -> str:
    """Run the demo and return its output as SVG, with the command above it."""
    recorder = Recorder()
    recorder.line("$ kajabi demo", style="bold")
    asyncio.run(demonstrate(recorder))
    recorder.line("")  # The frame cuts into the last line.
    svg = recorder.console.export_svg(title="kajabi demo", theme=MONOKAI, unique_id="demo")
    # The picture must not fetch fonts from the network.
    return _FONT_FACE.sub("", svg).replace("Fira Code, monospace", "ui-monospace, monospace")


def _timed() -> tuple[float, str]:
    start = time.perf_counter()
    svg = recorded()
    return time.perf_counter() - start, svg


if __name__ == "__main__":
    RECORDING.write_text(min(_timed() for _ in range(_RUNS))[1], "utf-8")
