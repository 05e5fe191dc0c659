"""A list of customers in memory that is read as from the API, and changes or fails at given requests."""

import asyncio
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import attrs

from kajabi_async import Customer, ServerError
from kajabi_async.clock import Clock
from kajabi_async.exchange import Answer, Request
from kajabi_async.export import ExportReport, export
from kajabi_async.fetching.page import ListRequest
from kajabi_async.fetching.pages import Pages
from kajabi_async.jsonapi.query import Query
from kajabi_async.operations import operation
from kajabi_async.stall import Stalls
from tests.clocks import ManualClock
from tests.sending import Canned, context, linkage, resource

Step = Callable[[], object]


class ScriptedList:
    """Customers of the given ids, each with an offer of its own, in pages of two.

    ``requests`` has the page number of each request, followed by ``+`` if offers were included.
    """

    def __init__(self, ids: Iterable[str], *, size: int = 2) -> None:
        self.ids = list(ids)
        self.size = size
        self.malformed: set[str] = set()
        """The ids of rows without a type."""
        self.names: dict[str, Any] = {}
        """The names of customers; others are called after their ids."""
        self.counts = True
        """Whether an answer says how many rows the list has."""
        self.pages: dict[int, dict[str, Any]] = {}
        """The answers of pages that are not made of the rows."""
        self.requests: list[str] = []
        self.queries: list[list[tuple[str, str]]] = []
        self.canned = Canned(self._respond)
        self.clock: Clock = ManualClock()
        self.stalls = Stalls()
        self._steps: dict[int, Step] = {}
        self._held: set[int] = set()

    def before(self, request: int, step: Step) -> None:
        """Call *step* before the answer to a request, counted from 1; an exception that it returns is the answer."""
        self._steps[len(self.requests) + request] = step

    def fail(self, request: int) -> None:
        """Answer a request, counted from 1, with a status that passes."""
        self.before(request, lambda: ServerError(status=503, method="GET", path="/v1/customers"))

    def hold(self, request: int) -> None:
        """Never answer a request, counted from 1."""
        self._held.add(len(self.requests) + request)

    async def send(self, request: Request, **options: Any) -> Answer:
        """Send as a client does."""
        if len(self.canned.asked) + 1 in self._held:
            self.canned.asked.append(request)
            self.requests.append("held")
            await asyncio.Event().wait()
        return await self.canned(request, **options)

    def listing(self, *include: str, prefetch: int = 0, **query: Any) -> Pages[Customer]:
        """Return the list, as ``api.customers.list`` does."""
        settings: dict[str, Any] = {"page_size": self.size, **query}
        asked = Query(include=include, **settings)
        scope = attrs.evolve(context(self.canned), send=self.send, clock=self.clock, stalls=self.stalls)
        return Pages(ListRequest(scope, operation("customers.list"), Customer, asked, timeout=7.0), prefetch=prefetch)

    async def export(self, path: Path, *include: str, prefetch: int = 0, **options: Any) -> ExportReport:
        """Export the list to *path*."""
        return await export(self.listing(*include, prefetch=prefetch), path, **options)

    def _respond(self, request: Request) -> Any:
        pairs = parse_qsl(request.query, keep_blank_values=True)
        query = dict(pairs)
        number = int(query.get("page[number]", "1"))
        self.queries.append(pairs)
        self.requests.append(f"{number}{'+' if 'include' in query else ''}")
        step = self._steps.pop(len(self.requests), None)
        failure = None if step is None else step()
        if isinstance(failure, BaseException):
            return failure
        return self.pages.get(number) or self._page(number, request, with_offers="include" in query)

    def _page(self, number: int, request: Request, *, with_offers: bool) -> dict[str, Any]:
        shown = self.ids[(number - 1) * self.size : number * self.size]
        page: dict[str, Any] = {"data": [self._row(each) for each in shown], "links": {}, "meta": {}}
        if number * self.size < len(self.ids):
            others = "&".join(each for each in request.query.split("&") if not each.startswith("page%5Bnumber"))
            page["links"] = {"next": f"https://api.kajabi.com/v1/customers?{others}&page%5Bnumber%5D={number + 1}"}
        if self.counts:
            page["meta"] = {"total_count": len(self.ids)}
        if with_offers:
            page["included"] = [resource("offers", f"of-{each}") for each in shown]
        return page

    def _row(self, each: str) -> dict[str, Any]:
        row = resource("customers", each, relationships={"offers": linkage("offers", f"of-{each}")})
        row["attributes"] = {"name": self.names.get(each, each)}
        return {"id": each} if each in self.malformed else row


def ids_of(path: Path) -> list[str]:
    """Return the ids in a file of JSON lines."""
    return [row["id"] for row in rows_of(path)]


def rows_of(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a file of JSON lines."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
