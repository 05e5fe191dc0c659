"""The options of a client, checked once when it is made; ConfigurationError for one that cannot be used."""

import ipaddress
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import SplitResult, urlsplit

from kajabi_async.checks import boolean, function, iterable_of, string, whole_number, with_methods
from kajabi_async.clock import Clock, SystemClock
from kajabi_async.errors import ConfigurationError
from kajabi_async.session.retry import RetryPolicy

if TYPE_CHECKING:
    from kajabi_async.session.events import SessionObserver

__all__ = [
    "checked_base_url",
    "checked_clock",
    "checked_limit",
    "checked_observers",
    "checked_retry",
    "checked_user_agent",
]

_EXAMPLE: Final = "such as https://api.kajabi.com"


def checked_base_url(base_url: str, *, allow_insecure: bool) -> str:
    """Return *base_url* without a slash at its end, if requests may go there."""
    parts = _split(base_url)
    boolean(allow_insecure, of="allow_insecure", error=ConfigurationError)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigurationError(f"base_url must be scheme and host, {_EXAMPLE}")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ConfigurationError(f"base_url must not carry user information, a query or a fragment, {_EXAMPLE}")
    path = parts.path.rstrip("/")
    if path.endswith("/v1"):
        raise ConfigurationError(f"base_url must end without /v1, {_EXAMPLE}")
    if parts.scheme == "http" and not allow_insecure and not _is_loopback(parts.hostname):
        raise ConfigurationError(
            "base_url is plain http, which would send the secret and the token in clear text: use https, or "
            "allow_insecure=True if the network on the way is trusted"
        )
    return f"{parts.scheme}://{parts.netloc}{path}"


def _split(base_url: object) -> SplitResult:
    if not isinstance(base_url, str) or not base_url.isprintable() or " " in base_url:
        raise ConfigurationError(f"base_url must be a URL, {_EXAMPLE}")
    try:
        parts = urlsplit(base_url)
        _ = parts.port
    except ValueError:
        raise ConfigurationError(f"base_url is not a URL, {_EXAMPLE}") from None
    return parts


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def checked_retry(retry: Any) -> RetryPolicy:
    """Return *retry*, or the default policy for None."""
    if retry is None:
        return RetryPolicy()
    if not isinstance(retry, RetryPolicy):
        raise ConfigurationError(f"retry must be a RetryPolicy, got {type(retry).__name__}")
    return retry


def checked_clock(clock: Any) -> Clock:
    """Return *clock*, or the clock of the machine for None."""
    if clock is None:
        return SystemClock()
    checked: Clock = with_methods(clock, "monotonic", "time", "sleep", of="clock")
    return checked


def checked_observers(observers: Any) -> "list[SessionObserver]":
    """Return the functions to call with each event."""
    given = iterable_of("observers", observers, error=ConfigurationError)
    return [function(each, of="an observer", error=ConfigurationError) for each in given]


def checked_user_agent(given: Any) -> str:
    """Return *given* if it can be sent as a header."""
    user_agent = string(given, of="user_agent", error=ConfigurationError)
    if not user_agent.isascii() or not user_agent.isprintable() or not user_agent.strip():
        raise ConfigurationError("user_agent must be printable ASCII")
    return user_agent


def checked_limit(given: Any, *, of: str) -> int:
    """Return *given*, the limit called *of*, if it is a whole number above 0."""
    return whole_number(given, of=of, at_most=None, error=ConfigurationError)
