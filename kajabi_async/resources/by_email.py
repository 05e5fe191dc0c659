"""People by their exact email, which the API cannot be asked for: what it finds is compared here."""

from typing import Final, Protocol, TypeVar, Unpack

from kajabi_async.checks import boolean, string
from kajabi_async.errors import (
    AmbiguousMatchError,
    InvalidArgumentError,
    UnprocessableEntityError,
    UnreadableAttributeError,
)
from kajabi_async.fetching.pages import Pages
from kajabi_async.models.people import Contact, Customer
from kajabi_async.resources.base import ListOptions
from kajabi_async.resources.filters import PeopleFilters

__all__ = ["PeopleListOptions", "one_by_email", "says_taken"]

R = TypeVar("R", Customer, Contact)

_LARGE_PAGE: Final = 100
_TAKEN: Final = ("taken", "already")


class PeopleListOptions(ListOptions, PeopleFilters):
    """What lists of contacts and of customers take."""


class _ListsPeople(Protocol[R]):
    def list(self, **options: Unpack[PeopleListOptions]) -> Pages[R]: ...


async def one_by_email(
    people: _ListsPeople[R], email: str, site_id: str | int | None, *, thorough: bool = False
) -> R | None:
    """Return the one of *people* with this email; None if the search, or the whole list if *thorough*, has none.

    AmbiguousMatchError if several have it, InvalidArgumentError if it is no email address, UnreadableAttributeError if
    none has it but the email of one cannot be read.
    """
    wanted = string(email, of="email").strip().casefold()
    boolean(thorough, of="thorough")
    if "@" not in wanted:
        raise InvalidArgumentError(f"{email!r} is no email address")
    site: PeopleListOptions = {} if site_id is None else {"site_id": site_id}
    # The server splits a filter at its commas: the longest part without one finds the same and more.
    search: PeopleListOptions = {**site, "email_contains": max(wanted.split(","), key=len)}
    matches = await _with_email(wanted, people.list(**search))
    if thorough and not matches:
        everyone: PeopleListOptions = {**site, "page_size": _LARGE_PAGE}
        matches = await _with_email(wanted, people.list(**everyone))
    if len(matches) > 1:
        raise AmbiguousMatchError(
            f"{len(matches)} {matches[0].resource_type} have this email, ids {', '.join(row.id for row in matches)}: "
            "name one site with site_id="
        )
    return matches[0] if matches else None


def says_taken(error: UnprocessableEntityError) -> bool:
    """Return whether the API refused an email because somebody has it."""
    said = " ".join(text for each in error.errors for text in (each.code, each.title, each.detail) if text)
    return any(word in said.casefold() for word in _TAKEN)


async def _with_email(wanted: str, pages: Pages[R]) -> list[R]:
    found: list[R] = []
    unreadable: UnreadableAttributeError | None = None
    async for row in pages:
        try:
            if (row.email or "").strip().casefold() == wanted:
                found.append(row)
        except UnreadableAttributeError as error:
            unreadable = error
    if not found and unreadable is not None:
        # It may be the one.
        raise unreadable
    # A row that shifts to the next page while this one is read comes twice.
    return list({row.id: row for row in found}.values())
