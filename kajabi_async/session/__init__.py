"""The session: pool, token, time limits, retries; one request in, one answer out.

This module is a table of contents: a name is imported when it is first used, and of a client that has no observer and
no token store, neither the events nor the stores are.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from kajabi_async.clock import Clock, SystemClock
    from kajabi_async.exchange import SessionStats
    from kajabi_async.session.auth.store import Lease, MemoryTokenStore, StoredToken, TokenStore
    from kajabi_async.session.credentials import (
        ClientCredentials,
        Credentials,
        PasswordCredentials,
        RefreshTokenCredentials,
    )
    from kajabi_async.session.events import (
        OperationEnded,
        OperationStarted,
        RequestAnswered,
        RequestRetried,
        RequestStarted,
        RequestWaited,
        SessionEvent,
        SessionObserver,
        TokenRefreshed,
        TokenRequestAnswered,
    )
    from kajabi_async.session.limits.deadlines import Timeouts
    from kajabi_async.session.limits.rate import AdaptiveRate, FixedRate, RateLimit
    from kajabi_async.session.manager import SessionManager
    from kajabi_async.session.retry import RetryPolicy

__all__ = [
    "AdaptiveRate",
    "ClientCredentials",
    "Clock",
    "Credentials",
    "FixedRate",
    "Lease",
    "MemoryTokenStore",
    "OperationEnded",
    "OperationStarted",
    "PasswordCredentials",
    "RateLimit",
    "RefreshTokenCredentials",
    "RequestAnswered",
    "RequestRetried",
    "RequestStarted",
    "RequestWaited",
    "RetryPolicy",
    "SessionEvent",
    "SessionManager",
    "SessionObserver",
    "SessionStats",
    "StoredToken",
    "SystemClock",
    "Timeouts",
    "TokenRefreshed",
    "TokenRequestAnswered",
    "TokenStore",
]

_MODULE_OF: Final = {
    "AdaptiveRate": "session.limits.rate",
    "ClientCredentials": "session.credentials",
    "Clock": "clock",
    "Credentials": "session.credentials",
    "FixedRate": "session.limits.rate",
    "Lease": "session.auth.store",
    "MemoryTokenStore": "session.auth.store",
    "OperationEnded": "session.events",
    "OperationStarted": "session.events",
    "PasswordCredentials": "session.credentials",
    "RateLimit": "session.limits.rate",
    "RefreshTokenCredentials": "session.credentials",
    "RequestAnswered": "session.events",
    "RequestRetried": "session.events",
    "RequestStarted": "session.events",
    "RequestWaited": "session.events",
    "RetryPolicy": "session.retry",
    "SessionEvent": "session.events",
    "SessionManager": "session.manager",
    "SessionObserver": "session.events",
    "SessionStats": "exchange",
    "StoredToken": "session.auth.store",
    "SystemClock": "clock",
    "Timeouts": "session.limits.deadlines",
    "TokenRefreshed": "session.events",
    "TokenRequestAnswered": "session.events",
    "TokenStore": "session.auth.store",
}

if not TYPE_CHECKING:  # Otherwise type checkers would accept any misspelt name.

    def __getattr__(name: str) -> object:
        if name in _MODULE_OF:
            module = import_module(f"kajabi_async.{_MODULE_OF[name]}")
            return globals().setdefault(name, getattr(module, name))
        if any(f"{each}.".startswith(f"session.{name}.") for each in _MODULE_OF.values()):
            return import_module(f"{__name__}.{name}")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__} - {"TYPE_CHECKING", "Final", "import_module"})
