"""The options of a client: which there are, what they stand for, and what to write for a name that is none."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypedDict

import attrs

from kajabi_async.checks import whole_number, with_methods
from kajabi_async.errors import ConfigurationError
from kajabi_async.hints import nearest_name
from kajabi_async.session.credentials import ClientCredentials, Credentials, PasswordCredentials
from kajabi_async.session.limits.deadlines import Timeouts
from kajabi_async.session.manager import SessionManager
from kajabi_async.session.retry import RetryPolicy
from kajabi_async.session.sharing import SharingSession

if TYPE_CHECKING:
    import aiohttp

    from kajabi_async.clock import Clock
    from kajabi_async.session.auth.store import TokenStore
    from kajabi_async.session.events import SessionObserver
    from kajabi_async.session.limits.rate import RateLimit

__all__ = [
    "ClientOptions",
    "SharedOptions",
    "account_of",
    "checked_share",
    "credentials_of",
    "refuse_unknown",
    "session_options",
    "sharing",
    "timeouts_of",
]


class ClientOptions(TypedDict, total=False):
    """The options of a client; every one has a default."""

    base_url: str
    """Scheme and host, without ``/v1``; plain http is for loopback only."""
    allow_insecure: bool
    """Accept plain http to other hosts: the secret and the token then travel in clear text (False)."""
    site_id: str | int | None
    """The site that lists are filtered by and resources are created on, unless a call has its own ``site_id``."""
    timeout: "float | Timeouts | None"
    """Seconds for a whole operation, waits and retries included (60), or each limit by itself."""
    concurrency: int
    """The number of requests in flight at once (50)."""
    rate_limit: "float | RateLimit | None"
    """Requests a second if you know your limit, or a limit of your own, such as one shared over Redis; None, the
    default, learns it from answers with 429."""
    retry: RetryPolicy
    """When reads are retried."""
    token_store: "TokenStore | None"
    """The store through which processes share one token; the client does not close it."""
    observers: "Iterable[SessionObserver]"
    """Functions called with each event of the session, for traces, metrics and logs of your own."""
    max_answer_bytes: int
    """The largest answer read, in bytes after decompression (8 MiB; a page of 500 contacts, with 150 custom fields each
    and all that can be included, has less than 5)."""
    max_answer_elements: int
    """The number of elements that an answer may hold (200,000; that page holds 135,000 to 185,000): each comma outside
    of text counts as one, each opening bracket as two. There may be one array or object for five of them."""
    http_session: "aiohttp.ClientSession | None"
    """A session of yours to send through; the client does not close it. Its headers and cookies are sent along, its
    proxy and middlewares are used; an option that cannot be kept, such as ``auth=``, is refused with
    ConfigurationError."""
    strict: bool
    """Raise DecodeError for a resource with an attribute that cannot be read (False); otherwise only reading that
    attribute raises UnreadableAttributeError."""
    clock: "Clock | None"
    """Another source of time, for tests."""


class SharedOptions(TypedDict, total=False):
    """The options of ``with_options``; one that is not passed is that of the client."""

    timeout: "float | Timeouts | None"
    """Seconds for a whole operation, with the client's other limits, or each limit by itself."""
    retry: RetryPolicy
    """When reads are retried. The retry budget is the client's, unless the policy has one of another size."""
    site_id: str | int | None
    """The site that lists are filtered by and resources are created on; None for no site."""
    concurrency: int
    """The number of lookups that bulk runs keep going, at most the ``concurrency`` of the client."""


def timeouts_of(timeout: float | Timeouts | None) -> Timeouts:
    """Return the time limits that the option ``timeout`` stands for."""
    return timeout if isinstance(timeout, Timeouts) else Timeouts(total=timeout)


_NOT_FOR_THE_SESSION: Final = frozenset({"site_id", "strict", "timeout"})


def session_options(options: ClientOptions) -> dict[str, Any]:
    """Return those of ``options`` that the session takes by the same name."""
    return {name: value for name, value in options.items() if name not in _NOT_FOR_THE_SESSION}


def refuse_unknown(options: Mapping[str, Any], known: type, *, owner: str) -> None:
    """Raise ConfigurationError, with what to write instead, for a name that is not an option in ``known``."""
    unknown = sorted(options.keys() - known.__annotations__.keys())
    if unknown:
        raise ConfigurationError(f"{owner}() has no option {unknown[0]!r}{_option_near(unknown[0], known)}")


_OPTIONS_ELSEWHERE: Final = {
    **dict.fromkeys(("api_key", "key", "username"), "; did you mean 'client_id'?"),
    **dict.fromkeys(("api_secret", "secret", "password"), "; did you mean 'client_secret'?"),
    **dict.fromkeys(
        ("access_token", "auth", "refresh_token", "token"),
        "; the client fetches its token: pass client_id= and client_secret=, or credentials=",
    ),
    **dict.fromkeys(("headers", "proxy", "session", "ssl", "verify"), "; set it on a session of yours: http_session="),
    **dict.fromkeys(("max_connections", "max_concurrency", "pool_size", "limit"), "; did you mean 'concurrency'?"),
    **dict.fromkeys(("retries", "max_retries"), "; did you mean 'retry', such as RetryPolicy(attempts=3)?"),
    **dict.fromkeys(("host", "url", "endpoint", "api_url"), "; did you mean 'base_url'?"),
    "site": "; did you mean 'site_id'?",
}
"""What options of other names are called here."""


def _option_near(name: str, options: type) -> str:
    known, elsewhere = [*options.__annotations__], ""
    if options is ClientOptions:
        known, elsewhere = ["client_id", "client_secret", "credentials", *known], _OPTIONS_ELSEWHERE.get(name, "")
    return elsewhere or nearest_name(name, known) or f"; its options are {', '.join(known)}"


def credentials_of(client_id: str | None, client_secret: str | None, credentials: Credentials | None) -> Credentials:
    """Return the credentials that a client is made with; ConfigurationError if there are none, or two."""
    if credentials is not None:
        if client_id is not None or client_secret is not None:
            raise ConfigurationError("pass either credentials= or client_id= and client_secret=, not both")
        checked: Credentials = with_methods(credentials, "form", of="credentials")
        return checked
    if client_id is None or client_secret is None:
        raise ConfigurationError(
            "no credentials: pass client_id= and client_secret=, or credentials=, or set KAJABI_CLIENT_ID and "
            "KAJABI_CLIENT_SECRET and use Kajabi.from_env()"
        )
    return ClientCredentials(client_id, client_secret)


def account_of(credentials: Credentials) -> str:
    """Return the public part of *credentials*; empty if they have none."""
    if isinstance(credentials, ClientCredentials):
        return credentials.client_id.reveal()
    return credentials.username.reveal() if isinstance(credentials, PasswordCredentials) else ""


def checked_share(concurrency: int, slots: int) -> int:
    """Return the ``concurrency`` of a client that shares ``slots`` with another; ConfigurationError if it is more."""
    if whole_number(concurrency, of="concurrency", at_most=None, error=ConfigurationError) > slots:
        raise ConfigurationError(
            f"concurrency={concurrency} is more than the {slots} requests that the client sends at once: raise "
            "concurrency= where the client is made"
        )
    return concurrency


def sharing(session: SessionManager, options: SharedOptions) -> SharingSession:
    """Return a session with other ``options`` that shares everything else with ``session``."""
    timeout = options.get("timeout", session.timeouts)
    timeouts = timeout if isinstance(timeout, Timeouts) else attrs.evolve(session.timeouts, total=timeout)
    return SharingSession(session, timeouts=timeouts, retry=options.get("retry", session.retry))
