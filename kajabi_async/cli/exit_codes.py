"""The exit codes of ``kajabi``: one table for the help, the commands and the tests."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Final

from kajabi_async.errors import (
    ApiError,
    BulkStalledError,
    ConfigurationError,
    InvalidArgumentError,
    KajabiError,
    NotFoundError,
    ServerError,
    TransportError,
)

__all__ = ["EXIT_CODES_HELP", "ExitCode", "code_for"]


class ExitCode(IntEnum):
    """The exit codes; scripts may rely on them."""

    DONE = 0
    INCOMPLETE = 1
    MISUSED = 2
    REFUSED = 3
    UNREACHABLE = 4
    INTERRUPTED = 130


MEANINGS: Final[Mapping[ExitCode, str]] = {
    ExitCode.DONE: "done, or the reader of the output closed the pipe",
    ExitCode.INCOMPLETE: "something was not found, or could not be read",
    ExitCode.MISUSED: "wrong usage or configuration",
    ExitCode.REFUSED: "the API rejected the request (4xx)",
    ExitCode.UNREACHABLE: "the API could not be reached or failed (5xx, time limits, a stall)",
    ExitCode.INTERRUPTED: "interrupted",
}
"""The meaning of each code, as ``kajabi --help`` prints it."""

EXIT_CODES_HELP: Final = "\n".join(
    ["Exit codes:", *(f"  {code.value:>3}  {meaning}" for code, meaning in MEANINGS.items())]
)
"""The table for ``kajabi --help``."""


def code_for(error: KajabiError) -> ExitCode:
    """Return the exit code of a command that *error* ends."""
    if isinstance(error, ConfigurationError | InvalidArgumentError):
        return ExitCode.MISUSED
    if isinstance(error, ServerError | TransportError | BulkStalledError):
        return ExitCode.UNREACHABLE
    if isinstance(error, ApiError) and not isinstance(error, NotFoundError):
        return ExitCode.REFUSED
    return ExitCode.INCOMPLETE
