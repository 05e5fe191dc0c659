"""The token canary: no test may let a token or a secret of the fake's show in a log, a warning or an error.

Every record that is logged in a test, at DEBUG, and every error that leaves a session, with its text, its arguments and
the variables of its frames, is searched for what the fake gives out as tokens and secrets.
"""

import logging
import re
import traceback
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from kajabi_async.errors import KajabiError

__all__ = ["shown_secrets", "watching"]

_SECRET = re.compile(r"\b(?:access|refresh|secret|password)\.[A-Za-z0-9_-]{32}(?![A-Za-z0-9_-])")
_LOGGERS = ("kajabi_async", "aiohttp", "asyncio")
_MOST_ERRORS = 50
_OF_EVERY_RECORD = frozenset(vars(logging.makeLogRecord({})))
"""Names of what a record has by itself; what a caller adds has others."""


def shown_secrets(text: str) -> list[str]:
    """Give the kinds of secrets that *text* shows."""
    return [found[0].partition(".")[0] for found in _SECRET.finditer(text)]


@contextmanager
def watching(*, capturing: bool = True) -> Generator[list[str]]:
    """Watch logs and errors in the block, and return the list of what was shown, which is to stay empty.

    If the test is not *capturing* logs, pytest gets our warnings and errors alone: each request logs several lines at
    DEBUG, and keeping them takes longer than the request.
    """
    shown: list[str] = []
    handler = _Handler(shown)
    ours = logging.getLogger(_LOGGERS[0])
    if not capturing:
        handler = _PassingOn(shown)
        ours.propagate = False
    levels = {name: logging.getLogger(name).level for name in _LOGGERS}
    for name in _LOGGERS:
        logging.getLogger(name).setLevel(logging.DEBUG)
        logging.getLogger(name).addHandler(handler)
    undo = _watch_errors(shown)
    try:
        yield shown
    finally:
        undo()
        ours.propagate = True
        for name, level in levels.items():
            logging.getLogger(name).removeHandler(handler)
            logging.getLogger(name).setLevel(level)


class _Handler(logging.Handler):
    def __init__(self, shown: list[str]) -> None:
        super().__init__(logging.DEBUG)
        self._shown = shown

    def emit(self, record: logging.LogRecord) -> None:
        values = [value for name, value in vars(record).items() if name not in _OF_EVERY_RECORD]
        text = self.format(record) if record.exc_info or record.stack_info else record.getMessage()
        kinds = set(shown_secrets(f"{text} {record.msg} {record.args} {values}"))
        self._shown += [f"{kind} in a record of {record.name}" for kind in sorted(kinds)]


class _PassingOn(_Handler):
    """Stands in for what logs would reach by propagation."""

    def emit(self, record: logging.LogRecord) -> None:
        super().emit(record)
        if record.name.startswith(_LOGGERS[0]) and record.levelno >= logging.WARNING:
            logging.getLogger().handle(record)


def _watch_errors(shown: list[str]) -> Any:
    noted = KajabiError.sent
    left = _MOST_ERRORS

    def sent(self: KajabiError, **known: Any) -> KajabiError:
        nonlocal left
        error = noted(self, **known)
        if left > 0:
            left -= 1
            shown.extend(f"{kind} in a {type(error).__name__}" for kind in set(shown_secrets(_rendered(error))))
        return error

    KajabiError.sent = sent  # type: ignore[method-assign,assignment]  # pyright: ignore[reportAttributeAccessIssue]

    def undo() -> None:
        KajabiError.sent = noted  # type: ignore[method-assign]

    return undo


def _rendered(error: KajabiError) -> str:
    told = traceback.TracebackException.from_exception(error, capture_locals=True)
    frames = [frame for frame in told.stack if "/kajabi_async/" in frame.filename and "/testing/" not in frame.filename]
    locals_ = " ".join(str(frame.locals) for frame in frames)
    return f"{error} {error!r} {error.args} {vars(error)} {locals_}"
