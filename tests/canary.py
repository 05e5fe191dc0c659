"""The token canary: no test may show a token or secret of the fake in a log, a warning or an error.

Every record logged in a test at DEBUG, and every error that leaves a session, with its text, arguments and the
variables of its frames, is searched for tokens and secrets of the fake.
"""

import logging
import re
import traceback
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import kajabi_async
from kajabi_async.errors import KajabiError

__all__ = ["frames_of_the_package", "shown_secrets", "watching"]

_SECRET = re.compile(r"\b(?:access|refresh|secret|password)\.[A-Za-z0-9_-]{32}(?![A-Za-z0-9_-])")
_PACKAGE = Path(kajabi_async.__file__).parent
_LOGGERS = ("kajabi_async", "aiohttp", "asyncio")
_MOST_ERRORS = 50
_OF_EVERY_RECORD = frozenset(vars(logging.makeLogRecord({})))
"""The attributes of every record; a caller's extra fields have other names."""


def shown_secrets(text: str) -> list[str]:
    """Return the kinds of secrets in *text*."""
    return [found[0].partition(".")[0] for found in _SECRET.finditer(text)]


@contextmanager
def watching(*, capturing: bool = True) -> Generator[list[str]]:
    """Watch logs and errors in the block, and yield the list of findings, which must stay empty.

    Unless the test is *capturing* logs, pytest gets only the package's warnings and errors: each request logs several
    lines at DEBUG, and keeping them takes longer than the request.
    """
    shown: list[str] = []
    handler = _Handler(shown)
    # Not by ending the propagation: pytest captures the records of such a logger too.
    only_warnings = _OnlyWarnings(handler)
    if not capturing:
        logging.getLogger(_LOGGERS[0]).addFilter(only_warnings)
    levels = {name: logging.getLogger(name).level for name in _LOGGERS}
    for name in _LOGGERS:
        logging.getLogger(name).setLevel(logging.DEBUG)
        logging.getLogger(name).addHandler(handler)
    undo = _watch_errors(shown)
    try:
        yield shown
    finally:
        undo()
        logging.getLogger(_LOGGERS[0]).removeFilter(only_warnings)
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


class _OnlyWarnings(logging.Filter):
    """A filter that searches the records that it keeps from all handlers, unless a test has added one to the logger."""

    def __init__(self, handler: logging.Handler) -> None:
        super().__init__()
        self._handler = handler

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno >= logging.WARNING:
            return True
        handlers = logging.getLogger(_LOGGERS[0]).handlers
        if not all(isinstance(handler, _Handler | logging.NullHandler) for handler in handlers):
            return True
        self._handler.emit(record)
        return False


def _watch_errors(shown: list[str]) -> Any:
    original = KajabiError.sent
    left = _MOST_ERRORS

    def sent(self: KajabiError, **known: Any) -> KajabiError:
        nonlocal left
        error = original(self, **known)
        if left > 0:
            left -= 1
            shown.extend(f"{kind} in a {type(error).__name__}" for kind in set(shown_secrets(_rendered(error))))
        return error

    KajabiError.sent = sent  # type: ignore[method-assign,assignment]  # pyright: ignore[reportAttributeAccessIssue]

    def undo() -> None:
        KajabiError.sent = original  # type: ignore[method-assign]

    return undo


def frames_of_the_package(details: traceback.TracebackException) -> list[traceback.FrameSummary]:
    """Return those of the frames that are the package's: the checkout may have its name, and has the tests too."""
    return [frame for frame in details.stack if Path(frame.filename).is_relative_to(_PACKAGE)]


def _rendered(error: KajabiError) -> str:
    details = traceback.TracebackException.from_exception(error, capture_locals=True)
    frames = [frame for frame in frames_of_the_package(details) if "/testing/" not in frame.filename]
    locals_ = " ".join(str(frame.locals) for frame in frames)
    return f"{error} {error!r} {error.args} {vars(error)} {locals_}"
