"""A `Send` that answers from a table, so that requests can be counted without a network."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from kajabi_async.client import OFFICIAL_ORIGINS
from kajabi_async.errors import NotFoundError
from kajabi_async.exchange import Answer, Request, Tally, TimeoutStarts
from kajabi_async.fetching.context import Context
from kajabi_async.jsonapi.links import LinkRules
from kajabi_async.operations import OPERATIONS
from kajabi_async.relationships import RelationshipResolver

Respond = Callable[[Request], Any]


class Canned:
    """A `Send` that answers by path and records the requests."""

    def __init__(self, answers: dict[str, Any] | Respond) -> None:
        self._respond: Respond = answers if callable(answers) else lambda request: answers.get(request.path)
        self.asked: list[Request] = []
        self.timeouts: list[tuple[float | None, TimeoutStarts]] = []
        """The timeout of each request, and when it starts."""

    @property
    def paths(self) -> list[str]:
        return [f"{request.path}{'?' if request.query else ''}{request.query}" for request in self.asked]

    async def __call__(
        self,
        request: Request,
        *,
        timeout: float | None = None,
        tally: Tally | None = None,
        timeout_starts: TimeoutStarts = "call",
    ) -> Answer:
        self.asked.append(request)
        self.timeouts.append((timeout, timeout_starts))
        if tally is not None:
            tally.attempts += 1
        await asyncio.sleep(0)
        found = self._respond(request)
        if found is None:
            raise NotFoundError(status=404, method=request.method, path=request.path)
        if isinstance(found, BaseException):
            raise found
        return Answer(200, {}, found if isinstance(found, bytes) else json.dumps(found).encode())


def links(base_url: str = "http://127.0.0.1:8080") -> LinkRules:
    templates = [row.path for row in OPERATIONS.values()]
    return LinkRules(base_url=base_url, origins=OFFICIAL_ORIGINS, templates=templates)


def context(send: Canned, **settings: Any) -> Context:
    rules = links()
    return Context(send=send, resolver=RelationshipResolver(send, rules), links=rules, **settings)


def resource(type_name: str, resource_id: str, **members: Any) -> dict[str, Any]:
    return {"type": type_name, "id": resource_id, "attributes": {}, **members}


def linkage(type_name: str, *ids: str) -> dict[str, Any]:
    return {"data": [{"type": type_name, "id": each} for each in ids]}
