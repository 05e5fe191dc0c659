"""The session manager: one request in, one answer out, whatever happens in between."""

import inspect
import random
import warnings
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar

import attrs

from kajabi_async.checks import function, iterable_of, string, whole_number, with_methods
from kajabi_async.clock import Clock, SystemClock
from kajabi_async.concurrency import TooLateError
from kajabi_async.errors import (
    ConfigurationError,
    KajabiError,
    PausedError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
)
from kajabi_async.exchange import JSON_API, Answer, Request, SessionStats, Tally, TimeoutStarts
from kajabi_async.jsonapi.limits import MAX_ELEMENTS
from kajabi_async.session.answers import error_of, refuse_html
from kajabi_async.session.auth.backoff import TokenBackoff, TokenRefusals
from kajabi_async.session.auth.endpoint import OAuthEndpoint
from kajabi_async.session.auth.grants import Grants
from kajabi_async.session.auth.keeper import TokenKeeper
from kajabi_async.session.auth.shared import SharedToken, store_key
from kajabi_async.session.auth.store import TokenStore
from kajabi_async.session.auth.token import Token
from kajabi_async.session.base_url import checked_base_url
from kajabi_async.session.binding import Binding
from kajabi_async.session.credentials import Credentials
from kajabi_async.session.events import SessionObserver, TokenRefreshed
from kajabi_async.session.limits.deadlines import (
    Deadline,
    Deadlines,
    Timeouts,
    checked_seconds,
    closed_meanwhile,
    ran_out,
    ran_out_in_line,
)
from kajabi_async.session.limits.gate import Gate, NoPermitError
from kajabi_async.session.limits.rate import RateLimit, as_rate_limit
from kajabi_async.session.logs import BudgetLog, Watchers, log_pause, log_rate
from kajabi_async.session.retry import GiveUp, Retry, RetryBudget, RetryPolicy, decide
from kajabi_async.session.running_operation import RunningOperation
from kajabi_async.session.transport import Transport
from kajabi_async.tracebacks import hide_arguments

if TYPE_CHECKING:
    import aiohttp

__all__ = ["SessionManager"]

T = TypeVar("T")

_UNAUTHORIZED: Final = 401
_TOO_MANY_REQUESTS: Final = 429
_TOKENS_TRIED: Final = 3
"""Of which all but the last came from a store, where they may have been dead already."""


