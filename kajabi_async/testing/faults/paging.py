"""Faults of pagination: rows that move, links that lead in circles or to other hosts."""

import json
from collections.abc import Callable
from typing import Any, ClassVar, Final, Literal, get_args

import attrs
from aiohttp import web

from kajabi_async.operations import OPERATIONS, AnswerKind
from kajabi_async.testing.faults.incident import Fault, Incident
from kajabi_async.testing.json_shapes import is_object
from kajabi_async.testing.listing import NEWEST_FIRST
from kajabi_async.testing.recorded import RecordedRequest
from kajabi_async.testing.replies import Reply, encoded
from kajabi_async.testing.request_query import read_query

__all__ = ["HOSTILE_LINKS", "DataChange", "OddNext", "RepeatedRows", "RowChange", "RowsMove", "Turn"]

HOSTILE_LINKS: Final = (
    "https://kajabi.example.org/v1{rest}",
    "https://api.kajabi.com@kajabi.example.org/v1{rest}",
    "https://api.kajabi.com.example.org/v1{rest}",
    "//kajabi.example.org/v1{rest}",
    "http://127.0.0.1:9/v1{rest}",
    "http://169.254.169.254/latest/meta-data/",
    "https://api.kajabi.com:8443/v1{rest}",
    "https://api.kajabi.com/v1/../admin{rest}",
    "file:///etc/hostname",
)
"""The targets of a hostile ``next``; ``{rest}`` is the path and query of the real link after ``/v1``."""

Turn = Literal["repeated", "cyclic", "empty_page", "hostile"]
"""The target of a wrong ``next``: its own page, the first page, the page after one without rows, or another host."""

RowChange = Literal["inserted", "removed"]
"""The change of a list: a new row before the first one, or the first one removed."""

_OK: Final = 200


def _is_list(record: RecordedRequest) -> bool:
    operation = OPERATIONS.get(record.operation or "")
    return operation is not None and operation.answer is AnswerKind.COLLECTION


def _page_of(reply: Reply) -> dict[str, Any] | None:
    document: Any = json.loads(reply.body) if reply.status == _OK else None
    return document if is_object(document) else None


@attrs.frozen
class RepeatedRows(Fault):
    """A page that begins with the last rows of the preceding page.

    This is what a list looks like after an insertion between two pages; no row is missing. It never hits a first page.
    """

    rows: int = attrs.field(default=1, validator=attrs.validators.ge(1))

    kind: ClassVar[str] = "repeated_rows"

    def fits(self, record: RecordedRequest) -> bool:
        """Return whether the request is for a later page of a list."""
        return _is_list(record) and read_query(record.query_string).page_number > 1

    async def play(self, incident: Incident, /) -> web.StreamResponse:
        """Answer with the longer page."""
        return incident.reply(incident.process(rows_before=self.rows))


@attrs.frozen
class OddNext(Fault):
    """A page of a list with a wrong ``next``.

    A hostile link is *link*, or one of ``HOSTILE_LINKS``. ``empty_page`` sends no rows and a ``next`` to the real next
    page (to itself on the last page).
    """

    turn: Turn = attrs.field(default="repeated", validator=attrs.validators.in_(get_args(Turn)))
    link: str | None = None

    kind: ClassVar[str] = "next"

    @property
    def name(self) -> str:
        """``repeated_next``, ``cyclic_next``, ``empty_page`` or ``hostile_next``."""
        return self.turn if self.turn == "empty_page" else f"{self.turn}_{self.kind}"

    def fits(self, record: RecordedRequest) -> bool:
        """Return whether the request is for a list."""
        return _is_list(record)

    async def play(self, incident: Incident, /) -> web.StreamResponse:
        """Answer with the page and the wrong link."""
        reply = incident.process()
        document = _page_of(reply)
        if document is None:
            return incident.reply(reply)
        links: dict[str, str | None] = document["links"]
        links["next"] = self._next(links, incident)
        if self.turn == "empty_page":
            document["data"] = []
            document.pop("included", None)
        return incident.reply(attrs.evolve(reply, body=encoded(document)))

    def _next(self, links: dict[str, str | None], incident: Incident) -> str | None:
        following = links.get("next") or links["self"] or ""
        if self.turn == "hostile":
            template = self.link or incident.random.choice(HOSTILE_LINKS)
            return template.replace("{rest}", following.partition("/v1")[2])
        return {"repeated": links["self"], "cyclic": links["first"]}.get(self.turn, following)


@attrs.frozen
class DataChange(Fault):
    """The real answer, followed by a change of the data that the next request sees."""

    change: Callable[[], object]
    """A function called after the answer is built, such as ``lambda: fake.remove("customers", "7")``."""

    kind: ClassVar[str] = "data_change"

    async def play(self, incident: Incident, /) -> web.StreamResponse:
        """Answer, then change the data."""
        response = incident.answered()
        self.change()
        return response


@attrs.frozen
class RowsMove(Fault):
    """The real page of a list, followed by a change of the data that shifts the rows of the following pages.

    ``removed`` deletes the first row of the page, so that the next page misses a row. ``inserted`` creates a row at the
    front, so that the last row of this page appears again on the next; it applies to contacts, customers and notes,
    which are listed newest first, without a sort.
    """

    change: RowChange = attrs.field(default="inserted", validator=attrs.validators.in_(get_args(RowChange)))

    kind: ClassVar[str] = "row"

    @property
    def name(self) -> str:
        """``row_inserted`` or ``row_removed``."""
        return f"{self.kind}_{self.change}"

    def fits(self, record: RecordedRequest) -> bool:
        """Return whether the request is for a list in which the change shifts rows."""
        if not _is_list(record) or self.change == "removed":
            return _is_list(record)
        return record.path.rpartition("/")[2] in NEWEST_FIRST and not read_query(record.query_string).sort

    async def play(self, incident: Incident, /) -> web.StreamResponse:
        """Answer, then change the data at the first row of the page."""
        reply = incident.process()
        document = _page_of(reply)
        if document is not None and document["data"]:
            first = document["data"][0]
            self._move(incident, str(first["type"]), str(first["id"]))
        return incident.reply(reply)

    def _move(self, incident: Incident, type_name: str, resource_id: str) -> None:
        store = incident.store
        row = store.get(type_name, resource_id)
        if row is None or self.change == "removed":
            store.delete(type_name, resource_id)
            return
        new = row.copy()
        new.id = store.new_id(type_name)
        # A person is one contact and one customer, so the new row shares only the site.
        new.relations = {name: linkage for name, linkage in row.relations.items() if name == "site"}
        if "email" in new.attributes:
            new.attributes["email"] = f"inserted-{new.id}@example.com"
        store.put(new)
