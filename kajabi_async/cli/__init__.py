"""The command ``kajabi``; it needs the extra ``cli``."""

import importlib.util
import sys

__all__ = ["main"]


def main() -> None:
    """Run the command and exit with its code."""
    missing = [name for name in ("cyclopts", "rich") if importlib.util.find_spec(name) is None]
    if missing:
        sys.stderr.write(f"kajabi needs {' and '.join(missing)}: pip install 'kajabi-async[cli]'\n")
        sys.exit(2)
    # Here, as it imports what may be missing.
    from kajabi_async.cli.app import run  # noqa: PLC0415

    sys.exit(run())
