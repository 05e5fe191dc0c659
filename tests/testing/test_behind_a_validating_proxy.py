"""Every request and every answer on the wire between client and fake matches the official document."""

import json
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl

import aiohttp
from aiohttp import web

from kajabi_async import Kajabi
from kajabi_async.exchange import FORM, JSON_API
from kajabi_async.operations import OPERATIONS, BodyKind, Operation
from kajabi_async.testing import FakeKajabi
from kajabi_async.testing.api import matched
from tests.conformance import call_for
from tests.every_resource import every_resource
from tests.testing import openapi


class ValidatingProxy:
    """A proxy that forwards requests and records violations of the document."""

    def __init__(self, target: str, session: aiohttp.ClientSession) -> None:
        self._target = target
        self._session = session
        self.seen: Counter[str] = Counter()
        self.violations: list[str] = []

    async def forward(self, request: web.BaseRequest) -> web.Response:
        sent = await request.read()
        headers = {name: value for name, value in request.headers.items() if name.lower() != "host"}
        url = f"{self._target}{request.raw_path}"
        async with self._session.request(request.method, url, data=sent or None, headers=headers) as answer:
            got = await answer.read()
        operation = self._operation(request)
        if operation is not None:
            self.seen[operation.name] += 1
            self._judge(operation, request, sent, answer, got)
        media_type = {"Content-Type": answer.headers.get("Content-Type", "")}
        return web.Response(status=answer.status, body=got, headers=media_type)

    def _operation(self, request: web.BaseRequest) -> Operation | None:
        found = matched(request.method, request.raw_path.partition("?")[0])
        if found is None:
            self.violations.append(f"{request.method} {request.raw_path}: no such operation")
        return None if found is None else found[0]

    def _judge(
        self, row: Operation, request: web.BaseRequest, sent: bytes, answer: aiohttp.ClientResponse, got: bytes
    ) -> None:
        status, media_type = answer.status, answer.headers.get("Content-Type", "")
        faults = _request_faults(row, request, sent)
        documented = openapi.answers(row.method, row.path)
        if str(status) not in documented:
            faults.append(f"the status {status} is not documented")
        elif got:
            faults += openapi.problems(row.method, row.path, status, json.loads(got))
            if media_type not in documented[str(status)].get("content", {media_type: None}):
                faults.append(f"{media_type} is not documented")
        self.violations += [f"{row.name}: {fault}" for fault in faults]


def _request_faults(row: Operation, request: web.BaseRequest, sent: bytes) -> list[str]:
    if row.body is BodyKind.NONE:
        return ["a body although none is documented"] if sent else []
    expected_type = FORM if row.body is BodyKind.FORM else JSON_API
    body: Any = dict(parse_qsl(sent.decode())) if row.body is BodyKind.FORM else json.loads(sent)
    media_type = [] if request.content_type == expected_type else [f"sent as {request.content_type}"]
    return [*media_type, *openapi.request_problems(row.method, row.path, expected_type, body)]


@asynccontextmanager
async def _behind(fake: FakeKajabi) -> AsyncGenerator[tuple[ValidatingProxy, Kajabi]]:
    async with aiohttp.ClientSession(auto_decompress=True) as session:
        proxy = ValidatingProxy(fake.base_url, session)
        runner = web.ServerRunner(web.Server(proxy.forward, access_log=None))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        base_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with Kajabi(client_id=fake.client_id, client_secret=fake.client_secret, base_url=base_url) as api:
            yield proxy, api
        await runner.cleanup()


async def test_every_operation_passes_a_validating_proxy() -> None:
    """All 77, one after another, against one fake."""
    openapi.document()
    async with FakeKajabi(customers=40) as fake, _behind(fake) as (proxy, api):
        for row in OPERATIONS.values():
            if row.name != "oauth.revoke":
                await call_for(row)(api, fake)
        await api.revoke()
    assert set(proxy.seen) == set(OPERATIONS)
    assert proxy.violations == []


async def test_whole_lists_with_all_includes_pass_a_validating_proxy() -> None:
    """Every page of every list, and one resource of each type with all documented includes."""
    openapi.document()
    async with FakeKajabi(customers=40) as fake, _behind(fake) as (proxy, api):
        for cls in every_resource():
            resources = getattr(api, cls.name)
            options = {"site_id": "1"} if cls.name == "payouts" else {}
            rows = await resources.list(**options).collect()
            includable = [name for name, relation in cls.model.relations.items() if relation.includable]
            if includable and rows:
                await resources.get(rows[0].id, include=includable)
    assert set(proxy.seen) >= {f"{cls.name}.list" for cls in every_resource()}
    assert proxy.violations == []
