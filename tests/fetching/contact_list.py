"""A list of contacts as a server answers it, and what that server does wrong."""

import random
from typing import Any
from urllib.parse import parse_qsl, urlencode

import attrs

from kajabi_async.exchange import Request
from tests.sending import resource

__all__ = ["World", "list_of"]


@attrs.define
class World:
    """A list of contacts, newest first, and what its server does wrong."""

    rows: list[tuple[int, str, str]]
    """Id, email as stored, and site."""
    chance: random.Random
    size: int
    stale: frozenset[int] = frozenset()
    """The ids that the search does not find."""
    ignores: frozenset[str] = frozenset()
    """The filters that the server ignores."""
    moves: str = ""
    """"inserted" or "removed": what happens to the list after a page."""
    changes: int = 0
    states_length: bool = True
    """Whether answers have a ``meta``."""
    damaged: frozenset[int] = frozenset()
    """The ids whose row has an email that is none."""
    requests: int = 0

    def __call__(self, request: Request) -> Any:
        self.requests += 1
        asked = dict(_pairs(request.query))
        if request.path == "/v1/sites":
            sites = sorted({site for _, _, site in self.rows})
            return {"data": [resource("sites", each) for each in sites[:2]], "meta": {"total_count": len(sites)}}
        rows = [row for row in self.rows if self._passes(row, asked)]
        number = int(asked.get("page[number]", "1"))
        page = rows[(number - 1) * self.size : number * self.size]
        last = max(1, -(-len(rows) // self.size))
        after = f"/v1/contacts?{_with_page(request.query, number + 1)}" if number < last else None
        answer = {
            "data": [_contact(key, ["?"] if key in self.damaged else email, site) for key, email, site in page],
            "links": {"next": after and f"http://127.0.0.1:8080{after}"},
            "meta": {"total_count": len(rows), "total_pages": last} if self.states_length else {},
        }
        if self.moves and self.changes and page and "filter[email_contains]" not in asked:
            self._move(page)
        return answer

    def _passes(self, row: tuple[int, str, str], asked: dict[str, str]) -> bool:
        key, email, site = row
        text = asked.get("filter[email_contains]")
        if (
            text is not None
            and "email_contains" not in self.ignores
            and (text not in email.lower() or key in self.stale)
        ):
            return False
        wanted = asked.get("filter[site_id]")
        return wanted is None or "site_id" in self.ignores or wanted == site

    def _move(self, page: list[tuple[int, str, str]]) -> None:
        self.changes -= 1
        if self.moves == "inserted":
            newest = max(key for key, _, _ in self.rows) + 1
            self.rows.insert(0, (newest, f"new{newest}@example.net", page[0][2]))
        else:
            # A row that the run has nothing to do with: what is left must be found all the same.
            others = [row for row in page if row[1].startswith("other")]
            if others:
                self.rows.remove(others[0])


def _pairs(query: str) -> list[tuple[str, str]]:
    return parse_qsl(query, keep_blank_values=True)


def _with_page(query: str, number: int) -> str:
    return urlencode([(name, str(number) if name == "page[number]" else value) for name, value in _pairs(query)])


def _contact(key: int, email: Any, site: str) -> dict[str, Any]:
    relationships = {"site": {"data": {"type": "sites", "id": site}}}
    return resource("contacts", str(key), attributes={"email": email}, relationships=relationships)


def list_of(rows: int, **settings: Any) -> World:
    """Return a list of the contacts ``user1@example.com`` and so on, all of one site, 100 on a page."""
    numbered = [(key, f"user{key}@example.com", "1") for key in range(rows, 0, -1)]
    return World(numbered, random.Random(1), size=100, **settings)
