"""``python -m tests.packaging.surface``: breaks of the public surface since the last release, found by griffe.

The last release is the latest tag ``v...``. Before the first release, the surface is compared with the commit in
``surface-baseline.txt``: breaks are printed, but fail nothing. After a release a break fails unless the version was
raised according to semantic versioning: the second number before 1.0, the first from then on.
"""

import subprocess
import sys
import tomllib
from pathlib import Path

__all__ = ["may_break", "released"]

ROOT = Path(__file__).parents[2]
BASELINE = Path(__file__).with_name("surface-baseline.txt")


def may_break(version: str, before: str) -> bool:
    """Return whether *version* may break the public surface of *before*."""
    now, then = ([int(each) for each in text.split(".")[:2]] for text in (version, before))
    return now[0] > then[0] or (now[0] == then[0] == 0 and now[1] > then[1])


def released(tags: list[str]) -> str | None:
    """Return the latest of *tags* that names a release, None if there is none."""
    numbers = {tuple(map(int, tag.removeprefix("v").split("."))): tag for tag in tags if _is_release(tag)}
    return numbers[max(numbers)] if numbers else None


def _is_release(tag: str) -> bool:
    return tag.startswith("v") and all(part.isdecimal() for part in tag.removeprefix("v").split("."))


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def main() -> int:
    tag = released(_git("tag", "--list").split())
    before = tag or BASELINE.read_text("utf-8").strip()
    command = [str(Path(sys.executable).with_name("griffe")), "check", "kajabi_async", "--against", before]
    checked = subprocess.run([*command, "--format", "oneline"], cwd=ROOT, capture_output=True, text=True, check=False)
    breaks = [line for line in (checked.stdout + checked.stderr).splitlines() if line.strip()]
    if checked.returncode and not breaks:
        breaks = [f"griffe exited with code {checked.returncode}"]
    report = [
        *breaks,
        f"{len(breaks)} breaks of the public surface since {tag or f'{before[:10]} (nothing is released yet)'}",
    ]
    print(*report, sep="\n")  # noqa: T201 - its result
    if tag is None or not breaks:
        return 0
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    return 0 if may_break(version, tag.removeprefix("v")) else 1


if __name__ == "__main__":
    sys.exit(main())
