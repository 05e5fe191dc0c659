"""Test the package as users get it: as a wheel, on every interpreter found, with old and with new dependencies.

``make matrix`` runs every session except ``quick``, ``dist`` and ``lock`` and prints a table; ``make matrix QUICK=1``,
``make dist`` and ``make lock`` run those. Arguments after ``--`` are passed to pytest, such as the tests to run.
"""

import atexit
import itertools
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

import nox

ROOT = Path(__file__).parent
LOCK = "requirements/dev.txt"
LOWEST = "requirements/lowest.txt"
UV = str(Path(sys.executable).with_name("uv"))
BUILD = (UV, "build", "--quiet", f"--build-constraint={LOCK}")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS = ",".join(PROJECT["optional-dependencies"])
# Versions that the classifiers do not name yet are tested too, so that they can be added.
VERSIONS = ["3.11", "3.12", "3.13", "3.14"]
# These say nothing about an interpreter or a dependency: benchmarks, browser tests, mutation and soak runs.
LEFT_OUT = ["tests/benchmarks", "tests/docs/test_pages.py", "tests/mutation", "tests/soak"]

nox.options.default_venv_backend = "uv"
nox.options.reuse_venv = "yes"
nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = False
nox.options.sessions = ["suite", "lowest", "newest", "uvloop"]


def runs(python: str) -> bool:
    """Return whether *python* works: a shim of pyenv may point to no interpreter."""
    ended = subprocess.run([python, "-c", ""], capture_output=True, check=False)
    return ended.returncode == 0


def found(version: str) -> str | None:
    """Return the interpreter of *version*, from PATH, pyenv or uv, in this order; None if there is none."""
    name = f"python{version}"
    if (on_path := shutil.which(name)) and runs(on_path):
        return on_path
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    for python in sorted(pyenv.glob(f"{version}.*/bin/{name}"), reverse=True):
        if runs(str(python)):
            return str(python)
    command = [UV, "python", "find", "--no-python-downloads", "--no-project", version]
    known = subprocess.run(command, capture_output=True, text=True, check=False)
    return known.stdout.strip() if known.returncode == 0 else None


INTERPRETERS = {version: python for version in VERSIONS if (python := found(version))}
FOUND = list(INTERPRETERS.values()) or [sys.executable]
OLDEST, LATEST = FOUND[0], FOUND[-1]
USE_EVERY_NAME = "import kajabi_async as k; print(len([getattr(k, name) for name in k.__all__]), 'names')"
ROWS: list[list[str]] = []


def print_table() -> None:
    """Print the results, a row for each session."""
    if ROWS:
        rows = [["python", "dependencies", "of these", "types", "tests", "seconds"], *ROWS]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        missing = [version for version in VERSIONS if version not in INTERPRETERS]
        print()
        for row in rows:
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        if missing:
            print(f"not found on this machine: Python {', '.join(missing)}")


atexit.register(print_table)


def wheel(session: nox.Session) -> str:
    """Return the path of the wheel, which the first session builds."""
    folder = ROOT / ".nox" / "wheel"
    if not ROWS or not list(folder.glob("*.whl")):
        shutil.rmtree(folder, ignore_errors=True)
        # run_install also runs with --install-only.
        session.run_install(*BUILD, "--wheel", "--out-dir", str(folder), external=True)
    return str(next(folder.glob("*.whl")))


def without_sources(session: nox.Session) -> Path:
    """Return a copy of the checkout without the package, so that only the installed wheel can be imported."""
    folder = Path(session.create_tmp()).absolute() / "checkout"
    shutil.rmtree(folder, ignore_errors=True)
    listed = session.run("git", "ls-files", "--cached", "--others", "--exclude-standard", external=True, silent=True)
    for name in str(listed).splitlines():
        if not name.startswith("kajabi_async/") and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    # The tests look for the official API document beside the checkout.
    beside = folder.parent / "shared"
    if (ROOT.parent / "shared").is_dir() and not beside.exists():
        beside.symlink_to(ROOT.parent / "shared")
    return folder


# The types that users see; those inside the package depend on the types of its dependencies.
AS_USERS = ["examples", "tests/typing"]
INSIDE = ["-p", "kajabi_async"]


