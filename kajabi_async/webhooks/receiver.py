"""The receiver of deliveries: from the path and body of a request to a handled event, in any web framework."""

import logging
from collections.abc import AsyncIterable, Awaitable, Callable
from hashlib import sha256
from secrets import token_hex
from typing import TYPE_CHECKING, ClassVar, Final

import attrs

from kajabi_async.checks import boolean, whole_number
from kajabi_async.errors import ConfigurationError
from kajabi_async.webhooks.dashboard import DashboardEvent
from kajabi_async.webhooks.delivery_errors import (
    DeliveryInProgressError,
    DeliveryTooLargeError,
    MalformedDeliveryError,
    ReplayGuardUnavailableError,
    UnknownDeliveryError,
)
from kajabi_async.webhooks.parse import MAX_BYTES, MAX_ELEMENTS, KnownEvent, parse
from kajabi_async.webhooks.path_secret import PathSecrets
from kajabi_async.webhooks.replay import ReplayGuard, Standing

if TYPE_CHECKING:
    from kajabi_async.client import Kajabi

__all__ = ["AnyEvent", "Handler", "Key", "Receipt", "Receiver", "UnreadDelivery", "by_id", "by_id_and_content"]

_OK: Final = 200
_LOG: Final = logging.getLogger("kajabi_async")


@attrs.frozen(kw_only=True, repr=False)
class UnreadDelivery:
    """A delivery to the secret path that is no known event: of another name or shape, not JSON, or an empty ping.

    Kajabi takes any answer but a 2xx for a failure and delivers again for hours (integrators), so a `Receiver` that is
    not strict acknowledges it and passes it on as this.
    """

    body: bytes
    """The whole body as received; empty for a ping."""
    error: MalformedDeliveryError | UnknownDeliveryError
    """The reason why it could not be read; it repeats no value of the delivery."""

    name: ClassVar[str] = "unread"

    @property
    def id(self) -> str:
        """A digest of the body, in place of an id."""
        return sha256(self.body).hexdigest()

    @property
    def event(self) -> str | None:
        """The name of its event, or None if it has none or the value does not look like a name."""
        return self.error.event

    def __repr__(self) -> str:
        return f"<UnreadDelivery of {len(self.body)} bytes: {self.error}>"


AnyEvent = KnownEvent | UnreadDelivery
"""An event as a `Receiver` passes it to a handler."""
Handler = Callable[[AnyEvent], Awaitable[object]]
"""A coroutine function that handles an event; its result is ignored."""
Key = Callable[[AnyEvent, bytes], str]
"""A function of an event and its body; deliveries with equal keys are duplicates."""


def by_id_and_content(event: AnyEvent, body: bytes) -> str:
    """Return a key of event, id and body, or of event and transaction for a delivery without an id of its own.

    It loses no delivery: by the API document the id is that of the resource, so two tags added to one contact come
    with the same id. A duplicate with a different body, such as another time in it, is handled again.
    """
    has_own_id = not isinstance(event, DashboardEvent) or event.has_own_id
    return _digest(event.name, event.id, body if has_own_id else b"")


def by_id(event: AnyEvent, _body: bytes) -> str:
    """Return a key of event and id alone.

    Use it only if you have seen that each delivery has an id of its own: otherwise deliveries are lost.
    """
    return _digest(event.name, event.id, b"")


def _digest(name: str, delivery_id: str, body: bytes) -> str:
    # Names hold no space and the id is hashed separately, so the three parts cannot be confused.
    identity = sha256(delivery_id.encode("utf-8", "surrogatepass")).hexdigest()
    return sha256(f"{name} {identity} ".encode() + body).hexdigest()


@attrs.frozen
class Receipt:
    """The result of an accepted delivery, to be answered with 200."""

    event: AnyEvent
    duplicate: bool
    """Whether it was handled before, and not again now."""
    http_status: int = 200


