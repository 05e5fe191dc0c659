"""A mix of faults from a seed."""

from collections import Counter
from collections.abc import Iterable
from hashlib import blake2b
from typing import Final, Literal, get_args

import attrs

from kajabi_async.testing.faults.catalogue import faults_named
from kajabi_async.testing.faults.incident import Fault, checked_target
from kajabi_async.testing.records import RecordedRequest

__all__ = ["FaultPlan", "Injection", "PlanOrder", "is_aimed_at", "plans_of"]

PlanOrder = Literal["request", "arrival"]
"""What decides which requests a plan hits: which request it is, or as which it arrives."""

_ALL_BITS: Final = 1 << 64


@attrs.frozen
class Injection:
    """One fault that happened to one request."""

    kind: str
    method: str
    path: str
    query_string: str
    attempt: int | None
    """As which of the same requests the plan saw it, from 1 (by ``arrival``: as which of all requests); None for a
    fault that was ordered singly."""


def is_aimed_at(target: str | None, method: str | None, record: RecordedRequest, template: str | None) -> bool:
    """Tell whether *record* is a request of *method* and *target*; None for any."""
    if method not in {None, record.method}:
        return False
    path_and_query = f"{record.path}?{record.query_string}"
    return target in {None, record.operation, record.path, template, path_and_query}


def _number(*parts: object) -> int:
    text = "\x00".join(str(part) for part in parts)
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogateescape"), digest_size=8).digest())


def _transient() -> tuple[Fault, ...]:
    return faults_named(["transient"])


def _upper(method: str | None) -> str | None:
    return None if method is None else method.upper()


@attrs.define
class FaultPlan:
    """Faults for a share of all requests, the same ones each time for the same seed.

    ::

        plan = FaultPlan(seed=7, rate=0.05, kinds=["latency", "html_error", Reset("mid_body")], max_in_a_row=2)
        async with FakeKajabi(faults=plan) as fake: ...

    By ``request``, the method, the path with its query and how often they came before decide together with the seed:
    neither concurrency nor the order of requests changes which ids are hit, with what, on which attempt. The plan
    keeps some 150 bytes for every request it has seen. By ``arrival``, the place in the order of arrival decides;
    only what is failing just now is kept.

    Which kind it is is drawn evenly from those that suit the operation; name one twice to have it twice as often.
    ``reset_reused`` that is drawn for the first request of a connection does not happen.
    """

    seed: int = attrs.field(default=7, kw_only=True)
    rate: float = attrs.field(default=0.05, kw_only=True, validator=[attrs.validators.ge(0), attrs.validators.le(1)])
    """Which share of the requests is hit, 0 to 1."""
    kinds: tuple[Fault, ...] = attrs.field(factory=_transient, kw_only=True, converter=faults_named)

    """Names of kinds or groups (``KINDS``, ``GROUPS``), or faults with settings of their own."""
    path: str | None = attrs.field(default=None, kw_only=True, converter=checked_target)
    """An operation, a path or a template that the plan is for; None for all, the token endpoint included."""
    method: str | None = attrs.field(default=None, kw_only=True, converter=_upper)
    max_in_a_row: int | None = attrs.field(
        default=None, kw_only=True, validator=attrs.validators.optional(attrs.validators.ge(1))
    )
    """After so many faults of this plan to the same request it is let through once, so that trying again leads
    somewhere."""
    by: PlanOrder = attrs.field(default="request", kw_only=True, validator=attrs.validators.in_(get_args(PlanOrder)))
    injected: Counter[str] = attrs.field(init=False, factory=Counter[str])
    """How many faults the plan has made happen, by kind."""
    _seen: Counter[int] = attrs.field(init=False, repr=False, factory=Counter[int])
    _row: Counter[int] = attrs.field(init=False, repr=False, factory=Counter[int])
    _arrivals: int = attrs.field(init=False, repr=False, default=0)

    def choose(self, record: RecordedRequest, template: str | None) -> tuple[Fault, str, int] | None:
        """Give the fault that happens to a request, what its randomness grows from, and which attempt this is.

        None where nothing happens. It counts: each call is one more request.
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
        """Count a request that something else happens to."""
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
        # Whether the connection is a used one is chance, and must not change what is drawn.
        anywhere = attrs.evolve(record, on_reused_connection=True)
        suiting = [fault for fault in self.kinds if fault.fits(anywhere)]
        if not suiting:
            return None
        fault = suiting[_number(moment, "kind") % len(suiting)]
        return fault if fault.fits(record) else None


def plans_of(faults: FaultPlan | Iterable[FaultPlan] | None) -> tuple[FaultPlan, ...]:
    """Give plans as a tuple, whether there are none, one or several."""
    if faults is None:
        return ()
    return (faults,) if isinstance(faults, FaultPlan) else tuple(faults)
