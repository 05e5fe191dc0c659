"""What resources have in common: reading one, many and lists, and sending writes.

A resource of the API is a class that states its model, filters and sort keys and mixes in the verbs it has; the paths
come from the table of operations. Relationship endpoints are in `linkable`, bodies of writes in `writes`.
"""

import inspect
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, NoReturn, TypedDict, TypeVar, get_args

from kajabi_async.checks import whole_number
from kajabi_async.decoding.answers import read_resource, refuse_stranger
from kajabi_async.exchange import Answer, Request
from kajabi_async.fetching.context import Context
from kajabi_async.fetching.lookups import Ids, Lookups, Observer, RunSettings
from kajabi_async.fetching.one import Reader
from kajabi_async.fetching.page import ListRequest
from kajabi_async.fetching.pages import Pages
from kajabi_async.fetching.plan import LookupPlan, Strategy, plan_for
from kajabi_async.fetching.scan import SCANNED_PAGE_SIZE, Scan
from kajabi_async.hints import nearest_name, refusing
from kajabi_async.jsonapi.codec import encode
from kajabi_async.jsonapi.ids import checked_id, path_segment
from kajabi_async.jsonapi.query import Query
from kajabi_async.models.names import Names
from kajabi_async.models.resource import Resource
from kajabi_async.operations import Operation, enter, operation
from kajabi_async.resources.arguments import (
    check_list_arguments,
    check_strategy,
    checked_fields,
    checked_include,
    checked_sort,
)
from kajabi_async.resources.filters.encoding import encode_extra_filters, encode_filters
from kajabi_async.resources.writes import (
    answered_write,
    as_written,
    carries_data,
)
from kajabi_async.stall import PATIENCE_SECONDS

__all__ = [
    "Fields",
    "Gettable",
    "Include",
    "ListOptions",
    "Listable",
    "NoFilters",
    "PagingOptions",
    "ResourceOperations",
    "sort_keys_of",
]

R = TypeVar("R", bound=Resource)
W = TypeVar("W", bound=Resource)

_MOST_READERS: Final = 64
"""Readers kept for one resource: a bound for callers that make up their includes, far above what programs use."""

_LIKE_VERBS: Final[dict[str, str]] = dict.fromkeys(
    ("all", "each", "filter", "find", "find_all", "index", "query", "search", "where"),
    "; list() takes filters and is read with 'async for'",
)

_OF_A_LIST: Final = frozenset({"collect", "count", "first", "pages"})
"""What users try on a resource and a list has."""

Include = str | Iterable[str]
"""Relations to include: ``("offers", "contact")``, or one by itself."""
Fields = Mapping[str, str | Iterable[str]]
"""Sparse fieldsets by type: ``{"customers": ["name", "email"]}``."""

# The literal types of the names that a resource takes; any string by default, for resources of your own.
if TYPE_CHECKING:
    from typing_extensions import TypeVar as TypeVarWithDefault

    IncludeT = TypeVarWithDefault("IncludeT", bound=str, default=str)
    SortT = TypeVarWithDefault("SortT", bound=str, default=str)
    FieldsT = TypeVarWithDefault("FieldsT", bound=Mapping[str, object], default=Fields)
else:
    IncludeT, SortT, FieldsT = TypeVar("IncludeT"), TypeVar("SortT"), TypeVar("FieldsT")


class PagingOptions(TypedDict, total=False):
    """What every list takes besides its filters."""

    prefetch: int
    """How many pages to fetch ahead of the loop (0)."""
    resume_from: str | None
    """A saved ``position`` to continue from."""
    extra_filters: Mapping[str, Any]
    """Filters that the SDK does not know, sent unchecked; the server ignores those it does not know either."""
    timeout: float | None
    """Seconds for each page; the client's by default."""


class ListOptions(PagingOptions, Generic[IncludeT, SortT, FieldsT], total=False):
    """What all but a few lists take besides their filters."""

    include: Names[IncludeT]
    """Relations to include with every row, if the server does that for lists."""
    fields: FieldsT
    sort: Names[SortT]
    """Keys to sort by, ``-`` in front for descending."""
    page_size: int
    """Rows per page; the server may return fewer."""


