"""Which of several accounts a command is for: ``--profile NAME``, or KAJABI_PROFILE."""

import os
import re
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from kajabi_async.errors import InvalidArgumentError

__all__ = ["is_profile_name", "named_profile", "profile_option", "stored_profile", "using_profile"]

_VARIABLE: Final = "KAJABI_PROFILE"
_DEFAULT: Final = "default"
"""The name of the credentials that have none."""
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_typed: ContextVar[str | None] = ContextVar("kajabi_profile", default=None)


@contextmanager
def using_profile(name: str | None) -> Generator[None]:
    """Make *name*, that of ``--profile``, the profile within the block; None leaves it to the environment."""
    token = _typed.set(None if name is None else _checked(name, of="--profile"))
    try:
        yield
    finally:
        _typed.reset(token)


def named_profile() -> str | None:
    """Return the profile that was named for this command, None if none was; InvalidArgumentError if it is no name."""
    if typed := _typed.get():
        return typed
    from_environment = os.environ.get(_VARIABLE)
    return _checked(from_environment, of=_VARIABLE) if from_environment else None


def stored_profile() -> str | None:
    """Return the profile whose stored key this command uses, None for the key without a name; raises as above."""
    named = named_profile()
    return None if named == _DEFAULT else named


def profile_option() -> str:
    """Return the text of ``--profile`` for a command in a message, with a space before it; "" if it was not typed."""
    typed = _typed.get()
    return f" --profile {typed}" if typed else ""


def is_profile_name(text: str) -> bool:
    """Return whether *text* can be the name of a profile."""
    return _NAME.fullmatch(text) is not None


def _checked(name: str, *, of: str) -> str:
    """Return *name*; InvalidArgumentError, which does not repeat it, if it cannot be the name of a profile."""
    if not is_profile_name(name):
        raise InvalidArgumentError(f"{of} must be a name of at most 64 letters, digits, - and _")
    return name
