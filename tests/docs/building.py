"""Build the documentation as `make docs` does, into a separate folder."""

import os
import subprocess
import sys
from pathlib import Path

import attrs

REPOSITORY = Path(__file__).parents[2]
SOURCES = REPOSITORY / "docs"
GUIDES = tuple(sorted((SOURCES / "guides").glob("*.md")))
PAGES = (
    *sorted(
        path.relative_to(SOURCES).with_suffix(".html").as_posix()
        for folder in (SOURCES, *(SOURCES / name for name in ("api", "commands", "guides")))
        for path in folder.iterdir()
        if path.suffix in {".md", ".rst"}
    ),
    "genindex.html",
    "search.html",
)
"""All pages, including those that Sphinx adds."""


@attrs.frozen
class Build:
    """A running or completed build."""

    folder: Path
    process: "subprocess.Popen[str]"

    @classmethod
    def start(cls, folder: Path, *, hash_seed: str) -> "Build":
        """Start to build into *folder*, with every warning as an error."""
        options = ["-m", "sphinx", "--fail-on-warning", "--keep-going", "--nitpicky", "--quiet", "-b", "html"]
        # Not measured: Sphinx imports the whole package and runs none of it.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
        process = subprocess.Popen(
            [sys.executable, *options, "-d", f"{folder}.doctrees", str(SOURCES), str(folder)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=REPOSITORY,
            env={**environment, "PYTHONPATH": str(REPOSITORY), "PYTHONHASHSEED": hash_seed},
        )
        return cls(folder, process)

    def finish(self) -> Path:
        """Wait for the end and return the folder; AssertionError with the output of Sphinx if it failed."""
        output, _ = self.process.communicate()
        assert self.process.returncode == 0, f"the documentation does not build:\n{output}"
        return self.folder
