"""Running a coroutine from a command: in an event loop of its own, with a client of the found credentials."""

import asyncio
import gc
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from kajabi_async.cli.credentials.profiles import profile_option
from kajabi_async.cli.front import ExitCode
from kajabi_async.errors import ApiError, KajabiError, NotFoundError, TransportError

if TYPE_CHECKING:
    from kajabi_async.cli.credentials.chain import FoundCredentials
    from kajabi_async.client import Kajabi

__all__ = ["is_about_the_token", "loop_factory", "on_client", "run_to_exit_code"]

Work = Callable[["Kajabi"], Awaitable[int | None]]

_TOKEN_PATH: Final = "/v1/oauth/token"  # noqa: S105 - a path
_BAD_CREDENTIALS: Final = frozenset({400, 401})
_PERSON_PATHS: Final = ("/v1/customers/", "/v1/contacts/")
_TWO_IDS: Final = "a customer and the contact of the same person have different ids"


def on_client(work: Work, *, sends_many: bool = False) -> int:
    """Run *work* with a client of the found credentials, and return its exit code, 0 for None.

    *sends_many* is for work of many requests: to import uvloop, if it is there, takes longer than it saves in a few.
    """
    # Imported here, as the client takes longer to import than a refused argument takes to report.
    from kajabi_async.cli.credentials.chain import find_credentials, open_client  # noqa: PLC0415

    found = find_credentials()

    async def within_client() -> int | None:
        async with open_client(found) as api:
            try:
                return await work(api)
            except (ApiError, TransportError) as error:
                if hint := _hint_for(error, found):
                    error.add_note(hint)
                raise

    return run_to_exit_code(within_client, sends_many=sends_many)


def run_to_exit_code(work: Callable[[], Awaitable[int | None]], *, sends_many: bool = True) -> int:
    """Run *work* in an event loop of its own and return its exit code, 0 for None; errors pass through."""

    async def awaited() -> int | None:
        return await work()

    _collect_garbage_again()
    with asyncio.Runner(loop_factory=loop_factory() if sends_many else None) as runner:
        return runner.run(awaited()) or ExitCode.DONE


def _collect_garbage_again() -> None:
    """Have garbage collected if it is not, without a search through all that was imported."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return the loop factory of uvloop if it is installed (the extra ``speed``), or None for asyncio's loops."""
    try:
        import uvloop  # noqa: PLC0415 - it is an extra
    except ImportError:
        return None
    return uvloop.new_event_loop


def is_about_the_token(error: KajabiError) -> bool:
    """Return whether the request for a token failed."""
    return isinstance(error, ApiError | TransportError) and error.path == _TOKEN_PATH


def _hint_for(error: ApiError | TransportError, found: "FoundCredentials") -> str | None:
    """Return a hint to add to the error, or None."""
    if isinstance(error, TransportError):
        return f"Run `kajabi doctor{profile_option()}` to see which step on the way to the API fails"
    if is_about_the_token(error):
        return f"They came from {found.place}" if error.status in _BAD_CREDENTIALS else None
    if not isinstance(error, NotFoundError):
        return None
    none = "There is none, or this key cannot see it"
    return f"{none}; {_TWO_IDS}" if error.path.startswith(_PERSON_PATHS) else none
