"""Ordering faults: which requests they are for, and for how many."""

import asyncio
from collections.abc import Mapping
from typing import Any

import attrs

from kajabi_async.testing.faults import (
    Canned,
    Cut,
    DropTime,
    Failure,
    Fault,
    GzipBomb,
    Silence,
    canned_reply,
    checked_drop_time,
    checked_target,
)
from kajabi_async.testing.records import RecordedRequest

__all__ = ["FaultDesk", "FaultOrder"]


@attrs.define
class FaultOrder:
    """One fault that was ordered."""

    target: str | None
    """The name of an operation, a path or a path template; None for everything."""
    method: str | None
    left: int | None
    """For how many more requests; None for good."""
    fault: Fault

    def is_for(self, record: RecordedRequest, template: str | None) -> bool:
        """Tell whether the fault happens to this request."""
        if self.left == 0 or self.method not in {None, record.method}:
            return False
        path_and_query = f"{record.path}?{record.query_string}"
        return self.target in {None, record.operation, record.path, template, path_and_query}

    def cancel(self) -> None:
        """Let the fault happen no more."""
        self.left = 0


class FaultDesk:
    """Takes orders for faults; the oldest that is for a request happens to it.

    A target is the name of an operation, such as ``customers.get``, a path such as ``/v1/customers/7``, a path
    template, or None for every request. ValueError for a target that is none of these.
    """

    def __init__(self) -> None:
        """Start without faults."""
        self.closing = asyncio.Event()
        """Set when the fake is closed."""
        self._orders: list[FaultOrder] = []

    def fault_for(self, record: RecordedRequest, template: str | None) -> Fault | None:
        """Give the fault that happens to this request, and count it."""
        for order in self._orders:
            if order.is_for(record, template):
                if order.left is not None:
                    order.left -= 1
                return order.fault
        return None

    def fail(
        self,
        target: str | None = None,
        *,
        status: int = 503,
        times: int | None = 1,
        headers: Mapping[str, str] | None = None,
        body: bytes | str | dict[str, Any] | None = None,
    ) -> FaultOrder:
        """Answer an error; without a *body*, the one the API would send for the status. Nothing takes effect."""
        return self._ordered(target, times, Failure(status, headers or {}, body))

    def drop(self, target: str | None = None, *, when: DropTime = "before", times: int | None = 1) -> FaultOrder:
        """Cut the connection; all but ``before`` come after the request took effect."""
        return self._ordered(target, times, Cut(checked_drop_time(when)))

    def hang(self, target: str | None = None, *, times: int | None = 1) -> FaultOrder:
        """Never answer; the connection is cut when the fake is closed. Nothing takes effect."""
        return self._ordered(target, times, Silence(self.closing))

    def gzip_bomb(
        self, target: str | None = None, *, decoded_bytes: int = 300 * 2**20, times: int | None = 1
    ) -> FaultOrder:
        """Answer a small gzip body that unpacks to *decoded_bytes* of JSON."""
        return self._ordered(target, times, GzipBomb(decoded_bytes))

    def answer_with(
        self,
        method: str,
        path: str,
        *,
        status: int = 200,
        body: bytes | str | dict[str, Any] | list[Any] | None = None,
        headers: Mapping[str, str] | None = None,
        content_type: str | None = None,
        times: int | None = None,
    ) -> FaultOrder:
        """Answer one path, with or without its query, with something fixed; no token is asked for.

        *content_type* is ``application/vnd.api+json`` where there is a body and nothing else is said.
        """
        fault = Canned(canned_reply(status, body, content_type, headers or {}))
        return self._ordered(path, times, fault, method.upper())

    def clear_faults(self) -> None:
        """Let no ordered fault happen any more."""
        self._orders.clear()

    def _ordered(self, target: str | None, times: int | None, fault: Fault, method: str | None = None) -> FaultOrder:
        order = FaultOrder(checked_target(target), method, times, fault)
        self._orders = [kept for kept in self._orders if kept.left != 0]
        self._orders.append(order)
        return order
