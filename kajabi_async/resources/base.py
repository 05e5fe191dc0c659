"""What resources have in common: get, get_many, list, create, update, delete and linkage, as small mix-ins.

A resource of the API is a class that says what it has (model, filters, sort keys) and mixes in the verbs it knows;
the paths come from the table of operations.
"""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final, Generic, TypedDict, TypeVar, get_args

from kajabi_async.checks import boolean, iterable_of, whole_number
from kajabi_async.decoding.answers import read_resource, refuse_stranger
from kajabi_async.errors import DecodeError, InvalidArgumentError, KajabiError, UnprocessableEntityError
from kajabi_async.exchange import Answer, Request
from kajabi_async.fetching.context import Context
from kajabi_async.fetching.lookups import Ids, Lookups, Observer, RunSettings
from kajabi_async.fetching.one import Reader
from kajabi_async.fetching.page import ListRequest
from kajabi_async.fetching.pages import Pages
from kajabi_async.fetching.plan import LookupPlan, Strategy, plan_for
from kajabi_async.fetching.scan import SCANNED_PAGE_SIZE, Scan
from kajabi_async.jsonapi.codec import decode, encode, json_object
from kajabi_async.jsonapi.ids import checked_id, path_segment
from kajabi_async.jsonapi.linkage import identifiers_of
from kajabi_async.jsonapi.query import Query
from kajabi_async.models.resource import Resource
from kajabi_async.operations import BodyKind, Operation, enter, operation
from kajabi_async.resources.arguments import checked_fields, checked_include, checked_sort
from kajabi_async.resources.filters.encoding import encode_extra_filters, encode_filters
from kajabi_async.resources.writes import (
    LinkageChange,
    answered_write,
    as_written,
    carries_data,
    identifier_of,
    verified,
)
from kajabi_async.stall import PATIENCE_SECONDS

__all__ = [
    "Fields",
    "Gettable",
    "Include",
    "Linkable",
    "ListOptions",
    "Listable",
    "NoFilters",
    "PagingOptions",
    "ResourceOperations",
    "checked_ids",
    "needed_site",
    "site_linkage",
]

R = TypeVar("R", bound=Resource)
W = TypeVar("W", bound=Resource)

_MOST_READERS: Final = 64
"""For one resource; there are not nearly as many ways to ask for it that make sense."""

Include = str | Iterable[str]
"""Relations to include: ``["offers", "contact"]`` or ``"offers,contact"``."""
Fields = Mapping[str, str | Iterable[str]]
"""Sparse fieldsets by type: ``{"customers": ["name", "email"]}``."""


class PagingOptions(TypedDict, total=False):
    """What every list takes beside its filters."""

    prefetch: int
    """How many pages to fetch ahead of the loop; 0 unless given."""
    resume_from: str | None
    """A saved ``position`` to go on from."""
    extra_filters: Mapping[str, Any]
    """Filters the SDK does not know; sent as they are, and ignored by the server where it does not know them either."""
    timeout: float | None
    """Seconds for each page; the client's unless given."""


class ListOptions(PagingOptions, total=False):
    """What all but a few lists take beside their filters."""

    include: Include
    """Relations to include with every row, where the server does that for lists."""
    fields: Fields
    sort: str | Iterable[str]
    """Keys to sort by, ``-`` in front for descending."""
    page_size: int
    """Rows per page; the server may give fewer."""


class NoFilters(TypedDict, total=False):
    """The list takes no filters."""


