"""The same work done four other ways: by hand on aiohttp, bare aiohttp with orjson, httpx, and the peer library."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator

import aiohttp
import httpx
import kajabi
import orjson
import yarl

from kajabi_async import Kajabi

Lookup = Callable[[str], Awaitable[object]]
INCLUDE = "contact,offers,products"
AUTHORIZATION = {"Authorization": "Bearer bench", "Accept": "application/vnd.api+json"}


async def _drive(ids: Iterator[str], concurrency: int, lookup: Lookup) -> None:
    async def work() -> None:
        for resource_id in ids:
            await lookup(resource_id)

    await asyncio.gather(*(work() for _ in range(concurrency)))


def ids_of(count: int) -> Iterator[str]:
    return map(str, range(1, count + 1))


async def ours(base_url: str, count: int, concurrency: int, *, included: bool = True) -> None:
    include = INCLUDE if included else ()
    async with Kajabi(client_id="bench", client_secret="bench", base_url=base_url, concurrency=concurrency) as api:
        async for lookup in api.customers.get_many(ids_of(count), include=include):
            assert lookup.found, lookup


async def handwritten(base_url: str, count: int, concurrency: int, *, included: bool = True) -> None:
    params = {"include": INCLUDE} if included else None
    connector = aiohttp.TCPConnector(limit=concurrency)
    async with aiohttp.ClientSession(connector=connector, headers=AUTHORIZATION) as session:

        async def lookup(resource_id: str) -> object:
            async with session.get(f"{base_url}/v1/customers/{resource_id}", params=params) as response:
                response.raise_for_status()
                return json.loads(await response.text())

        await _drive(ids_of(count), concurrency, lookup)


async def bare_aiohttp(base_url: str, count: int, concurrency: int, *, included: bool = True) -> None:
    query = f"?include={INCLUDE}" if included else ""
    connector = aiohttp.TCPConnector(limit=concurrency)
    no_timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(
        connector=connector, headers=AUTHORIZATION, cookie_jar=aiohttp.DummyCookieJar(), timeout=no_timeout
    ) as session:

        async def lookup(resource_id: str) -> object:
            url = yarl.URL(f"{base_url}/v1/customers/{resource_id}{query}", encoded=True)
            async with session.get(url) as response:
                return orjson.loads(await response.read())

        await _drive(ids_of(count), concurrency, lookup)


async def httpx_loop(base_url: str, count: int, concurrency: int, *, included: bool = True) -> None:
    params = {"include": INCLUDE} if included else None
    limits = httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
    async with httpx.AsyncClient(base_url=base_url, headers=AUTHORIZATION, limits=limits) as session:

        async def lookup(resource_id: str) -> object:
            response = await session.get(f"/v1/customers/{resource_id}", params=params)
            return response.json()

        await _drive(ids_of(count), concurrency, lookup)


async def peer(base_url: str, count: int, concurrency: int, *, included: bool = True) -> None:
    include = INCLUDE if included else None
    client = kajabi.AsyncClient(client_id="bench", client_secret="bench", base_url=base_url)
    try:
        await _drive(ids_of(count), concurrency, lambda resource_id: client.customers.get(resource_id, include=include))
    finally:
        await client.close()
