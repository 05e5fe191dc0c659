"""Asking for tokens and revoking them: the requests of the session that no caller made."""

from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import urlencode

import attrs

from kajabi_async.clock import Clock
from kajabi_async.errors import ApiError, AuthenticationError, KajabiError, api_error_class
from kajabi_async.exchange import FORM, Answer, Request, SessionStats
from kajabi_async.jsonapi.error_documents import api_error
from kajabi_async.operations import operation
from kajabi_async.session.auth.token import Token
from kajabi_async.session.credentials import Credentials, Secret
from kajabi_async.session.events import SessionObserver, TokenRequestAnswered
from kajabi_async.session.limits.deadlines import Deadlines, closed_meanwhile, ran_out
from kajabi_async.session.limits.gate import Gate
from kajabi_async.session.retry import read_retry_after
from kajabi_async.session.transport import Transport

__all__ = ["TokenRequests", "error_of", "is_success", "is_unusable", "spends_refresh_token"]

_SECONDS: Final = 30.0
_UNAUTHORIZED: Final = 401
_BAD_REQUEST: Final = 400
_FORBIDDEN: Final = 403
_TOO_MANY_REQUESTS: Final = 429
_REFUSED: Final = frozenset({"invalid_client", "invalid_grant", "unauthorized_client"})
"""The codes by which OAuth refuses credentials with 400 (RFC 6749, 5.2); its others are about the request."""
_PASSING: Final = frozenset({_FORBIDDEN, 408, _TOO_MANY_REQUESTS})
"""Refusals of the edge before the API, or of the moment."""
_CREDENTIALS_HINT: Final = (
    "The credentials were not accepted: check client id and secret (KAJABI_CLIENT_ID, KAJABI_CLIENT_SECRET) under "
    "Settings, Security, User API Keys"
)


@attrs.frozen
class TokenRequests:
    """Sends what the OAuth endpoints take, and lets everybody keep to the pauses that they ask for.

    Pauses and the rate hold for these requests as for any other; slots do not, as those who wait for the token may
    hold them all.
    """

    transport: Transport
    deadlines: Deadlines
    gate: Gate
    clock: Clock
    stats: SessionStats
    base_url: str
    watched_by: Callable[[], SessionObserver | None]
    """Returns whom to notify now."""
    heed: Callable[[KajabiError, str], None]
    """Slows everyone down if an error asks for it; the text is the name of the operation."""

    async def ask(self, credentials: Credentials, attempt: int) -> Token:
        """Request a token once, within 30 s of being sent; *attempt* is what observers are told.

        Raise AuthenticationError if the credentials are refused, by 401 or by an OAuth code with 400, and for any
        other failure what any request raises.
        """
        request = _form_request("oauth.token", credentials.form(), authorized=False)
        await self.gate.take_permit()
        self.stats.token_requests += 1
        asked_at = self.clock.monotonic()
        answer = await self._told(self._sent(request, None, _SECONDS), "oauth.token", attempt)
        if not is_success(answer):
            raise self._heeded(_refusal(answer, request, self.clock), "oauth.token")
        return Token.from_body(answer.body, asked_at=asked_at)

    async def revoke(self, token: Secret) -> None:
        """Revoke *token*; AuthenticationError if the API does not accept it any more, ApiError for another refusal.

        ClientClosedError if the client is closed meanwhile; its `maybe_applied` says whether the request had left.
        """
        request = _form_request("oauth.revoke", {"token": token.reveal()}, authorized=True)
        await self._take_permit(request)
        answer = await self._told(self._sent(request, token, _SECONDS), "oauth.revoke", 1)
        if not is_success(answer):
            # No hint: what is refused is about this token, and neither about the key nor about the plan.
            raise self._heeded(error_of(answer, request, self.clock, hint=None), "oauth.revoke")

    def _heeded(self, error: ApiError, name: str) -> ApiError:
        self.heed(error, name)
        return error

    async def _take_permit(self, request: Request) -> None:
        with self.deadlines.limit(None):
            await self.gate.take_permit()
            return
        raise closed_meanwhile(request, left=False)

    async def _sent(self, request: Request, token: Secret | None, seconds: float | None) -> Answer:
        with self.deadlines.limit(seconds) as deadline:
            return await self.transport.send(request, token, deadline)
        if self.deadlines.are_ended:
            left = deadline.request_left
            raise closed_meanwhile(request, left=left).sent(attempts=int(left), maybe_applied=left)
        raise ran_out(seconds, "total", request)

    async def _told(self, sending: Awaitable[Answer], name: str, attempt: int) -> Answer:
        """Give the answer, and tell whoever watches how it came."""
        sent_at = self.clock.monotonic()
        status, ended = None, "CancelledError"
        try:
            answer = await sending
            status = answer.status
            ended = "" if is_success(answer) else api_error_class(status).__name__
        except KajabiError as error:
            ended = type(error).__name__
            raise
        else:
            if status != _TOO_MANY_REQUESTS:
                self.gate.answered(self.clock.monotonic())
        finally:
            tell = self.watched_by()
            if tell is not None:
                row, seconds = operation(name), self.clock.monotonic() - sent_at
                tell(TokenRequestAnswered(name, row.method, row.path, self.base_url, attempt, status, ended, seconds))
        return answer


