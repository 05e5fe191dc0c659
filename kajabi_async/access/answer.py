"""The answer of a check: yes, no or not known."""

from datetime import datetime
from typing import Any, Literal

import attrs

from kajabi_async.errors import KajabiError
from kajabi_async.hints import refusing
from kajabi_async.plain import PlainRecord, plain, rfc3339

__all__ = ["Access", "State"]

State = Literal["allowed", "denied", "unknown"]
"""The three answers."""


@refusing({"__bool__": "an Access has three states: write 'if access.allowed' and answer 'access.unknown' with 503"})
@attrs.frozen(kw_only=True, repr=False)
class Access(PlainRecord):
    """Whether a person has access; exactly one of ``allowed``, ``denied`` and ``unknown`` is true.

    It holds ids and times only, so it may be logged.
    """

    state: State
    because: str
    """The reason in words, such as ``holds offer 4`` or ``purchase 12 of offer 4 is active``."""
    as_of: datetime | None = None
    """When the reading that the answer stands on started; None if there was none."""
    person: str | None = None
    """The id of the customer that the answer is about; None if none is known."""
    error: KajabiError | None = attrs.field(default=None, eq=False)
    """Why Kajabi could not be read, for your log; None if it was, or if the time ran out."""

    @property
    def allowed(self) -> bool:
        """Whether the person has access."""
        return self.state == "allowed"

    @property
    def denied(self) -> bool:
        """Whether it is known that the person has no access."""
        return self.state == "denied"

    @property
    def unknown(self) -> bool:
        """Whether it is not known: let the person try again, and neither in nor away."""
        return self.state == "unknown"

    def to_dict(self) -> dict[str, Any]:
        """Return the answer JSON-ready, with the three states as booleans and the error as text."""
        return {
            "allowed": self.allowed,
            "denied": self.denied,
            "unknown": self.unknown,
            "because": self.because,
            "as_of": plain(self.as_of),
            "person": self.person,
            "error": plain(self.error),
        }

    def __repr__(self) -> str:
        of = f", customer {self.person}" if self.person else ""
        as_of = f", as of {rfc3339(self.as_of)}" if self.as_of else ""
        return f"<Access {self.state}: {self.because}{of}{as_of}>"
