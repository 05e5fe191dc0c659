"""The command ``kajabi``; it needs the extra ``cli``.

Imports everything below it, and nothing imports it. Read `app` first: it runs what was typed. `contents` lists the
commands; `running` runs a coroutine of theirs on a client.
"""

import gc
import sys

from kajabi_async.output import print_line

__all__ = ["main"]


def main() -> None:
    """Run the command and exit with its code."""
    # Nothing that is imported becomes garbage, and a short command does little else; `running` turns it on again.
    gc.disable()
    try:
        # Imported here, so that an interrupt during the import is caught.
        from kajabi_async.cli.app import run  # noqa: PLC0415
    except KeyboardInterrupt:
        # Interrupted during the import, before `run` can report it.
        print_line("kajabi: interrupted", error=True)
        sys.exit(130)
    sys.exit(run())
