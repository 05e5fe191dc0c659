"""The links and meta of a list, in the shapes of the API document."""

from typing import Any, Final, Literal, get_args
from urllib.parse import quote

from kajabi_async.testing.documents import host_of
from kajabi_async.testing.listing import PageOfRows
from kajabi_async.testing.request_query import RequestQuery

__all__ = ["MetaShape", "checked_shape", "page_links", "page_meta"]

MetaShape = Literal["documented", "none", "total", "pages", "count", "pagination", "pages_without_count"]
"""The shape of meta: the one documented for each list, or one shape for every list.

``total`` was observed; in the document most lists print ``pages``, purchases ``count``, payouts ``pagination``, and
one example of transactions ``pages_without_count``.
"""

_DOCUMENTED: Final[dict[str, MetaShape]] = {"purchases": "count", "kajabi_payments_payouts": "pagination"}
_ABSENT_AT_ENDS: Final = frozenset({"podcasts", "courses"})
"""Lists that omit prev and next at their ends; the others print null."""


def page_links(type_name: str, query: RequestQuery, page: PageOfRows) -> dict[str, str | None]:
    """Return self, first, prev, next and last on the API's official host, brackets not encoded (API document)."""
    numbers = {
        "self": page.number,
        "first": 1,
        "prev": page.number - 1 if page.number > 1 else None,
        "next": page.number + 1 if page.number < page.last else None,
        "last": page.last,
    }
    links = {
        name: None if number is None else _link(type_name, query, page, number) for name, number in numbers.items()
    }
    if type_name in _ABSENT_AT_ENDS:
        return {name: link for name, link in links.items() if link is not None}
    return links


def _link(type_name: str, query: RequestQuery, page: PageOfRows, number: int) -> str:
    parameters = dict(query.pairs) | {"page[number]": str(number)}
    if type_name != "kajabi_payments_payouts":
        parameters["page[size]"] = str(page.size)
    repeated = [(name, value) for name, value in query.pairs if name.endswith("][]")]
    pairs = [(name, value) for name, value in parameters.items() if not name.endswith("][]")] + repeated
    encoded = "&".join(f"{quote(name, safe='[]')}={quote(value, safe=',.:@')}" for name, value in pairs)
    return f"{host_of(type_name)}/{type_name}?{encoded}"


def page_meta(type_name: str, page: PageOfRows, shape: MetaShape) -> dict[str, Any] | None:
    """Return the meta of a list; None for a list without meta."""
    actual = _DOCUMENTED.get(type_name, "pages") if shape == "documented" else shape
    counted = {"total_pages": page.last if page.total else 0, "total_count": page.total}
    shapes: dict[str, dict[str, Any] | None] = {
        "none": None,
        "total": {"total": page.total},
        "pages": {**counted, "current_page": page.number},
        "count": {"count": len(page.rows), **counted},
        "pagination": {"total": page.total, "pagination": _pagination(page)},
        "pages_without_count": {"total_pages": counted["total_pages"], "current_page": page.number},
    }
    return shapes[actual]


def checked_shape(shape: MetaShape) -> MetaShape:
    """Return *shape*; raise ValueError if it is unknown."""
    if shape not in get_args(MetaShape):
        raise ValueError(f"no such shape of meta: {shape!r}; known are {', '.join(get_args(MetaShape))}")
    return shape


def _pagination(page: PageOfRows) -> dict[str, int]:
    before = {"first": 1, "prev": page.number - 1} if page.number > 1 else {}
    after = {"next": page.number + 1, "last": page.last} if page.number < page.last else {}
    return {"current": page.number, **before, **after, "records": len(page.rows)}
