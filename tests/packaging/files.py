"""``python -m tests.packaging.files dist/*``: print the problems of the files of a release, one per line."""

import re
import sys
import tarfile
import zipfile
from collections.abc import Collection, Iterator
from email import message_from_string
from pathlib import Path
from typing import Final

__all__ = ["metadata_problems", "sdist_problems", "wheel_problems"]

URLS: Final = {"Homepage", "Changelog", "Kajabi Public API"}
WITH_SOURCES: Final = (
    *("CHANGELOG.md", "LICENSE", "Makefile", "PKG-INFO", "README.md", "SECURITY.md", "pyproject.toml"),
    *("docs/index.md", "kajabi_async/py.typed", "requirements/dev.txt", "tests/conftest.py"),
)
"""The files that a source distribution must have, so that it can be tested and packaged again."""
_LEFTOVER: Final = re.compile(r"(^|/)(\.venv|\.nox|\.git|__pycache__|_build|mutants|dist|\.[a-z_]+_cache)(/|$)|\.pyc$")
_RELATIVE_LINK: Final = re.compile(r"\]\((?!https?://|#)([^)]*)\)")


def metadata_problems(metadata: str, *, interpreters: Collection[str]) -> Iterator[str]:
    """Yield the problems of the text of METADATA; *interpreters* are those on which the tests run."""
    read = message_from_string(metadata)
    urls = {each.partition(",")[0] for each in read.get_all("Project-URL", [])}
    if lacking := URLS - urls:
        yield f"there is no URL for {', '.join(sorted(lacking))}"
    prefix = "Programming Language :: Python :: "
    classifiers = {str(each) for each in read.get_all("Classifier", [])}
    named = {each.removeprefix(prefix) for each in classifiers if each.startswith(f"{prefix}3.")}
    if named != set(interpreters):
        yield f"classifiers name Python {sorted(named)}, the tests run on {sorted(interpreters)}"
    if read["License-Expression"] is None:
        yield "there is no licence"
    description = read.get_payload()
    if not isinstance(description, str) or len(description) < 1000:
        yield "the description is not the README"
    else:
        yield from (
            f"the description links to {link}, which leads nowhere" for link in _RELATIVE_LINK.findall(description)
        )


def wheel_problems(names: Collection[str]) -> Iterator[str]:
    """Yield the problems of the *names* of the files in a wheel, which must contain only the package."""
    yield from (f"the wheel has {name}" for name in names if not name.startswith(("kajabi_async/", "kajabi_async-")))
    yield from (f"the wheel has {name}" for name in names if _LEFTOVER.search(name))
    if "kajabi_async/py.typed" not in names:
        yield "the wheel lacks py.typed, so type checkers ignore its types"


def sdist_problems(names: Collection[str]) -> Iterator[str]:
    """Yield the problems of the *names* of the files in a source distribution, without its top folder."""
    yield from (f"the source distribution lacks {name}" for name in WITH_SOURCES if name not in names)
    yield from (f"the source distribution has {name}" for name in names if _LEFTOVER.search(name))


def problems(files: Collection[Path], *, interpreters: Collection[str]) -> Iterator[str]:
    """Yield the problems of the wheel and the source distribution among *files*, which must contain both."""
    wheels = [path for path in files if path.suffix == ".whl"]
    sdists = [path for path in files if path.name.endswith(".tar.gz")]
    if (len(wheels), len(sdists)) != (1, 1):
        yield f"one wheel and one source distribution are needed, not {sorted(path.name for path in files)}"
    for path in wheels:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            metadata = next(name for name in names if name.endswith(".dist-info/METADATA"))
            yield from wheel_problems(names)
            yield from metadata_problems(archive.read(metadata).decode(), interpreters=interpreters)
    for path in sdists:
        with tarfile.open(path) as archive:
            yield from sdist_problems({name.partition("/")[2] for name in archive.getnames()})


def claimed_interpreters() -> list[str]:
    """Return the versions of Python on which `make matrix` passes."""
    return ["3.11", "3.12", "3.13"]


if __name__ == "__main__":
    wrong = list(problems([Path(each) for each in sys.argv[1:]], interpreters=claimed_interpreters()))
    print(*wrong or ["the files of the release are complete"], sep="\n")  # noqa: T201 - its result
    sys.exit(bool(wrong))
