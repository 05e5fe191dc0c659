"""Asking for tokens and revoking them: the requests of the session that no caller made."""

from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import urlencode

import attrs

from kajabi_async.errors import ApiError, KajabiError, api_error_class
from kajabi_async.exchange import FORM, Answer, Request
from kajabi_async.jsonapi.error_documents import api_error
from kajabi_async.operations import operation
from kajabi_async.session.clock import Clock
from kajabi_async.session.credentials import Credentials, Secret
from kajabi_async.session.deadlines import Deadlines, ran_out
from kajabi_async.session.events import SessionObserver, TokenRequestAnswered
from kajabi_async.session.retry import GiveUp, RetryPolicy, decide, read_retry_after
from kajabi_async.session.stats import SessionStats
from kajabi_async.session.transport import Transport

__all__ = ["TokenRequests", "error_of", "is_success"]

_TOKEN_SECONDS: Final = 30.0
_UNAUTHORIZED: Final = 401
_REFUSED: Final = frozenset({400, _UNAUTHORIZED})
_CREDENTIALS_HINT: Final = (
    "The credentials were not accepted: check client id and secret (KAJABI_CLIENT_ID, KAJABI_CLIENT_SECRET) under "
    "Settings, Security, User API Keys"
)


@attrs.frozen
class TokenRequests:
    """Sends what the OAuth endpoints take; not through the gate, whose places may be held by who waits for a token."""

    transport: Transport
    deadlines: Deadlines
    retry: RetryPolicy
    clock: Clock
    jitter: Callable[[], float]
    stats: SessionStats
    base_url: str
    watched_by: Callable[[], SessionObserver | None]
    """Gives whom to tell just now."""

    async def ask(self, credentials: Credentials, may_repeat: bool) -> bytes:
        """Ask for a token and give the body of the answer, within 30 s; repeated as the policy says, if *may_repeat*.

        A refresh token is used up by the first request, whether its answer arrives or not.
        """
        request = _form_request("oauth.token", credentials.form(), authorized=False)
        deadline = self.clock.monotonic() + _TOKEN_SECONDS
        attempt = 0
        while True:
            attempt += 1
            try:
                return await self._token_answer(request, attempt)
            except KajabiError as error:
                decision = decide(
                    self.retry,
                    error,
                    is_write=not may_repeat,
                    attempt=attempt,
                    now=self.clock.monotonic(),
                    deadline=deadline,
                    jitter=self.jitter,
                )
                if isinstance(decision, GiveUp):
                    raise error.sent(
                        attempts=attempt, maybe_applied=False, gave_up=decision.because
                    ) from error.__cause__
            await self.clock.sleep(decision.after_seconds)

    async def revoke(self, token: Secret) -> None:
        """Revoke *token*; one that is dead already is success, any other refusal an ApiError."""
        request = _form_request("oauth.revoke", {"token": token.reveal()}, authorized=True)
        answer = await self._told(self._sent(request, token, None), "oauth.revoke", 1)
        if not is_success(answer) and answer.status != _UNAUTHORIZED:
            raise error_of(answer, request, self.clock)

    async def _token_answer(self, request: Request, attempt: int) -> bytes:
        self.stats.token_requests += 1
        answer = await self._told(self._sent(request, None, _TOKEN_SECONDS), "oauth.token", attempt)
        if is_success(answer):
            return answer.body
        raise error_of(answer, request, self.clock, hint=_CREDENTIALS_HINT if answer.status in _REFUSED else "")

    async def _sent(self, request: Request, token: Secret | None, seconds: float | None) -> Answer:
        with self.deadlines.limit(seconds) as deadline:
            return await self.transport.send(request, token, deadline)
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
        finally:
            tell = self.watched_by()
            if tell is not None:
                row, seconds = operation(name), self.clock.monotonic() - sent_at
                tell(TokenRequestAnswered(name, row.method, row.path, self.base_url, attempt, status, ended, seconds))
        return answer


def is_success(answer: Answer) -> bool:
    """Tell whether the status of *answer* is 2xx."""
    return 200 <= answer.status < 300  # noqa: PLR2004


def error_of(answer: Answer, request: Request, clock: Clock, *, hint: str = "") -> ApiError:
    """Give the error for an *answer* that is no success."""
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


def _form_request(name: str, fields: dict[str, str], *, authorized: bool) -> Request:
    row = operation(name)
    return Request(row.method, row.path, body=urlencode(fields).encode(), content_type=FORM, authorized=authorized)
