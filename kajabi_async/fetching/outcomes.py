"""What a bulk lookup reports: an outcome for each id, progress, and totals at the end."""

import time
from collections.abc import Callable
from inspect import getattr_static
from typing import Any, ClassVar, Final, Generic, Literal, TypeAlias, TypeVar

import attrs

from kajabi_async.errors import KajabiError, NotFoundError
from kajabi_async.escaping.text import html_table
from kajabi_async.exchange import Tally
from kajabi_async.models.members import Relations
from kajabi_async.models.resource import Resource
from kajabi_async.plain import PlainRecord
from kajabi_async.wording import counted

__all__ = ["Counts", "Failed", "Found", "Lookup", "Progress", "Report", "as_member"]

R = TypeVar("R", bound=Resource)

_OWN_NAMES: Final = {"customers": "customer", "contacts": "contact"}


@attrs.frozen(init=False)
class Found(PlainRecord, Generic[R]):
    """The outcome of an id whose resource was found."""

    id: str
    """The id that was looked up."""
    resource: R
    found: ClassVar[Literal[True]] = True
    missing: ClassVar[Literal[False]] = False
    error: ClassVar[None] = None

    def __init__(self, id: str, resource: R) -> None:
        # One is made for every lookup, and the way of attrs around its own __setattr__ takes half as long again.
        _SET_ID(self, id)
        _SET_RESOURCE(self, resource)

    @property
    def customer(self) -> R:
        """The resource, by the name it has in lookups of customers."""
        return self.resource

    def to_dict(self, *, relations: Relations = True) -> dict[str, Any]:
        """Return ``id``, ``found``, and the members of the resource as ``customer``, ``contact`` or ``resource``.

        ``relations`` is that of `Resource.to_dict`.
        """
        return {"id": self.id, "found": True, **as_member(self.resource, relations=relations)}


def as_member(resource: Resource, *, relations: Relations) -> dict[str, Any]:
    """Return the members of the resource that was found, as ``customer``, ``contact`` or ``resource``."""
    return {_OWN_NAMES.get(resource.resource_type, "resource"): resource.to_dict(relations=relations)}


_SET_ID: Final[Callable[[Any, str], None]] = getattr_static(Found, "id").__set__
_SET_RESOURCE: Final[Callable[[Any, Any], None]] = getattr_static(Found, "resource").__set__


@attrs.frozen
class Failed(PlainRecord):
    """The outcome of an id without a resource; ``error`` says why, ``missing`` whether the API has no such resource."""

    id: str
    """The id as it was given."""
    error: KajabiError
    found: ClassVar[Literal[False]] = False
    resource: ClassVar[Any] = None
    """None. Typed as anything, so that it can be used after ``if lookup.found:``.

    mypy narrows the outcome by that. Pyright narrows unions by ``lookup.found is True``, ``isinstance``, ``match`` and
    ``lookup.error is None``, and by design not by the truth of an attribute (its issues 1841 and 6113)."""

    @property
    def missing(self) -> bool:
        """Whether the API has no such resource (404)."""
        return isinstance(self.error, NotFoundError)

    @property
    def customer(self) -> Any:
        """None: nothing was found."""
        return None

    def to_dict(self, *, relations: Relations = True) -> dict[str, Any]:  # noqa: ARG002 - as `Found.to_dict`
        """Return ``id``, ``found``, ``missing`` and the text of the ``error``."""
        return {"id": self.id, "found": False, "missing": self.missing, "error": str(self.error)}


Lookup: TypeAlias = Found[R] | Failed
"""One outcome; ``found`` distinguishes the two. ``if lookup.found is True`` narrows it in mypy and in pyright."""


@attrs.frozen(kw_only=True)
class Progress(PlainRecord):
    """The state of a run, passed to its observer with every outcome, and when the run stalls, is paused or goes on."""

    given: int
    """Outcomes that the loop has got so far."""
    found: int
    missing: int
    failed: int
    """Neither found nor missing."""
    duplicates: int
    """Ids answered without another request."""
    stalled_since: float | None = None
    """The start of a stall, in seconds since the epoch as of ``time.time``; None if the run goes on.

    A stalled run takes no more ids, and sends one request at a time to find out when the stall is over."""
    paused_until: float | None = None
    """The end of a pause that the API asked for, in seconds since the epoch as of ``time.time``; None without one."""


@attrs.frozen(kw_only=True, repr=False)
class Report(PlainRecord):
    """The totals of a run; times are in seconds."""

    total: int
    """Outcomes that the loop has got."""
    found: int
    missing: int
    failed: int
    """Neither found nor missing."""
    duplicates: int
    """Ids answered without another request."""
    requests: int
    """Requests sent, retries included, token requests not."""
    retries: int
    waiting_seconds: float
    """Time in the queue and between attempts, summed over lookups."""
    wire_seconds: float
    """Time from sending to the end of the answer, summed over requests."""
    elapsed_seconds: float
    """Time from the start of the run to its latest outcome."""

    def __repr__(self) -> str:
        return (
            f"<Report: {self.total:,} looked up in {self.elapsed_seconds:,.2f} s; {self.found:,} found, "
            f"{self.missing:,} missing, {self.failed:,} failed, "
            f"{counted(self.duplicates, 'duplicate')}; {counted(self.requests, 'request')}, "
            f"{self.retries:,} of them retries>"
        )

    def _repr_html_(self) -> str:
        rows = ([name.replace("_", " "), _figure(value)] for name, value in self.to_dict().items())
        return html_table("Report", rows)


def _figure(value: float) -> str:
    return f"{value:,.2f}" if isinstance(value, float) else f"{value:,}"


class Counts:
    """The counters of a run."""

    def __init__(self) -> None:
        self.given = self.found = self.missing = self.failed = self.duplicates = 0
        self._started = self._latest = 0.0

    def start(self) -> None:
        """Start to measure the duration of the run."""
        self._started = self._latest = time.monotonic()

    def note(self, outcome: Lookup[Any]) -> None:
        """Count one outcome that the loop gets."""
        self.given += 1
        if outcome.found:
            self.found += 1
        elif outcome.missing:
            self.missing += 1
        else:
            self.failed += 1
        self._latest = time.monotonic()

    def progress(self, stalled_since: float | None = None, paused_until: float | None = None) -> Progress:
        """Return the state of the run, with the two times of a stall."""
        return Progress(
            given=self.given,
            found=self.found,
            missing=self.missing,
            failed=self.failed,
            duplicates=self.duplicates,
            stalled_since=stalled_since,
            paused_until=paused_until,
        )

    def report(self, tally: Tally) -> Report:
        """Return the totals of the run; ``tally`` is the cost of its requests."""
        return Report(
            total=self.given,
            found=self.found,
            missing=self.missing,
            failed=self.failed,
            duplicates=self.duplicates,
            requests=tally.attempts,
            retries=tally.retries,
            waiting_seconds=tally.waiting_seconds,
            wire_seconds=tally.wire_seconds,
            elapsed_seconds=self._latest - self._started,
        )
