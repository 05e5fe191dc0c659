"""From the path and the body of a request to a handled event, whatever framework the request came through."""

import logging
from collections.abc import AsyncIterable, Awaitable, Callable
from hashlib import sha256
from secrets import token_hex
from typing import TYPE_CHECKING, Final

import attrs

from kajabi_async.checks import boolean, whole_number
from kajabi_async.errors import ConfigurationError
from kajabi_async.webhooks.dashboard import DashboardEvent
from kajabi_async.webhooks.errors import (
    DeliveryInProgressError,
    DeliveryTooLargeError,
    MalformedDeliveryError,
    ReplayGuardUnavailableError,
    UnknownDeliveryError,
)
from kajabi_async.webhooks.parse import MAX_BYTES, MAX_ELEMENTS, KnownEvent, parse
from kajabi_async.webhooks.path_secret import PathSecrets
from kajabi_async.webhooks.replay import ReplayGuard, Standing
from kajabi_async.webhooks.unread import UnreadDelivery

if TYPE_CHECKING:
    from kajabi_async.client import Kajabi

__all__ = ["AnyEvent", "Handler", "Key", "Receipt", "Receiver", "by_id", "by_id_and_content"]

AnyEvent = KnownEvent | UnreadDelivery
"""What a `Receiver` hands on."""
Handler = Callable[[AnyEvent], Awaitable[object]]
"""What is to be done with an event; what it returns is not looked at."""
Key = Callable[[AnyEvent, bytes], str]
"""What makes two deliveries the same; takes the event and the body it was read from."""

_OK: Final = 200
_LOG: Final = logging.getLogger("kajabi_async")


def by_id_and_content(event: AnyEvent, body: bytes) -> str:
    """Take deliveries for the same if event, id and body are; without an id of their own, if event and transaction are.

    No delivery is lost by it: by the API document the id is that of the resource, and then two tags given to one
    contact come with the same id. A repetition whose body was written anew, with another time in it, is handled again.
    """
    has_own_id = not isinstance(event, DashboardEvent) or event.has_own_id
    return _digest(event.name, event.id, body if has_own_id else b"")


def by_id(event: AnyEvent, _body: bytes) -> str:
    """Take deliveries for the same where event and id are, whatever else they say.

    Only where you have seen that the id is another one for each delivery: otherwise deliveries are lost.
    """
    return _digest(event.name, event.id, b"")


def _digest(name: str, delivery_id: str, body: bytes) -> str:
    # Names hold no space, and the id is hashed by itself: no two of the three can run into each other.
    identity = sha256(delivery_id.encode("utf-8", "surrogatepass")).hexdigest()
    return sha256(f"{name} {identity} ".encode() + body).hexdigest()


@attrs.frozen
class Receipt:
    """What became of a delivery that is to be answered with 200."""

    event: AnyEvent
    duplicate: bool
    """Whether it had been handled before and was not handled again."""
    http_status: int = 200


class Receiver:
    """Checks, reads and hands on deliveries; one for all requests.

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
        """Accept *secrets*, ask *guard* for repetitions, by *key*; *api* fetches what deliveries do not carry.

        A delivery above *max_bytes* or *max_elements* is a DeliveryTooLargeError, before anything is made of it. One
        that is no known event is acknowledged and handed on as an `UnreadDelivery`; with *strict* it raises
        MalformedDeliveryError or UnknownDeliveryError instead, which Kajabi takes for a failure and delivers again,
        and so it does for a resource with an attribute that cannot be read.
        """
        self._secrets = secrets
        self._guard = guard
        self._api = api
        self._key = key
        self._max_bytes = whole_number(max_bytes, of="max_bytes", at_most=None, error=ConfigurationError)
        self._max_elements = whole_number(max_elements, of="max_elements", at_most=None, error=ConfigurationError)
        self._strict = boolean(strict, of="strict", error=ConfigurationError)

    def probe(self, path_secret: str) -> int:
        """Return 200, to be answered to GET and HEAD of the path; WrongSecretError if the secret is not one of ours.

        Kajabi probes the address of a hook, and takes the hook for dead if it is answered 405 (integrators).
        """
        self._secrets.check(path_secret)
        return _OK

    async def receive(self, path_secret: str, body: bytes | AsyncIterable[bytes], handle: Handler) -> Receipt:
        """Hand the event in *body* to *handle*, unless the same was handled before, and tell what became of it.

        *body* is the whole of it or an async iterable of its parts, which is read no further than the limit, and not
        at all where *path_secret* is wrong. WebhookError of every kind, with the ``http_status`` to answer. Where
        *handle* raises or is cancelled, the delivery is released, so that the next one of the same is handled, and
        what was raised goes on to the caller: answer it with 500. A process that dies meanwhile keeps the delivery for
        the lease of the guard. *handle* may therefore run twice for one event; that it never does is not promised.
        """
        self._secrets.check(path_secret)
        # Not in the locals of whatever the handler raises.
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
            await _noted(self._guard.release(key, holder), "released")
            raise
        await _noted(self._guard.confirm(key, holder), "confirmed")


async def _noted(noting: Awaitable[None], what: str) -> None:
    """Await what tells the guard how it ended; by then the outcome stands, and a guard that is away changes nothing."""
    try:
        await noting
    except ReplayGuardUnavailableError as error:
        _LOG.warning("a delivery could not be %s and stays claimed until its lease ends: %s", what, error)


async def _read(parts: AsyncIterable[bytes], limit: int) -> bytes:
    content = bytearray()
    async for part in parts:
        content += part
        if len(content) > limit:
            raise DeliveryTooLargeError(limit=limit)
    return bytes(content)
