"""A seeded mix of faults."""

from collections import Counter
from collections.abc import Iterable
from hashlib import blake2b
from typing import Final, Literal, get_args

import attrs

from kajabi_async.testing.faults.catalogue import faults_named
from kajabi_async.testing.faults.incident import Fault, checked_target
from kajabi_async.testing.recorded import RecordedRequest

__all__ = ["FaultPlan", "Injection", "PlanOrder", "is_aimed_at", "plans_of"]

PlanOrder = Literal["request", "arrival"]
"""What decides which requests a plan hits: their content, or their order of arrival."""

_ALL_BITS: Final = 1 << 64


@attrs.frozen
class Injection:
    """One fault that hit one request."""

    kind: str
    method: str
    path: str
    query_string: str
    attempt: int | None
    """The number of the request among equal ones, from 1 (by ``arrival``: among all requests); None for a fault from
    ``inject``."""


def is_aimed_at(target: str | None, method: str | None, record: RecordedRequest, template: str | None) -> bool:
    """Return whether ``record`` is a request of ``method`` and ``target``; None stands for any."""
    if method not in {None, record.method}:
        return False
    path_and_query = f"{record.path}?{record.query_string}"
    return target in {None, record.operation, record.path, template, path_and_query}


def _number(*parts: object) -> int:
    text = "\x00".join(str(part) for part in parts)
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogateescape"), digest_size=8).digest())


def _upper(method: str | None) -> str | None:
    return None if method is None else method.upper()


@attrs.define(kw_only=True)
class FaultPlan:
    """Faults for a share of all requests, reproducible from a seed.

    ::

        plan = FaultPlan(seed=7, rate=0.05, kinds=["latency", "html_error", Reset("mid_body")], max_in_a_row=2)
        async with FakeKajabi(faults=plan) as fake: ...

    By ``request``, the seed, the method, the path with its query and the number of earlier equal requests decide:
    concurrency and order do not change which ids are hit, by which fault, on which attempt. The plan uses about 150
    bytes for every distinct request. By ``arrival``, the position in the order of arrival decides; the plan remembers
    only requests that are failing now.

    The kind is drawn evenly from those that fit the operation; a kind named twice is drawn twice as often. A
    ``reset_reused`` drawn for the first request of a connection has no effect.
    """

    seed: int = 7
    rate: float = attrs.field(default=0.05, validator=[attrs.validators.ge(0), attrs.validators.le(1)])
    """The share of the requests to hit, 0 to 1."""
    kinds: tuple[Fault, ...] = attrs.field(factory=lambda: faults_named("transient"), converter=faults_named)
    """Names of kinds or groups (``KINDS``, ``GROUPS``), or faults with their own settings."""
    path: str | None = attrs.field(default=None, converter=checked_target)
    """The operation, path or template to hit; None for all, the token endpoint included."""
    method: str | None = attrs.field(default=None, converter=_upper)
    max_in_a_row: int | None = attrs.field(default=None, validator=attrs.validators.optional(attrs.validators.ge(1)))
    """The most faults in a row for equal requests; the next one is let through, so that retries succeed."""
    by: PlanOrder = attrs.field(default="request", validator=attrs.validators.in_(get_args(PlanOrder)))
    injected: Counter[str] = attrs.field(init=False, factory=Counter[str])
    """The number of faults from this plan, by kind."""
    _seen: Counter[int] = attrs.field(init=False, repr=False, factory=Counter[int])
    _row: Counter[int] = attrs.field(init=False, repr=False, factory=Counter[int])
    _arrivals: int = attrs.field(init=False, repr=False, default=0)

    def choose(self, record: RecordedRequest, template: str | None) -> tuple[Fault, str, int] | None:
        """Return the fault for a request, the seed of its randomness and the number of the attempt; None for no fault.

        Each call counts as one request.
        """
        if not is_aimed_at(self.path, self.method, record, template):
            return None
        key = self._key(record)
        attempt = self._count(key)
        moment = f"{key if self.by == 'request' else self.seed}:{attempt}"
        fault = self._drawn(moment, record)
        if fault is None or self._is_enough(key):
            self._row.pop(key, None)
            return None
        self._row[key] += 1
        self.injected[fault.name] += 1
        return fault, moment, attempt

    def pass_by(self, record: RecordedRequest, template: str | None) -> None:
        """Count a request that another fault hits."""
        if is_aimed_at(self.path, self.method, record, template):
            self._count(self._key(record))

    def _key(self, record: RecordedRequest) -> int:
        return _number(self.seed, record.method, record.path, record.query_string)

    def _count(self, key: int) -> int:
        if self.by == "request":
            self._seen[key] += 1
            return self._seen[key]
        self._arrivals += 1
        return self._arrivals

    def _is_enough(self, key: int) -> bool:
        return self.max_in_a_row is not None and self._row[key] >= self.max_in_a_row

    def _drawn(self, moment: str, record: RecordedRequest) -> Fault | None:
        if _number(moment, "hit") >= self.rate * _ALL_BITS:
            return None
        # Reuse of a connection is chance, and must not change the draw.
        anywhere = attrs.evolve(record, on_reused_connection=True)
        fitting = [fault for fault in self.kinds if fault.fits(anywhere)]
        if not fitting:
            return None
        fault = fitting[_number(moment, "kind") % len(fitting)]
        return fault if fault.fits(record) else None


def plans_of(faults: FaultPlan | Iterable[FaultPlan] | None) -> tuple[FaultPlan, ...]:
    """Return none, one or several plans as a tuple."""
    if faults is None:
        return ()
    return (faults,) if isinstance(faults, FaultPlan) else tuple(faults)
