"""The OAuth endpoints: the requests for a token and for its revocation, which no caller makes."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from kajabi_async.clock import Clock
from kajabi_async.errors import ApiError, AuthenticationError, KajabiError, api_error_class
from kajabi_async.exchange import FORM, SUCCESS, Answer, Request, SessionStats
from kajabi_async.operations import Operation, operation
from kajabi_async.session.auth.grants import oauth_code
from kajabi_async.session.auth.token import Token
from kajabi_async.session.credentials import Credentials, Secret
from kajabi_async.session.error_answers import error_of
from kajabi_async.session.limits.deadlines import Deadlines, closed_meanwhile, ran_out
from kajabi_async.session.limits.gate import Gate
from kajabi_async.session.transport import Transport
from kajabi_async.structs import Struct

if TYPE_CHECKING:
    from kajabi_async.session.events import SessionObserver

__all__ = ["OAuthEndpoint"]

_TOKEN: Final = operation("oauth.token")
_REVOKE: Final = operation("oauth.revoke")
_SECONDS: Final = 30.0
_UNAUTHORIZED: Final = 401
_BAD_REQUEST: Final = 400
_FORBIDDEN: Final = 403
_TOO_MANY_REQUESTS: Final = 429
_REJECTED: Final = frozenset({"invalid_client", "invalid_grant", "unauthorized_client"})
"""The codes by which OAuth rejects credentials with 400 (RFC 6749, 5.2); its others are about the request."""
_CREDENTIALS_HINT: Final = (
    "The credentials were not accepted: check client id and secret (KAJABI_CLIENT_ID, KAJABI_CLIENT_SECRET) under "
    "Settings, Security, User API Keys"
)


class OAuthEndpoint(Struct):
    """Sends the requests for tokens.

    They keep to pauses and to the rate like any other request, but need no slot: the requests that wait for the token
    may hold all of them.
    """

    transport: Transport
    deadlines: Deadlines
    gate: Gate
    clock: Clock
    stats: SessionStats
    base_url: str
    watched_by: "Callable[[], SessionObserver | None]"
    """Returns the current observer."""
    heed: Callable[[KajabiError, str], None]
    """Slows all requests down if an error asks for it; the text is the name of the operation."""

    async def ask(self, credentials: Credentials, attempt: int) -> Token:
        """Request a token once, within 30 s of being sent; *attempt* is the number reported to observers.

        Raise AuthenticationError if the credentials are rejected, by 401 or by an OAuth code with 400, and for any
        other failure the error of an ordinary request.
        """
        request = _form_request(_TOKEN, credentials.form(), authorized=False)
        await self.gate.take_permit()
        self.stats.token_requests += 1
        sent_at = self.clock.monotonic()
        answer = await self._observed(self._sent(request, None, _SECONDS), _TOKEN, attempt)
        if answer.status not in SUCCESS:
            raise self._heeded(_rejection(answer, request, self.clock), _TOKEN)
        return Token.from_body(answer.body, asked_at=sent_at)

    async def revoke(self, token: Secret) -> None:
        """Revoke *token*; AuthenticationError if the API no longer accepts it, ApiError for another failure.

        ClientClosedError if the client is closed meanwhile; its `maybe_applied` says whether the request had left.
        """
        request = _form_request(_REVOKE, {"token": token.reveal()}, authorized=True)
        await self._take_permit(request)
        answer = await self._observed(self._sent(request, token, _SECONDS), _REVOKE, 1)
        if answer.status not in SUCCESS:
            # No hint: the failure is about this token, not about the key or the plan.
            raise self._heeded(error_of(answer, request, self.clock, hint=None), _REVOKE)

    def _heeded(self, error: ApiError, row: Operation) -> ApiError:
        self.heed(error, row.name)
        return error

    async def _take_permit(self, request: Request) -> None:
        with self.deadlines.limit(None):
            await self.gate.take_permit()
            return
        # Reached only if the deadline swallowed its own cancellation: the client was closed.
        raise closed_meanwhile(request, left=False)

    async def _sent(self, request: Request, token: Secret | None, seconds: float | None) -> Answer:
        with self.deadlines.limit(seconds) as deadline:
            return await self.transport.send(request, token, deadline)
        # Reached only if the deadline swallowed its own cancellation: time ran out, or the client was closed.
        if self.deadlines.are_ended:
            left = deadline.request_left
            raise closed_meanwhile(request, left=left).sent(attempts=int(left), maybe_applied=left)
        raise ran_out(seconds, "total", request, place=self.transport.place)

    async def _observed(self, sending: Awaitable[Answer], row: Operation, attempt: int) -> Answer:
        """Return the answer, and report to the observer how the request ended."""
        sent_at = self.clock.monotonic()
        status, ended = None, "CancelledError"
        try:
            answer = await sending
            status = answer.status
            ended = "" if status in SUCCESS else api_error_class(status).__name__
        except KajabiError as error:
            ended = type(error).__name__
            raise
        else:
            if status != _TOO_MANY_REQUESTS:
                self.gate.answered(self.clock.monotonic())
        finally:
            observer = self.watched_by()
            if observer is not None:
                from kajabi_async.session.events import TokenRequestAnswered  # noqa: PLC0415

                seconds = self.clock.monotonic() - sent_at
                event = TokenRequestAnswered(
                    row.name, row.method, row.path, self.base_url, attempt, status, ended, seconds
                )
                observer(event)
        return answer


def _rejection(answer: Answer, request: Request, clock: Clock) -> ApiError:
    """Return the error for an unsuccessful *answer* to a token request; only OAuth's codes get a hint about keys."""
    error = error_of(answer, request, clock)
    is_rejected = error.status == _UNAUTHORIZED or (error.status == _BAD_REQUEST and oauth_code(error) in _REJECTED)
    hint = error.hint
    if error.status in {_BAD_REQUEST, _UNAUTHORIZED}:
        hint = _CREDENTIALS_HINT
    if error.status in {_BAD_REQUEST, _UNAUTHORIZED, _FORBIDDEN} and not error.errors:
        hint = ""
    if not is_rejected and hint == error.hint:
        return error
    rejection = (AuthenticationError if is_rejected else type(error))(
        status=error.status,
        errors=error.errors,
        method=error.method,
        path=error.path,
        request_id=error.request_id,
        retry_after=error.retry_after,
        hint=hint,
    )
    rejection.retry_at, rejection.is_html = error.retry_at, error.is_html
    return rejection


def _form_request(row: Operation, fields: dict[str, str], *, authorized: bool) -> Request:
    return Request(row.method, row.path, body=urlencode(fields).encode(), content_type=FORM, authorized=authorized)
