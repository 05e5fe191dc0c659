"""A slow result is computed once, however many workers of a run need it."""

import subprocess
import sys
from pathlib import Path

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


def test_one_worker_makes_it_for_all(tmp_path: Path) -> None:
    """Within one worker, too, it is computed once."""
    (tmp_path / "test_it.py").write_text(TEST)
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
