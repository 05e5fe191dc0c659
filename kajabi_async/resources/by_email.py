"""People by their exact email: the API has no such filter, so what it finds is compared here."""

from typing import Final, TypeVar

from kajabi_async.checks import boolean, string
from kajabi_async.errors import (
    AmbiguousMatchError,
    InvalidArgumentError,
    UnprocessableEntityError,
    UnreadableAttributeError,
)
from kajabi_async.fetching.pages import Pages
from kajabi_async.models.people import Contact, Customer
from kajabi_async.resources.base import Listable
from kajabi_async.resources.filters import PeopleFilters

__all__ = ["FoundByEmail", "says_taken"]

R = TypeVar("R", Customer, Contact)

_LARGE_PAGE: Final = 100
_TAKEN: Final = ("taken", "already")


class FoundByEmail(Listable[R]):
    """Resources that have an email: contacts and customers."""

    filters = PeopleFilters

    async def find_by_email(self, email: str, *, site_id: str | int | None = None, thorough: bool = False) -> R | None:
        """Return the one with exactly this ``email``, apart from letter case; None if none is found.

        The API has no exact filter: all whose email contains it are requested and compared here. Its search misses
        people for a while, or for good (observed): None is no proof of absence. With ``thorough``, if the search
        finds none, the whole list of the site is read, a request for each 100 rows; None is proof then.

        AmbiguousMatchError if it is found on several sites, InvalidArgumentError if ``email`` is no email address, and
        UnreadableAttributeError if none is found but the email of one cannot be read.
        """
        folded = string(email, of="email").strip().casefold()
        boolean(thorough, of="thorough")
        if "@" not in folded:
            raise InvalidArgumentError(f"{email!r} is no email address")
        site: dict[str, str | int] = {} if site_id is None else {"site_id": site_id}
        # The server splits a filter at its commas: the longest part without one finds the same and more.
        matches = await _matching(folded, self._pages({**site, "email_contains": max(folded.split(","), key=len)}))
        if thorough and not matches:
            matches = await _matching(folded, self._pages({**site, "page_size": _LARGE_PAGE}))
        if len(matches) > 1:
            raise AmbiguousMatchError(
                f"{len(matches)} {self.name} have this email, ids {', '.join(row.id for row in matches)}: "
                "name one site with site_id="
            )
        return matches[0] if matches else None


def says_taken(error: UnprocessableEntityError) -> bool:
    """Return whether the API refused an email because another contact has it."""
    texts = " ".join(text for each in error.errors for text in (each.code, each.title, each.detail) if text)
    return any(word in texts.casefold() for word in _TAKEN)


async def _matching(folded: str, pages: Pages[R]) -> list[R]:
    found: list[R] = []
    unreadable: UnreadableAttributeError | None = None
    async for row in pages:
        try:
            if (row.email or "").strip().casefold() == folded:
                found.append(row)
        except UnreadableAttributeError as error:
            unreadable = error
    if not found and unreadable is not None:
        # It may be the one.
        raise unreadable
    # A row that shifts to the next page while this one is read comes twice.
    return list({row.id: row for row in found}.values())