class NoFilters(TypedDict, total=False):
    """The list takes no filters."""


def _hint(self: Any) -> str:
    api = f"api.{self.name}"
    return f"{api} has the operations of a resource and is none itself: write 'async for row in {api}.list()', or " + (
        f"'await {api}.get(id)'" if issubclass(self.__class__, Gettable) else f"'await {api}.list().first()'"
    )


@refusing(dict.fromkeys(("__await__", "__getitem__", "__iter__", "__aiter__", "__contains__"), _hint))
class ResourceOperations(Generic[R]):
    """One resource of the API, such as ``api.customers``."""

    name: ClassVar[str]
    """The attribute of the client; the operations are rows under this name."""
    operations: ClassVar[tuple[Operation, ...]] = ()
    """Rows of a resource that the table of operations does not have yet, such as ``tuple(reads("widgets"))``."""
    model: type[R]
    """The class of its resources."""
    id_aliases: ClassVar[frozenset[str]] = frozenset()
    """Ids that stand for another id, such as ``default``."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        enter(vars(cls).get("operations", ()))

    def __init__(self, context: Context) -> None:
        self._context = context
        self._readers: dict[str | tuple[str, ...], Reader[R]] = {}

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {', '.join(self._verbs())}>"

    if not TYPE_CHECKING:  # With it, type checkers would take any misspelt verb for a real one.

        def __getattr__(self, name: str) -> NoReturn:
            cure = f"; its operations are {', '.join(self._verbs())}"
            near = "" if name.startswith("_") else self._near(name)
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}{near}{cure}")

    def _near(self, name: str) -> str:
        if name in _OF_A_LIST:
            return f"; write api.{self.name}.list(...).{name}"
        return _LIKE_VERBS.get(name) or nearest_name(name, self._verbs())

    @classmethod
    def _verbs(cls) -> list[str]:
        return sorted(name for name, _ in inspect.getmembers(cls, inspect.isfunction) if not name.startswith("_"))

    def _operation(self, verb: str) -> Operation:
        return operation(f"{self.name}.{verb}")

    def _fieldsets(self, fields: Mapping[str, object] | None, included: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """Return *fields* checked, with the relations added that link *included* resources to their owner."""
        fieldsets = checked_fields(fields, owner=self.name)
        steps = tuple(path.partition(".")[0] for path in included)
        for name in (self.model.resource_type, self.model.resource_type.removesuffix("s")):
            if name in fieldsets:
                fieldsets[name] = tuple(dict.fromkeys((*fieldsets[name], *steps)))
        return fieldsets

    def _reader(
        self,
        include: Include,
        fields: Mapping[str, object] | None,
        *,
        timeout: float | None,
        filters: tuple[tuple[str, str], ...] = (),
    ) -> Reader[R]:
        key: Any = tuple(include) if isinstance(include, list) else include
        if fields is not None or timeout is not None or filters or not _is_hashable(key):
            return self._new_reader(key, fields, timeout, filters)
        # Calls in a loop have the same arguments, and checking and encoding those costs more than reading the answer.
        reader = self._readers.get(key)
        if reader is None:
            reader = self._new_reader(key, None, None, ())
            if len(self._readers) < _MOST_READERS:
                self._readers[key] = reader
        return reader

    def _new_reader(
        self,
        include: Include,
        fields: Mapping[str, object] | None,
        timeout: float | None,
        filters: tuple[tuple[str, str], ...],
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
        """Return the list whose rows carry what *reader* reads one by one; None if there is none."""
        return None


def _is_hashable(include: Include) -> bool:
    if isinstance(include, tuple):
        return not include or all(type(name) is str for name in include)
    return isinstance(include, str)


def sort_keys_of(names: Any) -> frozenset[str]:
    """Return the keys in a literal type of what ``sort`` takes, which has each twice: ascending and descending."""
    return frozenset(name.removeprefix("-") for name in get_args(names))


class Gettable(ResourceOperations[R], Generic[R, IncludeT, FieldsT]):
    """Resources that can be read by id.

    ``Gettable[Widget]`` takes any names; further arguments are the types of its ``include`` and ``fields``.
    """

    if not TYPE_CHECKING:

        def __class_getitem__(cls, types: Any) -> Any:
            # The defaults of the type parameters, which Python has from 3.13 on.
            given = types if isinstance(types, tuple) else (types,)
            missing = len(cls.__parameters__) - len(given)
            return super().__class_getitem__(given + (str, Fields)[-missing:] if missing > 0 else given)

    async def get(
        self,
        id: str | int,
        *,
        include: Names[IncludeT] = (),
        fields: FieldsT | None = None,
        timeout: float | None = None,
    ) -> R:
        """Return the resource with this ``id``.

        ``include`` names relations to include in the same answer, ``fields`` restricts attributes by type, ``timeout``
        is in seconds for the whole operation. NotFoundError if it does not exist; InvalidIdError, UnknownIncludeError
        or UnknownFieldError before anything is sent.
        """
        return await self._reader(include, fields, timeout=timeout).read(id)

    def get_many(
        self,
        ids: Ids,
        *,
        include: Names[IncludeT] = (),
        fields: FieldsT | None = None,
        concurrency: int | None = None,
        ordered: bool = False,
        observer: Observer | None = None,
        timeout: float | None = None,
        strategy: Strategy = "lookup",
        patience: float = PATIENCE_SECONDS,
    ) -> Lookups[R]:
        """Look up any number of ``ids``, ``concurrency`` at a time (the client's by default).

        ``async for`` yields a `Lookup` for each id as it arrives, or in the order of ``ids`` if ``ordered``. An invalid
        id is an outcome like any other and does not end the run. Rejected credentials do, and so do three new tokens in
        a row that are rejected: AuthenticationError is raised from the loop. ``ids`` may be any iterable or async
        iterable and is read lazily; an async generator is closed if the run ends before it does. A repeated id is
        answered without another request if it is among the latest few thousand, which are kept in a few MiB.
        ``observer`` is called with a `Progress` for every outcome, and when the run stalls, pauses or continues.
        ``timeout`` is in seconds for each request, from the moment it leaves the client's queue, where calls of other
        kinds come before it.

        A pause that the API asks for, an outage, a broken connection or trouble at the token endpoint is not the
        outcome of an id: the run takes no more ids, tries one at a time until the API answers again, and continues.
        After ``patience`` seconds without any answer, pauses not counted, BulkStalledError is raised from the loop,
        once all available outcomes have been yielded; hand its ``unanswered`` to another run. An id fails by itself if
        it fails four times or more while others are answered, and the last id of a run, which has no others to compare
        with, if the API answers it with a 500 four times.

        ``strategy`` ``"scan"`` reads the list of the resource (of the client's site, if it has one), keeps the
        requested rows, and looks up one by one what no page contained, since pages fail and rows shift: an id is
        missing only after a 404. ``"auto"`` takes the strategy of fewer requests, as `plan` computes them, and may
        switch during the run. Both read all ``ids`` before the first outcome and hold them in memory, and if
        ``ordered`` also the outcomes that wait for earlier ones. Rows of a list have all attributes, but may not state
        a relation, such as the offers of a customer, unless it is included. InvalidArgumentError if ``"scan"`` is
        requested of a resource whose list does not carry the same.
        """
        reader = self._reader(include, fields, timeout=timeout)
        settings = self._run_settings(concurrency, ordered=ordered, observer=observer, patience=patience)
        at_once = settings["concurrency"]
        if strategy == "lookup":
            return self._with_model(Lookups(reader.request_once, reader.resource_in, ids, **settings))
        lister = self._scanned_list(reader)
        check_strategy(strategy, lister, owner=self.name)
        scan = Scan(reader, lister, ids, concurrency=at_once, ordered=ordered, at_any_price=strategy == "scan")
        return self._with_model(Lookups(scan.look_up, reader.resource_in, scan, scan=scan, **settings))

    def _with_model(self, run: Lookups[R]) -> Lookups[R]:
        run.model = self.model
        return run

    async def plan(
        self,
        ids: Ids,
        *,
        include: Names[IncludeT] = (),
        fields: FieldsT | None = None,
        concurrency: int | None = None,
        timeout: float | None = None,
    ) -> LookupPlan:
        """Return how many requests, and about how many seconds, `get_many` takes by each strategy.

        Looks nothing up: sends at most one request, for the first page of the list, and none if ``ids`` are too few for
        a scan to pay. ``ids`` is read to its end, so pass a list and not a generator if you still need them. Seconds
        are estimated from ``concurrency``, the rate limit of the client and the answers it has had so far.
        AuthenticationError if the credentials are rejected; if the list cannot be read for another reason, the plan is
        to look up.
        """
        reader = self._reader(include, fields, timeout=timeout)
        scan = Scan(reader, self._scanned_list(reader), ids, concurrency=self._lookups_at_once(concurrency))
        return await plan_for(scan)

    def _run_settings(
        self, concurrency: int | None, *, ordered: bool, observer: Observer | None, patience: float
    ) -> RunSettings:
        return {
            "concurrency": self._lookups_at_once(concurrency),
            "ordered": ordered,
            "observer": observer,
            "patience": patience,
            "clock": self._context.clock,
            "stalls": self._context.stalls,
            "has_calls": self._context.has_calls,
        }

    def _lookups_at_once(self, concurrency: int | None) -> int:
        return self._context.concurrency if concurrency is None else whole_number(concurrency, of="concurrency")


class Listable(ResourceOperations[R]):
    """Resources that can be listed; each has a ``list`` of its own, typed with its filters."""

    list_options: ClassVar[type] = ListOptions
    filters: ClassVar[type] = NoFilters
    sort_keys: ClassVar[frozenset[str]] = frozenset()

    def _pages(self, arguments: Mapping[str, Any]) -> Pages[R]:
        known = self.list_options.__annotations__
        options = {name: value for name, value in arguments.items() if name in known}
        filters = {name: value for name, value in arguments.items() if name not in known}
        check_list_arguments(filters, options=known, filters=self.filters, owner=self.name)
        page_size = options.get("page_size")
        included = checked_include(options.get("include", ()), self.model, owner=self.name)
        query = Query(
            include=included,
            fields=self._fieldsets(options.get("fields"), included),
            filters=(
                *self._encoded_filters(filters),
                *encode_extra_filters(options.get("extra_filters")),
            ),
            sort=checked_sort(options.get("sort"), self.sort_keys, owner=self.name),
            page_size=None if page_size is None else whole_number(page_size, of="page_size"),
        )
        lister = ListRequest(self._context, self._operation("list"), self.model, query, options.get("timeout"))
        return Pages(lister, prefetch=options.get("prefetch", 0), resume_from=options.get("resume_from"))

    def _scanned_list(self, reader: Reader[R]) -> ListRequest[R] | None:
        known = self.list_options.__annotations__
        query = reader.query
        if (query.include and "include" not in known) or (query.fields and "fields" not in known):
            return None
        site = self._encoded_filters({})
        size = SCANNED_PAGE_SIZE if "page_size" in known else None
        listed = Query(include=query.include, fields=query.fields, filters=site, page_number=1, page_size=size)
        return ListRequest(self._context, self._operation("list"), self.model, listed, reader.timeout)

    def _encoded_filters(self, filters: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
        """Return *filters* as query parameters, with the client's site if they name none."""
        sited = dict(filters)
        if "site_id" in self.filters.__annotations__:
            site_id = sited.pop("site_id", self._context.site_id)
            if site_id is not None:
                sited["site_id"] = site_id
        return encode_filters(self.filters, sited, owner=self.name)
