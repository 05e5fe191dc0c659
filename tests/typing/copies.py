"""mypy over everything that users may copy or write, in one run: the code of the guides, the mistakes, correct uses."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.docs.examples import BLOCKS
from tests.sharing import once_for_all_workers

__all__ = ["GUIDES", "HERE", "ROOT", "checked_by_mypy", "write_uses"]

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parents[1]
GUIDES: Final = {
    f"{Path(block.page).stem.replace('-', '_')}_{block.line}": block.source
    for block in BLOCKS
    if block.language == "python"
}
"""The code of each block of the guides, by the name of its module."""
_MARKED: Final = re.compile(r"  # type: ignore\[.*$", re.MULTILINE)


def write_uses(folder: Path) -> list[str]:
    """Write the mistakes without their marks, and the correct uses, into *folder*; return the paths."""
    (folder / "mistakes.py").write_text(_MARKED.sub("", (HERE / "mistakes.py").read_text("utf-8")), "utf-8")
    (folder / "api.py").write_text((HERE / "api.py").read_text("utf-8"), "utf-8")
    return [str(folder / "mistakes.py"), str(folder / "api.py")]


def checked_by_mypy(factory: pytest.TempPathFactory) -> str:
    """Return what mypy prints, which runs once for all workers."""

    def check() -> str:
        folder = factory.mktemp("copies")
        files = write_uses(folder)
        for name, source in GUIDES.items():
            (folder / f"{name}.py").write_text(source, "utf-8")
            files.append(str(folder / f"{name}.py"))
        # From the repository, for its settings and its cache of the package.
        ran = subprocess.run(
            [sys.executable, "-m", "mypy", *files], cwd=ROOT, capture_output=True, text=True, check=False
        )
        # Zero would mean that no mistake was refused, two that mypy did not work.
        assert ran.returncode == 1, ran.stdout + ran.stderr
        assert f"{len(files)} source files" in ran.stdout, ran.stdout + ran.stderr
        return ran.stdout

    return once_for_all_workers(factory, "mypy", check)
