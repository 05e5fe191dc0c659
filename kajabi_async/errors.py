"""The errors of the package, as one tree.

::

    KajabiError
    ├── ConfigurationError            a client with wrong settings, or used where it cannot be
    │   ├── ClientClosedError
    │   └── WrongLoopError            another event loop, or after a fork
    ├── InvalidArgumentError          (ValueError) a call refused before anything was sent
    │   ├── InvalidIdError
    │   ├── InvalidEmailError
    │   ├── UnknownFilterError
    │   ├── UnknownIncludeError
    │   ├── UnknownFieldError
    │   ├── UnknownSortKeyError
    │   ├── UnknownHookEventError
    │   └── UnknownAttributeError     an attribute that a write cannot set
    ├── FieldNotLoadedError           (AttributeError) the answer did not carry the attribute
    ├── RelationshipUnavailableError  the API names no way to the related resources
    ├── UntrustedLinkError            a link in an answer that does not lead to the API
    ├── AmbiguousMatchError           several resources match where one was searched for
    ├── PagingError                   pages that never end, or that lack rows of the list
    ├── ExportError                   an export that cannot be written or resumed
    ├── DecodeError                   an answer that cannot be read
    │   ├── AnswerTooLargeError
    │   └── UnreadableAttributeError  (AttributeError) one attribute that cannot be read
    ├── BulkStalledError              a run without any success for the length of its patience
    ├── StoreUnavailableError         a store that processes share cannot be used
    ├── TransportError                no answer came
    │   ├── ConnectionFailedError
    │   └── RequestTimeoutError       (TimeoutError)
    └── ApiError                      the API answered with an error
        ├── BadRequestError           400
        ├── AuthenticationError       401
        ├── PermissionDeniedError     403
        ├── NotFoundError             404
        ├── ConflictError             409
        ├── UnprocessableEntityError  422
        ├── RateLimitError            429
        │   └── PausedError           not sent: an earlier 429 asked for a pause
        └── ServerError               5xx

Every error can be pickled and copied, and none carries a token or a secret. Their text is one line, safe for logs and
terminals: server text in it is escaped. The attributes carry it as it came.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from kajabi_async.escaping.text import escape_line

if TYPE_CHECKING:
    from kajabi_async.error_object import ErrorObject

__all__ = [
    "AmbiguousMatchError",
    "AnswerTooLargeError",
    "ApiError",
    "AuthenticationError",
    "BadRequestError",
    "BulkStalledError",
    "ClientClosedError",
    "ConfigurationError",
    "ConflictError",
    "ConnectionFailedError",
    "DecodeError",
    "ErrorObject",
    "ExportError",
    "FieldNotLoadedError",
    "GaveUp",
    "InvalidArgumentError",
    "InvalidEmailError",
    "InvalidIdError",
    "KajabiError",
    "NotFoundError",
    "PagingError",
    "PausedError",
    "PermissionDeniedError",
    "RateLimitError",
    "RelationshipUnavailableError",
    "RequestTimeoutError",
    "ServerError",
    "StoreUnavailableError",
    "TimeoutPhase",
    "TransportError",
    "UnknownAttributeError",
    "UnknownFieldError",
    "UnknownFilterError",
    "UnknownHookEventError",
    "UnknownIncludeError",
    "UnknownSortKeyError",
    "UnprocessableEntityError",
    "UnreadableAttributeError",
    "UntrustedLinkError",
    "WrongLoopError",
    "api_error_class",
]


GaveUp = Literal["final", "write", "attempts", "deadline", "budget", "caller"]
"""Why a request is not retried: the answer would be the same, a write may have been applied, the attempts of the policy
are used up, too little time is left, too many requests failed lately (the budget), or the caller, such as a bulk run,
retries by itself."""

_GAVE_UP: "dict[GaveUp | None, str]" = {
    "attempts": "no more are allowed",
    "deadline": "no time for another",
    "budget": "the retry budget is spent, too many requests fail",
}


class KajabiError(Exception):
    """The root of all errors that the SDK raises."""

    maybe_applied: bool = False
    """Whether a write may have taken effect although no good answer came: check before you send it again."""
    attempts: int = 0
    """The number of times the request was put on the wire."""
    gave_up: "GaveUp | None" = None
    """Why the request was not retried; None if the error is not about a request."""
    at_token_endpoint: bool = False
    """Whether a request for a token failed or timed out, so that the request that needs the token was not sent.

    With AuthenticationError: the credentials are rejected. An AuthenticationError without it comes from a resource,
    which rejected a token that the token endpoint had just issued.
    """

    def __str__(self) -> str:
        text = escape_line(super().__str__())
        if self.attempts > 1 and self.gave_up in _GAVE_UP:
            return f"{text} ({self.attempts} attempts; {_GAVE_UP[self.gave_up]})"
        return text

    def __reduce__(self) -> tuple[Any, ...]:
        # The default calls cls(*args), which fails for classes with required keywords.
        state = dict(self.__dict__)
        if isinstance(self, AttributeError):
            # It keeps its name outside __dict__.
            state["name"] = self.name
        return _rebuild, (type(self), self.args, state)

    def sent(self, *, attempts: int, maybe_applied: bool, gave_up: "GaveUp | None" = None) -> Self:
        """Note on the error what had been sent when it happened, and return it."""
        self.attempts = attempts
        self.maybe_applied = maybe_applied
        self.gave_up = gave_up
        return self


def _rebuild(cls: type[KajabiError], args: tuple[Any, ...], state: dict[str, Any]) -> KajabiError:
    error = cls.__new__(cls, *args)
    error.args = args
    for name, value in state.items():
        setattr(error, name, value)
    return error


class ConfigurationError(KajabiError):
    """The settings of the client are wrong, or it is used where it cannot be; the text says what to change."""


class ClientClosedError(ConfigurationError):
    """The client was closed; make another one."""


class WrongLoopError(ConfigurationError):
    """The client belongs to another event loop, or to the parent process of a fork."""


class InvalidArgumentError(KajabiError, ValueError):
    """A call was refused before anything was sent."""


class InvalidIdError(InvalidArgumentError):
    """An id that cannot be one segment of a path."""


class InvalidEmailError(InvalidArgumentError):
    """A text that cannot be an email address, or a value that is no text."""


class _UnknownNameError(InvalidArgumentError):
    """A name that the resource does not have."""

    kind: ClassVar[str]

    def __init__(
        self,
        name: str,
        *,
        owner: str,
        known: Iterable[str],
        cure: str = "",
        alike: Iterable[str] | None = None,
        instead: str = "",
    ) -> None:
        """Take the ``known`` names, and those ``alike`` in meaning, which may be suggested (all known ones by default).

        ``instead`` says what to write for the name, in place of a suggestion.
        """
        self.name = name
        self.owner = owner
        self.known = tuple(sorted(known))
        self.nearest = None if instead else _nearest(str(name), self.known if alike is None else sorted(alike))
        message = f"{owner} has no {self.kind} {name!r}"
        if instead:
            message += f": {instead}"
        elif self.nearest is not None:
            message += f"; did you mean {self.nearest!r}?"
        elif self.known:
            message += f"; known are: {', '.join(self.known[:12])}{', ...' if len(self.known) > 12 else ''}"  # noqa: PLR2004
        else:
            message += "; it has none"
        super().__init__(f"{message} {cure}".rstrip())


def _nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the one of *known* that looks most like *name*, or begins like it: ``email_contains`` for ``emial``."""
    from difflib import get_close_matches  # noqa: PLC0415 - seldom needed, and takes time to import

    known = tuple(known)
    words = name.count("_") + 1
    beginnings = {"_".join(each.split("_")[:words]): each for each in reversed(known)}
    for close in get_close_matches(name, known, n=1, cutoff=0.5):
        return close
    for close in get_close_matches(name, beginnings, n=1, cutoff=0.7):
        return beginnings[close]
    return None


