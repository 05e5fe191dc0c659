"""Where a walk through a list stands, as text that can be saved."""

import hashlib
import re
from typing import Final, Self

import attrs

from kajabi_async.errors import InvalidArgumentError
from kajabi_async.jsonapi.query import Query

__all__ = ["Position", "list_digest"]

_WRITTEN: Final = re.compile(r"1\.([0-9a-f]{12})\.([0-9]{1,9})\.([!-~]*)")


@attrs.frozen
class Position:
    """The page to ask for and how many of its rows were seen already."""

    list_digest: str
    """Says which list, sorted and filtered how, the position belongs to."""
    rows_seen: int
    query: str

    @classmethod
    def parse(cls, text: str, *, list_digest: str) -> Self:
        """Read a saved position; InvalidArgumentError where it is none, or belongs to another list."""
        written = _WRITTEN.fullmatch(text)
        if written is None:
            raise InvalidArgumentError("resume_from is not a position that a list gave")
        if written[1] != list_digest:
            raise InvalidArgumentError("resume_from belongs to a list with another path, filter, sort or page size")
        return cls(written[1], int(written[2]), written[3])

    def __str__(self) -> str:
        return f"1.{self.list_digest}.{self.rows_seen}.{self.query}"


def list_digest(path: str, query: Query) -> str:
    """Give a short digest of what is listed; the page number is no part of it."""
    listed = f"{path}?{attrs.evolve(query, page_number=None).encode()}"
    return hashlib.sha256(listed.encode()).hexdigest()[:12]
