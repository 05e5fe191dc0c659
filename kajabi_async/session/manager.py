"""The session manager: one request in, one answer out, with the token, the limits and the retries in between."""

import logging
import random
import warnings
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Final, NoReturn, TypeVar

import attrs

from kajabi_async.clock import Clock
from kajabi_async.errors import KajabiError
from kajabi_async.exchange import JSON_API, Answer, Request, SessionStats, Tally, TimeoutStarts
from kajabi_async.jsonapi.limits import MAX_ELEMENTS
from kajabi_async.session.auth.backoff import TokenBackoff, TokenRejections
from kajabi_async.session.auth.endpoint import OAuthEndpoint
from kajabi_async.session.auth.grants import Grants
from kajabi_async.session.auth.keeper import TokenKeeper
from kajabi_async.session.auth.token import Token
from kajabi_async.session.binding import Binding
from kajabi_async.session.credentials import Credentials
from kajabi_async.session.error_answers import error_of, refuse_html
from kajabi_async.session.limits.deadlines import (
    Deadline,
    Deadlines,
    Timeouts,
    checked_seconds,
    closed_meanwhile,
    ran_out,
)
from kajabi_async.session.limits.gate import Gate
from kajabi_async.session.limits.queue import Queue
from kajabi_async.session.limits.rate import RateLimit
from kajabi_async.session.recovery import Recovery
from kajabi_async.session.retry import RetryPolicy
from kajabi_async.session.running_operation import RunningOperation
from kajabi_async.session.settings import (
    checked_base_url,
    checked_clock,
    checked_limit,
    checked_observers,
    checked_retry,
    checked_user_agent,
)
from kajabi_async.session.transport import Transport
from kajabi_async.tracebacks import calling_line, hide_arguments

if TYPE_CHECKING:
    import aiohttp

    from kajabi_async.session.auth.store import TokenStore
    from kajabi_async.session.events import SessionObserver
    from kajabi_async.session.reports import Reports

__all__ = ["SessionManager"]

T = TypeVar("T")

_LOG: Final = logging.getLogger("kajabi_async")
_UNAUTHORIZED: Final = 401
_TOO_MANY_REQUESTS: Final = 429
_TOKENS_TRIED: Final = 3
"""All but the last of them came from a store, where they may already have been revoked."""


