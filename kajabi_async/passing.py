"""Which failures pass by themselves, and what they are about: the client and its way to the API, or one resource.

Pure functions of an error. A pause, an outage or a broken connection tells nothing of the resource that was asked for;
whoever asks for many waits until it is over and asks again.
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
"""What a server says once must not stop a run for good."""

_ON_THE_WAY: Final = frozenset({407, 408, 421, 425})
"""Statuses that a proxy or a connection earns, and no resource."""
_GATEWAY: Final = frozenset({502, 503, 504})
_EDGE: Final = 520
"""From here on statuses are an edge's own: the API behind it was not reached."""


def ends_everything(error: KajabiError) -> bool:
    """Return whether nothing else that is asked for can escape *error*: the credentials or the client are no good."""
    if isinstance(error, AuthenticationError):
        # A resource refuses tokens, which may end faster than requests come back.
        return error.at_token_endpoint
    return isinstance(error, ConfigurationError | ClientClosedError)


def is_passing(error: KajabiError) -> bool:
    """Return whether *error* may be over later, so that the same request is worth sending again."""
    if ends_everything(error):
        return False
    if isinstance(error, AuthenticationError | RateLimitError | ServerError | TransportError | StoreUnavailableError):
        return True
    if error.at_token_endpoint:
        return True
    if isinstance(error, DecodeError):
        # The session refused the answer as it came: damaged on its way, or a page of a proxy's.
        return error.attempts > 0 and not isinstance(error, AnswerTooLargeError)
    if isinstance(error, ApiError):
        return error.status < 400 or error.status in _ON_THE_WAY or error.is_html  # noqa: PLR2004
    return False


def may_be_of_the_resource(error: KajabiError) -> bool:
    """Tell whether the passing *error* may also be what the one resource gives whenever it is asked for."""
    if isinstance(error, RateLimitError | StoreUnavailableError) or error.at_token_endpoint:
        return False
    return not getattr(error, "never_sent", False)


def is_by_the_application(error: KajabiError) -> bool:
    """Tell whether the API itself has answered with *error*, and no proxy for it."""
    if isinstance(error, ServerError):
        return error.status not in _GATEWAY and error.status < _EDGE and not error.is_html and not error.retry_after
    return isinstance(error, DecodeError)


def pause_asked_for(error: KajabiError) -> float | None:
    """Return the seconds that the API asked to wait, ten minutes at most; None if it did not ask."""
    seconds = error.retry_after if isinstance(error, RateLimitError | ServerError) else None
    return min(seconds, LONGEST_PAUSE_SECONDS) if seconds else None
