"""Attacks by another user of the machine, and code that runs as the attacked user; the setup of both needs root."""

import json
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

VICTIM: Final = 54_321
ATTACKER: Final = 54_322

needs_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0,
    reason="NOT TESTED: what another user of the machine can do, as only root can act for two users",
)

# Later imports would run as the other user, who cannot enter the folders of this one.
_PRELUDE: Final = """
import json, os, sys
sys.path.insert(0, os.getcwd())
def become(user):
    os.setgroups([]); os.setgid(user); os.setuid(user); os.umask(0)
arguments = json.loads(sys.argv[1])
"""


@contextmanager
def shared_folder(*, sticky: bool) -> Generator[Path]:
    """A folder that every user can write to; with *sticky* users can remove only their own files, as in /tmp."""
    with tempfile.TemporaryDirectory(dir="/tmp") as made:
        folder = Path(made).resolve()
        folder.chmod(0o1777 if sticky else 0o777)
        yield folder


def attack(folder: Path, script: str) -> None:
    """Run *script* of the shell in *folder* as the attacker."""
    subprocess.run(
        ["/bin/sh", "-euc", f"umask 0; {script}"],
        cwd=folder,
        user=ATTACKER,
        group=ATTACKER,
        extra_groups=[],
        check=True,
    )


@contextmanager
def attacking(folder: Path, script: str) -> Generator[None]:
    """Run *script* repeatedly as the attacker while the block runs."""
    loop = f"umask 0; while :; do {script}; done"
    process = subprocess.Popen(
        ["/bin/sh", "-c", loop], cwd=folder, user=ATTACKER, group=ATTACKER, extra_groups=[], stderr=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.kill()
        process.wait()


def as_victim(script: str, **arguments: Any) -> Any:
    """Run *script*, which switches to the victim, and return its output as JSON."""
    command = [sys.executable, "-c", _PRELUDE + script, json.dumps({"user": VICTIM, **arguments})]
    done = subprocess.run(command, capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def victims_file(path: Path, content: str, mode: int = 0o600) -> Path:
    """Write a file owned by the victim."""
    path.write_text(content, "utf-8")
    os.chown(path, VICTIM, VICTIM)
    path.chmod(mode)
    return path


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)
