"""What a run over emails reports: the outcome of each email, found, missing, ambiguous or failed."""

from collections.abc import Callable, Sequence
from inspect import getattr_static
from typing import Any, ClassVar, Final, Generic, Literal, TypeAlias, TypeVar

import attrs

from kajabi_async.errors import AmbiguousMatchError, KajabiError
from kajabi_async.fetching.email_address import checked_email
from kajabi_async.fetching.id_source import Naming
from kajabi_async.fetching.outcomes import Lookup, as_member
from kajabi_async.models.members import Relations
from kajabi_async.models.resource import Resource
from kajabi_async.plain import PlainRecord
from kajabi_async.structs import FrozenStruct

__all__ = ["EMAILS", "EmailFailed", "EmailFound", "EmailLookup", "Matches", "ambiguous", "email_outcome"]

R = TypeVar("R", bound=Resource)


@attrs.frozen(init=False)
class EmailFound(PlainRecord, Generic[R]):
    """The outcome of an email that exactly one resource has."""

    email: str
    """The email as it was given."""
    resource: R
    found: ClassVar[Literal[True]] = True
    missing: ClassVar[Literal[False]] = False
    ambiguous: ClassVar[Literal[False]] = False
    candidates: ClassVar[tuple[()]] = ()
    proven: ClassVar[Literal[False]] = False
    error: ClassVar[None] = None

    def __init__(self, email: str, resource: R) -> None:
        # One is made for every email, and the way of attrs takes half as long again.
        _SET_EMAIL(self, email)
        _SET_RESOURCE(self, resource)

    @property
    def customer(self) -> R:
        """The resource, by the name it has in lookups of customers."""
        return self.resource

    @property
    def contact(self) -> R:
        """The resource, by the name it has in lookups of contacts."""
        return self.resource

    def to_dict(self, *, relations: Relations = True) -> dict[str, Any]:
        """Return ``email``, ``found``, and the members of the resource as ``customer`` or ``contact``.

        ``relations`` is that of `Resource.to_dict`.
        """
        return {"email": self.email, "found": True, **as_member(self.resource, relations=relations)}


_SET_EMAIL: Final[Callable[[Any, str], None]] = getattr_static(EmailFound, "email").__set__
_SET_RESOURCE: Final[Callable[[Any, Any], None]] = getattr_static(EmailFound, "resource").__set__


@attrs.frozen(repr=False)
class EmailFailed(PlainRecord, Generic[R]):
    """The outcome of an email without a resource: missing, ambiguous, or failed with an ``error``."""

    email: str
    """The email as it was given; the beginning of its text if it was none."""
    error: KajabiError | None = None
    """The reason; None if the email is missing, and AmbiguousMatchError if several resources have it."""
    candidates: tuple[R, ...] = ()
    """The resources that have the email, if it is ambiguous."""
    proven: bool = False
    """Whether it is proven that no resource has the email: the whole list was read. A search alone proves nothing.

    Nor do pages that do not state how many rows the list has, unless it is one page: a row that is deleted meanwhile
    pulls others onto pages that were read, and nothing shows it."""
    found: ClassVar[Literal[False]] = False
    resource: ClassVar[Any] = None
    """None. Typed as anything, so that it can be used after ``if lookup.found:``.

    mypy narrows the outcome by that. Pyright narrows unions by ``lookup.found is True``, ``isinstance``, ``match`` and
    ``lookup.error is None``, and by design not by the truth of an attribute (its issues 1841 and 6113)."""

    @property
    def missing(self) -> bool:
        """Whether no resource with this email was found; see `proven`."""
        return self.error is None

    def __repr__(self) -> str:
        shown = [f"email={self.email!r}"]
        shown += [f"missing=True, proven={self.proven}"] if self.error is None else [f"error={self.error!r}"]
        shown += [f"candidates={self.candidates!r}"] if self.candidates else []
        return f"{type(self).__name__}({', '.join(shown)})"

    @property
    def ambiguous(self) -> bool:
        """Whether several resources have this email, such as those of several sites; see `candidates`."""
        return bool(self.candidates)

    @property
    def customer(self) -> Any:
        """None: nothing was found."""
        return None

    @property
    def contact(self) -> Any:
        """None: nothing was found."""
        return None

    def to_dict(self, *, relations: Relations = True) -> dict[str, Any]:
        """Return ``email``, ``found``, ``missing``, ``proven``, the text of the ``error``, and the ``candidates``.

        ``relations`` is that of `Resource.to_dict`.
        """
        return {
            "email": self.email,
            "found": False,
            "missing": self.missing,
            "proven": self.proven,
            "candidates": [each.to_dict(relations=relations) for each in self.candidates],
            "error": None if self.error is None else str(self.error),
        }


EmailLookup: TypeAlias = EmailFound[R] | EmailFailed[R]
"""One outcome; ``found`` distinguishes the two. ``if lookup.found is True`` narrows it in mypy and in pyright."""


class Matches(FrozenStruct, Generic[R], frozen=True):
    """The resources that have one email, each once."""

    rows: tuple[R, ...] = ()
    is_proven: bool = False
    """Whether the whole list was read, so that there are none; False if there are some."""


def email_outcome(email: str, looked_up: "Lookup[Any]") -> "EmailLookup[Any]":
    """Return the outcome of ``email``, as it was given, from the lookup of its `Matches`."""
    if not looked_up.found:
        return EmailFailed(email, looked_up.error)
    matches: Matches[Any] = looked_up.resource
    if len(matches.rows) == 1:
        return EmailFound(email, matches.rows[0])
    if matches.rows:
        return EmailFailed(email, ambiguous(matches.rows), candidates=matches.rows)
    return EmailFailed(email, proven=matches.is_proven)


def ambiguous(rows: Sequence[Resource]) -> AmbiguousMatchError:
    """Return the error of an email that several ``rows`` have."""
    return AmbiguousMatchError(
        f"{len(rows)} {rows[0].resource_type} have this email, ids {', '.join(row.id for row in rows)}: "
        "name one site with site_id="
    )


EMAILS: Final = Naming("emails", "find_many", checked_email, has_spellings=True, outcome=email_outcome)