class SessionManager:
    """Owns the pool and the token of one client and sends one request at a time to its end.

    It belongs to the event loop of its first request. Opening is done by that request, closing by `aclose`.
    """

    @hide_arguments
    def __init__(
        self,
        *,
        credentials: Credentials,
        base_url: str = "https://api.kajabi.com",
        allow_insecure: bool = False,
        timeouts: Timeouts | None = None,
        concurrency: int = 50,
        rate_limit: "float | RateLimit | None" = None,
        retry: RetryPolicy | None = None,
        token_store: TokenStore | None = None,
        observers: Iterable[SessionObserver] = (),
        max_answer_bytes: int = 8 * 2**20,
        max_answer_elements: int = MAX_ELEMENTS,
        http_session: "aiohttp.ClientSession | None" = None,
        clock: Clock | None = None,
        jitter: Callable[[], float] = random.random,
        user_agent: str = "kajabi_async",
    ) -> None:
        self._base_url = checked_base_url(base_url, allow_insecure=allow_insecure)
        self._timeouts = timeouts or Timeouts()
        self._retry = _checked_retry(retry)
        self._budget = RetryBudget(self._retry.budget)
        self._budget_log = BudgetLog(self._budget, self._retry.budget)
        self._clock = _checked_clock(clock)
        self._jitter = jitter
        self._gate = Gate(concurrency, as_rate_limit(rate_limit), self._clock)
        self._deadlines = Deadlines()
        self._binding = Binding()
        self._transport = Transport(
            base_url=self._base_url,
            binding=self._binding,
            timeouts=self._timeouts,
            max_answer_bytes=_limit(max_answer_bytes, of="max_answer_bytes"),
            max_answer_elements=_limit(max_answer_elements, of="max_answer_elements"),
            user_agent=_checked_user_agent(user_agent),
            http_session=http_session,
        )
        self._stats = SessionStats()
        self._watchers = Watchers(_checked_observers(observers))
        endpoint = OAuthEndpoint(
            self._transport,
            self._deadlines,
            self._gate,
            self._clock,
            self._stats,
            self._base_url,
            self._watchers.now,
            partial(self._heed, learns=False),
        )
        grants = Grants(
            credentials, endpoint, TokenBackoff(self._retry, self._clock, jitter, lambda: self._gate.paused_for)
        )
        shared = None
        if token_store:
            shared = SharedToken(token_store, store_key(credentials, self._base_url), self._clock, grants)
        self._tokens = TokenKeeper(grants, self._clock, shared)
        self._refusals = TokenRefusals()
        self._accepted: Token | None = None
        self._tokens.on_new = self._tell_of_token
        self.on_close: Callable[[], None] = _nothing_waits
        self._made_at = _place_outside()

    @property
    def base_url(self) -> str:
        """Scheme and host that every request goes to."""
        return self._base_url

    @property
    def stats(self) -> SessionStats:
        """What the session has done so far; a copy."""
        return attrs.evolve(
            self._stats,
            tokens_taken=self._tokens.taken,
            requests_per_second=self._gate.per_second(),
            queued=self._gate.waiting,
        )

    async def send(
        self,
        request: Request,
        *,
        timeout: float | None = None,
        tally: Tally | None = None,
        timeout_starts: TimeoutStarts = "call",
    ) -> Answer:
        """Send *request* and return its 2xx answer.

        Queueing, the token, repeated attempts and the waits between them are all within *timeout* seconds, or the
        client's. ApiError for any other status, TransportError if no answer came, DecodeError if it is too large or
        badly compressed; each says how many attempts were made and whether a write may have been applied.
        PausedError, with nothing sent, if a pause that the API asked for outlasts that time; RequestTimeoutError with
        the phase "queue" if it runs out in our own line.

        With *timeout_starts* "sent" the time begins when the request leaves our own line, and stands still while a
        later attempt is in it: no wait for a token, a slot, a permit of the rate or the end of a pause counts, and the
        queue timeout does not apply.
        """
        loop = self._binding.check()
        seconds = self._timeouts.total if timeout is None else checked_seconds("timeout", timeout)
        now = self._clock.monotonic()
        deadline = None if seconds is None else now + seconds
        running = RunningOperation(request, now, seconds, deadline, self._watchers.now(), self._base_url)
        if timeout_starts == "sent":
            running.line_counts = False
        if running.tell is not None:
            running.begin()
        failure: KajabiError
        try:
            with self._deadlines.limit(seconds, loop=loop) as limit:
                answer = await self._to_the_end(running, limit)
                running.finish(None, self._clock, self._stats, tally)
                return answer
            failure = self._ended(running, limit)
        except KajabiError as error:
            failure = error
        except BaseException as error:
            running.finish(error, self._clock, self._stats, tally)
            raise
        running.finish(failure, self._clock, self._stats, tally)
        raise running.failed(failure)

    async def revoke(self) -> None:
        """Revoke the token; the API kills its refresh token with it. Without a token, nothing is sent.

        The next request asks for a new token by the first grant. A token store drops the token as well. ApiError or
        TransportError if the API did not confirm it: the token is kept then, and another call sends it again.
        """
        self._binding.check()
        await self._tokens.revoke()

    async def aclose(self) -> None:
        """End what is under way with ClientClosedError and close the pool, unless it was handed in.

        Nothing is sent any more from the moment of the call on. May be called again, also after a call was cancelled;
        each returns when nothing is left. WrongLoopError on another event loop than that of the first request, as long
        as that is open. In a forked child the pool is let go of and nothing else: it is the parent's.
        """
        if not self._binding.owns_connections():
            self._binding.close()
            self._binding.closed()
            self._transport.abandon()
            return
        # Without waiting up to where the tokens are waited for: a call that is cancelled there has closed everything.
        self._binding.close()
        self.on_close()
        self._deadlines.end_all()
        self._transport.close()
        self._deadlines.close()
        await self._tokens.aclose()
        await self._deadlines.all_ended()
        await self._transport.closed()
        self._binding.closed()

    def _ended(self, running: RunningOperation, limit: Deadline) -> KajabiError:
        """Return the error for an operation that its own limit, or the end of the client, has cancelled."""
        running.on_wire = running.on_wire and limit.request_left
        request = running.request
        if self._deadlines.are_ended:
            return closed_meanwhile(request, left=running.on_wire)
        if running.in_line:
            return ran_out_in_line(running.seconds, self._gate.line(), request)
        failure = ran_out(running.seconds, "total" if running.line_counts else "sent", request)
        # Nothing is known of what was requested.
        failure.at_token_endpoint = running.waits_for_token
        return failure

    async def _to_the_end(self, running: RunningOperation, limit: Deadline) -> Answer:
        while True:
            token = None
            if running.request.authorized:
                token = self._tokens.live() or await self._another_token(running, limit, None)
            failure: KajabiError
            try:
                answer = await self._on_the_wire(running, limit, token)
                if answer.status == _UNAUTHORIZED and token is not None:
                    answer = await self._with_other_tokens(running, limit, token, answer)
                if not 200 <= answer.status < 300:  # noqa: PLR2004
                    raise error_of(answer, running.request, self._clock)
                if answer.headers.get("content-type") != JSON_API:
                    refuse_html(answer, running.request)
            except KajabiError as error:
                failure = error
            else:
                self._accepted = token
                if not (self._budget.is_full and self._refusals.is_empty):
                    self._succeeded(running)
                return answer
            retry = self._decided(running, failure)
            if retry is None:
                raise failure
            await self._pause(running, failure, retry)

    async def _with_other_tokens(
        self, running: RunningOperation, limit: Deadline, refused: Token, answer: Answer
    ) -> Answer:
        """Send again with other tokens than the *refused* one; return *answer*, or the one that came in its place."""
        for _ in range(_TOKENS_TRIED):
            if not self._refusals.may_replace(running.called, self._clock.monotonic()):
                return answer
            # Refused before anything was done, so even a write may be sent again.
            running.on_wire = False
            refused = await self._another_token(running, limit, refused)
            answer = await self._on_the_wire(running, limit, refused)
            if answer.status != _UNAUTHORIZED:
                return answer
            # One out of a store, or one that another request was answered with, may have ended meanwhile.
            if not refused.shared and refused is not self._accepted:
                break
        self._refusals.refused(running.called, refused.access, self._clock.monotonic())
        return answer

    async def _another_token(self, running: RunningOperation, limit: Deadline, refused: Token | None) -> Token:
        """Return a token, other than *refused*; a failure is final, as a token is requested repeatedly by itself."""
        deadline = running.deadline if running.line_counts else None
        getting = self._tokens.renewed(deadline) if refused is None else self._tokens.replace(refused, deadline)
        running.waits_for_token = True
        token = await self._in_line(running, limit, getting)
        running.waits_for_token = False
        return token

    async def _on_the_wire(self, running: RunningOperation, limit: Deadline, token: Token | None) -> Answer:
        sent_at = self._clock.monotonic()
        if not self._gate.enter_at_once(sent_at):
            queued_at = sent_at
            try:
                await self._in_line(running, limit, self._enter_gate(running))
            finally:
                sent_at = self._clock.monotonic()
                running.waited(sent_at - queued_at)
        running.sent()
        ended = "CancelledError"
        status, size = None, 0
        try:
            answer = await self._transport.send(running.request, None if token is None else token.access, limit)
            status, size, ended = answer.status, len(answer.body), ""
        except KajabiError as error:
            ended = type(error).__name__
            raise
        finally:
            self._gate.leave()
            now = self._clock.monotonic()
            running.ended(status, ended, size, now - sent_at)
        if answer.status != _TOO_MANY_REQUESTS:
            self._gate.answered(now)
        return answer

    async def _in_line(self, running: RunningOperation, limit: Deadline, waiting: Awaitable[T]) -> T:
        """Await what our own line makes *running* wait for; it may be that this takes none of its time."""
        if running.line_counts:
            return await waiting
        since = self._clock.monotonic()
        limit.suspend()
        try:
            return await waiting
        finally:
            limit.resume()
            running.postpone(self._clock.monotonic() - since)

    async def _enter_gate(self, running: RunningOperation) -> None:
        request = running.request
        if request.once and self._gate.is_paused:
            raise self._paused(request, self._gate.paused_for)
        if not running.line_counts:
            await self._gate.enter(None)
            return
        seconds = None if self._gate.is_open else self._timeouts.queue
        running.in_line = True
        failure: KajabiError
        try:
            await self._deadlines.within(seconds, self._gate.enter(running.deadline), phase="queue", request=request)
        except NoPermitError:
            failure = ran_out_in_line(running.seconds, self._gate.line(), request)
        except TooLateError as error:
            failure = self._paused(request, error.seconds_left)
        except RequestTimeoutError:
            failure = ran_out_in_line(seconds, self._gate.line(), request)
        else:
            running.in_line = False
            return
        raise failure

    def _paused(self, request: Request, left: float) -> PausedError:
        paused = PausedError(status=429, method=request.method, path=request.path, retry_after=left)
        paused.retry_at = self._clock.time() + left
        return paused

    def _succeeded(self, running: RunningOperation) -> None:
        if not self._refusals.is_empty:
            self._refusals.accepted(running.called)
        if not self._budget.is_full:
            self._budget.earn()
            self._budget_log.earned()

    def _decided(self, running: RunningOperation, error: KajabiError) -> Retry | None:
        if error.at_token_endpoint:
            # Heeded and repeated by itself.
            return None
        if isinstance(error, RateLimitError | ServerError):
            self._heed(error, running.called)
        decision = decide(
            self._retry,
            error,
            is_write=running.request.is_write,
            attempt=running.attempts,
            now=self._clock.monotonic(),
            deadline=running.deadline,
            jitter=self._jitter,
            pauses_count=running.line_counts,
        )
        if isinstance(decision, GiveUp):
            running.gave_up = decision.because
            return None
        if running.request.once and not decision.stale:
            running.gave_up = "caller"
            return None
        if not decision.free and not self._budget.spend():
            running.gave_up = "budget"
            self._stats.retries_denied += 1
            self._budget_log.denied(running.called)
            return None
        return decision

    def _heed(self, error: KajabiError, called: str, *, learns: bool = True) -> None:
        """Slow everyone down if the API asks for it, whatever becomes of the request that was told so.

        If not *learns*, a 429 says nothing of the rate: the token endpoint counts its own requests.
        """
        if isinstance(error, PausedError) or not isinstance(error, RateLimitError | ServerError):
            return
        if error.retry_after and not self._gate.is_paused:
            # Whoever else was under way is told the same in a moment.
            log_pause(error.retry_after, error.status, called)
        if isinstance(error, RateLimitError):
            self._stats.rate_limited += 1
        if isinstance(error, RateLimitError) and learns:
            before = self._gate.per_second()
            self._gate.refused(error.retry_after)
            log_rate(before, self._gate.per_second())
        elif error.retry_after:
            self._gate.pause(error.retry_after)
        if error.retry_after:
            self._stats.pauses += 1

    async def _pause(self, running: RunningOperation, error: KajabiError, retry: Retry) -> None:
        running.repeats(error, retry)
        if retry.stale:
            self._stats.resent += 1
            return
        if retry.everyone:
            self._gate.pause(retry.after_seconds)
            return
        paused_at = self._clock.monotonic()
        try:
            await self._clock.sleep(retry.after_seconds)
        finally:
            running.waiting_seconds += self._clock.monotonic() - paused_at

    def _tell_of_token(self, token: Token) -> None:
        tell = self._watchers.now()
        if tell is not None:
            tell(TokenRefreshed(token.shared))

    def __reduce__(self) -> NoReturn:
        raise TypeError("a session owns a token and connections and can be neither copied nor pickled: share it")

    def __del__(self) -> None:
        transport: Transport | None = getattr(self, "_transport", None)
        if transport is not None and transport.is_open:
            warnings.warn(
                f"a Kajabi client, made at {self._made_at}, was dropped without being closed: use 'async with', or "
                "await aclose()",
                ResourceWarning,
                source=self,
                stacklevel=2,
            )


