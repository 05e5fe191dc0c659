"""Relationship endpoints: the ids that a resource is linked to, read, added, removed and replaced."""

from collections.abc import Collection, Iterable, Mapping
from functools import partial
from typing import Any, Literal, TypeVar

import attrs

from kajabi_async.checks import boolean
from kajabi_async.errors import DecodeError, KajabiError, UnprocessableEntityError
from kajabi_async.jsonapi.linkage import read_linkage
from kajabi_async.models.resource import Resource
from kajabi_async.resources.arguments import checked_ids
from kajabi_async.resources.base import ResourceOperations
from kajabi_async.resources.writes import answered_write, carries_data, verified

__all__ = ["Linkable", "LinkageChange"]

R = TypeVar("R", bound=Resource)

Verb = Literal["POST", "DELETE", "PATCH"]
"""POST adds, DELETE removes, PATCH replaces (JSON:API, "Updating To-Many Relationships")."""


@attrs.define
class LinkageChange:
    """A change of linkage, and what is left of it to do."""

    verb: Verb
    ids: tuple[str, ...]
    """Those that the next request names."""

    def is_done(self, held: Collection[str]) -> bool:
        """Return whether ``held`` is the result of the change; if not, keep in `ids` only what is left to do."""
        if self.verb == "PATCH":
            return set(held) == set(self.ids)
        adds = self.verb == "POST"
        self.ids = tuple(each for each in self.ids if (each in held) is not adds)
        return not self.ids


class Linkable(ResourceOperations[R]):
    """Resources with relationship endpoints; a relation is named as in the model, such as ``"tags"``."""

    async def _read_linkage(self, relation: str, resource_id: str | int, timeout: float | None) -> tuple[str, ...]:
        row = self._operation(f"GET.{relation}")
        answer = await self._send(row, resource_id, timeout=timeout)
        return _linked_ids(answer.body, f"{row.method} {row.path}")

    async def _change_linkage(
        self,
        verb: Verb,
        relation: str,
        resource_id: str | int,
        ids: Iterable[str | int],
        *,
        meta: Mapping[str, Any] | None = None,
        verify: bool = False,
        timeout: float | None = None,
    ) -> tuple[str, ...]:
        """Add, remove or set *ids* and return the whole linkage.

        With *verify*, after an error with ``maybe_applied`` the linkage is read, and what is missing is sent again.
        """
        boolean(verify, of="verify")
        change = LinkageChange(verb, checked_ids(ids, of=self.model.relations[relation].resource_type))
        write = partial(self._write_linkage, relation, resource_id, change, meta, timeout)

        async def look() -> tuple[str, ...] | None:
            held = await self._read_linkage(relation, resource_id, timeout)
            return held if change.is_done(held) else None

        if not verify:
            return await write()
        return await verified(write, look, sleep=self._context.clock.sleep, refused=UnprocessableEntityError)

    async def _write_linkage(
        self,
        relation: str,
        resource_id: str | int,
        change: LinkageChange,
        meta: Mapping[str, Any] | None,
        timeout: float | None,
    ) -> tuple[str, ...]:
        """Send *change* once and return the whole linkage.

        An answer without linkage, such as a 204, is success as well: the linkage is then read once. If that fails, what
        is certain is returned: the ids that were added or set; none after a removal.
        """
        row = self._operation(f"{change.verb}.{relation}")
        linked_type = self.model.relations[relation].resource_type
        body: dict[str, Any] = {"data": [{"type": linked_type, "id": each} for each in change.ids]}
        if meta is not None:
            body["meta"] = meta
        answer = await self._send(row, resource_id, body=body, timeout=timeout)
        context = f"{row.method} {row.path}"
        with answered_write():
            if carries_data(answer.body, context=context):
                return _linked_ids(answer.body, context)
        if change.verb == "PATCH":
            return change.ids
        try:
            return await self._read_linkage(relation, resource_id, timeout)
        except KajabiError:
            # The write has succeeded: an error of reading must not say otherwise.
            return change.ids if change.verb == "POST" else ()


def _linked_ids(body: bytes, context: str) -> tuple[str, ...]:
    identifiers = read_linkage(body, context=context)
    if identifiers is None:
        raise DecodeError("resource linkage was expected", path="data", context=context)
    return tuple(identifier.id for identifier in identifiers)
