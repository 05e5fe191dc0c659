"""Completion of commands and options, in a real bash."""

import asyncio
import json
import os
from pathlib import Path

import pytest
from cyclopts import App
from cyclopts.completion import ShellDetectionError

from kajabi_async.cli import completion
from tests.cli.conftest import Command
from tests.cli.processes import on_terminal

COMPLETED = """
. "$1"; shift
function=$(complete -p kajabi | sed 's/.*-F \\([^ ]*\\).*/\\1/')
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
$function kajabi "${@: -1}" "${@: -2:1}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


async def _completed(script: Path, *words: str) -> set[str]:
    process = await asyncio.create_subprocess_exec(
        *("bash", "--norc", "-c", COMPLETED, "bash", str(script), *words),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert (process.returncode, err) == (0, b"")
    return set(out.decode().split())


@pytest.fixture
async def script(kajabi: Command, tmp_path: Path) -> Path:
    """The path of the script for bash."""
    path = tmp_path / "kajabi.bash"
    path.write_text((await kajabi("completion", "show", "bash")).out)
    return path


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("cust",), {"custom-fields", "customers"}),
        (("do",), {"doctor"}),
        (("customers", ""), {"list", "get", "lookup"}),
        (("contacts", "list", "--has-tag"), {"--has-tag-id"}),
        (("doctor", "--j"), {"--json"}),
        (("completion", "install", ""), {"bash", "zsh", "fish"}),
    ],
)
@pytest.mark.needs("bash")
async def test_bash_completes_commands_and_options(words: tuple[str, ...], expected: set[str], script: Path) -> None:
    """Including the filters of a list."""
    assert expected <= await _completed(script, "kajabi", *words)


@pytest.mark.needs("bash")
async def test_bash_completes_the_file_of_ids(script: Path, tmp_path: Path) -> None:
    """As for any command that takes a file."""
    (tmp_path / "ids-of-today.txt").touch()
    found = await _completed(script, "kajabi", "customers", "lookup", f"{tmp_path}/ids-")
    assert found == {f"{tmp_path}/ids-of-today.txt"}


@pytest.mark.needs("bash")
async def test_a_new_interactive_bash_completes_after_install(kajabi: Command, tmp_path: Path) -> None:
    """The line in ~/.bashrc is added below its content, and the tab key completes."""
    (tmp_path / "home" / ".bashrc").write_text("PS1='READY> '")
    done = await kajabi("completion", "install", "bash")
    assert (done.code, done.err) == (0, "")
    keys = (("READY> ", "kajabi custome\t"), ("rs ", "ge\t"), ("get ", "\x15exit\n"))
    shown = await on_terminal("bash", "-i", typed=keys)
    assert "kajabi customers get " in shown.screen


async def test_what_is_installed_no_other_user_can_write_to(kajabi: Command, tmp_path: Path) -> None:
    """Shells run these files, so the umask must not matter."""
    before = os.umask(0)
    try:
        assert (await kajabi("completion", "install", "bash")).code == 0
    finally:
        os.umask(before)
    made = [tmp_path / "home" / ".bashrc", *(tmp_path / "home" / ".local").rglob("*")]
    assert [each for each in made if each.stat().st_mode & 0o077] == []


async def test_installing_twice_changes_nothing_more(kajabi: Command, tmp_path: Path) -> None:
    """~/.bashrc has the line once."""
    message = json.loads((await kajabi("completion", "install", "bash", "--json")).out)
    assert json.loads((await kajabi("completion", "install", "bash", "--json")).out) == message
    startup = (tmp_path / "home" / ".bashrc").read_text()
    assert len([line for line in startup.splitlines() if message["path"] in line]) == 1


@pytest.mark.parametrize(
    ("shell", "line"),
    [
        ("bash", ". "),
        pytest.param("zsh", "fpath=(", marks=pytest.mark.thorough),
        pytest.param("fish", "New shells complete kajabi", marks=pytest.mark.thorough),
    ],
)
async def test_installing_without_touching_the_startup_file_prints_the_line(
    shell: str, line: str, kajabi: Command
) -> None:
    """For users who keep that file under version control."""
    done = await kajabi("completion", "install", shell, "--no-startup")
    assert done.code == 0
    assert line in done.out
    assert not {".bashrc", ".zshrc"} & set(os.listdir(Path.home()))  # noqa: PTH208


@pytest.mark.parametrize(
    "shell", ["bash", *(pytest.param(shell, marks=pytest.mark.thorough) for shell in ("zsh", "fish"))]
)
async def test_every_shell_has_a_script(shell: str, kajabi: Command) -> None:
    """The script includes the filters."""
    done = await kajabi("completion", "show", shell, "--json")
    message = json.loads(done.out)
    assert message["shell"] == shell
    assert "has-tag-id" in message["script"]
    assert message["script"].startswith("#compdef kajabi") is (shell == "zsh")


async def test_an_unknown_shell_must_be_named(kajabi: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error lists the supported ones."""

    def unknown() -> str:
        raise ShellDetectionError

    monkeypatch.setattr(completion, "detect_shell", unknown)
    done = await kajabi("completion", "show")
    assert (done.code, "one of zsh, bash, fish" in done.err) == (2, True)


async def test_the_shell_in_use_is_found(kajabi: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name of the shell may be left out."""

    def script(self: App, *, shell: str) -> str:
        return f"the script for {shell}"

    monkeypatch.setattr(completion, "detect_shell", lambda: "zsh")
    monkeypatch.setattr(App, "generate_completion", script)
    assert (await kajabi("completion", "show")).out == "the script for zsh\n"


async def test_a_home_that_cannot_be_written_to_is_reported(kajabi: Command, tmp_path: Path) -> None:
    """The error says how to print the script instead."""
    (tmp_path / "home" / ".local").touch()
    done = await kajabi("completion", "install", "bash")
    assert (done.code, "`kajabi completion show bash` prints it" in done.err) == (2, True)