class SessionManager:
    """Owns the pool and the token of one client, and sends requests, each with its retries.

    It belongs to the event loop of its first request, which opens the pool; `aclose` closes it.
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
        token_store: "TokenStore | None" = None,
        observers: "Iterable[SessionObserver]" = (),
        max_answer_bytes: int = 8 * 2**20,
        max_answer_elements: int = MAX_ELEMENTS,
        http_session: "aiohttp.ClientSession | None" = None,
        clock: Clock | None = None,
        jitter: Callable[[], float] = random.random,
        user_agent: str = "kajabi_async",
    ) -> None:
        self._base_url = checked_base_url(base_url, allow_insecure=allow_insecure)
        self._credentials = credentials
        self._timeouts = timeouts or Timeouts()
        self._own_timeouts: Timeouts | None = None
        policy = checked_retry(retry)
        self._clock = checked_clock(clock)
        self._stats = SessionStats()
        self._observers = checked_observers(observers)
        self._observer: SessionObserver | None = None
        self._observer_and_log: SessionObserver | None = None
        if self._observers:
            from kajabi_async.session.reports import notify_all  # noqa: PLC0415 - few programs have observers

            self._observer = notify_all(self._observers)
        self._gate = Gate(concurrency, rate_limit, self._clock)
        self._recovery = Recovery(policy, self._gate, self._clock, self._stats, jitter)
        self._deadlines = Deadlines()
        self._binding = Binding()
        self._transport = Transport(
            base_url=self._base_url,
            binding=self._binding,
            timeouts=self._timeouts,
            max_answer_bytes=checked_limit(max_answer_bytes, of="max_answer_bytes"),
            max_answer_elements=checked_limit(max_answer_elements, of="max_answer_elements"),
            user_agent=checked_user_agent(user_agent),
            http_session=http_session,
        )
        self._queue = Queue(self._gate, self._deadlines, self._clock, self._transport.place)
        self._tokens = self._keeper(
            credentials, token_store, TokenBackoff(policy, self._clock, jitter, self._gate.paused_for)
        )
        self._rejections = TokenRejections()
        self._accepted: Token | None = None
        self.on_close: Callable[[], None] = _do_nothing
        self._made_at = calling_line()

    def _keeper(self, credentials: Credentials, store: "TokenStore | None", backoff: TokenBackoff) -> TokenKeeper:
        endpoint = OAuthEndpoint(
            self._transport,
            self._deadlines,
            self._gate,
            self._clock,
            self._stats,
            self._base_url,
            self._observer_now,
            partial(self._recovery.heed, learns=False),
        )
        grants = Grants(credentials, endpoint, backoff)
        shared = None
        if store:
            from kajabi_async.session.auth.shared import SharedToken, store_key  # noqa: PLC0415

            shared = SharedToken(
                store, store_key(credentials, self._base_url), self._clock, grants, place=self._transport.place
            )
        keeper = TokenKeeper(grants, self._clock, shared)
        keeper.on_new = self._report_token
        return keeper

    @property
    def base_url(self) -> str:
        """Scheme and host that every request goes to."""
        return self._base_url

    @property
    def timeouts(self) -> Timeouts:
        """The time limits of requests, in seconds."""
        return self._timeouts

    @property
    def retry(self) -> RetryPolicy:
        """When reads are retried."""
        return self._recovery.policy

    @property
    def concurrency(self) -> int:
        """The number of requests in flight at once."""
        return self._gate.slots

    @property
    def clock(self) -> Clock:
        """The source of time."""
        return self._clock

    def has_calls(self) -> bool:
        """Return whether requests of no run were sent lately, for which slots are kept."""
        return self._gate.has_calls

    def check_open(self) -> None:
        """Do nothing while requests can be sent; ClientClosedError or WrongLoopError otherwise."""
        if self._binding.state != "new":
            self._binding.check()

    def derive_key(self, purpose: str) -> bytes:
        """Return 32 bytes for keyed hashes, the same for all clients with the same credentials and ``base_url``."""
        from kajabi_async.session.auth.shared import derived_key  # noqa: PLC0415

        return derived_key(self._credentials, self._base_url, purpose)

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
        """Send ``request`` and return its 2xx answer.

        ``timeout`` is in seconds and covers the wait in the queue, the token, all attempts and the waits between them;
        None stands for the client's. ApiError for any other status, TransportError if no answer came, DecodeError if it
        is too large or badly compressed; each says how many attempts were made and whether a write may have been
        applied. PausedError, with nothing sent, if a pause that the API asked for outlasts that time;
        RequestTimeoutError with the phase "queue" if it runs out in the client's queue.

        With ``timeout_starts`` "sent" the time starts when the request leaves the client's queue, and stops while a
        later attempt is in it: no wait for a token, a slot, a permit of the rate or the end of a pause counts, and the
        queue timeout does not apply. Operations of runs are sent so; all others come before them in the queue.
        """
        loop = self._binding.check()
        seconds = self._timeouts.total if timeout is None else checked_seconds("timeout", timeout)
        now = self._clock.monotonic()
        deadline = None if seconds is None else now + seconds
        # As in `_observer_now`, without a call.
        observed = self._observer is not None or _LOG.isEnabledFor(logging.DEBUG)
        reports = self._reports_of(request) if observed else None
        running = RunningOperation(request, now, seconds, deadline, reports, timeout_starts == "call")
        failure: KajabiError
        try:
            with self._deadlines.limit(seconds, loop=loop) as limit:
                answer = await self._attempts(running, limit)
                running.finish(None, self._clock, self._stats, tally)
                return answer
            # Reached only if the limit swallowed its own cancellation: time ran out, or the client was closed.
            failure = self._ended(running, limit)
        except KajabiError as error:
            failure = error
        except BaseException as error:
            running.finish(error, self._clock, self._stats, tally)
            raise
        running.finish(failure, self._clock, self._stats, tally)
        raise running.failed(failure)

    async def revoke(self) -> None:
        """Revoke the token; the API ends its refresh token with it. Without a token, nothing is sent.

        The next request fetches a new token by the first grant. A token store drops the token as well. ApiError or
        TransportError if the API did not confirm it: the token is kept then, and another call sends it again.
        """
        self._binding.check()
        await self._tokens.revoke()

    async def aclose(self) -> None:
        """End running calls with ClientClosedError and close the pool, unless it was handed in.

        From the moment of the call on, nothing is sent. May be called again, also after a call was cancelled; each call
        returns when everything is closed. WrongLoopError on another event loop than that of the first request, as long
        as that is open. In a forked child the pool, which is the parent's, is abandoned and nothing else happens.
        """
        if not self._binding.owns_connections():
            self._binding.close()
            self._binding.closed()
            self._transport.abandon()
            return
        # No await before the tokens: a call that is cancelled from there on has closed everything.
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
        """Return the error for an operation that was ended by its own limit or by closing the client."""
        running.on_wire = running.on_wire and limit.request_left
        request = running.request
        if self._deadlines.are_ended:
            return closed_meanwhile(request, left=running.on_wire)
        if running.in_line:
            return self._queue.ran_out(running.seconds, request)
        failure = ran_out(
            running.seconds, "total" if running.line_counts else "sent", request, place=self._transport.place
        )
        # A timeout while waiting for a token says nothing about the requested resource.
        failure.at_token_endpoint = running.waits_for_token
        return failure

    async def _attempts(self, running: RunningOperation, limit: Deadline) -> Answer:
        """Send the request until it succeeds; raise its last error if no retry follows."""
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
                if not (self._recovery.budget.is_full and self._rejections.is_empty):
                    self._succeeded(running)
                return answer
            retry = self._recovery.decide(running, failure)
            if retry is None:
                raise failure
            await self._recovery.pause(running, failure, retry)

    def _succeeded(self, running: RunningOperation) -> None:
        if not self._rejections.is_empty:
            self._rejections.accepted(running.called)
        if not self._recovery.budget.is_full:
            self._recovery.succeeded()

    async def _with_other_tokens(
        self, running: RunningOperation, limit: Deadline, rejected: Token, answer: Answer
    ) -> Answer:
        """Send again with other tokens than the *rejected* one; return the last answer, else *answer*."""
        for _ in range(_TOKENS_TRIED):
            # With none noted, the operation need not be looked up.
            rejections = self._rejections
            if not rejections.is_empty and not rejections.may_replace(running.called, self._clock.monotonic()):
                return answer
            # A 401 comes before anything was done, so even a write may be sent again.
            running.on_wire = False
            rejected = await self._another_token(running, limit, rejected)
            answer = await self._on_the_wire(running, limit, rejected)
            if answer.status != _UNAUTHORIZED:
                return answer
            # A token from a store, or one that was accepted before, may have expired meanwhile: try the next.
            if not rejected.shared and rejected is not self._accepted:
                break
        self._rejections.rejected(running.called, rejected.access, self._clock.monotonic())
        return answer

    async def _another_token(self, running: RunningOperation, limit: Deadline, rejected: Token | None) -> Token:
        """Return a token other than *rejected*; an error is final, as the keeper retries by itself."""
        deadline = running.deadline if running.line_counts else None
        getting = self._tokens.renewed(deadline) if rejected is None else self._tokens.replace(rejected, deadline)
        running.waits_for_token = True
        token = await self._in_line(running, limit, getting)
        running.waits_for_token = False
        return token

    async def _on_the_wire(self, running: RunningOperation, limit: Deadline, token: Token | None) -> Answer:
        """Make one attempt, as soon as the gate lets it through."""
        sent_at, gate, is_call = self._clock.monotonic(), self._gate, running.line_counts
        if not (gate.enter_at_once(sent_at) if is_call else gate.enter_run_at_once(sent_at)):
            queued_at = sent_at
            try:
                await self._in_line(running, limit, self._queue.enter(running, self._timeouts.queue))
            finally:
                sent_at = self._clock.monotonic()
                running.waited(sent_at - queued_at)
        running.attempts += 1
        running.on_wire = True
        if running.reports is not None:
            running.reports.sent(running.attempts)
        ended = "CancelledError"
        status, size = None, 0
        try:
            access = None if token is None else token.access
            answer = await self._transport.send(running.request, access, limit, self._own_timeouts)
            status, size, ended = answer.status, len(answer.body), ""
        except KajabiError as error:
            ended = type(error).__name__
            raise
        finally:
            if is_call:
                gate.leave()
            else:
                gate.leave_for_run()
            now = self._clock.monotonic()
            running.wire_seconds += now - sent_at
            if running.reports is not None:
                running.reports.answered(running.attempts, status, ended, size, now - sent_at)
        if answer.status != _TOO_MANY_REQUESTS:
            gate.answered(now)
        return answer

    async def _in_line(self, running: RunningOperation, limit: Deadline, waiting: Awaitable[T]) -> T:
        """Await a wait in the client's queue; unless it counts, the limit and the deadline are moved by its time."""
        if running.line_counts:
            return await waiting
        since = self._clock.monotonic()
        limit.suspend()
        try:
            return await waiting
        finally:
            limit.resume()
            running.postpone(self._clock.monotonic() - since)

    def _report_token(self, token: Token) -> None:
        observer = self._observer_now()
        if observer is not None:
            from kajabi_async.session.events import TokenRefreshed  # noqa: PLC0415

            observer(TokenRefreshed(token.shared))

    def _reports_of(self, request: Request) -> "Reports | None":
        """Return what reports the call of *request*, whose start is reported; None if nothing observes it."""
        observer = self._observer_now()
        if observer is None:
            return None
        from kajabi_async.session.reports import Reports  # noqa: PLC0415

        return Reports.begin(observer, request, self._base_url)

    def _observer_now(self) -> "SessionObserver | None":
        """Return what receives events now; the log, which may be turned on at any time, does so at DEBUG alone."""
        if not _LOG.isEnabledFor(logging.DEBUG):
            return self._observer
        if self._observer_and_log is None:
            from kajabi_async.session.reports import log_event, notify_all  # noqa: PLC0415

            self._observer_and_log = notify_all((*self._observers, log_event))
        return self._observer_and_log

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


def _do_nothing() -> None:
    """Stand in for the callback of a session that has none."""
