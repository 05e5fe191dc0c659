"""The question before something that cannot be undone."""

import sys

from kajabi_async.errors import InvalidArgumentError, KajabiError
from kajabi_async.output import flush, print_prompt

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
    print_prompt(f"This will {what}. Go on? [y/N] ")
    if sys.stdin.readline().strip().casefold() not in _YES:
        raise KajabiError("not done: the answer was not yes")
