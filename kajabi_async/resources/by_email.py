"""People by their exact email: the API has no such filter, so what it finds is compared here."""

from collections.abc import AsyncIterable, Iterable, Mapping
from typing import Any, Final, Generic, TypeAlias, TypeVar

import attrs

from kajabi_async.checks import boolean
from kajabi_async.errors import InvalidArgumentError, UnprocessableEntityError, UnreadableAttributeError
from kajabi_async.fetching.email_address import checked_email, search_texts
from kajabi_async.fetching.email_outcomes import EMAILS, ambiguous
from kajabi_async.fetching.email_scan import EmailScan
from kajabi_async.fetching.email_search import EmailSearch, belongs_to, key_of
from kajabi_async.fetching.lookups import EmailLookups, Ids, Observer
from kajabi_async.fetching.page import ListRequest
from kajabi_async.fetching.pages import Pages
from kajabi_async.fetching.plan import LookupPlan, Strategy, plan_for
from kajabi_async.fetching.scan import SCANNED_PAGE_SIZE
from kajabi_async.jsonapi.query import Query
from kajabi_async.models.account import Site
from kajabi_async.models.names import Names
from kajabi_async.models.people import Contact, Customer
from kajabi_async.operations import operation
from kajabi_async.resources.arguments import check_strategy
from kajabi_async.resources.base import FieldsT, Gettable, IncludeT, Listable
from kajabi_async.resources.filters import PeopleFilters
from kajabi_async.stall import PATIENCE_SECONDS

__all__ = ["Emails", "FoundByEmail", "says_taken"]

R = TypeVar("R", Customer, Contact)

Emails: TypeAlias = Iterable[str] | AsyncIterable[str]

_TWO: Final = 2
"""The rows that show whether there is more than one."""
_TAKEN: Final = ("taken", "already")


