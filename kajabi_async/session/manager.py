"""The session manager: one request in, one answer out, whatever happens in between."""

import asyncio
import logging
import random
import warnings
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import urlencode

import attrs

from kajabi_async.errors import (
    ApiError,
    ConfigurationError,
    DecodeError,
    KajabiError,
    RateLimitError,
    RequestTimeoutError,
    TimeoutPhase,
)
from kajabi_async.exchange import FORM, Answer, Request, Tally
from kajabi_async.jsonapi.error_documents import api_error
from kajabi_async.operations import operation
from kajabi_async.session.base_url import checked_base_url
from kajabi_async.session.binding import Binding
from kajabi_async.session.clock import Clock, SystemClock
from kajabi_async.session.credentials import Credentials
from kajabi_async.session.gate import Gate
from kajabi_async.session.retry import GiveUp, Retry, RetryPolicy, decide, maybe_applied, read_retry_after
from kajabi_async.session.timeouts import Timeouts, checked_seconds
from kajabi_async.session.token import Token, TokenKeeper
from kajabi_async.session.transport import Transport

if TYPE_CHECKING:
    import aiohttp

__all__ = ["SessionManager", "SessionStats"]

T = TypeVar("T")

_LOG: Final = logging.getLogger("kajabi_async")
_TOKEN_SECONDS: Final = 30.0
_UNAUTHORIZED: Final = 401
_CREDENTIALS_HINT: Final = (
    "The credentials were not accepted: check client id and secret (KAJABI_CLIENT_ID, KAJABI_CLIENT_SECRET) under "
    "Settings, Security, User API Keys"
)


@attrs.define
class SessionStats(Tally):
    """What a session has done since it was made; counters only grow."""

    rate_limited: int = 0
    """Answers 429."""
    token_requests: int = 0


