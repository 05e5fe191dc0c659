"""An aiohttp session that the caller hands in: which of its options apply, and which are rejected by name.

Applied as they are: connector, proxy, cookies, headers, trace configs, middlewares, HTTP version, the sizes of buffers
and lines, ``trust_env`` but for ``.netrc``. Set aside for our requests alone: ``raise_for_status=True``, as every
error status raises anyway, and ``auto_decompress=False``. Without a meaning here: ``json_serialize`` and
``requote_redirect_url``, as bodies are bytes and redirects are refused.
"""

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from kajabi_async.errors import ConfigurationError, WrongLoopError

if TYPE_CHECKING:
    import aiohttp

__all__ = ["check_loop", "check_session", "sets_user_agent"]

_OURS: Final = ("Accept", "Authorization", "Content-Length", "Content-Type", "Transfer-Encoding")
_CURE: Final = "hand in a session without it"
_UNSET: Final[dict[str, tuple[float | None, ...]]] = {
    "total": (None, 300),
    "connect": (None,),
    "sock_read": (None,),
    "sock_connect": (None, 30),
}
"""What each time limit of a session is if its maker set none."""


def check_session(session: "aiohttp.ClientSession", base_url: str) -> None:
    """Raise ConfigurationError, with the option and what to do, if *session* has an option that cannot apply."""
    for problem in _problems(session, base_url):
        raise ConfigurationError(f"http_session {problem}")


def check_loop(session: Any) -> None:
    """Raise WrongLoopError if *session* belongs to another event loop than the running one."""
    if session._loop is not asyncio.get_running_loop():  # noqa: SLF001 - it has no public name
        raise WrongLoopError(
            "http_session belongs to another event loop: make it on the one that the client is used on"
        )


def sets_user_agent(session: "aiohttp.ClientSession") -> bool:
    """Return whether *session* sets the user agent, or leaves it out."""
    # aiohttp compares these names whatever their case, and keeps them as they were written.
    left_out = {name.lower() for name in session.skip_auto_headers}
    return "User-Agent" in session.headers or "user-agent" in left_out


def _problems(session: "aiohttp.ClientSession", base_url: str) -> Iterator[str]:
    # Some of its options have private names only.
    options: Any = session
    if session.closed:
        yield "is closed: hand in one that is open, and keep it open while the client is used"
    if options._loop.is_closed():  # noqa: SLF001
        yield "belongs to an event loop that is closed: make it on the loop that the client is used on"
    if callable(session.raise_for_status):
        yield f"has a function as raise_for_status=, which would not be called: {_CURE}, every error status raises"
    if session.auth is not None:
        yield f"has auth=, but the API takes a token, which the client gets by itself: {_CURE}"
    for name in _OURS:
        if name in session.headers:
            yield f"has a default header {name} in headers=, which the client has to set itself: {_CURE}"
    if not _leads_to(base_url, options._base_url):  # noqa: SLF001
        yield f"has base_url= of another server than the client: {_CURE}, and pass base_url= to the client"
    for name, unset in _UNSET.items():
        if getattr(session.timeout, name) not in unset:
            yield f"has a limit of its own, {name} in timeout=: {_CURE}, and pass timeout=Timeouts(...) to the client"


def _leads_to(base_url: str, of_session: object) -> bool:
    if of_session is None:
        return True
    ours, theirs = urlsplit(base_url), urlsplit(str(of_session))
    return (ours.scheme, ours.hostname, _port(ours)) == (theirs.scheme, theirs.hostname, _port(theirs))


def _port(parts: Any) -> int | None:
    return parts.port or {"http": 80, "https": 443}.get(parts.scheme)
