"""The session: pool, token, time limits, retries; one request in, one answer out."""

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