class SessionManager:
    """Owns the pool and the token of one client and sends one request at a time to its end.

    It belongs to the event loop of its first request. Opening is done by that request, closing by `aclose`.
    """

    def __init__(
        self,
        *,
        credentials: Credentials,
        base_url: str = "https://api.kajabi.com",
        allow_insecure: bool = False,
        timeouts: Timeouts | None = None,
        concurrency: int = 50,
        retry: RetryPolicy | None = None,
        max_answer_bytes: int = 64 * 2**20,
        http_session: "aiohttp.ClientSession | None" = None,
        clock: Clock | None = None,
        jitter: Callable[[], float] = random.random,
        user_agent: str = "kajabi_async",
    ) -> None:
        self._base_url = checked_base_url(base_url, allow_insecure=allow_insecure)
        self._timeouts = timeouts or Timeouts()
        self._retry = retry or RetryPolicy()
        self._clock = clock or SystemClock()
        self._jitter = jitter
        self._gate = Gate(concurrency, self._clock)
        self._transport = Transport(
            base_url=self._base_url,
            timeouts=self._timeouts,
            max_answer_bytes=_checked_size(max_answer_bytes),
            user_agent=_checked_user_agent(user_agent),
            http_session=http_session,
        )
        self._tokens = TokenKeeper(credentials, self._ask_for_token, self._clock)
        self._binding = Binding()
        self._stats = SessionStats()

    @property
    def base_url(self) -> str:
        """Scheme and host that every request goes to."""
        return self._base_url

    @property
    def stats(self) -> SessionStats:
        """What the session has done so far; a copy."""
        return attrs.evolve(self._stats)

    async def send(self, request: Request, *, timeout: float | None = None, tally: Tally | None = None) -> Answer:
        """Send *request* and give its 2xx answer.

        Queueing, the token, repeated attempts and the waits between them are all within *timeout* seconds, or the
        client's. ApiError for any other status, TransportError where no answer came, DecodeError where it is too
        large or badly compressed; each says how many attempts were made and whether a write may have been applied.
        """
        self._binding.check()
        seconds = self._timeouts.total if timeout is None else checked_seconds("timeout", timeout)
        operation_ = _Operation(request, None if seconds is None else self._clock.monotonic() + seconds)
        failure: KajabiError
        try:
            return await _within(seconds, self._to_the_end(operation_), phase="total", request=request)
        except KajabiError as error:
            failure = error
        finally:
            self._account(operation_, tally)
        raise failure.sent(attempts=operation_.attempts, maybe_applied=operation_.may_have_been_applied(failure))

    async def revoke(self) -> None:
        """Revoke the token; the API kills its refresh token with it. Without a token, nothing is sent.

        The next request asks for a new token by the first grant.
        """
        self._binding.check()
        token = self._tokens.held
        if token is None:
            return
        self._tokens.forget()
        request = _form_request("oauth.revoke", {"token": token.access.reveal()}, authorized=True)
        answer = await self._transport.send(request, token.access)
        if not _is_success(answer) and answer.status != _UNAUTHORIZED:
            raise self._error(answer, request)

    async def aclose(self) -> None:
        """Cancel a token request under way and close the pool, unless it was handed in. May be called again."""
        if self._binding.close():
            await self._tokens.aclose()
            await self._transport.aclose()

    async def _to_the_end(self, operation_: "_Operation") -> Answer:
        while True:
            # Outside of the try: asking for a token is repeated by itself, and its failure is final here.
            token = await self._token() if operation_.request.authorized else None
            try:
                return await self._attempt(operation_, token)
            except KajabiError as error:
                retry = self._decided(operation_, error)
                if retry is None:
                    raise
            await self._pause(operation_, retry)

    async def _attempt(self, operation_: "_Operation", token: Token | None) -> Answer:
        answer = await self._on_the_wire(operation_, token)
        if answer.status == _UNAUTHORIZED and token is not None:
            # Refused before anything was done, so even a write may be sent again.
            operation_.on_wire = False
            token = await self._tokens.replace(token)
            answer = await self._on_the_wire(operation_, token)
        if not _is_success(answer):
            raise self._error(answer, operation_.request)
        _refuse_html(answer, operation_.request)
        return answer

    async def _token(self) -> Token:
        return self._tokens.live() or await self._tokens.renewed()

    async def _on_the_wire(self, operation_: "_Operation", token: Token | None) -> Answer:
        queued_at = self._clock.monotonic()
        await self._enter_gate(operation_.request)
        sent_at = self._clock.monotonic()
        operation_.waiting_seconds += sent_at - queued_at
        operation_.attempts += 1
        operation_.on_wire = True
        try:
            return await self._transport.send(operation_.request, None if token is None else token.access)
        finally:
            self._gate.leave()
            operation_.wire_seconds += self._clock.monotonic() - sent_at

    async def _enter_gate(self, request: Request) -> None:
        seconds = self._timeouts.queue
        if seconds is None or self._gate.is_open:
            await self._gate.enter()
        else:
            await _within(seconds, self._gate.enter(), phase="queue", request=request)

    def _decided(self, operation_: "_Operation", error: KajabiError) -> Retry | None:
        if isinstance(error, RateLimitError):
            self._stats.rate_limited += 1
        decision = decide(
            self._retry,
            error,
            is_write=operation_.request.is_write,
            attempt=operation_.attempts,
            now=self._clock.monotonic(),
            deadline=operation_.deadline,
            jitter=self._jitter,
        )
        return None if isinstance(decision, GiveUp) else decision

    async def _pause(self, operation_: "_Operation", retry: Retry) -> None:
        operation_.on_wire = False
        operation_.retries += 1
        request = operation_.request
        _LOG.debug("%s %s again in %.3f s", request.method, request.path, retry.after_seconds)
        paused_at = self._clock.monotonic()
        if retry.everyone:
            self._gate.pause_until(paused_at + retry.after_seconds)
            return
        try:
            await self._clock.sleep(retry.after_seconds)
        finally:
            operation_.waiting_seconds += self._clock.monotonic() - paused_at

    def _error(self, answer: Answer, request: Request, *, hint: str = "") -> ApiError:
        return api_error(
            status=answer.status,
            headers=answer.headers,
            body=answer.body,
            method=request.method,
            path=request.path,
            retry_after=read_retry_after(answer.headers, wall_time=self._clock.time()),
            hint=hint,
        )

    async def _ask_for_token(self, credentials: Credentials, may_repeat: bool) -> bytes:
        """Send a token request; not through the gate, whose places may all be held by those who wait for the token."""
        request = _form_request("oauth.token", credentials.form(), authorized=False)
        deadline = self._clock.monotonic() + _TOKEN_SECONDS
        attempt = 0
        while True:
            attempt += 1
            try:
                return await self._token_answer(request)
            except KajabiError as error:
                decision = decide(
                    self._retry,
                    error,
                    is_write=not may_repeat,
                    attempt=attempt,
                    now=self._clock.monotonic(),
                    deadline=deadline,
                    jitter=self._jitter,
                )
                if isinstance(decision, GiveUp):
                    raise
            await self._clock.sleep(decision.after_seconds)

    async def _token_answer(self, request: Request) -> bytes:
        self._stats.token_requests += 1
        answer = await _within(_TOKEN_SECONDS, self._transport.send(request, None), phase="total", request=request)
        if _is_success(answer):
            return answer.body
        hint = _CREDENTIALS_HINT if answer.status in {400, _UNAUTHORIZED} else ""
        raise self._error(answer, request, hint=hint)

    def _account(self, operation_: "_Operation", tally: Tally | None) -> None:
        for counters in (self._stats,) if tally is None else (self._stats, tally):
            counters.operations += 1
            counters.attempts += operation_.attempts
            counters.retries += operation_.retries
            counters.waiting_seconds += operation_.waiting_seconds
            counters.wire_seconds += operation_.wire_seconds

    def __del__(self) -> None:
        transport: Transport | None = getattr(self, "_transport", None)
        if transport is not None and transport.is_open:
            warnings.warn(
                "a Kajabi client was dropped without being closed: use 'async with' or await aclose()",
                ResourceWarning,
                source=self,
                stacklevel=2,
            )


