"""The job, independent of the queue: store which offers and products each of many customers has.

Ids are cut into chunks. A chunk may run twice, concurrently or in sequence, and may be killed anywhere: the customers
that it has written are kept, not requested again, and never written twice.
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
"""Requests that one chunk has in flight; the shared rate limits how fast they are sent."""


@attrs.frozen
class Chunk:
    """Some of the ids of one run."""

    run: str
    """The refresh that this belongs to; each customer is written once per run."""
    key: str
    """Equal for the same ids of the same run, so that a chunk which is sent twice counts as one."""
    ids: tuple[str, ...]

    @classmethod
    def from_message(cls, message: Iterable[str]) -> "Chunk":
        """Return the chunk of a `message`."""
        run, key, *ids = message
        return cls(run, key, tuple(ids))

    def message(self) -> list[str]:
        """Return the message for the queue: strings, for any serializer."""
        return [self.run, self.key, *self.ids]


def chunks(run: str, ids: Iterable[str | int], *, size: int = 200) -> Iterator[Chunk]:
    """Cut *ids* into chunks of at most *size*, without duplicates."""
    once = iter(dict.fromkeys(map(str, ids)))
    while some := tuple(islice(once, size)):
        digest = hashlib.sha256("\n".join((run, *some)).encode()).hexdigest()
        yield Chunk(run, f"{run}-{digest[:16]}", some)


async def refresh(api: Kajabi, sink: Sink, chunk: Chunk) -> str:
    """Write the missing customers of *chunk* and return the report of the lookups, as text of `dumps`.

    A completed chunk returns its earlier report and sends nothing. Raise the first error that is not the outcome of a
    customer, after the rest of the chunk is written: the queue then retries the chunk.
    """
    done = await sink.begin(chunk.key)
    if done is not None:
        return done
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
    """Return the titles of the offers and products of *customer*; sends no request if both were included."""
    return {
        "offers": [offer.title for offer in await customer.offers],
        "products": [product.title for product in await customer.products],
    }


def worth_another_try(error: KajabiError) -> bool:
    """Return whether a retry of the chunk may succeed; wrong credentials, for example, stay wrong."""
    temporary = ConnectionFailedError, RequestTimeoutError, RateLimitError, ServerError, DecodeError
    return isinstance(error, temporary) and not isinstance(error, UnreadableAttributeError)