class UnknownFilterError(_UnknownNameError):
    """A filter the resource does not have.

    The server ignores such a filter silently and returns an unfiltered page (observed), so it is refused here.
    ``extra_filters=`` sends a filter that the SDK does not know yet.
    """

    kind = "filter"


class UnknownIncludeError(_UnknownNameError):
    """A relation that cannot be included on this endpoint."""

    kind = "include"


class UnknownFieldError(_UnknownNameError):
    """An attribute, relation or type named in ``fields`` that does not exist."""

    kind = "field"


class UnknownSortKeyError(_UnknownNameError):
    """A key that the list cannot be sorted by."""

    kind = "sort key"


class UnknownHookEventError(_UnknownNameError):
    """An event that hooks cannot subscribe to."""

    kind = "hook event"


class UnknownAttributeError(_UnknownNameError):
    """An attribute that cannot be written on this resource."""

    kind = "writable attribute"


class FieldNotLoadedError(KajabiError, AttributeError):
    """The answer did not carry the attribute: it is neither null nor empty, but unknown."""

    def __init__(self, message: str, *, name: str) -> None:
        super().__init__(message)
        self.name = name


class RelationshipUnavailableError(KajabiError):
    """Related resources that neither the answer nor the API leads to."""


class UntrustedLinkError(KajabiError):
    """A link in an answer that does not lead to the API; nothing was sent to it."""

    def __init__(self, reason: str, *, link: str) -> None:
        self.reason = reason
        self.link = _shortened(link)
        super().__init__(f"refused the link {self.link!r}: {reason}")


