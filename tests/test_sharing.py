"""A slow result is computed once, however many workers of a run need it."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import attrs
import pytest

from tests.sharing import once_for_all_workers

ROOT = Path(__file__).parents[1]

TEST = """
import os
import pytest
from tests.sharing import once_for_all_workers

MADE = os.environ["MADE"]

@pytest.mark.parametrize("number", range(8))
def test_it(number, tmp_path_factory):
    def make():
        with open(MADE, "a") as file:
            file.write("made\\n")
        return {"made": 1}

    assert once_for_all_workers(tmp_path_factory, "it", make) == {"made": 1}
"""


@attrs.frozen
class _Factory:
    """What a worker has of pytest's factory of temporary folders."""

    basetemp: Path

    def getbasetemp(self) -> Path:
        return self.basetemp


@pytest.mark.parametrize(("worker", "made_by"), [("gw0", [0, 1]), (None, [0, 1, 2])])
def test_a_worker_reads_what_another_made(
    worker: str | None, made_by: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the folder above those of the workers; alone, a run has a folder of its own. An error is no result."""
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    if worker:
        monkeypatch.setenv("PYTEST_XDIST_WORKER", worker)
    calls: list[int] = []

    def result_for(caller: int) -> dict[str, int]:
        def make() -> dict[str, int]:
            calls.append(caller)
            if caller == 0:
                raise ZeroDivisionError
            return {"made by": caller}

        folder = tmp_path / str(max(caller, 1))
        folder.mkdir(exist_ok=True)
        factory: Any = _Factory(folder)
        return once_for_all_workers(factory, "it", make)

    with pytest.raises(ZeroDivisionError):
        result_for(0)
    assert result_for(1) == result_for(1) == {"made by": 1}
    assert result_for(2) == {"made by": made_by[-1]}
    assert calls == made_by


@pytest.mark.thorough
def test_one_worker_makes_it_for_all(tmp_path: Path) -> None:
    """Within one worker, too, it is computed once."""
    (tmp_path / "test_it.py").write_text(TEST)
    # Without settings of its own it would have those of a folder above it.
    (tmp_path / "pytest.ini").touch()
    made = tmp_path / "made"
    plain = ("-p", "no:randomly", "-p", "no:cacheprovider", "-p", "xdist.plugin", "-n", "2", "-q")
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *plain, str(tmp_path)],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "MADE": str(made), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "8 passed" in ran.stdout
    assert made.read_text() == "made\n"
