"""The command ``kajabi``; it needs the extra ``cli``.

Imports everything below it, and nothing imports it. Read `app` first: it runs what was typed. `contents` lists the
commands; `running` runs a coroutine of theirs on a client.
"""

import importlib.util
import sys

from kajabi_async.output import print_line

__all__ = ["main"]


def main() -> None:
    """Run the command and exit with its code."""
    missing = [name for name in ("cyclopts", "rich") if importlib.util.find_spec(name) is None]
    if missing:
        print_line(f"kajabi needs {' and '.join(missing)}: pip install 'kajabi-async[cli]'", error=True)
        sys.exit(2)
    try:
        # Imported here, so that an interrupt during the import is caught.
        from kajabi_async.cli.app import run  # noqa: PLC0415
    except KeyboardInterrupt:
        # Interrupted during the import, before `run` can report it.
        print_line("kajabi: interrupted", error=True)
        sys.exit(130)
    sys.exit(run())
