"""``python -m tests.examples.killed_workers 100000 [taskiq|arq|celery]``: the example at full size, with its results.

Two workers run, one of them is killed twice during a chunk. The output has customers, kills, token grants, 429s, and
customers a second beside the limit of 400. It takes about five minutes for 100,000.
"""

import subprocess
import sys

_LIMIT = 400


def main(customers: str = "100000", framework: str = "taskiq") -> int:
    """Run it and return its exit code: 1 unless every customer is written once."""
    options = ("--customers", customers, "--chunk", "500", "--limit", str(_LIMIT), "--timeout", "3600")
    return subprocess.run([sys.executable, "-m", "examples.workers", framework, *options], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
