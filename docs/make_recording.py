"""Make ``docs/demo.svg``, a recording of ``kajabi demo``: run ``python docs/make_recording.py`` after changing it.

The demo really runs. Times measured on the machine it runs on are left out, so that every machine makes the same file.
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
    """A screen that leaves out of the recording what was measured."""

    def line(self, text: str, *, style: str = "") -> None:
        """Print a sentence with every measured number made a hole of the same look everywhere."""
        super().line(_MEASURED.sub("…", text), style=style)


def recorded() -> str:
    """Run the demo and give the SVG of what it shows, with the command above it."""
    console = Console(
        record=True,
        file=io.StringIO(),
        width=_COLUMNS,
        # What the machine's environment says of its own terminal does not matter here.
        force_terminal=False,
        color_system=None,
        _environ={},
    )
    console.print("[bold]$ kajabi demo[/bold]", highlight=False)
    asyncio.run(demonstrate(Recorder(console)))
    svg = console.export_svg(title="kajabi demo", theme=MONOKAI, unique_id="demo")
    # Without fonts from the network: a picture must ask nobody for anything.
    return _FONT_FACE.sub("", svg).replace("Fira Code, monospace", "ui-monospace, monospace")


if __name__ == "__main__":
    RECORDING.write_text(recorded(), "utf-8")