class FoundByEmail(Gettable[R, IncludeT, FieldsT], Listable[R], Generic[R, IncludeT, FieldsT]):
    """Resources that have an email: contacts and customers."""

    filters = PeopleFilters

    async def find_by_email(self, email: str, *, site_id: str | int | None = None, thorough: bool = False) -> R | None:
        """Return the one with exactly this ``email``, apart from letter case; None if none is found.

        The API has no exact filter: all whose email contains it are requested and compared here. Its search misses
        people for a while, or for good (observed): None is no proof of absence. With ``thorough``, if the search
        finds none, the whole list of the site is read, a request for each 100 rows; None is proof then. For many emails
        use `find_many`.

        AmbiguousMatchError if it is found on several sites, InvalidEmailError if ``email`` is no email address, and
        UnreadableAttributeError if none is found but the email of one cannot be read.
        """
        key = checked_email(email)
        boolean(thorough, of="thorough")
        site = {} if site_id is None else {"site_id": site_id}
        kept_to = self._site_of(site_id)
        matches: dict[str, R] = {}
        for text in search_texts(key):
            matches |= await _matching(key, self._pages({**site, "email_contains": text}), kept_to)
        if thorough and not matches:
            matches = await _matching(key, self._pages({**site, "page_size": SCANNED_PAGE_SIZE}), kept_to)
        found = list(matches.values())
        if len(found) > 1:
            raise ambiguous(found)
        return found[0] if found else None

    def find_many(
        self,
        emails: Emails,
        *,
        site_id: str | int | None = None,
        include: Names[IncludeT] = (),
        fields: FieldsT | None = None,
        concurrency: int | None = None,
        ordered: bool = False,
        strategy: Strategy = "auto",
        observer: Observer | None = None,
        timeout: float | None = None,
        patience: float = PATIENCE_SECONDS,
    ) -> EmailLookups[R]:
        """Look up any number of ``emails``, on one site if ``site_id`` or the client's is given.

        ``async for`` yields an `EmailLookup` for each email, with ``.email`` as it was given. Emails are compared in
        lower case and without surrounding white space, as Kajabi stores them; plus-tags and dots count. An email of
        several sites is ``ambiguous``, with all ``candidates``. A value that is no email is an outcome with
        InvalidEmailError, and nothing is sent for it. An email that comes again, in any spelling, takes no further
        request; ``include``, ``concurrency``, ``ordered``, ``observer``, ``timeout`` and ``patience``, outages and the
        end of the run are those of `get_many`. ``fields`` of the resource always come with ``email`` and ``site``.

        ``strategy`` ``"lookup"`` searches for each email, one request or more, and reads ``emails`` lazily; the search
        misses people for a while, or for good (observed), so an email that is ``missing`` may exist. ``"scan"`` reads
        the list, 100 people a request, until all are found; an email that is then missing is ``proven`` to be so, if
        the list states its length or has one page. ``"auto"`` takes the strategy of fewer requests, as `plan` computes
        them, and may switch during the run. Both read all ``emails`` before the first outcome and hold them in memory,
        and if no site is given and the account has several, also the people found, up to the end of the list.

        A server that ignores the search filter answers with the whole list. ``"auto"`` and ``"scan"`` notice that and
        read the list once; with ``"lookup"``, each email then takes a reading of the whole list.
        """
        search = self._email_search(site_id, include, fields, timeout)
        check_strategy(strategy, search, owner=self.name)
        settings = self._run_settings(concurrency, ordered=ordered, observer=observer, patience=patience)
        at_once = settings["concurrency"]
        if strategy == "lookup":
            return EmailLookups(search.look_up, _unread, emails, naming=EMAILS, **settings)
        scan = EmailScan(
            search, self._sites(), emails, concurrency=at_once, ordered=ordered, at_any_price=strategy == "scan"
        )
        return EmailLookups(scan.find, _unread, scan, scan=scan, naming=EMAILS, **settings)

    async def plan(
        self,
        ids: Ids | None = None,
        *,
        emails: Emails | None = None,
        site_id: str | int | None = None,
        include: Names[IncludeT] = (),
        fields: FieldsT | None = None,
        concurrency: int | None = None,
        timeout: float | None = None,
    ) -> LookupPlan:
        """Return how many requests, and about how many seconds, `get_many` or `find_many` takes by each strategy.

        Takes either ``ids`` or ``emails``, of the site ``site_id``. Looks nothing up: sends at most one request, for
        the first page of the list, and none if they are too few for a scan to pay. They are read to the end, so pass a
        list and not a generator if you still need them. Seconds are estimated from ``concurrency``, the rate limit of
        the client and the answers it has had so far. AuthenticationError if the credentials are rejected; if the list
        cannot be read for another reason, the plan is to look up.
        """
        if (ids is None) == (emails is None):
            raise InvalidArgumentError("plan() takes either ids or emails=")
        if ids is not None:
            if site_id is not None:
                raise InvalidArgumentError("plan() takes site_id= with emails= only: an id is of one site")
            return await super().plan(ids, include=include, fields=fields, concurrency=concurrency, timeout=timeout)
        assert emails is not None  # noqa: S101 - checked above
        search = self._email_search(site_id, include, fields, timeout)
        at_once = self._lookups_at_once(concurrency)
        return await plan_for(EmailScan(search, self._sites(), emails, concurrency=at_once, asks_sites=False))

    def _email_search(
        self, site_id: str | int | None, include: Names[IncludeT], fields: FieldsT | None, timeout: float | None
    ) -> EmailSearch[R]:
        reader = self._reader(include, fields, timeout=timeout)
        if reader.query.fields:
            compared = attrs.evolve(reader.query, fields=_with_email(reader.query.fields, self.model.resource_type))
            reader = attrs.evolve(reader, query=compared, encoded_query=compared.encode())
        site = {} if site_id is None else {"site_id": site_id}
        filters = self._encoded_filters(site)
        query = attrs.evolve(reader.query, filters=filters, page_number=1, page_size=SCANNED_PAGE_SIZE)
        pages = ListRequest(self._context, self._operation("list"), self.model, query, timeout)
        return EmailSearch(reader, pages, self._site_of(site_id))

    def _site_of(self, site_id: str | int | None) -> str | None:
        site = self._context.site_id if site_id is None else site_id
        return None if site is None else str(site)

    def _sites(self) -> ListRequest[Site]:
        return ListRequest(self._context, operation("sites.list"), Site, Query(page_number=1, page_size=_TWO))


def _with_email(fields: Mapping[str, tuple[str, ...]], own: str) -> dict[str, tuple[str, ...]]:
    """Return ``fields`` with what people of the type ``own`` are compared by, if they are restricted."""
    compared = dict(fields)
    for type_name in fields.keys() & {own, own.removesuffix("s")}:
        compared[type_name] = tuple(dict.fromkeys((*fields[type_name], "email", "site")))
    return compared


def _unread(_: bytes, key: str) -> Any:
    raise TypeError(f"the lookup of {key!r} returns matches, and no body to be read")


def says_taken(error: UnprocessableEntityError) -> bool:
    """Return whether the API refused an email because another contact has it."""
    texts = " ".join(text for each in error.errors for text in (each.code, each.title, each.detail) if text)
    return any(word in texts.casefold() for word in _TAKEN)


async def _matching(key: str, pages: Pages[R], site_id: str | None) -> dict[str, R]:
    found: dict[str, R] = {}
    unreadable: UnreadableAttributeError | None = None
    async for row in pages:
        try:
            if key_of(row) == key and belongs_to(row, site_id):
                # A row that shifts to the next page while this one is read comes twice.
                found[row.id] = row
        except UnreadableAttributeError as error:
            unreadable = error
    if not found and unreadable is not None:
        # It may be the one.
        raise unreadable
    return found
