"""The demo, its recording, and the fake that is served until interrupted."""

import json
import os
import re
import runpy
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest

from kajabi_async import Kajabi
from tests.cli.conftest import Command
from tests.cli.processes import COMMAND, started
from tests.cli.screens import on_terminal
from tests.sharing import once_for_all_workers

RULE = re.compile(r"^─+ | ─+$")
CONTROL = re.compile(r"\x1b\[[\d;?]*[A-Za-z]")
DOCS = Path(__file__).parents[2] / "docs"
TEXT = re.compile(r'<text[^>]* y="(?P<line>[\d.]+)"[^>]*>(?P<text>.*?)</text>', re.DOTALL)

STYLED = re.compile(r'<text class="(?P<style>[^"]+)"[^>]* y="(?P<line>[\d.]+)"[^>]*>(?P<text>[^<]*)')
RATE = re.compile(r"([\d,]+) a second")
MEASURED = re.compile(r"(?<![\w.])[\d,.]+(?= s\b| a second\b| requests\b)")


def _lines(svg: str) -> list[str]:
    """Return the lines of text of a recording, without the markup of rich."""
    lines: dict[str, str] = {}
    for found in TEXT.finditer(svg):
        text = unescape(found["text"]).replace("\N{NO-BREAK SPACE}", " ")
        lines[found["line"]] = lines.get(found["line"], "") + text
    return [line.rstrip() for line in lines.values()]


@pytest.fixture(scope="session")
def piped(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, str, str]:
    """Exit code, output and errors of the demo in a pipe, run once for all tests and workers."""

    def run() -> tuple[int, str, str]:
        settings = {name: value for name, value in os.environ.items() if not name.startswith("KAJABI_")}
        done = subprocess.run(
            [*COMMAND, "demo"], capture_output=True, text=True, env={**settings, "COLUMNS": "80"}, check=False
        )
        return done.returncode, done.stdout, done.stderr

    return once_for_all_workers(tmp_path_factory, "demo", run)


def test_the_demo_runs_without_an_account_in_80_columns(piped: tuple[int, str, str]) -> None:
    """Every step has its result and the requests that it took: a relation one, and none the second time."""
    code, out, err = piped
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert max(map(len, lines)) <= 80
    assert [line.strip() for line in lines if "contact 21" in line] == [
        "contact 2150000123  [1 request]",
        "contact 2150000123  [0 requests]",
    ]
    assert len(re.findall(r"^  2,000 found, 0 missing, 0 failed in [\d.]+ s, [\d,]+ a second", out, re.MULTILINE)) == 2
    retried = re.search(r"^  500 found, 0 missing, 0 failed .*\[(\d+) requests\]$", out, re.MULTILINE)
    assert retried is not None
    assert 500 < int(retried[1]) < 600, "each lookup under way when the outage began is retried, and few others"
    assert "mails sent: 0" in out
    assert re.search(r"^[\d,]+ requests, 1 token$", out, re.MULTILINE)


@pytest.mark.thorough
def test_the_demo_shows_the_same_on_a_terminal(piped: tuple[int, str, str]) -> None:
    """In 80 columns; only times differ, and the bars of progress are more."""
    shown = on_terminal(["demo"], {}, columns=80)
    assert shown.code == 0
    lines = [RULE.sub("", line) for line in CONTROL.sub("", shown.out).splitlines() if line.strip() and "━" not in line]
    assert [re.sub(r"[\d,.]+", "...", line) for line in lines] == [
        re.sub(r"[\d,.]+", "...", line) for line in piped[1].splitlines()
    ]


def test_the_demo_shows_figures_and_no_blanks(piped: tuple[int, str, str]) -> None:
    """No result is a dash, None or empty; the first lines say what the package is for."""
    _, out, _ = piped
    results = [line.strip() for line in out.splitlines() if line.startswith("  ")]
    assert len(results) >= 9
    assert [each for each in results if re.search(r"None|(^|[ ,;])-([ ,;]|$)|^\[", each)] == []
    assert "reads and writes Kajabi from asyncio programs" in out.splitlines()[0]


