"""The clock of a session, under the name that its modules know."""

from kajabi_async.clock import Clock, SystemClock

__all__ = ["Clock", "SystemClock"]
