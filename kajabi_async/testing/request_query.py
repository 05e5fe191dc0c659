"""Parsing of query strings (JSON:API 1.1, section "Fetching Data")."""

import re
from functools import lru_cache
from typing import Final
from urllib.parse import parse_qsl

import attrs

__all__ = ["RequestQuery", "listed", "positive", "read_query"]

_FAMILY: Final = re.compile(r"(fields|filter|page)\[(.+)\]")
_UNBRACKETED: Final = frozenset({"page", "per_page", "per"})


@attrs.frozen
class RequestQuery:
    """The parts of a query string, not checked against a resource."""

    pairs: tuple[tuple[str, str], ...] = ()
    """All parameters, decoded, in order."""
    include: tuple[tuple[str, ...], ...] = ()
    """Paths as tuples of relation names."""
    fields: tuple[tuple[str, frozenset[str]], ...] = ()
    filters: tuple[tuple[str, str], ...] = ()
    """Names without ``filter[`` and ``]``, so the repeatable one is ``exclude_product_types][``."""
    sort: tuple[str, ...] = ()
    page_number: int = 1
    page_size: int | None = None
    rows_before: int = 0
    """The number of rows of the preceding page to include: 0 except for a fault."""

    @property
    def has_unbracketed_page(self) -> bool:
        """Whether a parameter is present on which the server fails: ``?page=2`` or ``per_page`` (observed)."""
        return any(name in _UNBRACKETED for name, _ in self.pairs)

    def filter(self, name: str) -> str | None:
        """Return the last value of a filter; None if it is absent."""
        return next((value for known, value in reversed(self.filters) if known == name), None)

    def fields_of(self, type_name: str) -> frozenset[str] | None:
        """Return the requested fields of a type, named in the plural or the singular; None for all fields."""
        for name, fields in self.fields:
            if type_name in {name, f"{name}s"}:
                return fields
        return None


@lru_cache(maxsize=1024)
def read_query(query_string: str) -> RequestQuery:
    """Parse a query string; invalid parts are ignored, as the server does."""
    pairs = tuple(parse_qsl(query_string, keep_blank_values=True))
    members = [(match[1], match[2], value) for name, value in pairs if (match := _FAMILY.fullmatch(name))]
    plain = dict(pairs)
    page = {name: value for family, name, value in members if family == "page"}
    return RequestQuery(
        pairs=pairs,
        include=tuple(tuple(path.split(".")) for path in listed(plain.get("include", ""))),
        fields=tuple((name, frozenset(listed(value))) for family, name, value in members if family == "fields"),
        filters=tuple((name, value) for family, name, value in members if family == "filter"),
        sort=listed(plain.get("sort", "")),
        page_number=positive(page.get("number")) or 1,
        page_size=positive(page.get("size")),
    )


def listed(text: str) -> tuple[str, ...]:
    """Return the parts of *text* between its commas, without spaces around them and without empty ones."""
    return tuple(part for part in (part.strip() for part in text.split(",")) if part)


def positive(text: str | None) -> int | None:
    """Return the whole number above 0 in *text*; None for anything else."""
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 10 and int(text) > 0 else None  # noqa: PLR2004 - beyond any real page