def check(session: nox.Session, dependencies: str, *options: str, types: Sequence[list[str]]) -> None:
    """Run *types* and all tests, or those that were named, against the installed wheel."""
    everything = ["tests", *(f"--ignore={each}" for each in LEFT_OUT)]
    check_row(session, dependencies, types, ["-n", "3", *options, *(session.posargs or everything)])


def check_row(session: nox.Session, dependencies: str, types: Sequence[list[str]], tests: Sequence[str]) -> None:
    """Run *types* and *tests* against the installed wheel and add a row to the table, also if they fail."""
    started = time.monotonic()
    folder, report = without_sources(session), Path(session.create_tmp()).absolute() / "report.xml"
    report.unlink(missing_ok=True)
    python = str(session.run("python", "-c", "import platform; print(platform.python_version())", silent=True)).strip()
    row = [python, dependencies, versions(session), "failed" if types else "", "failed", ""]
    ROWS.append(row)
    clean = {"PYTHONPATH": None, "PYTHONDONTWRITEBYTECODE": None}
    try:
        with session.chdir(folder):
            if types:
                version = ".".join(python.split(".")[:2])
                for what in types:
                    session.run("python", "-m", "mypy", "--python-version", version, *what, env=clean)
                row[3] = "passed"
            session.run(*("python", "-m", "pytest", "-q", f"--junitxml={report}", *tests), env=clean)
    finally:
        row[4] = counts(report)
        row[5] = f"{time.monotonic() - started:.0f}"


def versions(session: nox.Session) -> str:
    """Return the versions of the main dependencies."""
    names = ("aiohttp", "msgspec", "attrs", "cyclopts", "redis")
    code = f"from importlib.metadata import version as v; print(*(f'{{n}} {{v(n)}}' for n in {names}), sep=', ')"
    return str(session.run("python", "-c", code, silent=True)).strip()


def counts(report: Path) -> str:
    """Return how many tests passed, failed and were skipped, from the *report* of pytest."""
    if not report.exists():
        return "not run"
    suite = ET.parse(report).getroot()[0].attrib
    total, failed, skipped = (int(suite[name]) for name in ("tests", "failures", "skipped"))
    failed += int(suite["errors"])
    counted = {"passed": total - failed - skipped, "failed": failed, "skipped": skipped}
    return ", ".join(f"{count} {what}" for what, count in counted.items() if count)


def install(session: nox.Session, *requirements: str) -> None:
    """Install the wheel with all extras, and *requirements*."""
    session.install("--reinstall-package=kajabi-async", f"{wheel(session)}[{EXTRAS}]", *requirements)


def install_lowest(session: nox.Session) -> None:
    """Install the wheel with the lowest version of each dependency, and the locked tools."""
    install(session, f"--requirement={LOWEST}")


def install_locked(session: nox.Session) -> None:
    """Install the wheel with the versions that are known to pass."""
    install(session, "--group=dev", f"--constraint={LOCK}")


def install_newest(session: nox.Session) -> None:
    """Install the wheel with the newest dependencies; the tools are the locked ones."""
    install_locked(session)
    session.install("--upgrade", f"{wheel(session)}[{EXTRAS}]")


@nox.session(python=FOUND)
def suite(session: nox.Session) -> None:
    """Types and tests on each interpreter, with the locked versions."""
    install_locked(session)
    check(session, "locked", types=[INSIDE, AS_USERS])


@nox.session(python=OLDEST)
def lowest(session: nox.Session) -> None:
    """Types and tests with the lowest version of each dependency that the package allows."""
    install_lowest(session)
    check(session, "lowest", types=[AS_USERS])


@nox.session(python=LATEST)
def newest(session: nox.Session) -> None:
    """Types and tests with the newest dependencies; the tools are the locked ones."""
    install_newest(session)
    # The queues of the examples need an older redis; the package itself is tested with the newest.
    left_out = (f"--ignore=tests/{each}" for each in ("examples", "docs/test_examples.py"))
    check(session, "newest", *left_out, types=[AS_USERS])


@nox.session(python=OLDEST)
def uvloop(session: nox.Session) -> None:
    """Run the tests on the event loop of the extra ``speed``."""
    install_locked(session)
    check(session, "locked, uvloop", "--uvloop", types=[])


