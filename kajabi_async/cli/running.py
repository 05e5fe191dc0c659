"""Running a coroutine from a command: on the fastest event loop there is, on a client made from what was stored."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from kajabi_async.cli.credentials.sources import FoundCredentials, find_credentials, open_client
from kajabi_async.cli.exit_codes import ExitCode
from kajabi_async.client import Kajabi
from kajabi_async.errors import ApiError, NotFoundError, TransportError

__all__ = ["loop_factory", "on_client", "run_to_exit_code"]

Work = Callable[[Kajabi], Awaitable[int | None]]

_TOKEN_PATH: Final = "/v1/oauth/token"  # noqa: S105 - a path
_REFUSED: Final = frozenset({400, 401})
_PEOPLE: Final = ("/v1/customers/", "/v1/contacts/")
_TWO_IDS: Final = "a customer and the contact of the same person have different ids"


def on_client(work: Work) -> int:
    """Run *work* on a client with the credentials that are found, and give its exit code, 0 for None."""
    found = find_credentials()

    async def within_client() -> int | None:
        async with open_client(found) as api:
            try:
                return await work(api)
            except (ApiError, TransportError) as error:
                if cure := _cure_for(error, found):
                    error.add_note(cure)
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


def _cure_for(error: ApiError | TransportError, found: FoundCredentials) -> str | None:
    """Give what the command knows to say beside the error, None where that says all."""
    if isinstance(error, TransportError):
        return "`kajabi doctor` tells which step of the way there fails"
    if error.path == _TOKEN_PATH:
        return f"They came from {found.place}" if error.status in _REFUSED else None
    if not isinstance(error, NotFoundError):
        return None
    none = "There is none, or this key cannot see it"
    return f"{none}; {_TWO_IDS}" if error.path.startswith(_PEOPLE) else none
