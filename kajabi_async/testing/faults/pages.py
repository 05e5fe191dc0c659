"""Faults of paging: rows that move, links that lead in circles or away."""

import json
from collections.abc import Callable
from typing import Any, ClassVar, Final, Literal, get_args
from urllib.parse import parse_qsl

import attrs
from aiohttp import web

from kajabi_async.operations import OPERATIONS, AnswerKind
from kajabi_async.testing.answers import Reply, encoded
from kajabi_async.testing.faults.incident import Fault, Incident
from kajabi_async.testing.json_shapes import is_object
from kajabi_async.testing.query import read_query
from kajabi_async.testing.records import RecordedRequest

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
"""Where a hostile ``next`` leads; ``{rest}`` is the path and query that the true one has behind ``/v1``."""

Turn = Literal["repeated", "cyclic", "empty_page", "hostile"]
"""Where a wrong ``next`` leads: to the page it stands on, to the first page, on from a page that has lost all its
rows, or to another host."""

RowChange = Literal["inserted", "removed"]
"""What happens to the first row of a list: a new one comes before it, or it goes."""

_NEWEST_FIRST: Final = frozenset({"contacts", "customers", "contact_notes"})
_OK: Final = 200


def _is_list(record: RecordedRequest) -> bool:
    operation = OPERATIONS.get(record.operation or "")
    return operation is not None and operation.answer is AnswerKind.COLLECTION


def _page_of(reply: Reply) -> dict[str, Any] | None:
    document: Any = json.loads(reply.body) if reply.status == _OK else None
    return document if is_object(document) else None


@attrs.frozen
class RepeatedRows(Fault):
    """A page that begins with the last rows of the page before it, and then has its own.

    So a list looks in which something was inserted while it was paged through; nothing is lost. It happens to no
    first page.
    """

    rows: int = attrs.field(default=1, validator=attrs.validators.ge(1))

    kind: ClassVar[str] = "repeated_rows"

    def fits(self, record: RecordedRequest) -> bool:
        """Tell whether a later page of a list is asked for."""
        return _is_list(record) and read_query(record.query_string).page_number > 1

    async def play(self, incident: Incident, /) -> web.StreamResponse:
        """Answer with the longer page."""
        return incident.reply(incident.process(rows_before=self.rows))


@attrs.frozen
class OddNext(Fault):
    """A page of a list whose ``next`` leads where it should not.

    A hostile link is *link*, or one of ``HOSTILE_LINKS``. ``empty_page`` sends no row, and a ``next`` to the page
    that really follows (to itself on the last page).
    """

    turn: Turn = attrs.field(default="repeated", validator=attrs.validators.in_(get_args(Turn)))
    link: str | None = None

    kind: ClassVar[str] = "next"

    @property
    def name(self) -> str:
        """``repeated_next``, ``cyclic_next``, ``empty_page`` or ``hostile_next``."""
        return self.turn if self.turn == "empty_page" else f"{self.turn}_{self.kind}"

    def fits(self, record: RecordedRequest) -> bool:
        """Tell whether a list is asked for."""
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
    """The real answer, and behind it a change of the data: what the next request sees is not what this one saw."""

    change: Callable[[], object]
    """What is called once the answer was made, such as ``lambda: fake.remove("customers", "7")``."""

    kind: ClassVar[str] = "data_change"

    async def play(self, incident: Incident, /) -> web.StreamResponse:
        """Answer, and change."""
        response = incident.answered()
        self.change()
        return response


@attrs.frozen
class RowsMove(Fault):
    """The real page of a list, and behind it a change of the data that moves the rows of the pages that follow.

    ``removed`` deletes the first row of the page, so that whoever goes on paging misses a row; ``inserted`` creates
    one at the front, so that the last row of this page comes again on the next: that is for contacts, customers and
    notes, which are listed newest first, and where no sort is asked for.
    """

    change: RowChange = attrs.field(default="inserted", validator=attrs.validators.in_(get_args(RowChange)))

    kind: ClassVar[str] = "row"

    @property
    def name(self) -> str:
        """``row_inserted`` or ``row_removed``."""
        return f"{self.kind}_{self.change}"

    def fits(self, record: RecordedRequest) -> bool:
        """Tell whether a list is asked for in which the rows can move so."""
        if not _is_list(record) or self.change == "removed":
            return _is_list(record)
        parameters = dict(parse_qsl(record.query_string))
        return record.path.rpartition("/")[2] in _NEWEST_FIRST and "sort" not in parameters

    async def play(self, incident: Incident, /) -> web.StreamResponse:
        """Answer, and change the first row of what was answered."""
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
        # One person is one contact and one customer, so the newcomer shares nothing but the site.
        new.relations = {name: linkage for name, linkage in row.relations.items() if name == "site"}
        if "email" in new.attributes:
            new.attributes["email"] = f"inserted-{new.id}@example.com"
        store.put(new)
