"""The one table of failures: which end a run, which pass, and which may concern one resource alone.

Pure functions of an error:

=======================================================  ====  ======  =========
"""

from typing import Final

from kajabi_async.errors import (
    AnswerTooLargeError,
    ApiError,
    AuthenticationError,
    ClientClosedError,
    ConfigurationError,
    DecodeError,
    KajabiError,
    RateLimitError,
    ServerError,
    StoreUnavailableError,
    TransportError,
)

__all__ = ["ends_everything", "is_by_the_application", "is_passing", "may_be_of_the_resource", "pause_asked_for"]

LONGEST_PAUSE_SECONDS: Final = 600.0
"""The longest pause that a run keeps: one header must not stop it for good."""

_ON_THE_WAY: Final = frozenset({407, 408, 421, 425})
"""Statuses of a proxy or a connection, never of a resource."""
_GATEWAY: Final = frozenset({502, 503, 504})
_EDGE: Final = 520
"""From here on statuses are those of an edge that did not reach the API."""


def ends_everything(error: KajabiError) -> bool:
    """Return whether every other request would fail with *error* too: the credentials or the client are unusable."""
    if isinstance(error, AuthenticationError):
        # A resource may reject a token that expired on the way.
        return error.at_token_endpoint
    return isinstance(error, ConfigurationError | ClientClosedError)


def is_passing(error: KajabiError) -> bool:
    """Return whether *error* is temporary, so that the same request is worth a retry later."""
    if ends_everything(error):
        return False
    if isinstance(error, AuthenticationError | RateLimitError | ServerError | TransportError | StoreUnavailableError):
        return True
    if error.at_token_endpoint:
        return True
    if isinstance(error, DecodeError):
        # The session rejected the answer as it came: damaged on its way, or a page of a proxy.
        return error.attempts > 0 and not isinstance(error, AnswerTooLargeError)
    if isinstance(error, ApiError):
        return error.status < 400 or error.status in _ON_THE_WAY or error.is_html  # noqa: PLR2004
    return False


def may_be_of_the_resource(error: KajabiError) -> bool:
    """Return whether the passing *error* may also be what every request for the one resource gets."""
    if isinstance(error, RateLimitError | StoreUnavailableError) or error.at_token_endpoint:
        return False
    return not getattr(error, "never_sent", False)


def is_by_the_application(error: KajabiError) -> bool:
    """Return whether the API itself has answered with *error*, not a proxy."""
    if isinstance(error, ServerError):
        return error.status not in _GATEWAY and error.status < _EDGE and not error.is_html and not error.retry_after
    return isinstance(error, DecodeError)


def pause_asked_for(error: KajabiError) -> float | None:
    """Return the seconds that the API asked to wait, ten minutes at most; None if it did not ask."""
    seconds = error.retry_after if isinstance(error, RateLimitError | ServerError) else None
    return min(seconds, LONGEST_PAUSE_SECONDS) if seconds else None
