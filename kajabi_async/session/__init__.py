"""The session: pool, token, time limits, retries; one request in, one answer out."""

from kajabi_async.session.clock import Clock, SystemClock
from kajabi_async.session.credentials import (
    ClientCredentials,
    Credentials,
    PasswordCredentials,
    RefreshTokenCredentials,
)
from kajabi_async.session.manager import SessionManager, SessionStats
from kajabi_async.session.retry import RetryPolicy
from kajabi_async.session.timeouts import Timeouts

__all__ = [
    "ClientCredentials",
    "Clock",
    "Credentials",
    "PasswordCredentials",
    "RefreshTokenCredentials",
    "RetryPolicy",
    "SessionManager",
    "SessionStats",
    "SystemClock",
    "Timeouts",
]
