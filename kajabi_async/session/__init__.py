"""The session: pool, token, time limits, retries; one request in, one answer out."""

from kajabi_async.session.clock import Clock, SystemClock
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
from kajabi_async.session.manager import SessionManager
from kajabi_async.session.rate_limit import AdaptiveRate, FixedRate, RateLimit
from kajabi_async.session.retry import RetryPolicy
from kajabi_async.session.stats import SessionStats
from kajabi_async.session.timeouts import Timeouts
from kajabi_async.session.token_store import Lease, MemoryTokenStore, StoredToken, TokenStore

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
