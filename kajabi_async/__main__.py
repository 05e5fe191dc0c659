"""The entry point of ``python -m kajabi_async``: the command ``kajabi``."""

from kajabi_async.cli import main

main()
