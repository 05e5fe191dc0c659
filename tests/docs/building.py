"""Building the documentation as `make docs` does, into a folder of its own."""

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
        for folder in (SOURCES, SOURCES / "api", SOURCES / "guides")
        for path in folder.iterdir()
        if path.suffix in {".md", ".rst"}
    ),
    "genindex.html",
    "search.html",
)
"""What a reader can open, the pages that the builder adds among it."""


@attrs.frozen
class Build:
    """A build that is under way or done."""

    folder: Path
    process: "subprocess.Popen[str]"

    @classmethod
    def begin(cls, folder: Path, *, hash_seed: str) -> "Build":
        """Begin to build into *folder*; every warning will be an error."""
        options = ["-m", "sphinx", "--fail-on-warning", "--keep-going", "--nitpicky", "--quiet", "-b", "html"]
        # Not measured: the builder imports all of the package and runs none of it.
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
        """Wait for the end and give the folder; AssertionError with what the builder said where it failed."""
        said, _ = self.process.communicate()
        assert self.process.returncode == 0, f"the documentation does not build:\n{said}"
        return self.folder