class AmbiguousMatchError(KajabiError):
    """Several resources match where one was searched for."""


class PagingError(KajabiError):
    """Pages that lead back to themselves, never end, or do not make up the list that is needed whole."""


class ExportError(KajabiError):
    """An export that cannot be written, or whose checkpoint is in use or damaged; the text says what to do."""


class BulkStalledError(KajabiError):
    """A bulk run without any success for its ``patience``, not counting pauses that the API asked for.

    Pass ``unanswered`` to another run to complete the set.
    """

    answered: int = 0
    """The number of ids taken from the source that were answered; their outcomes were yielded before."""
    unanswered: tuple[Any, ...] = ()
    """The ids taken from the source and not answered, in the order of the source; a scan takes all of them first."""
    cause: "KajabiError | None" = None
    """The latest failure; None if the server did not answer at all."""

    def __init__(
        self,
        message: str,
        *,
        answered: int = 0,
        unanswered: Iterable[Any] = (),
        cause: "KajabiError | None" = None,
    ) -> None:
        self.answered = answered
        self.unanswered = tuple(unanswered)
        self.cause = cause
        super().__init__(message)


class DecodeError(KajabiError):
    """An answer that cannot be read; ``path`` says where in the document, such as ``data[3].attributes.name``."""

    def __init__(self, problem: str, *, path: str = "", context: str = "") -> None:
        self.problem = problem
        self.path = path
        self.context = context
        where = f" at {path}" if path else ""
        super().__init__(f"{context + ': ' if context else ''}{problem}{where}")


class AnswerTooLargeError(DecodeError):
    """An answer above a limit; it was not decoded.

    The limits are `max_answer_bytes`, counted after decompression, and `max_answer_elements`, from which those of
    arrays and objects, of resource objects and of values to convert follow; those for the digits of a number, for
    escaped quotes and for characters beyond U+FFFF are fixed.
    """


class UnreadableAttributeError(DecodeError, AttributeError):
    """The value of one attribute cannot be read; raised when the attribute is read, as the others can be.

    ``name``, ``resource_type`` and ``resource_id`` say which attribute of which resource, ``pointer`` (a JSON pointer)
    where in the answer the value is, ``expected`` and ``kind`` what was expected and what came, in words such as
    ``text`` or ``an array``. The value itself, which may be personal, is not in the error but in the ``extra`` of the
    resource, unless it cannot be decoded at all.
    """

    def __init__(
        self, name: str, *, resource_type: str, resource_id: str, path: str, pointer: str, expected: str, kind: str
    ) -> None:
        self.resource_type = resource_type
        self.resource_id = resource_id
        self.pointer = pointer
        self.expected = expected
        self.kind = kind
        problem = f"expected {expected}, got {kind}"
        label = f"{_shortened(resource_type, 60)} {_shortened(resource_id, 60)}"
        super().__init__(problem, path=path, context=label)
        self.args = (f"{label} came with {_shortened(name, 60)!r} that cannot be read: {problem} at {self.pointer}",)
        self.name = name


class StoreUnavailableError(KajabiError):
    """A store that processes share, of tokens or of the rate, cannot be used; the client continues without it."""


class TransportError(KajabiError):
    """No answer came; ``method`` and ``path`` are those of the request."""

    def __init__(self, message: str, *, method: str = "", path: str = "") -> None:
        self.method = method
        self.path = path
        super().__init__(f"{method} {path}: {message}" if method else message)