@attrs.define
class _Operation:
    """One request on its way through attempts."""

    request: Request
    deadline: float | None
    attempts: int = 0
    retries: int = 0
    waiting_seconds: float = 0.0
    wire_seconds: float = 0.0
    on_wire: bool = False
    """Whether an attempt may have left that was not answered by a refusal."""

    def may_have_been_applied(self, failure: KajabiError) -> bool:
        return self.on_wire and maybe_applied(failure, is_write=self.request.is_write)


def _is_success(answer: Answer) -> bool:
    return 200 <= answer.status < 300  # noqa: PLR2004


def _refuse_html(answer: Answer, request: Request) -> None:
    """Refuse a page that a proxy or a login put in place of the answer; other media types are left to the reader."""
    media_type = answer.headers.get("content-type", "")
    if "html" in media_type.lower():
        raise DecodeError(
            f"the answer is {media_type[:60]!r}, not JSON:API", context=f"{request.method} {request.path}"
        )


def _form_request(name: str, fields: dict[str, str], *, authorized: bool) -> Request:
    row = operation(name)
    return Request(row.method, row.path, body=urlencode(fields).encode(), content_type=FORM, authorized=authorized)


_RAN_OUT: Final[Mapping[TimeoutPhase, str]] = {
    "queue": "no place among the requests under way",
    "total": "not done, waiting and repeating included,",
}


async def _within(seconds: float | None, work: Awaitable[T], *, phase: TimeoutPhase, request: Request) -> T:
    """Await *work*, but no longer than *seconds*; a caller's own time limits and cancellations pass through."""
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            return await work
    except TimeoutError:
        if not limit.expired():
            raise
    message = f"{_RAN_OUT[phase]} within {seconds} s"
    raise RequestTimeoutError(message, phase=phase, seconds=seconds, method=request.method, path=request.path)


def _checked_size(size: int) -> int:
    if isinstance(size, bool) or size < 1:
        raise ConfigurationError(f"max_answer_bytes must be a whole number of at least 1, got {size!r}")
    return size


def _checked_user_agent(user_agent: str) -> str:
    if not user_agent.isascii() or not user_agent.isprintable() or not user_agent.strip():
        raise ConfigurationError("user_agent must be printable ASCII")
    return user_agent
