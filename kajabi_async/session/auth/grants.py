"""The grants of one client: which request asks for its token, refreshes it or revokes it."""

import logging
from typing import Final, Protocol

from kajabi_async.errors import ApiError, KajabiError
from kajabi_async.session.auth.backoff import TokenBackoff
from kajabi_async.session.auth.token import Token
from kajabi_async.session.credentials import Credentials, RefreshTokenCredentials, Secret

__all__ = ["Grants", "TokenEndpoint", "is_unusable", "oauth_code", "spends_refresh_token"]

_LOG: Final = logging.getLogger("kajabi_async")
_UNAUTHORIZED: Final = 401
_BAD_REQUEST: Final = 400
_PASSING: Final = frozenset({403, 408, 429})
"""Failures of the edge in front of the API, or of the moment."""


class TokenEndpoint(Protocol):
    """Sends the token requests, each of them once."""

    async def ask(self, credentials: Credentials, attempt: int) -> Token:
        """Return a token; *attempt* counts the requests since the last success, from 1."""
        ...

    async def revoke(self, token: Secret) -> None:
        """Revoke *token*."""
        ...


class Grants:
    """The credentials of a client, the refresh token that it holds, and the order in which they are used.

    The first grant is the one of the credentials. A refresh token is kept until the API says that it is spent.
    """

    def __init__(self, credentials: Credentials, endpoint: TokenEndpoint, backoff: TokenBackoff) -> None:
        self._credentials = credentials
        self._endpoint = endpoint
        self.backoff = backoff
        self.refresh_token: Secret | None = None

    async def request(self) -> Token:
        """Request a token with the refresh token, or by the first grant if there is none or it is not accepted.

        Every error of these methods has `at_token_endpoint` set.
        """
        token = None if self.refresh_token is None else await self.refresh(self.refresh_token)
        return token or await self.first()

    async def first(self) -> Token:
        """Request a token with the credentials."""
        return await self._request(self._credentials)

    async def refresh(self, refresh_token: Secret) -> Token | None:
        """Request a token with *refresh_token*; None if it is not accepted and the first grant is next."""
        by_credentials = self._refresh_token_of_credentials
        if refresh_token == by_credentials:
            # The first grant sends the same.
            return None
        try:
            return await self._request(RefreshTokenCredentials(refresh_token))
        except ApiError as error:
            if spends_refresh_token(error):
                self.refresh_token = None if self.refresh_token == refresh_token else self.refresh_token
            elif by_credentials is not None or not is_unusable(error):
                # It passes, or is not about the refresh token, which is kept for later.
                raise
            _LOG.info("the refresh token was not accepted (%s), falling back to the first grant", type(error).__name__)
            return None

    async def exchange(self) -> Token | None:
        """Request a token with the refresh token alone, which uses it up; None if there is none or it is spent."""
        if self.refresh_token is None:
            return None
        try:
            token = await self._request(RefreshTokenCredentials(self.refresh_token))
        except ApiError as error:
            if spends_refresh_token(error):
                return None
            raise
        self.keep(token)
        return token

    async def revoke(self, token: Token) -> None:
        """Revoke *token*; the API ends its refresh token with it."""
        await self._endpoint.revoke(token.access)

    def keep(self, token: Token) -> None:
        """Keep the refresh token of *token*, if it has one, for the next request."""
        self.refresh_token = token.refresh or self.refresh_token

    def token_rejected(self) -> None:
        """Drop the refresh token after the API rejected its access token: the key was rotated or revoked.

        The refresh token went with it, unless it is itself the credentials.
        """
        if self._refresh_token_of_credentials is None:
            self.refresh_token = None

    @property
    def _refresh_token_of_credentials(self) -> Secret | None:
        return self._credentials.refresh_token if isinstance(self._credentials, RefreshTokenCredentials) else None

    async def _request(self, credentials: Credentials) -> Token:
        try:
            return await self._endpoint.ask(credentials, self.backoff.failures + 1)
        except KajabiError as error:
            error.at_token_endpoint = True
            raise


def spends_refresh_token(error: ApiError) -> bool:
    """Return whether *error*, on a refresh token, says that it will never be accepted again."""
    return error.status == _UNAUTHORIZED or (error.status == _BAD_REQUEST and oauth_code(error) == "invalid_grant")


def is_unusable(error: ApiError) -> bool:
    """Return whether *error*, on a refresh token, says that this grant does not lead to a token, but another may."""
    return _BAD_REQUEST <= error.status < 500 and error.status not in _PASSING  # noqa: PLR2004


def oauth_code(error: ApiError) -> str | None:
    """Return the OAuth error code of *error* (RFC 6749, 5.2); None if it has none."""
    return error.errors[0].title if error.errors else None
