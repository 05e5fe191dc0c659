"""The question before something that cannot be undone."""

import signal
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager

from kajabi_async.errors import InvalidArgumentError, KajabiError
from kajabi_async.output import flush, print_line, print_prompt

__all__ = ["confirm"]

_YES = frozenset({"y", "yes"})


def confirm(what: str, *, yes: bool, option: str = "--yes", needs_terminal: bool = True) -> None:
    """Ask on the terminal whether to do *what*, such as "delete hook 12"; do not ask if *yes*, the value of *option*.

    KajabiError if the answer is no. Without a terminal to ask on, InvalidArgumentError that names *option*, unless
    *needs_terminal* is false: then nothing is asked.
    """
    if yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        if not needs_terminal:
            return
        raise InvalidArgumentError(f"this would {what}, and there is no terminal to ask on: {option} does it")
    flush()
    with _interruptible():
        print_prompt(f"This will {what}. Go on? [y/N] ")
        answer = sys.stdin.readline()
    if not answer:
        # The end of the input leaves the cursor behind the question.
        print_line("", error=True)
    if answer.strip().casefold() not in _YES:
        raise KajabiError("not done: the answer was not yes")


@contextmanager
def _interruptible() -> Generator[None]:
    """Let Ctrl-C end a read that blocks the event loop; the handler of asyncio waits for the loop."""
    if threading.current_thread() is not threading.main_thread():
        # Only the main thread may set the handler, and is interrupted.
        yield
        return
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
