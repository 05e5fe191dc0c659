"""The entry point of ``python -m kajabi_async.cli``."""

from kajabi_async.cli import main

main()
