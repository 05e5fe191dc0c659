"""Routing of method and path to an operation, and of an operation to its handler."""

from typing import Final
from urllib.parse import unquote

from kajabi_async.operations import OPERATIONS, AnswerKind, Operation
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

_ID: Final = 3
"""The index of the id in every path that has one, counted from the empty part before the first slash."""


def _key(path: str) -> str:
    parts = path.split("/")
    return "/".join([*parts[:_ID], "*", *parts[_ID + 1 :]])


_FIXED: Final = {(row.method, row.path): row for row in OPERATIONS.values() if "{" not in row.path}
_WITH_ID: Final = {(row.method, _key(row.path)): row for row in OPERATIONS.values() if "{" in row.path}


def matched(method: str, raw_path: str) -> tuple[Operation, str] | None:
    """Return the operation for a percent-encoded path, with the decoded id; None if no operation matches."""
    fixed = _FIXED.get((method, raw_path))
    if fixed is not None:
        return fixed, ""
    parts = raw_path.split("/")
    if len(parts) <= _ID or not parts[_ID]:
        return None
    found = _WITH_ID.get((method, _key(raw_path)))
    return None if found is None else (found, unquote(parts[_ID]))