class ResourceOperations(Generic[R]):
    """One resource of the API, such as ``api.customers``."""

    name: ClassVar[str]
    """What the client calls it; the operations are rows under this name."""
    operations: ClassVar[tuple[Operation, ...]] = ()
    """Rows for a resource that the table of operations does not have yet, such as ``tuple(reads("widgets"))``."""
    model: type[R]
    id_aliases: ClassVar[frozenset[str]] = frozenset()
    """Ids that stand for another one."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        enter(vars(cls).get("operations", ()))

    def __init__(self, context: Context) -> None:
        self._context = context
        self._readers: dict[str | tuple[str, ...], Reader[R]] = {}

    def _operation(self, verb: str) -> Operation:
        return operation(f"{self.name}.{verb}")

    def _fieldsets(self, fields: Fields | None, included: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """Check sparse fieldsets and keep in them the relations that tie what is included to its owner."""
        fieldsets = checked_fields(fields, owner=self.name)
        steps = tuple(path.partition(".")[0] for path in included)
        for name in (self.model.resource_type, self.model.resource_type.removesuffix("s")):
            if name in fieldsets:
                fieldsets[name] = tuple(dict.fromkeys((*fieldsets[name], *steps)))
        return fieldsets

    def _reader(
        self,
        include: Include,
        fields: Fields | None,
        *,
        timeout: float | None,
        filters: tuple[tuple[str, str], ...] = (),
    ) -> Reader[R]:
        given: Any = tuple(include) if isinstance(include, list) else include
        if fields is not None or timeout is not None or filters or not _is_plain(given):
            return self._new_reader(given, fields, timeout, filters)
        # Calls in a loop ask for the same again and again, and checking and encoding it costs more than reading it.
        reader = self._readers.get(given)
        if reader is None:
            reader = self._new_reader(given, None, None, ())
            if len(self._readers) < _MOST_READERS:
                self._readers[given] = reader
        return reader

    def _new_reader(
        self, include: Include, fields: Fields | None, timeout: float | None, filters: tuple[tuple[str, str], ...]
    ) -> Reader[R]:
        included = checked_include(include, self.model, owner=self.name)
        query = Query(include=included, fields=self._fieldsets(fields, included), filters=filters)
        return Reader(
            context=self._context,
            operation=self._operation("get"),
            model=self.model,
            query=query,
            encoded_query=query.encode(),
            timeout=timeout,
            aliases=self.id_aliases,
        )

    async def _send(
        self, row: Operation, resource_id: object = "", *, body: Any = None, timeout: float | None = None
    ) -> Answer:
        path = row.path_for(path_segment(self._checked_id(resource_id))) if "{" in row.path else row.path
        content = None if body is None else encode(body)
        return await self._context.send(Request(row.method, path, body=content), timeout=timeout)

    async def _send_for_resource(
        self, row: Operation, resource_id: object = "", *, body: Any = None, timeout: float | None = None
    ) -> R:
        """Send a write and return the resource in its answer, or what was written if the answer carries none.

        DecodeError with ``maybe_applied`` if the answer cannot be read.
        """
        answer = await self._send(row, resource_id, body=body, timeout=timeout)
        checked = self._checked_id(resource_id) if resource_id else None
        return self._written(answer.body, self.model, body, checked, context=f"{row.method} {row.path}")

    def _written(
        self, answered: bytes, model: type[W], body: Mapping[str, Any] | None, resource_id: str | None, *, context: str
    ) -> W:
        scope = self._context.scope()
        with answered_write():
            if not carries_data(answered, context=context):
                return as_written(model, body, resource_id, scope=scope, context=context)
            written = read_resource(answered, cls=model, scope=scope, context=context)
            if resource_id is not None:
                refuse_stranger(written, resource_id, context=context)
        return written

    def _checked_id(self, resource_id: object) -> str:
        return checked_id(resource_id, of=self.model.resource_type)

    def _scanned_list(self, reader: Reader[R]) -> ListRequest[R] | None:  # noqa: ARG002 - see Listable
        """Give the list whose rows are what *reader* reads singly; None where there is none."""
        return None


def _is_plain(include: Include) -> bool:
    if isinstance(include, tuple):
        return not include or all(type(name) is str for name in include)
    return isinstance(include, str)


class Gettable(ResourceOperations[R]):
    """Resources that can be read by id."""

    async def get(
        self, id: str | int, *, include: Include = (), fields: Fields | None = None, timeout: float | None = None
    ) -> R:
        """Give one resource.

        *include* names relations to bring along in the same answer, *fields* restricts attributes by type, *timeout*
        is in seconds for the whole operation. NotFoundError where there is none; InvalidIdError, UnknownIncludeError
        or UnknownFieldError before anything is sent.
        """
        return await self._reader(include, fields, timeout=timeout).read(id)

    def get_many(
        self,
        ids: Ids,
        *,
        include: Include = (),
        fields: Fields | None = None,
        concurrency: int | None = None,
        ordered: bool = False,
        observer: Observer | None = None,
        timeout: float | None = None,
        strategy: Strategy = "lookup",
        patience: float = PATIENCE_SECONDS,
    ) -> Lookups[R]:
        """Look up any number of *ids*, *concurrency* at a time (the client's, unless given).

        ``async for`` gives a `Lookup` for each id as it arrives, or in the order of *ids* with *ordered*; a bad id is
        an outcome like any other and never ends the run. Credentials that are refused do, and so do three new tokens in
        a row that are: AuthenticationError is raised from the loop. *ids* may be any iterable or async iterable and is
        read lazily; an async generator is closed if the run ends before it does. An id that comes again is answered
        without asking again, as long as it is among the latest few thousand, which are kept in a few MiB. *observer* is
        called with a `Progress` for every outcome, and when the run stalls, is paused and goes on. *timeout* is in
        seconds for each request, from when it leaves the client's own line.

        A pause that the API asks for, an outage, a broken connection or trouble at the token endpoint is not the
        outcome of an id: the run takes no more ids, asks for one at a time until the API answers again, and goes on.
        After *patience* seconds without any answer, pauses not counted, BulkStalledError is raised from the loop, once
        all outcomes that there are have been given; its ``unanswered`` can be handed to another run. An id fails by
        itself if it fails four times or more while others are answered; the last one left, with nothing to compare it
        with, if the API itself answers it four times with a 500.

        *strategy* ``"scan"`` reads the list of the resource (of the client's site, where it has one) instead, keeps
        the rows that are wanted, and looks up singly whatever no page brought, as pages failed or rows shifted:
        missing is only what was a 404. ``"auto"`` takes what is fewer requests, as `plan` tells, and changes its mind
        on the way. Both read all *ids* before the first outcome and hold them in memory, with *ordered* also the
        records that wait for their turn. Rows of a list have all attributes, but may not state a relation, such as the
        offers of a customer, unless it is included. InvalidArgumentError where ``"scan"`` is asked of a resource
        without a list that brings the same.
        """
        reader = self._reader(include, fields, timeout=timeout)
        at_once = self._at_once(concurrency)
        settings: RunSettings = {
            "concurrency": at_once,
            "ordered": ordered,
            "observer": observer,
            "patience": patience,
            "clock": self._context.clock,
            "stalls": self._context.stalls,
        }
        if strategy == "lookup":
            return Lookups(reader.ask_once, reader.resource_in, ids, **settings)
        lister = self._scanned_list(reader)
        _check_strategy(strategy, lister, owner=self.name)
        scan = Scan(reader, lister, ids, concurrency=at_once, ordered=ordered, at_any_price=strategy == "scan")
        return Lookups(scan.look_up, reader.resource_in, scan, scan=scan, **settings)

    async def plan(
        self,
        ids: Ids,
        *,
        include: Include = (),
        fields: Fields | None = None,
        concurrency: int | None = None,
        timeout: float | None = None,
    ) -> LookupPlan:
        """Give how many requests, and about how long, `get_many` takes by each strategy, without looking anything up.

        Sends one request at most, for the first page of the list, and none where so few ids are wanted that it cannot
        pay. *ids* is read to its end, so give a list and not a generator if you still need them. Seconds are estimated
        from the client's *concurrency*, its rate limit, and the answers it has had so far. AuthenticationError where
        the credentials are refused; where the list cannot be read for another reason, the plan is to look up.
        """
        reader = self._reader(include, fields, timeout=timeout)
        scan = Scan(reader, self._scanned_list(reader), ids, concurrency=self._at_once(concurrency))
        return await plan_for(scan)

    def _at_once(self, concurrency: int | None) -> int:
        return self._context.concurrency if concurrency is None else whole_number(concurrency, of="concurrency")


class Listable(ResourceOperations[R]):
    """Resources that can be listed; each says with which filters, in a ``list`` of its own."""

    list_options: ClassVar[type] = ListOptions
    filters: ClassVar[type] = NoFilters
    sort_keys: ClassVar[frozenset[str]] = frozenset()

    def _pages(self, given: Mapping[str, Any]) -> Pages[R]:
        known = self.list_options.__annotations__
        options = {name: value for name, value in given.items() if name in known}
        filters = {name: value for name, value in given.items() if name not in known}
        included = checked_include(options.get("include", ()), self.model, owner=self.name)
        query = Query(
            include=included,
            fields=self._fieldsets(options.get("fields"), included),
            filters=(
                *encode_filters(self.filters, self._with_default_site(filters), owner=self.name),
                *encode_extra_filters(options.get("extra_filters") or {}),
            ),
            sort=checked_sort(options.get("sort"), self.sort_keys, owner=self.name),
            page_size=_checked_page_size(options.get("page_size")),
        )
        lister = ListRequest(self._context, self._operation("list"), self.model, query, options.get("timeout"))
        return Pages(lister, prefetch=options.get("prefetch", 0), resume_from=options.get("resume_from"))

    def _scanned_list(self, reader: Reader[R]) -> ListRequest[R] | None:
        known = self.list_options.__annotations__
        query = reader.query
        if (query.include and "include" not in known) or (query.fields and "fields" not in known):
            return None
        site = encode_filters(self.filters, self._with_default_site({}), owner=self.name)
        size = SCANNED_PAGE_SIZE if "page_size" in known else None
        listed = Query(include=query.include, fields=query.fields, filters=site, page_number=1, page_size=size)
        return ListRequest(self._context, self._operation("list"), self.model, listed, reader.timeout)

    def _with_default_site(self, filters: Mapping[str, Any]) -> dict[str, Any]:
        sited = dict(filters)
        if "site_id" in self.filters.__annotations__:
            site_id = sited.pop("site_id", self._context.site_id)
            if site_id is not None:
                sited["site_id"] = site_id
        return sited


class Linkable(ResourceOperations[R]):
    """Resources with relationship endpoints: linkage read, added to, taken from and replaced, as ids."""

    async def _linkage(
        self,
        row: Operation,
        resource_id: str | int,
        ids: Iterable[str | int] = (),
        *,
        linked_type: str,
        meta: Mapping[str, Any] | None = None,
        verify: bool = False,
        timeout: float | None = None,
    ) -> tuple[str, ...]:
        """Send *ids*, if the operation takes some, and return the whole linkage.

        An answer to a write without linkage, such as a 204, is success like any other: the linkage is read once then.
        If that fails, what is certain is returned: the ids that were added or set; none after a removal.
        """
        if row.body is not BodyKind.LINKAGE:
            return await self._read_linkage(row, resource_id, timeout)
        boolean(verify, of="verify")
        change = LinkageChange(row.method, checked_ids(ids, of=linked_type))
        reading = self._operation(f"GET.{row.name.rpartition('.')[2]}")

        async def write() -> tuple[str, ...]:
            body: dict[str, Any] = {"data": [{"type": linked_type, "id": each} for each in change.ids]}
            if meta is not None:
                body["meta"] = meta
            answer = await self._send(row, resource_id, body=body, timeout=timeout)
            with answered_write():
                if carries_data(answer.body, context=f"{row.method} {row.path}"):
                    return _linked_ids(answer.body, f"{row.method} {row.path}")
            return await read_or_known()

        async def read_or_known() -> tuple[str, ...]:
            if row.method == "PATCH":
                return change.ids
            try:
                return await self._read_linkage(reading, resource_id, timeout)
            except KajabiError:
                # The write has succeeded: no error of reading may say otherwise.
                return change.ids if row.method == "POST" else ()

        async def look() -> tuple[str, ...] | None:
            held = await self._read_linkage(reading, resource_id, timeout)
            return held if change.is_done(held) else None

        if not verify:
            return await write()
        return await verified(write, look, sleep=self._context.sleep, refused=UnprocessableEntityError)

    async def _read_linkage(self, row: Operation, resource_id: str | int, timeout: float | None) -> tuple[str, ...]:
        answer = await self._send(row, resource_id, timeout=timeout)
        return _linked_ids(answer.body, f"{row.method} {row.path}")


def site_linkage(site_id: str | int | None, context: Context, *, owner: str) -> dict[str, Any]:
    """Give the ``site`` relationship that a creation needs; InvalidArgumentError where no site is known."""
    return {"site": identifier_of("sites", needed_site(site_id, context, owner=owner))}


def needed_site(site_id: str | int | None, context: Context, *, owner: str) -> str:
    """Give the site that a call names, or the client's; InvalidArgumentError where neither is there."""
    site = context.site_id if site_id is None else site_id
    if site is None:
        raise InvalidArgumentError(f"{owner} needs site_id=, here or on the client (KAJABI_SITE_ID)")
    return checked_id(site, of="sites")


def checked_ids(ids: Any, *, of: str) -> tuple[str, ...]:
    """Return *ids*, each checked and once; InvalidArgumentError if they are no iterable, or one id by itself."""
    return tuple(dict.fromkeys(checked_id(each, of=of) for each in iterable_of(f"ids of {of}", ids)))


def _linked_ids(body: bytes, context: str) -> tuple[str, ...]:
    document = json_object(decode(body, context=context)) or {}
    identifiers = identifiers_of(document["data"]) if "data" in document else None
    if identifiers is None:
        raise DecodeError("resource linkage was expected", path="data", context=context)
    return tuple(identifier.id for identifier in identifiers)


def _check_strategy(strategy: Any, lister: object, *, owner: str) -> None:
    if strategy not in get_args(Strategy):
        raise InvalidArgumentError(f"strategy must be one of {', '.join(get_args(Strategy))}, got {strategy!r:.60}")
    if strategy == "scan" and lister is None:
        raise InvalidArgumentError(f"no list of {owner} brings what is asked for: leave strategy= out, or say 'auto'")


def _checked_page_size(size: Any) -> int | None:
    return None if size is None else whole_number(size, of="page_size")
