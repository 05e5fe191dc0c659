"""Running a coroutine from a command: on the fastest event loop there is, on a client made from what was stored."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from kajabi_async.cli.credentials import FoundCredentials, find_credentials, open_client
from kajabi_async.cli.exit_codes import ExitCode
from kajabi_async.client import Kajabi
from kajabi_async.errors import ApiError

__all__ = ["loop_factory", "on_client", "run_to_exit_code"]

Work = Callable[[Kajabi], Awaitable[int | None]]

_TOKEN_PATH: Final = "/v1/oauth/token"  # noqa: S105 - a path
_REFUSED: Final = frozenset({400, 401})


def on_client(work: Work) -> int:
    """Run *work* on a client with the credentials that are found, and give its exit code, 0 for None."""
    found = find_credentials()

    async def within_client() -> int | None:
        async with open_client(found) as api:
            try:
                return await work(api)
            except ApiError as error:
                _tell_source(error, found)
                raise

    return run_to_exit_code(within_client)


def run_to_exit_code(work: Callable[[], Awaitable[int | None]]) -> int:
    """Run *work* in an event loop of its own and give its exit code, 0 for None; errors pass through."""

    async def awaited() -> int | None:
        return await work()

    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(awaited()) or ExitCode.DONE


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Give what makes loops of uvloop where it is installed (the extra ``speed``), and None for those of asyncio."""
    try:
        import uvloop  # noqa: PLC0415 - it is an extra
    except ImportError:
        return None
    return uvloop.new_event_loop


def _tell_source(error: ApiError, found: FoundCredentials) -> None:
    if error.path == _TOKEN_PATH and error.status in _REFUSED:
        error.add_note(f"They came from {found.place}")