def _nothing_waits() -> None:
    """Do nothing, in place of what is to be done when the session begins to close."""


def _place_outside() -> str:
    """Give file and line of the code, not of this package, that makes a session."""
    frame = inspect.currentframe()
    while frame is not None and str(frame.f_globals.get("__name__")).startswith("kajabi_async."):
        frame = frame.f_back
    return "an unknown place" if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno}"


def _limit(value: Any, *, of: str) -> int:
    return whole_number(value, of=of, at_most=None, error=ConfigurationError)


def _checked_retry(retry: Any) -> RetryPolicy:
    if retry is None:
        return RetryPolicy()
    if not isinstance(retry, RetryPolicy):
        raise ConfigurationError(f"retry must be a RetryPolicy, got {type(retry).__name__}")
    return retry


def _checked_clock(clock: Any) -> Clock:
    if clock is None:
        return SystemClock()
    checked: Clock = with_methods(clock, "monotonic", "time", "sleep", of="clock")
    return checked


def _checked_observers(observers: Any) -> list[SessionObserver]:
    given = iterable_of("observers", observers, error=ConfigurationError)
    return [function(each, of="an observer", error=ConfigurationError) for each in given]


def _checked_user_agent(given: Any) -> str:
    user_agent = string(given, of="user_agent", error=ConfigurationError)
    if not user_agent.isascii() or not user_agent.isprintable() or not user_agent.strip():
        raise ConfigurationError("user_agent must be printable ASCII")
    return user_agent
