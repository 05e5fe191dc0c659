"""One error of an answer, which `errors.ApiError` carries."""

from collections.abc import Mapping
from typing import Any

import attrs

from kajabi_async.escaping.text import escape_line
from kajabi_async.structs import Value

__all__ = ["ErrorObject"]


@attrs.frozen(eq=False, repr=False)
class ErrorObject(Value):
    """One error object of JSON:API (section "Error Objects"); members that the server left out are None."""

    status: str | None = None
    code: str | None = None
    title: str | None = None
    detail: str | None = None
    id: str | None = None
    source: Mapping[str, Any] | None = None
    links: Mapping[str, Any] | None = None
    meta: Mapping[str, Any] | None = None

    @property
    def pointer(self) -> str | None:
        """The JSON pointer into the body that was sent, such as ``/data/attributes/email``."""
        return self._from_source("pointer")

    @property
    def parameter(self) -> str | None:
        """The query parameter at fault."""
        return self._from_source("parameter")

    @property
    def field(self) -> str | None:
        """The name of the attribute or relation that the pointer leads to, as the SDK calls it."""
        parts = (self.pointer or "").split("/")
        named = len(parts) >= 4 and parts[1] == "data" and parts[2] in {"attributes", "relationships"}  # noqa: PLR2004
        # The two escapes of RFC 6901, section 4, undone in that order.
        return parts[3].replace("~1", "/").replace("~0", "~") if named else None

    def _from_source(self, member: str) -> str | None:
        value = (self.source or {}).get(member)
        return value if isinstance(value, str) else None

    def __str__(self) -> str:
        text = ": ".join(part for part in (self.title, self.detail) if part) or self.code or "no detail given"
        place = self.field or self.parameter
        return escape_line(f"{text} (at {place})" if place else text)
