"""``python -m tests.examples.killed_workers 100000 [taskiq|arq|celery]``: the example at full size, and what it saw.

Two workers, one of them killed twice in mid-chunk; prints customers, kills, token grants, refusals, and customers a
second beside the limit of 400. Takes some five minutes for 100,000.
"""

import subprocess
import sys

_LIMIT = 400


def main(customers: str = "100000", framework: str = "taskiq") -> int:
    """Run it and give its exit code: 1 where it is not every customer once."""
    options = ("--customers", customers, "--chunk", "500", "--limit", str(_LIMIT), "--timeout", "3600")
    return subprocess.run([sys.executable, "-m", "examples.workers", framework, *options], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
