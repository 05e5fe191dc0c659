"""Injection of faults: the requests they apply to, and how many."""

import asyncio
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from typing import Any, Final

import attrs

from kajabi_async.testing.faults.catalogue import faults_named
from kajabi_async.testing.faults.compression import Bomb
from kajabi_async.testing.faults.connections import Cut, DropTime
from kajabi_async.testing.faults.incident import Fault, checked_target
from kajabi_async.testing.faults.mix import FaultPlan, Injection, is_aimed_at, plans_of
from kajabi_async.testing.faults.statuses import Canned, Failure, canned_reply
from kajabi_async.testing.faults.timing import Hang
from kajabi_async.testing.recorded import RecordedRequest

__all__ = ["FaultDesk", "FaultOrder"]

_KEPT_INJECTIONS: Final = 10_000
_LONGEST_LATENCY: Final = 3600.0


def _checked_seconds(latency: float) -> float:
    seconds = float(latency)
    # Written so that NaN is rejected, too.
    if not 0.0 <= seconds <= _LONGEST_LATENCY:
        raise ValueError(f"latency is 0 to {_LONGEST_LATENCY:g} seconds, not {latency}")
    return seconds


@attrs.define
class FaultOrder:
    """One injected fault."""

    target: str | None
    """The name of an operation, a path or a path template; None for every request."""
    method: str | None
    left: int | None
    """The number of further requests to hit; None for no limit."""
    fault: Fault

    def is_for(self, record: RecordedRequest, template: str | None) -> bool:
        """Return whether the fault applies to this request."""
        if self.left == 0 or not is_aimed_at(self.target, self.method, record, template):
            return False
        return self.fault.fits(record)

    def cancel(self) -> None:
        """Stop the fault."""
        self.left = 0


class FaultDesk:
    """The injected faults and fault plans of a fake: the oldest matching order hits a request, otherwise a plan.

    A target is the name of an operation, such as ``customers.get``, a path such as ``/v1/customers/7``, a path
    template, or None for every request; any other target raises ValueError.
    """

    def __init__(self, *, latency: float, faults: FaultPlan | Iterable[FaultPlan] | None) -> None:
        """Start without injected faults."""
        self._latency = _checked_seconds(latency)
        self.closing = asyncio.Event()
        """Set when the fake is closed."""
        self.injected: Counter[str] = Counter()
        """The number of faults that happened, by kind."""
        self.injections: deque[Injection] = deque(maxlen=_KEPT_INJECTIONS)
        """The latest ten thousand faults, oldest first."""
        self._orders: list[FaultOrder] = []
        self._plans = plans_of(faults)
        self._ordered_so_far = 0

    @property
    def latency(self) -> float:
        """The delay before each answer, 0 to 3600 seconds; settable, ValueError for anything else."""
        return self._latency

    @latency.setter
    def latency(self, seconds: float) -> None:
        self._latency = _checked_seconds(seconds)

    @property
    def faults(self) -> tuple[FaultPlan, ...]:
        """The plans; set one, several, or None to remove all. Of several, the first that chooses a request hits it."""
        return self._plans

    @faults.setter
    def faults(self, faults: FaultPlan | Iterable[FaultPlan] | None) -> None:
        self._plans = plans_of(faults)

    def fault_for(self, record: RecordedRequest, template: str | None) -> tuple[Fault, str] | None:
        """Return the fault for this request with the seed of its randomness, and count it; None for no fault."""
        chosen = self._chosen(record, template)
        if chosen is None:
            return None
        fault, seed, attempt = chosen
        self.injected[fault.name] += 1
        self.injections.append(Injection(fault.name, record.method, record.path, record.query_string, attempt))
        return fault, seed

    def _chosen(self, record: RecordedRequest, template: str | None) -> tuple[Fault, str, int | None] | None:
        for order in self._orders:
            if order.is_for(record, template):
                if order.left is not None:
                    order.left -= 1
                self._ordered_so_far += 1
                return order.fault, f"order:{self._ordered_so_far}", None
        chosen = None
        for plan in self._plans:
            # Every plan counts every request it applies to, even if another plan hits it.
            if chosen is None:
                chosen = plan.choose(record, template)
            else:
                plan.pass_by(record, template)
        return chosen

    def inject(
        self,
        fault: Fault | str,
        *,
        times: int | None = 1,
        method: str | None = None,
        path: str | None = None,
    ) -> FaultOrder:
        """Hit the next ``times`` matching requests with ``fault``, with None all of them until it is cancelled.

        A string is the name of a kind in ``kajabi_async.testing.faults``, with its default settings. ``path`` is any
        target. ValueError for an unknown kind or target.
        """
        faults = faults_named([fault])
        if len(faults) != 1:
            raise ValueError(f"{fault!r} is a group of {len(faults)} kinds; inject takes one, a FaultPlan takes groups")
        return self._ordered(path, times, faults[0], None if method is None else method.upper())

    def fail(
        self,
        target: str | None = None,
        *,
        status: int = 503,
        times: int | None = 1,
        headers: Mapping[str, str] | None = None,
        body: bytes | str | dict[str, Any] | None = None,
    ) -> FaultOrder:
        """Answer with an error, by default with the API's ``body`` for the status; the request takes no effect."""
        return self._ordered(target, times, Failure(status, headers or {}, body))

    def drop(self, target: str | None = None, *, when: DropTime = "before", times: int | None = 1) -> FaultOrder:
        """Cut the connection; unless ``when`` is ``before``, after the request took effect."""
        return self._ordered(target, times, Cut(when))

    def hang(self, target: str | None = None, *, times: int | None = 1) -> FaultOrder:
        """Never answer; closing the fake cuts the connection. The request takes no effect."""
        return self._ordered(target, times, Hang())

    def gzip_bomb(
        self, target: str | None = None, *, decoded_bytes: int = 300 * 2**20, times: int | None = 1
    ) -> FaultOrder:
        """Answer with a small gzip body that decompresses to ``decoded_bytes`` of JSON."""
        return self._ordered(target, times, Bomb("gzip", decoded_bytes))

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
        """Answer one path, with or without its query, with a fixed reply; no token is required.

        For a reply with a body, ``content_type`` defaults to ``application/vnd.api+json``.
        """
        fault = Canned(canned_reply(status, body, content_type, headers or {}))
        return self._ordered(path, times, fault, method.upper())

    def clear_faults(self) -> None:
        """Remove all faults, injected or planned."""
        self._orders.clear()
        self._plans = ()

    def _ordered(self, target: str | None, times: int | None, fault: Fault, method: str | None = None) -> FaultOrder:
        order = FaultOrder(checked_target(target), method, times, fault)
        self._orders = [kept for kept in self._orders if kept.left != 0]
        self._orders.append(order)
        return order