def is_success(answer: Answer) -> bool:
    """Tell whether the status of *answer* is 2xx."""
    return 200 <= answer.status < 300  # noqa: PLR2004


def spends_refresh_token(error: ApiError) -> bool:
    """Return whether *error*, on a refresh token, says that it will never be accepted again."""
    return error.status == _UNAUTHORIZED or (error.status == _BAD_REQUEST and _oauth_code(error) == "invalid_grant")


def is_unusable(error: ApiError) -> bool:
    """Return whether *error*, on a refresh token, says that this grant does not lead to a token, but another may."""
    return _BAD_REQUEST <= error.status < 500 and error.status not in _PASSING  # noqa: PLR2004


def error_of(answer: Answer, request: Request, clock: Clock, *, hint: str | None = "") -> ApiError:
    """Return the error for an *answer* that is no success, with a *hint* of its own if it is empty, None for none."""
    now = clock.time()
    error = api_error(
        status=answer.status,
        headers=answer.headers,
        body=answer.body,
        method=request.method,
        path=request.path,
        retry_after=read_retry_after(answer.headers, wall_time=now),
        hint=hint,
    )
    error.retry_at = None if error.retry_after is None else now + error.retry_after
    return error


def _refusal(answer: Answer, request: Request, clock: Clock) -> ApiError:
    """Return the error for an *answer* to a token request; only OAuth's own words earn a hint about keys."""
    error = error_of(answer, request, clock)
    refused = error.status == _UNAUTHORIZED or (error.status == _BAD_REQUEST and _oauth_code(error) in _REFUSED)
    hint = error.hint
    if error.status in {_BAD_REQUEST, _UNAUTHORIZED}:
        hint = _CREDENTIALS_HINT
    if error.status in {_BAD_REQUEST, _UNAUTHORIZED, _FORBIDDEN} and not error.errors:
        hint = ""
    if not refused and hint == error.hint:
        return error
    told = (AuthenticationError if refused else type(error))(
        status=error.status,
        errors=error.errors,
        method=error.method,
        path=error.path,
        request_id=error.request_id,
        retry_after=error.retry_after,
        hint=hint,
    )
    told.retry_at = error.retry_at
    return told


def _oauth_code(error: ApiError) -> str | None:
    return error.errors[0].title if error.errors else None


def _form_request(name: str, fields: dict[str, str], *, authorized: bool) -> Request:
    row = operation(name)
    return Request(row.method, row.path, body=urlencode(fields).encode(), content_type=FORM, authorized=authorized)
