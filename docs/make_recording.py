"""Make ``docs/demo.svg``, a recording of ``kajabi demo``: run ``python docs/make_recording.py`` after changing it.

The demo really runs. Measured times are replaced, so that every machine makes the same file.
"""

import asyncio
import io
import re
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.terminal_theme import MONOKAI

from kajabi_async.cli.demo import demonstrate
from kajabi_async.cli.terminal import Screen

RECORDING: Final = Path(__file__).with_name("demo.svg")

_COLUMNS: Final = 80
_MEASURED: Final = re.compile(r"(?<![\w.])[\d,.]+(?= s\b| a second\b)")
_FONT_FACE: Final = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


class Recorder(Screen):
    """A screen that replaces measured numbers in the recording."""

    def line(self, text: str, *, style: str = "") -> None:
        """Print *text* with every measured number replaced by an ellipsis."""
        super().line(_MEASURED.sub("…", text), style=style)


def recorded() -> str:
    """Run the demo and return its output as SVG, with the command above it."""
    console = Console(
        record=True,
        file=io.StringIO(),
        width=_COLUMNS,
        # The recording must not depend on the terminal settings of the environment.
        force_terminal=False,
        color_system=None,
        _environ={},
    )
    console.print("[bold]$ kajabi demo[/bold]", highlight=False)
    asyncio.run(demonstrate(Recorder(console)))
    svg = console.export_svg(title="kajabi demo", theme=MONOKAI, unique_id="demo")
    # The picture must not fetch fonts from the network.
    return _FONT_FACE.sub("", svg).replace("Fira Code, monospace", "ui-monospace, monospace")


if __name__ == "__main__":
    RECORDING.write_text(recorded(), "utf-8")
