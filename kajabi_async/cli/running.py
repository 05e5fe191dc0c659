"""Running a coroutine on a client, with every error told in one line and an exit code for scripts."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from typing import Final

from kajabi_async import (
    ApiError,
    ConfigurationError,
    InvalidArgumentError,
    Kajabi,
    KajabiError,
    NotFoundError,
    ServerError,
    TransportError,
)

__all__ = ["EXIT_CODES", "on_client", "run_to_exit_code"]

OK: Final = 0
INCOMPLETE: Final = 1
MISUSED: Final = 2
REFUSED: Final = 3
UNREACHABLE: Final = 4
INTERRUPTED: Final = 130

EXIT_CODES: Final = """Exit codes:

0: done

1: something was not found, or could not be read

2: wrong usage or configuration

3: the API refused (4xx)

4: the API could not be reached or failed (5xx, time limits)

130: interrupted"""

Work = Callable[[Kajabi], Awaitable[int | None]]


def on_client(work: Work) -> int:
    """Run *work* on a client made from the environment and give the exit code."""

    async def within_client() -> int | None:
        async with Kajabi.from_env() as api:
            return await work(api)

    return run_to_exit_code(within_client)


def run_to_exit_code(work: Callable[[], Awaitable[int | None]]) -> int:
    """Run *work* and give its exit code; errors of our tree become one line on standard error."""

    async def awaited() -> int | None:
        return await work()

    try:
        return asyncio.run(awaited()) or OK
    except KajabiError as error:
        sys.stderr.write(f"kajabi: {error}\n")
        return _code_for(error)
    except BrokenPipeError:
        # Whoever read our output has seen enough; Python must not complain about it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except KeyboardInterrupt:
        sys.stderr.write("kajabi: interrupted\n")
        return INTERRUPTED


def _code_for(error: KajabiError) -> int:
    if isinstance(error, ConfigurationError | InvalidArgumentError):
        return MISUSED
    if isinstance(error, ServerError | TransportError):
        return UNREACHABLE
    if isinstance(error, ApiError) and not isinstance(error, NotFoundError):
        return REFUSED
    return INCOMPLETE
