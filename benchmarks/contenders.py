"""The same work done five ways: kajabi_async, aiohttp by hand, bare aiohttp with orjson, httpx, and the peer library.

Each contender is written as a competent user of the library would, opens its client once and keeps its connections.
"""

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import httpx
import kajabi
import orjson
import yarl

from benchmarks.documents import INCLUDE, INCLUDED, MEDIA_TYPE, PAGE_SIZE
from kajabi_async import Kajabi

OURS = "kajabi_async"
HANDWRITTEN = "aiohttp by hand, json"
BARE = "bare aiohttp, orjson"
HTTPX = "httpx loop"
PEER = "kajabi-py"

HEADERS = {"Authorization": "Bearer bench", "Accept": MEDIA_TYPE}


class Client(ABC):
    """An open client of any contender."""

    @abstractmethod
    async def get(self, resource_id: str, *, included: bool = False) -> object:
        """Look up one customer."""

    @abstractmethod
    def scan(self) -> AsyncGenerator[int]:
        """Read the list of customers row by row; yield the number of rows of each page."""

    async def look_up(self, ids: Iterable[str], *, concurrency: int, included: bool = False) -> int:
        """Look up many, *concurrency* at a time; return the number found."""
        found = 0
        todo: Iterator[str] = iter(ids)

        async def work() -> None:
            nonlocal found
            for resource_id in todo:
                await self.get(resource_id, included=included)
                found += 1

        await asyncio.gather(*(work() for _ in range(concurrency)))
        return found


class Ours(Client):
    def __init__(self, api: Kajabi, ahead: int) -> None:
        self._api = api
        self._ahead = ahead

    async def get(self, resource_id: str, *, included: bool = False) -> object:
        return await self._api.customers.get(resource_id, include=INCLUDED if included else ())

    async def look_up(self, ids: Iterable[str], *, concurrency: int, included: bool = False) -> int:
        found = 0
        include = INCLUDED if included else ()
        async for lookup in self._api.customers.get_many(ids, include=include, concurrency=concurrency):
            found += lookup.found
        return found

    async def scan(self) -> AsyncGenerator[int]:
        read = 0
        async for _ in self._api.customers.list(page_size=PAGE_SIZE, prefetch=self._ahead):
            read += 1
            if read == PAGE_SIZE:
                yield read
                read = 0


class Handmade(Client):
    """Follows the links of a list; subclasses fetch the JSON."""

    def __init__(self, base_url: str) -> None:
        self._customers = f"{base_url}/v1/customers"

    @abstractmethod
    async def fetch(self, url: str, params: dict[str, str] | None) -> Any:
        """Return the decoded answer."""

    async def get(self, resource_id: str, *, included: bool = False) -> object:
        return await self.fetch(f"{self._customers}/{resource_id}", {"include": INCLUDE} if included else None)

    async def scan(self) -> AsyncGenerator[int]:
        following: str | None = f"?page%5Bsize%5D={PAGE_SIZE}"
        while following is not None:
            # The links of the API name its official host.
            page = await self.fetch(f"{self._customers}?{following.partition('?')[2]}", None)
            read = 0
            for _ in page["data"]:
                read += 1
            yield read
            following = page["links"]["next"]


class Handwritten(Handmade):
    """Default settings and the standard json module."""

    def __init__(self, base_url: str, session: aiohttp.ClientSession) -> None:
        super().__init__(base_url)
        self._session = session

    async def fetch(self, url: str, params: dict[str, str] | None) -> Any:
        async with self._session.get(url, params=params) as response:
            response.raise_for_status()
            return await response.json(loads=json.loads)


class Bare(Handmade):
    """The least work with aiohttp: no cookies, no timeouts, no quoting, the fastest decoder."""

    def __init__(self, base_url: str, session: aiohttp.ClientSession) -> None:
        super().__init__(base_url)
        self._session = session

    async def fetch(self, url: str, params: dict[str, str] | None) -> Any:
        query = f"?include={params['include']}" if params else ""
        async with self._session.get(yarl.URL(url + query, encoded=True)) as response:
            return orjson.loads(await response.read())


class Httpx(Handmade):
    def __init__(self, base_url: str, session: httpx.AsyncClient) -> None:
        super().__init__(base_url)
        self._session = session

    async def fetch(self, url: str, params: dict[str, str] | None) -> Any:
        response = await self._session.get(url, params=params)
        response.raise_for_status()
        return response.json()


class Peer(Client):
    def __init__(self, client: kajabi.AsyncClient) -> None:
        self._client = client

    async def get(self, resource_id: str, *, included: bool = False) -> object:
        return await self._client.customers.get(resource_id, include=INCLUDE if included else None)

    async def scan(self) -> AsyncGenerator[int]:
        read = 0
        async with aclosing(aiter(self._client.customers.list())) as customers:
            async for _ in customers:
                read += 1
                if read == PAGE_SIZE:
                    yield read
                    read = 0


@asynccontextmanager
async def ours(base_url: str, concurrency: int, ahead: int = 0) -> AsyncGenerator[Client]:
    async with Kajabi(client_id="bench", client_secret="bench", base_url=base_url, concurrency=concurrency) as api:
        yield Ours(api, ahead)


@asynccontextmanager
async def handwritten(base_url: str, _: int) -> AsyncGenerator[Client]:
    async with aiohttp.ClientSession(headers=HEADERS) as session:
        yield Handwritten(base_url, session)


@asynccontextmanager
async def bare(base_url: str, concurrency: int) -> AsyncGenerator[Client]:
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=concurrency),
        headers=HEADERS,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),
    ) as session:
        yield Bare(base_url, session)


@asynccontextmanager
async def httpx_loop(base_url: str, _: int) -> AsyncGenerator[Client]:
    # Default settings: it gets slower if it may keep one connection per concurrent request.
    async with httpx.AsyncClient(headers=HEADERS) as session:
        yield Httpx(base_url, session)


@asynccontextmanager
async def peer(base_url: str, _: int) -> AsyncGenerator[Client]:
    async with kajabi.AsyncClient(
        client_id="bench", client_secret="bench", base_url=base_url, page_size=PAGE_SIZE
    ) as client:
        yield Peer(client)


SLOW_LOOKUPS, SLOW_ROWS = 1 / 30, 0.2
"""The share of the work that the slow contenders do, so that they do not take all the time."""


@dataclass(frozen=True)
class Contender:
    name: str
    open: Callable[[str, int], AbstractAsyncContextManager[Client]]
    """Takes the base URL and the number of concurrent requests."""
    lookup_share: float = 1.0
    row_share: float = 1.0


CONTENDERS = (
    Contender(OURS, ours),
    Contender(HANDWRITTEN, handwritten),
    Contender(BARE, bare),
    Contender(HTTPX, httpx_loop, SLOW_LOOKUPS, SLOW_ROWS),
    Contender(PEER, peer, SLOW_LOOKUPS, SLOW_ROWS),
)


def ids_of(count: int) -> Iterator[str]:
    return map(str, range(1, count + 1))