def combined(interpreters: list[str]) -> list[tuple[str, str]]:
    """Return each of *interpreters* with its dependencies, the only one twice, so that both ends are among them."""
    oldest, *between, latest = interpreters if len(interpreters) > 1 else interpreters * 2
    return [(oldest, "lowest"), *((each, "locked") for each in between), (latest, "newest, uvloop")]


@nox.session
@nox.parametrize(
    "python,dependencies", [nox.param(*each, id=f"{Path(each[0]).name}, {each[1]}") for each in combined(FOUND)]
)
def quick(session: nox.Session, dependencies: str) -> None:
    """Run a few tests of each part on each interpreter, with the lowest and newest dependencies and on uvloop."""
    {"lowest": install_lowest, "locked": install_locked, "newest, uvloop": install_newest}[dependencies](session)
    options = ["--uvloop"] if "uvloop" in dependencies else []
    # Without workers: each of them would collect the tests, which takes longer than to run them.
    chosen = ("-m", "not thorough and not hypothesis", "@tests/packaging/quick.txt")
    check_row(session, dependencies, [], [*options, *chosen])


@nox.session(python=OLDEST)
def dist(session: nox.Session) -> None:
    """Build wheel and source distribution into dist/, check them and install them into empty environments."""
    folder = ROOT / "dist"
    shutil.rmtree(folder, ignore_errors=True)
    session.install("--group=dist", f"--constraint={LOCK}")
    session.run(*BUILD, "--out-dir", str(folder), external=True)
    files = sorted(map(str, [*folder.glob("*.whl"), *folder.glob("*.tar.gz")]))
    session.run("twine", "check", "--strict", *files)
    session.run("check-wheel-contents", *files[:1])
    session.run("python", "-m", "tests.packaging.files", *files)
    session.run("python", "-m", "tests.packaging.surface")
    for python in FOUND:
        for file in files:
            install_alone(session, python, file)
    for file in files:
        print(f"{Path(file).stat().st_size:>9,} bytes  dist/{Path(file).name}")


def install_alone(session: nox.Session, python: str, file: str) -> None:
    """Install *file* into an empty environment and use it, first without extras, then with the command."""
    empty = Path(session.create_tmp()).absolute() / "empty"
    session.run(UV, "venv", "--quiet", "--clear", "--python", python, str(empty), external=True)
    clean = {"PYTHONPATH": None, "UV_PYTHON": str(empty)}
    run = [str(empty / "bin" / "python"), "-W", "error"]
    with session.chdir(empty):
        session.run(UV, "pip", "install", "--quiet", file, env=clean, external=True)
        session.run(*run, "-c", USE_EVERY_NAME, env=clean, external=True)
        session.run(*run, "-m", "kajabi_async.cli", "--help", env=clean, external=True, silent=True)
        session.run(*run, "-m", "kajabi_async.cli", "whoami", env=clean, external=True, success_codes=[2])
        session.run(UV, "pip", "install", "--quiet", f"{file}[cli]", env=clean, external=True)
        session.run(str(empty / "bin" / "kajabi"), "demo", env=clean, external=True, silent=True)


@nox.session(python=False)
def lock(session: nox.Session) -> None:
    """Write the lock files: the newest versions of everything, and the lowest of the direct dependencies."""
    extras = [f"--extra={each}" for each in PROJECT["optional-dependencies"]]
    plain = ("--quiet", "--no-annotate", "--custom-compile-command=make lock")
    compiled = [UV, "pip", "compile", *plain, "pyproject.toml", *extras]
    groups = [f"--group={each}" for each in ("dev", "mutation", "redis-server", "dist")]
    at = f"--python-version={VERSIONS[0]}"
    session.run(*compiled, *groups, "--universal", at, "--upgrade", "-o", LOCK, external=True)
    low = session.run(*compiled, at, "--resolution=lowest-direct", external=True, silent=True)
    direct = itertools.chain(PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())
    names = {re.split(r"[^\w.-]", each)[0].lower() for each in direct}
    floors = Path(session.create_tmp()) / "floors.txt"
    floors.write_text("".join(f"{line}\n" for line in str(low).splitlines() if line.partition("==")[0] in names))
    session.run(*compiled, "--group=dev", at, f"--constraint={floors}", "--upgrade", "-o", LOWEST, external=True)
