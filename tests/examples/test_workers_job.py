"""The job without a queue: chunks, and the effect of running one twice or half."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from examples.workers.entitlements import Chunk, chunks, refresh, worth_another_try
from examples.workers.sink import Sink
from kajabi_async import (
    AuthenticationError,
    Kajabi,
    NotFoundError,
    RateLimitError,
    Report,
    RequestTimeoutError,
    ServerError,
    UnreadableAttributeError,
    loads,
)
from kajabi_async.testing import FakeKajabi


@pytest.fixture
async def sink(redis_url: str) -> AsyncGenerator[Sink]:
    async with Sink(redis_url, "run", worker="one") as made:
        yield made


def test_the_same_ids_make_the_same_chunks() -> None:
    """A run that is sent twice is one run; another run has other keys."""
    made = list(chunks("run", range(5), size=2))
    assert [chunk.ids for chunk in made] == [("0", "1"), ("2", "3"), ("4",)]
    assert made == list(chunks("run", map(str, range(5)), size=2))
    assert not {chunk.key for chunk in made} & {chunk.key for chunk in chunks("next", range(5), size=2)}


def test_an_id_that_comes_again_is_in_one_chunk() -> None:
    """It is in the first one."""
    assert [chunk.ids for chunk in chunks("run", ["1", "2", 1, "3"], size=2)] == [("1", "2"), ("3",)]


def test_a_chunk_goes_over_the_queue_as_text() -> None:
    """Any serializer can carry it."""
    [chunk] = chunks("run", ["1", "2"])
    assert Chunk.from_message(chunk.message()) == chunk


async def test_a_chunk_is_written_customer_by_customer(kajabi_api: Kajabi, sink: Sink) -> None:
    """Each gets the titles of their offers and products; an unknown id gets the error."""
    [chunk] = chunks("run", ["1", "2", "unknown"])
    report = loads(await refresh(kajabi_api, sink, chunk))
    assert isinstance(report, Report)
    assert (report.found, report.missing) == (2, 1)
    results = {customer_id: loads(text) for customer_id, text in (await sink.results()).items()}
    customer = await kajabi_api.customers.get("1", include=["offers", "products"])
    assert results["1"] == {
        "offers": [offer.title for offer in await customer.offers],
        "products": [product.title for product in await customer.products],
    }
    assert isinstance(results["unknown"], NotFoundError)


async def test_a_finished_chunk_sends_and_writes_nothing(
    kajabi_fake: FakeKajabi, kajabi_api: Kajabi, sink: Sink
) -> None:
    """It returns the same report as before."""
    [chunk] = chunks("run", ["1", "2"])
    first = await refresh(kajabi_api, sink, chunk)
    sent = len(kajabi_fake.requests)
    assert await refresh(kajabi_api, sink, chunk) == first
    assert len(kajabi_fake.requests) == sent
    assert sorted(await sink.changes()) == ["1", "2"]


async def test_a_half_done_chunk_requests_only_the_rest(kajabi_api: Kajabi, sink: Sink) -> None:
    """Results already written stay unchanged."""
    await sink.write("1", "written before")
    [chunk] = chunks("run", ["1", "2", "3"])
    report: Any = loads(await refresh(kajabi_api, sink, chunk))
    assert report.total == 2
    assert (await sink.results())["1"] == "written before"


async def test_two_workers_on_one_chunk_write_each_customer_once(kajabi_api: Kajabi, sink: Sink) -> None:
    """This happens if a worker was wrongly believed dead."""
    [chunk] = chunks("run", range(1, 31))
    await asyncio.gather(refresh(kajabi_api, sink, chunk), refresh(kajabi_api, sink, chunk))
    assert sorted(await sink.changes()) == sorted(chunk.ids)


async def test_a_failure_that_says_nothing_of_a_customer_leaves_the_chunk_open(
    kajabi_fake: FakeKajabi, kajabi_api: Kajabi, sink: Sink
) -> None:
    """The rest is written, the error is raised, and the retry does the remaining ids."""
    kajabi_fake.fail("customers.get", status=403)
    [chunk] = chunks("run", ["1", "2", "3"])
    with pytest.raises(Exception, match="403"):
        await refresh(kajabi_api, sink, chunk)
    assert await sink.written() == 2
    assert await sink.done() == set()
    report: Any = loads(await refresh(kajabi_api, sink, chunk))
    assert report.total == 1
    assert await sink.done() == {chunk.key}


async def test_a_customer_that_cannot_be_read_leaves_the_others_written(
    kajabi_fake: FakeKajabi, kajabi_api: Kajabi, sink: Sink
) -> None:
    """The error is raised after the rest is done, and is not worth a retry."""
    kajabi_fake.add({"type": "offers", "id": "9001", "attributes": {"title": ["Pass"]}})
    linkage = {"offers": {"data": [{"type": "offers", "id": "9001"}]}}
    kajabi_fake.add({"type": "customers", "id": "9001", "attributes": {}, "relationships": linkage})
    [chunk] = chunks("run", ["9001", "1", "2"])
    with pytest.raises(UnreadableAttributeError, match="offers 9001 came with 'title'") as caught:
        await refresh(kajabi_api, sink, chunk)
    assert not worth_another_try(caught.value)
    assert await sink.written() == 2


@pytest.mark.parametrize(
    ("error", "worth"),
    [
        (RateLimitError(status=429), True),
        (ServerError(status=503), True),
        (RequestTimeoutError("no answer", phase="read", seconds=1.0), True),
        (AuthenticationError(status=401), False),
    ],
)
def test_only_what_may_pass_is_tried_again(error: Any, worth: bool) -> None:
    """Wrong credentials stay wrong."""
    assert worth_another_try(error) is worth
