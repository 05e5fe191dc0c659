"""The job itself, which knows no queue: write down which offers and products each of many customers holds.

Ids are cut into chunks. A chunk may run twice, at once or one after the other, and may end anywhere: what it had
written stays, is not asked for again, and is never written twice.
"""

import hashlib
from collections.abc import Iterable, Iterator
from itertools import islice

import attrs

from examples.workers.sink import Sink
from kajabi_async import (
    ConnectionFailedError,
    Customer,
    DecodeError,
    InvalidArgumentError,
    Kajabi,
    KajabiError,
    NotFoundError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    UnreadableAttributeError,
    dumps,
)

_AT_ONCE = 20
"""Requests that one chunk has under way; the shared rate decides how fast they go."""


@attrs.frozen
class Chunk:
    """Some of the ids of one run."""

    run: str
    """Which refresh this belongs to; what is written under one name is written once."""
    key: str
    """The same for the same ids of the same run, so that a chunk which is sent twice is still one."""
    ids: tuple[str, ...]

    @classmethod
    def from_message(cls, message: Iterable[str]) -> "Chunk":
        """Read what `message` wrote."""
        run, key, *ids = message
        return cls(run, key, tuple(ids))

    def message(self) -> list[str]:
        """Give what goes over the queue: plain text, for any serializer."""
        return [self.run, self.key, *self.ids]


def chunks(run: str, ids: Iterable[str | int], *, size: int = 200) -> Iterator[Chunk]:
    """Cut *ids* into chunks of at most *size*; an id that comes again is left out."""
    once = iter(dict.fromkeys(map(str, ids)))
    while some := tuple(islice(once, size)):
        digest = hashlib.sha256("\n".join((run, *some)).encode()).hexdigest()
        yield Chunk(run, f"{run}-{digest[:16]}", some)


async def refresh(api: Kajabi, sink: Sink, chunk: Chunk) -> str:
    """Write what is still missing of *chunk* and give the report of the lookups, as text of `dumps`.

    A chunk that was done before gives the report it gave then, and asks for nothing. Raises the first error that is no
    answer about a customer, once everything else of the chunk is written: the queue tries it again then.
    """
    told = await sink.begin(chunk.key)
    if told is not None:
        return told
    run = api.customers.get_many(await sink.missing(chunk.ids), include=["offers", "products"], concurrency=_AT_ONCE)
    failure: KajabiError | None = None
    async for outcome in run:
        if outcome.found:
            try:
                found = await entitlements(outcome.customer)
            except KajabiError as error:
                failure = failure or error
            else:
                await sink.write(outcome.id, dumps(found))
        elif isinstance(outcome.error, NotFoundError | InvalidArgumentError):
            await sink.write(outcome.id, dumps(outcome.error))
        else:
            failure = failure or outcome.error
    if failure is not None:
        raise failure
    report = dumps(await run.report())
    await sink.finish(chunk.key, report)
    return report


async def entitlements(customer: Customer) -> dict[str, list[str | None]]:
    """Give the titles of what *customer* holds; no request where offers and products were included."""
    return {
        "offers": [offer.title for offer in await customer.offers],
        "products": [product.title for product in await customer.products],
    }


def worth_another_try(error: KajabiError) -> bool:
    """Tell whether the same chunk may go better later; wrong credentials, say, stay wrong."""
    passing = ConnectionFailedError, RequestTimeoutError, RateLimitError, ServerError, DecodeError
    return isinstance(error, passing) and not isinstance(error, UnreadableAttributeError)
