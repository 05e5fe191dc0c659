"""Terminals, pipes and signals, with the command as a process of its own."""

import asyncio
import json
import os
import re
import signal
from pathlib import Path

import pytest

from kajabi_async.cli.front import wrapped
from kajabi_async.testing import FakeKajabi
from tests.cli.processes import COMMAND, on_terminal, settings, started

# Each test starts a process or two.
pytestmark = pytest.mark.thorough

COLOUR = re.compile(r"\x1b\[[\d;]*(?:3[0-9]|4[0-9]|9[0-7])[\d;]*m")
ANY_CONTROL = re.compile(r"\x1b\[")
LIST = ("contacts", "list", "--limit", "5")
IDS = "printf '%s\\n' $(seq 1 40)"


async def test_a_terminal_gets_colours_and_a_pipe_does_not(kajabi_fake: FakeKajabi) -> None:
    """The same command, the same rows."""
    shown = await on_terminal(*COMMAND, "doctor", environment=settings(kajabi_fake))
    assert shown.code == 0
    assert COLOUR.search(shown.screen)
    piped = await started("doctor", environment=settings(kajabi_fake))
    out, err = await piped.communicate()
    assert (piped.returncode, err) == (0, b"")
    assert not ANY_CONTROL.search(out.decode())


@pytest.mark.parametrize(
    "arguments",
    [
        LIST,
        pytest.param(("doctor",), marks=pytest.mark.thorough),
        pytest.param(("--help",), marks=pytest.mark.thorough),
    ],
)
async def test_no_color_is_respected_on_a_terminal(arguments: tuple[str, ...], kajabi_fake: FakeKajabi) -> None:
    """See no-color.org."""
    shown = await on_terminal(*COMMAND, *arguments, environment={**settings(kajabi_fake), "NO_COLOR": "1"})
    assert shown.code == 0
    assert not COLOUR.search(shown.screen)


async def test_progress_shows_on_a_terminal_and_rows_go_where_they_are_sent(
    kajabi_fake: FakeKajabi, tmp_path: Path
) -> None:
    """They do not mix: every row is complete in the file, and none is on the screen."""
    rows = tmp_path / "rows.jsonl"
    command = ("sh", "-c", f"{IDS} | {' '.join(COMMAND)} customers lookup - > {rows}")
    shown = await on_terminal(*command, environment=settings(kajabi_fake))
    assert shown.code == 0
    assert "0/?" in shown.screen
    assert "40 found" in COLOUR.sub("", shown.screen).replace("\x1b[0m", "")
    assert '"id"' not in shown.screen
    assert len({json.loads(line)["id"] for line in rows.read_text().splitlines()}) == 40


async def test_rows_on_a_terminal_are_not_wrapped_and_show_no_progress_besides(kajabi_fake: FakeKajabi) -> None:
    """They show the progress themselves, and a line copied from the screen is valid JSON."""
    shown = await on_terminal(
        "sh", "-c", f"{IDS} | {' '.join(COMMAND)} customers lookup -", environment=settings(kajabi_fake)
    )
    lines = [line for line in shown.screen.splitlines() if line.startswith("{")]
    assert [json.loads(line)["found"] for line in lines] == [True] * 40
    assert "0/?" not in shown.screen


async def test_rows_reach_a_pipe_as_they_arrive(kajabi_fake: FakeKajabi) -> None:
    """Before the last id, while standard input is still open."""
    process = await started(
        "customers", "lookup", "-", stdin=asyncio.subprocess.PIPE, environment=settings(kajabi_fake)
    )
    assert process.stdin is not None
    assert process.stdout is not None
    for each in ("1", "2"):
        process.stdin.write(f"{each}\n".encode())
        assert json.loads(await process.stdout.readline())["id"] == each
    process.stdin.close()
    await process.communicate()
    assert process.returncode == 0


async def test_interrupting_while_waiting_for_ids_reports_and_ends_with_130(kajabi_fake: FakeKajabi) -> None:
    """Although the thread that reads them is blocked; what was done until then is printed."""
    process = await started(
        "customers", "lookup", "-", stdin=asyncio.subprocess.PIPE, environment=settings(kajabi_fake)
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdin.write(b"1\n")
    await process.stdout.readline()
    process.send_signal(signal.SIGINT)
    # communicate() would close standard input, which must stay open.
    assert await process.wait() == 130
    first, *_, last = (await process.stderr.read()).decode().splitlines()
    assert (first.startswith("1 looked up in "), last) == (True, "kajabi: interrupted")
    process.stdin.close()


async def test_progress_does_not_show_on_a_pipe(kajabi_fake: FakeKajabi) -> None:
    """Only the report is printed, on standard error."""
    process = await started(
        "customers", "lookup", "-", stdin=asyncio.subprocess.PIPE, environment=settings(kajabi_fake)
    )
    out, err = await process.communicate("".join(f"{each}\n" for each in range(1, 41)).encode())
    assert process.returncode == 0
    assert len(out.splitlines()) == 40
    assert err.startswith(b"40 looked up")
    assert not ANY_CONTROL.search(err.decode())


@pytest.mark.parametrize(
    "arguments",
    [
        ("customers", "list", "--limit", "900", "--json"),
        ("--help",),
        pytest.param(("customers", "list", "--limit", "3"), marks=pytest.mark.thorough),
        pytest.param(("customers", "get", "1"), marks=pytest.mark.thorough),
        pytest.param(("doctor",), marks=pytest.mark.thorough),
        pytest.param(("completion", "show", "bash"), marks=pytest.mark.thorough),
    ],
)
async def test_a_reader_that_closes_the_pipe_is_no_error(arguments: tuple[str, ...], kajabi_fake: FakeKajabi) -> None:
    """Nothing is printed about it, whether the pipe is closed before the first byte or later."""
    reading_end, writing_end = os.pipe()
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        *arguments,
        stdout=writing_end,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **settings(kajabi_fake)},
    )
    os.close(writing_end)
    os.close(reading_end)
    _, err = await process.communicate()
    assert (process.returncode, err) == (0, b"")


