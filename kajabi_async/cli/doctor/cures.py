"""Cures for errors of the API and of the network."""

from kajabi_async.cli.credentials.sources import FoundCredentials
from kajabi_async.errors import (
    ApiError,
    AuthenticationError,
    BadRequestError,
    DecodeError,
    KajabiError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    TransportError,
)

__all__ = ["cure_for", "is_about_the_token"]

_TOKEN_PATH = "/v1/oauth/token"  # noqa: S105 - a path
_WAIT = "nothing is wrong here: try again in a few minutes"


def is_about_the_token(error: KajabiError) -> bool:
    """Return whether the request for a token failed."""
    return isinstance(error, ApiError | TransportError) and error.path == _TOKEN_PATH


def cure_for(error: KajabiError, found: FoundCredentials | None = None) -> str:
    """Return what to do about *error*, in one sentence."""
    if isinstance(error, AuthenticationError | BadRequestError) and is_about_the_token(error):
        place = "them" if found is None else found.place
        return (
            f"compare client id and secret in {place} with those under Settings, Security, User API Keys; a key that "
            "was deleted or renewed there is rejected like a wrong one"
        )
    for kind, cure in _CURES:
        if isinstance(error, kind):
            return cure
    return "see the message; run `kajabi doctor` again to see whether it lasts"


_CURES: tuple[tuple[type[KajabiError], str], ...] = (
    (
        AuthenticationError,
        "the token was issued and then rejected: check whether KAJABI_BASE_URL leads to another installation",
    ),
    (
        PermissionDeniedError,
        "check the permissions of the key under Settings, Security, User API Keys, and whether the plan has the API",
    ),
    (NotFoundError, "check KAJABI_BASE_URL: what answers there does not know this path"),
    (RateLimitError, _WAIT),
    (ServerError, _WAIT),
    (DecodeError, "what answers is not Kajabi's API: check KAJABI_BASE_URL, and for a login page of the network"),
    (TransportError, "try again, and look for a firewall or proxy that cuts connections"),
)
