"""The client: builds the parts, owns their life, and sends the requests that the SDK has no name for."""

import hashlib
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NoReturn, Self, TypeVar, Unpack
from weakref import WeakSet

import attrs

from kajabi_async.checks import boolean, shown, string
from kajabi_async.client_options import (
    ClientOptions,
    SharedOptions,
    account_of,
    checked_share,
    credentials_of,
    refuse_unknown,
    session_options,
    sharing,
    timeouts_of,
)
from kajabi_async.clock import SystemClock
from kajabi_async.errors import ConfigurationError, InvalidArgumentError
from kajabi_async.exchange import METHODS, Request, SessionStats
from kajabi_async.hints import nearest_name, refusing
from kajabi_async.jsonapi.codec import decode, encode
from kajabi_async.jsonapi.ids import checked_id
from kajabi_async.jsonapi.limits import MAX_ELEMENTS
from kajabi_async.jsonapi.links import LinkRules
from kajabi_async.jsonapi.query import encoded_pairs
from kajabi_async.operations import OPERATIONS
from kajabi_async.resources.prefetching import Prefetching
from kajabi_async.session.credentials import Credentials
from kajabi_async.session.limits.deadlines import Timeouts
from kajabi_async.session.manager import SessionManager
from kajabi_async.session.sharing import SharingSession
from kajabi_async.tracebacks import hide_arguments

if TYPE_CHECKING:
    from kajabi_async.changes.stream import Changes
    from kajabi_async.changes.watched import WatchName
    from kajabi_async.fetching.context import Context
    from kajabi_async.models.account import ApiVersion, Me
    from kajabi_async.resources.base import ResourceOperations

__all__ = ["ClientOptions", "Kajabi", "SharedOptions"]

T = TypeVar("T", bound="ResourceOperations[Any]")

_ASYNC_WITH: Final = "a client is opened with 'async with Kajabi(...) as api:', in a coroutine, not with 'with'"

OFFICIAL_BASE_URL: Final = "https://api.kajabi.com"
OFFICIAL_ORIGINS: Final = (("https://api.kajabi.com", "/v1"), ("https://app.kajabi.com", "/api/v1"))
"""The origins and path prefixes of links in answers (API document): two hosts, one API."""
_PATH: Final = re.compile(r"/v1(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+")

Params = Mapping[str, str | int] | Sequence[tuple[str, str | int]]
"""Query parameters by name, or as pairs if a name is repeated."""