@pytest.mark.needs("bash")
async def test_head_gets_its_line_and_both_succeed(kajabi_fake: FakeKajabi) -> None:
    """A common use in a shell."""
    script = f"{' '.join(COMMAND)} customers list --limit 900 --json | head -1"
    code, out, err = await _in_shell(script, kajabi_fake)
    assert (code, err) == (0, b"")
    assert json.loads(out)["type"] == "customers"


async def test_errors_without_a_reader_end_quietly() -> None:
    """A closed standard error cannot be written to."""
    reading_end, writing_end = os.pipe()
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "me", stdout=asyncio.subprocess.PIPE, stderr=writing_end, env={**os.environ}
    )
    os.close(writing_end)
    os.close(reading_end)
    out, _ = await process.communicate()
    assert (process.returncode, out) == (0, b"")


@pytest.mark.parametrize(
    "arguments",
    [
        ("customers", "list"),
        pytest.param(("customers", "list", "--json"), marks=pytest.mark.thorough),
        pytest.param(("--help",), marks=pytest.mark.thorough),
    ],
)
@pytest.mark.needs("bash")
async def test_a_full_disk_is_reported(arguments: tuple[str, ...], kajabi_fake: FakeKajabi) -> None:
    """A missing result must not look like a success."""
    script = f"{' '.join(COMMAND)} {' '.join(arguments)} > /dev/full"
    code, out, err = await _in_shell(script, kajabi_fake)
    assert (code, out) == (1, b"")
    assert b"cannot read or write: No space left on device" in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("script", "code", "message"),
    [
        ("customers get 1 >&-", 0, b""),
        ("login --stdin <&-", 2, b"kajabi: standard input does not hold two lines"),
        pytest.param("customers get 99999 2>&-", 1, b"", marks=pytest.mark.thorough),
        pytest.param("login <&-", 2, b"kajabi: there is no terminal to prompt on", marks=pytest.mark.thorough),
        pytest.param("customers lookup - --json <&-", 0, b'{"report": {"total": 0', marks=pytest.mark.thorough),
    ],
)
@pytest.mark.needs("bash")
async def test_a_closed_stream_is_no_traceback(script: str, code: int, message: bytes, kajabi_fake: FakeKajabi) -> None:
    """It counts as an empty one."""
    done = await _in_shell(f"{' '.join(COMMAND)} {script}", kajabi_fake)
    assert (done[0], done[1]) == (code, b"")
    assert done[2].startswith(message)
    assert b"Traceback" not in done[2]


async def _in_shell(script: str, fake: FakeKajabi) -> tuple[int | None, bytes, bytes]:
    process = await asyncio.create_subprocess_exec(
        *("bash", "-c", f"set -o pipefail; {script}"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **settings(fake)},
    )
    out, err = await process.communicate()
    return process.returncode, out, err


@pytest.mark.parametrize("form", [(), ("--json",)])
async def test_interrupting_a_request_ends_with_130_and_no_traceback(
    form: tuple[str, ...], kajabi_fake: FakeKajabi
) -> None:
    """The request is cancelled and the pool closed; warnings about either would be errors here."""
    kajabi_fake.hang("customers.get", times=None)
    process = await started("customers", "get", "1", *form, environment=settings(kajabi_fake))
    while kajabi_fake.counts["customers.get"] == 0:
        await asyncio.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = await process.communicate()
    assert (process.returncode, out) == (130, b"")
    message = err.decode()
    if form:
        assert json.loads(message)["error"] == {"type": "KeyboardInterrupt", "message": "interrupted", "exit_code": 130}
    else:
        assert message == "kajabi: interrupted\n"


@pytest.mark.needs("bash")
async def test_ctrl_c_on_a_terminal_ends_a_bulk_lookup(
    kajabi_fake: FakeKajabi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The progress bar restores the terminal: the cursor is visible again."""
    # The command leaves a file of unanswered ids there.
    monkeypatch.chdir(tmp_path)
    kajabi_fake.hang("customers.get", times=None)
    script = f"{IDS} | {' '.join(COMMAND)} customers lookup - > {os.devnull}; exit ${{PIPESTATUS[1]}}"
    shown = await on_terminal("bash", "-c", script, typed=(("0/?", "\x03"),), environment=settings(kajabi_fake))
    assert "Traceback" not in shown.screen
    assert "kajabi: interrupted" in shown.screen
    assert shown.screen.rindex("\x1b[?25h") > shown.screen.rindex("\x1b[?25l")


def test_the_command_is_run_with_warnings_as_errors() -> None:
    """So a leaked socket or task fails every test of this file."""
    assert COMMAND[1:3] == ("-W", "error")


def test_a_command_that_is_longer_than_the_screen_stays_in_one_piece() -> None:
    """So that it can be copied; the terminal breaks it."""
    command = f"`kajabi export customers {'--search ada ' * 20}--out customers.csv`"
    assert wrapped(f"{command} writes all to a file", 80) == [command, "writes all to a file"]
