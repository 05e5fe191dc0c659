"""The demo, its recording, and the fake that is served until interrupted."""

import json
import re
import runpy
import signal
import time
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest

from kajabi_async import Kajabi
from tests.cli.conftest import Command
from tests.cli.processes import started

DOCS = Path(__file__).parents[2] / "docs"
TEXT = re.compile(r'<text[^>]* y="(?P<line>[\d.]+)"[^>]*>(?P<text>.*?)</text>', re.DOTALL)


def _lines(svg: str) -> list[str]:
    """Return the lines of text of a recording, without the markup of rich."""
    lines: dict[str, str] = {}
    for found in TEXT.finditer(svg):
        text = unescape(found["text"]).replace("\N{NO-BREAK SPACE}", " ")
        lines[found["line"]] = lines.get(found["line"], "") + text
    return [line.rstrip() for line in lines.values()]


async def test_the_demo_runs_without_an_account_in_80_columns() -> None:
    """It shows one customer, a lazy link that costs one request, and two thousand lookups with one token."""
    process = await started("demo")
    out, err = (text.decode() for text in await process.communicate())
    assert (process.returncode, err) == (0, "")
    assert "requests it cost: 1" in out
    assert "requests it cost the second time: 0" in out
    assert "2,000 found, 0 missing, 0 failed" in out
    assert "token requests, all in all: 1" in out
    assert max(map(len, out.splitlines())) <= 80


def test_the_recording_shows_what_the_demo_shows_now() -> None:
    """Line for line; run ``python docs/make_recording.py`` if it does not."""
    recorded: Callable[[], str] = runpy.run_path(str(DOCS / "make_recording.py"))["recorded"]
    lines = _lines((DOCS / "demo.svg").read_text("utf-8"))
    assert lines == _lines(recorded())
    assert "$ kajabi demo" in lines
    assert "await customer.contact -> mateo.park.123@example.com" in lines
    assert "2,000 looked up in … s (… a second): 2,000 found, 0 missing, 0 failed" in lines


def test_the_recording_shows_nothing_of_the_machine_and_loads_nothing() -> None:
    """It has no path, no measured time, and only addresses of the sample data."""
    svg = (DOCS / "demo.svg").read_text("utf-8")
    text = "\n".join(_lines(svg))
    assert re.findall(r"\d s\b|\d a second|/home/|/tmp/|127\.0\.0\.1", text) == []
    assert re.findall(r"url\((?!#)|@import|@font-face|<image|href=", svg) == []


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


async def test_the_fake_prints_json_for_programs() -> None:
    """The same three settings."""
    process = await started("fake", "--customers", "7", "--json")
    assert process.stdout is not None
    assert await _customers_of(json.loads(await process.stdout.readline())) == 7
    process.send_signal(signal.SIGINT)
    await process.communicate()
    assert process.returncode == 130


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


@pytest.mark.parametrize("form", [("--json",), pytest.param((), marks=pytest.mark.thorough)])
async def test_a_port_in_use_is_reported(form: tuple[str, ...], kajabi: Command) -> None:
    """Without a traceback."""
    process = await started("fake", "--json")
    assert process.stdout is not None
    port = json.loads(await process.stdout.readline())["KAJABI_BASE_URL"].rpartition(":")[2]
    done = await kajabi("fake", "--port", port, *form)
    process.send_signal(signal.SIGINT)
    await process.communicate()
    assert (done.code, f"cannot listen on port {port}" in done.err) == (2, True)
