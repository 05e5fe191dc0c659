"""Routing of method and path to an operation, and of an operation to its handler."""

from typing import Final
from urllib.parse import unquote

from kajabi_async.operations import OPERATIONS, AnswerKind, Operation, operation_at
from kajabi_async.testing.api import WRITE_HANDLERS
from kajabi_async.testing.api.samples import SAMPLE_HANDLERS
from kajabi_async.testing.api.shows import list_page, read_linkage, read_me, read_version, show
from kajabi_async.testing.world import Handler

__all__ = ["HANDLERS", "matched"]

_READ_HANDLERS: Final[dict[AnswerKind, Handler]] = {
    AnswerKind.RESOURCE: show,
    AnswerKind.COLLECTION: list_page,
    AnswerKind.LINKAGE: read_linkage,
}
_OTHER_HANDLERS: Final[dict[str, Handler]] = {
    "me": read_me,
    "version": read_version,
    **SAMPLE_HANDLERS,
    **WRITE_HANDLERS,
}

HANDLERS: Final[dict[str, Handler]] = {
    name: _OTHER_HANDLERS.get(name) or _READ_HANDLERS[row.answer]
    for name, row in OPERATIONS.items()
    if not name.startswith("oauth.")
}
"""The handler of each operation except the two of OAuth, which need no world."""

_SERVED: Final = frozenset(OPERATIONS)
"""Rows that are added later belong to resources that the fake does not know."""


def matched(method: str, raw_path: str) -> tuple[Operation, str] | None:
    """Return the operation for a percent-encoded path, with the decoded id; None if no operation matches."""
    found = operation_at(method, raw_path)
    if found is None or found[0].name not in _SERVED:
        return None
    row, encoded_id = found
    return row, unquote(encoded_id)