class ConnectionFailedError(TransportError):
    """The connection could not be made, or broke before the answer was complete."""

    never_sent: bool = False
    """Whether no byte of the request was sent."""
    on_reused_connection: bool = False
    """Whether an earlier request had used the connection: servers close idle connections at any time."""


TimeoutPhase = Literal["queue", "connect", "read", "total"]
"""Which limit was exceeded: waiting for a slot, connecting, the gap between bytes, or the whole operation."""


class RequestTimeoutError(TransportError, TimeoutError):
    """A time limit was exceeded; ``phase`` says which one, ``seconds`` how long it was."""

    def __init__(
        self, message: str, *, phase: TimeoutPhase, seconds: float | None, method: str = "", path: str = ""
    ) -> None:
        self.phase: TimeoutPhase = phase
        self.seconds = seconds
        super().__init__(message, method=method, path=path)

    @property
    def never_sent(self) -> bool:
        """Whether no byte of the request was sent."""
        return self.phase in {"queue", "connect"}


class ApiError(KajabiError):
    """The API answered with an error status.

    ``errors`` is a tuple of `ErrorObject`, ``method`` and ``path`` are those of the request, ``request_id`` is the id
    that Kajabi's support asks for, None if the answer had none, and ``hint`` says what to check.
    """

    def __init__(
        self,
        *,
        status: int,
        errors: "Iterable[ErrorObject]" = (),
        method: str = "",
        path: str = "",
        request_id: str | None = None,
        retry_after: float | None = None,
        hint: str = "",
    ) -> None:
        self.status = status
        self.errors = tuple(errors)
        self.method = method
        self.path = path
        self.request_id = request_id
        self.retry_after = retry_after
        self.hint = hint
        super().__init__(self._sentence())

    retry_after: float | None
    """The seconds that the server asked to wait; None if it did not."""
    retry_at: float | None = None
    """The end of those seconds, in seconds since the epoch by the clock of this machine."""
    is_html: bool = False
    """Whether the body was an HTML page: a proxy may have answered instead of the API."""

    def _sentence(self) -> str:
        sentence = f"{self.method} {self.path} was answered {self.status}"
        if self.errors:
            sentence += f": {'; '.join(map(str, self.errors[:5]))}"
        if self.hint:
            # The text of the API may end in a full stop.
            sentence = f"{sentence.removesuffix('.')}. {self.hint}"
        if self.request_id:
            sentence += f" [request {self.request_id}]"
        return sentence


class BadRequestError(ApiError):
    """400: the request was malformed or lacks something it needs."""


class AuthenticationError(ApiError):
    """401: the credentials or the token are not accepted."""


class PermissionDeniedError(ApiError):
    """403: the API key lacks a permission, or the plan does not include the API."""


class NotFoundError(ApiError):
    """404: the resource does not exist, or this key cannot see it."""


class ConflictError(ApiError):
    """409: type and endpoint do not match, or the resource exists already."""


class UnprocessableEntityError(ApiError):
    """422: values were refused; ``errors`` says which and why."""


class RateLimitError(ApiError):
    """429: too many requests; ``retry_after`` is in seconds, None if the server did not say."""


class PausedError(RateLimitError):
    """Not sent: an earlier answer asked for a pause that is longer than this operation has time for."""

    def _sentence(self) -> str:
        return (
            f"{self.method} {self.path} was not sent: the API asked for a pause of which {self.retry_after:.1f} s are "
            "left, more than this operation has time for"
        )


class ServerError(ApiError):
    """5xx: the server failed."""


_BY_STATUS: dict[int, type[ApiError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    422: UnprocessableEntityError,
    429: RateLimitError,
}


def api_error_class(status: int) -> type[ApiError]:
    """Return the class for an error ``status``; the status decides, the body only explains."""
    if status >= 500:  # noqa: PLR2004
        return ServerError
    return _BY_STATUS.get(status, ApiError)


def _shortened(text: str, limit: int = 200) -> str:
    return text if len(text) <= limit else f"{text[:limit]}..."


if not TYPE_CHECKING:  # With it, type checkers would accept any misspelt name.

    def __getattr__(name: str) -> object:
        if name == "ErrorObject":
            # The only attrs class here: without it, the errors are imported in half the time.
            from kajabi_async.error_object import ErrorObject  # noqa: PLC0415

            return globals().setdefault(name, ErrorObject)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