@refusing({"__enter__": _ASYNC_WITH, "__exit__": _ASYNC_WITH})
class Kajabi(Prefetching):
    """A client of the Kajabi Public API: one pool, one token, one attribute for each resource.

    Use it as ``async with Kajabi(...) as api:``, or call `aclose`. It belongs to the event loop of its first request.
    Nothing is sent, and no token fetched, before the first call that needs it. It cannot be copied or pickled: share
    one client per process.
    """

    @hide_arguments
    def __init__(
        self,
        *,
        client_id: str | None = None,
        client_secret: str | None = None,
        credentials: Credentials | None = None,
        **options: Unpack[ClientOptions],
    ) -> None:
        """Take a client id and secret, or ``credentials`` of another kind.

        ConfigurationError if they are missing, or if an option is unknown or makes no sense.
        """
        # What makes and reads requests is imported by the first client, not by the first call, which an event loop may
        # wait for: importing this module then takes a third of the time.
        from kajabi_async.relationships.resolver import RelationshipResolver  # noqa: PLC0415

        refuse_unknown(options, ClientOptions, owner="Kajabi")
        strict = boolean(options.get("strict", False), of="strict", error=ConfigurationError)
        most_elements = options.get("max_answer_elements", MAX_ELEMENTS)
        checked = credentials_of(client_id, client_secret, credentials)
        self._account = account_of(checked)
        self._session = SessionManager(
            credentials=checked,
            timeouts=timeouts_of(options.get("timeout", Timeouts())),
            **session_options(options),
        )
        self._links = LinkRules(
            base_url=self._session.base_url,
            origins=OFFICIAL_ORIGINS,
            templates=[row.path for row in OPERATIONS.values()],
        )
        self._resolver = RelationshipResolver(self._session.send, self._links, most_elements, strict=strict)
        self._resolvers = WeakSet((self._resolver,))
        self._context = self._context_of(options)
        self._session.on_close = self._context.stalls.end
        self._add_resources(self._context)

    def _context_of(self, options: ClientOptions) -> "Context":
        from kajabi_async.fetching.context import DEFAULT_CONCURRENCY, Context  # noqa: PLC0415

        return Context(
            send=self._session.send,
            resolver=self._resolver,
            links=self._links,
            site_id=_checked_site(options.get("site_id")),
            clock=options.get("clock") or SystemClock(),
            concurrency=options.get("concurrency", DEFAULT_CONCURRENCY),
            most_elements=options.get("max_answer_elements", MAX_ELEMENTS),
            stats=lambda: self._session.stats,
            has_calls=self._session.has_calls,
            strict=options.get("strict", False),
        )

    def _add_resources(self, context: "Context") -> None:
        from kajabi_async.resources.account import Hooks, Sites  # noqa: PLC0415
        from kajabi_async.resources.catalog import Courses, Offers, Products  # noqa: PLC0415
        from kajabi_async.resources.commerce import (  # noqa: PLC0415
            OrderItems,
            Orders,
            Payouts,
            Purchases,
            Transactions,
        )
        from kajabi_async.resources.content import BlogPosts, LandingPages, Podcasts, WebsitePages  # noqa: PLC0415
        from kajabi_async.resources.forms import Forms, FormSubmissions  # noqa: PLC0415
        from kajabi_async.resources.people import (  # noqa: PLC0415
            ContactNotes,
            Contacts,
            ContactTags,
            Customers,
            CustomFields,
        )

        self.sites = Sites(context)
        self.hooks = Hooks(context)
        self.customers = Customers(context)
        self.contacts = Contacts(context)
        self.contact_tags = ContactTags(context)
        self.contact_notes = ContactNotes(context)
        self.custom_fields = CustomFields(context)
        self.offers = Offers(context)
        self.products = Products(context)
        self.courses = Courses(context)
        self.forms = Forms(context)
        self.form_submissions = FormSubmissions(context)
        self.orders = Orders(context)
        self.order_items = OrderItems(context)
        self.purchases = Purchases(context)
        self.transactions = Transactions(context)
        self.payouts = Payouts(context)
        self.podcasts = Podcasts(context)
        self.blog_posts = BlogPosts(context)
        self.landing_pages = LandingPages(context)
        self.website_pages = WebsitePages(context)

    @classmethod
    @hide_arguments
    def from_env(cls, **options: Unpack[ClientOptions]) -> Self:
        """Return a client with the credentials of the environment; ``options`` override it.

        ``KAJABI_CLIENT_ID`` and ``KAJABI_CLIENT_SECRET`` are required, ``KAJABI_BASE_URL`` and ``KAJABI_SITE_ID`` are
        used if they are set. ConfigurationError names what is missing.
        """
        missing = [name for name in ("KAJABI_CLIENT_ID", "KAJABI_CLIENT_SECRET") if not os.environ.get(name)]
        if missing:
            raise ConfigurationError(
                f"set {' and '.join(missing)} in the environment: Kajabi shows both under Settings, Security, "
                "User API Keys"
            )
        from_environment: ClientOptions = {}
        if base_url := os.environ.get("KAJABI_BASE_URL"):
            from_environment["base_url"] = base_url
        if site_id := os.environ.get("KAJABI_SITE_ID"):
            from_environment["site_id"] = site_id
        merged: ClientOptions = {**from_environment, **options}
        return cls(client_id=os.environ["KAJABI_CLIENT_ID"], client_secret=os.environ["KAJABI_CLIENT_SECRET"], **merged)

    @property
    def session(self) -> SessionManager:
        """The session manager: token, pool, retries, limits."""
        return self._session

    @property
    def site_id(self) -> str | None:
        """The site that lists are filtered by and resources are created on; None if none is set."""
        return self._context.site_id

    @property
    def stats(self) -> SessionStats:
        """What the client has done so far: attempts, retries, token requests, seconds of waiting."""
        return self._session.stats

    async def me(self) -> "Me":
        """Return the user that the API key belongs to."""
        from kajabi_async.resources.account import read_me  # noqa: PLC0415

        return await read_me(self._context)

    async def version(self) -> "ApiVersion":
        """Return the version of the API; needs no credentials. ServerError while the API is down (503)."""
        from kajabi_async.resources.account import read_version  # noqa: PLC0415

        return await read_version(self._session.send)

    async def revoke(self) -> None:
        """Revoke the token and its refresh token; a later call fetches new ones. Sends nothing if there is none."""
        await self._session.revoke()

    def changes(
        self,
        *,
        cursor: str | None = None,
        since: "datetime | timedelta | float | None" = None,
        every: float = 60.0,
        watch: "WatchName | Iterable[WatchName] | None" = None,
        sweep: float | None = None,
    ) -> "Changes":
        """Return the changes of the account from ``cursor`` on, to be read by ``async for`` or by ``poll()``.

        The lists that ``watch`` names, all six by default, are polled every ``every`` seconds, of the client's site if
        it has one; a quiet poll sends one request for each. Changes come oldest first, at least once: one that
        comes a second time has the same ``key``. Pauses and outages delay them and lose nothing; the loop ends with
        AuthenticationError if the credentials are rejected, PermissionDeniedError if the key may not read a list, and
        ClientClosedError if the client is closed.

        Without ``cursor`` they start now, or at ``since``: a time with its zone, or a timedelta or number of seconds
        back from now by the clock of this machine. Form submissions carry no time and always start now.

        With ``sweep`` whole lists are compared too, by one request every ``sweep`` seconds, to find what polls cannot:
        edits of contacts, customers and orders, and deletions.

        InvalidArgumentError for a list that cannot be watched, or a cursor that is damaged, of another version, or of
        other credentials, another site or another ``base_url``.
        """
        # The first call imports it, as few programs call it.
        from kajabi_async.changes.stream import Changes, Engine  # noqa: PLC0415

        whose = f"{self._session.base_url}\n{self._account}\n{self._context.site_id or ''}"
        owner = hashlib.sha256(whose.encode()).hexdigest()[:16]
        return Changes(Engine(self._context, owner, cursor=cursor, since=since, every=every, watch=watch, sweep=sweep))

    def with_options(self, **options: Unpack[SharedOptions]) -> Self:
        """Return a client with other ``options`` that shares pool, token, gate, rate and `stats` with this one.

        ``api.with_options(timeout=5).customers.get("123")`` limits one call, or every call of a part of a program. All
        other options are those of this client, ``strict`` among them. It costs no connection and no token, and takes
        options of its own in turn. Closing it closes nothing; closing the client that was made with credentials closes
        it too. ConfigurationError as by the constructor, and if ``concurrency`` is more than that client's;
        InvalidIdError for a ``site_id`` that is none.
        """
        refuse_unknown(options, SharedOptions, owner="with_options")
        other = object.__new__(type(self))
        vars(other).update(vars(self))
        other._share_with_options(options)
        return other

    def _share_with_options(self, options: SharedOptions) -> None:
        from kajabi_async.relationships.resolver import RelationshipResolver  # noqa: PLC0415

        self._session = sharing(self._session, options)
        context = self._context
        changes: dict[str, Any] = {"send": self._session.send}
        if "site_id" in options:
            changes["site_id"] = _checked_site(options["site_id"])
        if "concurrency" in options:
            changes["concurrency"] = checked_share(options["concurrency"], self._session.concurrency)
        self._resolver = RelationshipResolver(
            self._session.send, self._links, context.most_elements, strict=context.strict
        )
        # Shared by all clients of one pool, which one of them closes.
        self._resolvers.add(self._resolver)
        self._context = attrs.evolve(context, resolver=self._resolver, **changes)
        self._add_resources(self._context)

    def resource(self, cls: type[T]) -> T:
        """Return the operations of a resource that is not an attribute of the client, such as one of your own.

        ``cls`` has ``name``, ``model``, ``filters``, ``sort_keys`` and ``operations``, and mixes in the verbs it has.
        It must be declared before the client is made, or its links are not trusted.
        """
        from kajabi_async.resources.base import ResourceOperations  # noqa: PLC0415

        given: Any = cls
        is_one = isinstance(given, type) and issubclass(given, ResourceOperations)
        if not is_one:
            raise InvalidArgumentError(f"resource() takes a subclass of ResourceOperations, got {shown(cls)}")
        return cls(self._context)

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        json: Any = None,
        timeout: float | None = None,
    ) -> Any:
        """Send any request to the API and return the decoded JSON of its answer, None if that is empty.

        For operations that the SDK does not know yet, with the same token, limits, retries and errors. ``path`` begins
        with ``/v1/``; ``params`` are percent-encoded here; ``timeout`` is in seconds for the whole operation.
        InvalidArgumentError, before anything is sent, for another method or path, or ``json`` that is no JSON.
        DecodeError if the answer is no JSON, with ``maybe_applied`` after a write.
        """
        from kajabi_async.resources.writes import answered_write  # noqa: PLC0415

        request = _request(method, path, params, json)
        answer = await self._session.send(request, timeout=timeout)
        with answered_write(request.method):
            body = answer.body
            return decode(body, context=f"{request.method} {request.path}") if body.strip() else None

    async def aclose(self) -> None:
        """End what is in flight with ClientClosedError and close the pool, unless that was handed in.

        Nothing is sent after the call. It may be called again, also after a cancelled call; each call returns when
        nothing is left. WrongLoopError on another event loop than that of the first request, while that one is open. In
        a forked child the pool is only dropped: it belongs to the parent.
        """
        await self._session.aclose()
        if not isinstance(self._session, SharingSession):
            for resolver in tuple(self._resolvers):
                await resolver.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    if not TYPE_CHECKING:  # With it, type checkers would take any misspelt resource for a real one.

        def __getattr__(self, name: str) -> NoReturn:
            known = [each for each in (*vars(self), *dir(type(self))) if not each.startswith("_")]
            near = "" if name.startswith("_") else nearest_name(name, known)
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}{near}")

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a Kajabi client owns a token and connections and can be neither copied nor pickled: share one client per "
            "process, or make another with the same options"
        )

    def __repr__(self) -> str:
        session = vars(self).get("_session")
        # Crash reporters also show objects whose constructor failed.
        return "<Kajabi, not made>" if session is None else f"<Kajabi at {session.base_url}>"


def _checked_site(site_id: str | int | None) -> str | None:
    return None if site_id is None else checked_id(site_id, of="sites")


def _request(method: str, path: str, params: Params | None, json: Any) -> Request:
    verb = string(method, of="method").upper()
    if verb not in METHODS:
        raise InvalidArgumentError(f"method must be one of {', '.join(sorted(METHODS))}, got {shown(method)}")
    if not _PATH.fullmatch(string(path, of="path")):
        raise InvalidArgumentError(
            f"path must be a plain path such as '/v1/customers/123', got {path[:80]!r}; a query goes into params="
        )
    return Request(verb, path, _query(params), None if json is None else encode(json))


def _query(params: Params | None) -> str:
    given: Any = params.items() if isinstance(params, Mapping) else params or ()
    try:
        return encoded_pairs([(string(name, of="the name of a parameter"), str(value)) for name, value in given])
    except (TypeError, ValueError) as error:
        if isinstance(error, InvalidArgumentError):
            raise
        raise InvalidArgumentError("params= takes a dict, or pairs of a name and a value") from None
