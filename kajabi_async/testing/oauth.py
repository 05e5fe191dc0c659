"""The OAuth endpoints: issue, revoke and check tokens (API document, "Get access token")."""

import json
import secrets
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

import attrs

from kajabi_async.testing.json_shapes import is_object
from kajabi_async.testing.replies import PLAIN_JSON, ApiProblem, Reply, plain_error, plain_reply

__all__ = ["NO_LIVE_TOKEN", "IssuedTokens", "TokenDesk"]

NO_LIVE_TOKEN: Final = "The request is missing an Authorization token, or token is invalid/has expired."  # noqa: S105
"""The error text of the API for a request without a live token (observed)."""

_KEPT_GRANTS: Final = 10_000


@attrs.define
class IssuedTokens:
    """One pair of tokens; times are in seconds of the fake's clock."""

    access_token: str = attrs.field(repr=False)
    refresh_token: str = attrs.field(repr=False)
    access_ends_at: float
    refresh_ends_at: float
    is_revoked: bool = False
    uses: int = 0
    """The number of requests accepted with the access token."""


def _credential(prefix: str) -> str:
    return f"{prefix}.{secrets.token_urlsafe(24)}"


class TokenDesk:
    """Answers the two OAuth operations and checks bearer tokens."""

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        token_lifetime: float,
        refresh_token_lifetime: float,
        rotate_refresh_tokens: bool,
        omit_refresh_token: bool,
        token_uses: int | None,
        client_id: str | None,
        client_secret: str | None,
    ) -> None:
        """Generate the credentials that are not passed.

        Lifetimes are seconds of ``clock``, ``token_uses`` is a number of requests.
        """
        self.client_id = client_id or _credential("client")
        self.client_secret = client_secret or _credential("secret")
        self.username = "robin.owner@example.com"
        self.password = _credential("password")
        self.token_lifetime = token_lifetime
        self.refresh_token_lifetime = refresh_token_lifetime
        self.rotate_refresh_tokens = rotate_refresh_tokens
        self.omit_refresh_token = omit_refresh_token
        self.token_uses = token_uses
        """The number of requests after which an access token expires; None for no limit."""
        self.grants = 0
        """The number of token requests that were answered with tokens."""
        self.issued: list[IssuedTokens] = []
        """The latest ten thousand issued pairs, oldest first."""
        self._clock = clock
        self._by_access: dict[str, IssuedTokens] = {}
        self._by_refresh: dict[str, IssuedTokens] = {}

    def is_live(self, access_token: str) -> bool:
        """Return whether requests with ``access_token`` are accepted now."""
        pair = self._by_access.get(access_token)
        if pair is None or pair.is_revoked or (self.token_uses is not None and pair.uses >= self.token_uses):
            return False
        return self._clock() < pair.access_ends_at

    def expire(self, access_token: str) -> None:
        """Expire one access token; its refresh token stays valid."""
        pair = self._by_access.get(access_token)
        if pair is not None:
            # Not the current time: the token would be valid again after the clock is set back.
            pair.access_ends_at = float("-inf")

    def expire_access_tokens(self) -> None:
        """Expire every access token; refresh tokens stay valid."""
        for pair in self._by_access.values():
            pair.access_ends_at = float("-inf")

    def revoke_all(self) -> None:
        """Revoke every token."""
        for pair in (*self._by_access.values(), *self._by_refresh.values()):
            pair.is_revoked = True

    def token(self, body: bytes, content_type: str) -> Reply:
        """Answer a token request."""
        fields = _fields(body, content_type)
        if not fields:
            return Reply(400, content_type=None)
        grant_type = fields.get("grant_type")
        if grant_type == "client_credentials":
            return self._for_client(fields)
        if grant_type == "refresh_token":
            return self._for_refresh_token(fields)
        if grant_type is None and "username" in fields:
            return self._for_person(fields)
        return plain_error(400, "Unsupported grant type" if grant_type else "Missing grant type")

    def revoke(self, body: bytes, content_type: str) -> Reply:
        """Answer a revocation: either token of a pair revokes both; an unknown token is no error."""
        token = _fields(body, content_type).get("token")
        if not token:
            return plain_error(400, "Missing token")
        pair = self._by_access.get(token) or self._by_refresh.get(token)
        if pair is not None:
            pair.is_revoked = True
        return Reply(200, content_type=None)

    def _for_client(self, fields: Mapping[str, str]) -> Reply:
        if (fields.get("client_id"), fields.get("client_secret")) != (self.client_id, self.client_secret):
            return plain_error(401, "Invalid client credentials")
        return self._answer(self.issue())

    def _for_person(self, fields: Mapping[str, str]) -> Reply:
        if (fields.get("username"), fields.get("password")) != (self.username, self.password):
            return plain_error(401, "Invalid username or password")
        return self._answer(self.issue())

    def _for_refresh_token(self, fields: Mapping[str, str]) -> Reply:
        used = fields.get("refresh_token", "")
        pair = self._by_refresh.get(used)
        if pair is None or pair.is_revoked or self._clock() >= pair.refresh_ends_at:
            return plain_error(401, "Invalid refresh token")
        if self.rotate_refresh_tokens:
            del self._by_refresh[used]
            return self._answer(self.issue())
        return self._answer(self.issue(pair))

    def issue(self, renewed: IssuedTokens | None = None) -> IssuedTokens:
        """Issue a new access token, with the refresh token of ``renewed`` or a new one."""
        now = self._clock()
        refresh_token = renewed.refresh_token if renewed else _credential("refresh")
        refresh_ends_at = renewed.refresh_ends_at if renewed else now + self.refresh_token_lifetime
        pair = IssuedTokens(_credential("access"), refresh_token, now + self.token_lifetime, refresh_ends_at)
        self._by_access[pair.access_token] = self._by_refresh[refresh_token] = pair
        self.issued.append(pair)
        self._forget_oldest()
        return pair

    def _forget_oldest(self) -> None:
        while len(self.issued) > _KEPT_GRANTS:
            oldest = self.issued.pop(0)
            self._by_access.pop(oldest.access_token, None)
            if self._by_refresh.get(oldest.refresh_token) is oldest:
                del self._by_refresh[oldest.refresh_token]

    def _answer(self, pair: IssuedTokens) -> Reply:
        self.grants += 1
        answer: dict[str, Any] = {
            "access_token": pair.access_token,
            "refresh_token": pair.refresh_token,
            "token_type": "Bearer",
            "expires_in": int(self.token_lifetime),
        }
        if self.omit_refresh_token:
            del answer["refresh_token"]
        return plain_reply(200, answer)

    def accepts(self, authorization: str | None) -> bool:
        """Return whether a request with that header is accepted now."""
        return self.is_live(_bearer(authorization))

    def check(self, authorization: str | None) -> None:
        """Count a request with a live token; raise the API's 401 for any other (observed)."""
        if not self.accepts(authorization):
            raise ApiProblem(401, NO_LIVE_TOKEN)
        self._by_access[_bearer(authorization)].uses += 1


def _bearer(authorization: str | None) -> str:
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() if scheme.casefold() == "bearer" else ""


def _fields(body: bytes, content_type: str) -> dict[str, str]:
    """Return the form fields; a JSON object is accepted too (observed)."""
    text = body.decode("utf-8", "replace").strip()
    if not content_type.startswith(PLAIN_JSON):
        return dict(parse_qsl(text, keep_blank_values=True))
    try:
        fields: object = json.loads(text or "{}")
    except ValueError:
        return {}
    return {str(name): str(value) for name, value in fields.items()} if is_object(fields) else {}