@pytest.mark.thorough
def test_the_recording_shows_what_the_demo_shows_now() -> None:
    """Line for line but for measured times and requests; run ``python docs/make_recording.py`` if it does not."""
    recorded: Callable[[], str] = runpy.run_path(str(DOCS / "make_recording.py"))["recorded"]
    lines = _lines((DOCS / "demo.svg").read_text("utf-8"))
    assert [MEASURED.sub("...", line) for line in lines] == [MEASURED.sub("...", line) for line in _lines(recorded())]
    assert "$ kajabi demo" in lines
    (rate, *_) = (float(found[1].replace(",", "")) for line in lines if (found := RATE.search(line)))
    assert rate > 100, "the figures of the recording are those of a run"


def test_the_recording_shows_nothing_of_the_machine_and_loads_nothing() -> None:
    """It has no path, and only addresses of the sample data."""
    svg = (DOCS / "demo.svg").read_text("utf-8")
    text = "\n".join(_lines(svg))
    assert re.findall(r"/home/|/tmp/|127\.0\.0\.1", text) == []
    assert set(re.findall(r"[\w.]+@[\w.]+", text)) == {"mateo.park.123@example.com"}
    assert re.findall(r"url\((?!#)|@import|@font-face|<image|href=", svg) == []


def test_the_recording_colours_lines_and_nothing_within_them() -> None:
    """The digits of an email or an id are no figures to point out."""
    colours: dict[str, set[str]] = {}
    for found in STYLED.finditer((DOCS / "demo.svg").read_text("utf-8")):
        if found["text"].strip() and "─" not in found["text"]:
            colours.setdefault(found["line"], set()).add(found["style"])
    assert len(colours) > 20
    assert [line for line, styles in colours.items() if len(styles) > 1] == []


async def test_the_fake_is_served_until_interrupted() -> None:
    """Its output has all settings of a client."""
    process = await started("fake", "--customers", "7")
    assert process.stdout is not None
    lines = [(await process.stdout.readline()).decode().strip() for _ in range(3)]
    message = dict(line.removeprefix("export ").split("=", 1) for line in lines)
    assert await _customers_of(message) == 7
    process.send_signal(signal.SIGINT)
    _, err = await process.communicate()
    assert (process.returncode, err.decode()) == (130, "kajabi: interrupted\n")


async def test_the_key_of_the_fake_outlives_a_restart(tmp_path: Path) -> None:
    """It is in a file that only its owner may read, which commands take, too; with --json the settings are JSON."""
    path = tmp_path / "fake.toml"
    keys: list[str] = []
    for _ in range(2):
        process = await started("fake", "--customers", "7", "--credentials", str(path), "--json")
        assert process.stdout is not None
        message = json.loads(await process.stdout.readline())
        assert await _customers_of(message) == 7
        keys.append(message["KAJABI_CLIENT_SECRET"])
        process.send_signal(signal.SIGINT)
        out, _ = await process.communicate()
        assert (process.returncode, out) == (130, b"")
    assert keys[0] == keys[1]
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.thorough
async def test_the_fake_waits_for_the_latency_before_each_answer() -> None:
    """Each answer takes at least the seconds of --latency."""
    process = await started("fake", "--customers", "7", "--latency", "0.3", "--json")
    assert process.stdout is not None
    settings = json.loads(await process.stdout.readline())
    start = time.monotonic()
    assert await _customers_of(settings) == 7
    # The token is requested first.
    assert time.monotonic() - start >= 2 * 0.3
    process.send_signal(signal.SIGINT)
    await process.communicate()


async def _customers_of(settings: dict[str, str]) -> int | None:
    async with Kajabi(
        client_id=settings["KAJABI_CLIENT_ID"],
        client_secret=settings["KAJABI_CLIENT_SECRET"],
        base_url=settings["KAJABI_BASE_URL"],
    ) as api:
        return await api.customers.list().count()


@pytest.mark.parametrize("form", [("--json",), ()])
async def test_a_port_in_use_is_reported(form: tuple[str, ...], kajabi: Command) -> None:
    """Without a traceback."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = await kajabi("fake", "--port", port, *form)
    assert (done.code, f"cannot listen on port {port}" in done.err) == (2, True)