class Receiver:
    """A receiver that checks and parses deliveries and passes them to a handler; one serves all requests.

    ::

        receiver = Receiver(PathSecrets(os.environ["HOOK_SECRET"]), MemoryReplayGuard(), api=api)


        async def webhook(request):
            try:
                receipt = await receiver.receive(request.match_info["secret"], await request.read(), handle)
            except WebhookError as error:
                return web.Response(status=error.http_status)
            return web.Response(status=receipt.http_status)

    """

    def __init__(
        self,
        secrets: PathSecrets,
        guard: ReplayGuard,
        *,
        api: "Kajabi | None" = None,
        key: Key = by_id_and_content,
        max_bytes: int = MAX_BYTES,
        max_elements: int = MAX_ELEMENTS,
        strict: bool = False,
    ) -> None:
        """Accept ``secrets``; detect duplicates with ``guard`` by ``key``; fetch other relations with ``api``.

        A delivery above ``max_bytes`` or ``max_elements`` raises DeliveryTooLargeError before it is decoded. One that
        is no known event is acknowledged and passed on as an `UnreadDelivery`; with ``strict`` it raises
        MalformedDeliveryError or UnknownDeliveryError instead, as does a resource with an unreadable attribute. Kajabi
        takes such an answer for a failure and delivers again.
        """
        self._secrets = secrets
        self._guard = guard
        self._api = api
        self._key = key
        self._max_bytes = whole_number(max_bytes, of="max_bytes", at_most=None, error=ConfigurationError)
        self._max_elements = whole_number(max_elements, of="max_elements", at_most=None, error=ConfigurationError)
        self._strict = boolean(strict, of="strict", error=ConfigurationError)

    def probe(self, path_secret: str) -> int:
        """Return 200, the status for GET and HEAD of the path; WrongSecretError if the secret is not accepted.

        Kajabi probes the address of a hook, and takes the hook for dead on a 405 (integrators).
        """
        self._secrets.check(path_secret)
        return _OK

    async def receive(self, path_secret: str, body: bytes | AsyncIterable[bytes], handle: Handler) -> Receipt:
        """Pass the event in ``body`` to ``handle``, unless it is a duplicate, and return a receipt.

        ``body`` is bytes or an async iterable of parts, which is read up to the limit only, and not at all if
        ``path_secret`` is wrong. Raises a WebhookError with the ``http_status`` to answer with. If ``handle`` raises or
        is cancelled, the delivery is released, so that the next attempt is handled, and the exception is raised to the
        caller: answer with 500. If the process dies meanwhile, the delivery stays claimed for the lease of the guard.
        So ``handle`` may run twice for one event.
        """
        self._secrets.check(path_secret)
        # Keep it out of the locals in a traceback of the handler.
        del path_secret
        content = body if isinstance(body, bytes) else await _read(body, self._max_bytes)
        event = self._event(content)
        key, holder = self._key(event, content), token_hex(16)
        standing = await self._guard.claim(key, holder)
        if standing is Standing.HANDLED:
            return Receipt(event, duplicate=True)
        if standing is Standing.IN_PROGRESS:
            raise DeliveryInProgressError(f"this delivery of {event.name!r} is being handled by another request")
        await self._handle(event, handle, key, holder)
        return Receipt(event, duplicate=False)

    def _event(self, content: bytes) -> AnyEvent:
        try:
            return parse(
                content,
                api=self._api,
                max_bytes=self._max_bytes,
                max_elements=self._max_elements,
                strict=self._strict,
            )
        except (MalformedDeliveryError, UnknownDeliveryError) as error:
            if self._strict:
                raise
            return UnreadDelivery(body=content, error=error.with_traceback(None))

    async def _handle(self, event: AnyEvent, handle: Handler, key: str, holder: str) -> None:
        try:
            await handle(event)
        except BaseException:
            await _settle(self._guard.release(key, holder), "released")
            raise
        await _settle(self._guard.confirm(key, holder), "confirmed")


async def _settle(update: Awaitable[None], what: str) -> None:
    """Await an update of the guard; log an unreachable guard, as the delivery has been handled by now."""
    try:
        await update
    except ReplayGuardUnavailableError as error:
        _LOG.warning("a delivery could not be %s and stays claimed until its lease ends: %s", what, error)


async def _read(parts: AsyncIterable[bytes], limit: int) -> bytes:
    content = bytearray()
    async for part in parts:
        content += part
        if len(content) > limit:
            raise DeliveryTooLargeError(limit=limit)
    return bytes(content)
