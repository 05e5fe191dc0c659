"""Where the live server is known, or believed, to differ from its document: one knob for each."""

from datetime import datetime, timedelta
from typing import Literal

import attrs

from kajabi_async.testing.comparing import moment
from kajabi_async.testing.rows import Row

__all__ = ["Quirks"]


@attrs.frozen(kw_only=True)
class Quirks:
    """How the fake behaves where document and server part; the defaults are what integrators saw most.

    The guide on testing lists each with what is known of the live server and how sure that is.
    """

    gte: Literal["ignored", "honoured"] = "ignored"
    """What becomes of filters that end in ``_gte`` and ``_lte``: the server's library has ``gteq`` and ``lteq``."""
    search_lag: float = 0.0
    """Seconds for which ``search`` and ``email_contains`` do not find a contact or customer that was just created."""
    unsearchable: frozenset[str] = frozenset()
    """Emails, in lower case, that the search never finds although the list holds them."""
    opt_in: Literal["single", "double"] = "single"
    """With ``double``, a form makes its contact only once the opt-in is confirmed, which takes `opt_in_lag`."""
    opt_in_lag: float = 0.8
    """Seconds until a double opt-in is confirmed; infinity for one that never is."""
    linkage_writes: Literal["linkage", "no content"] = "linkage"
    """What a write to a relationship is answered with: the whole linkage, or 204 and nothing."""
    already: Literal["success", "refused"] = "success"
    """What becomes of adding a tag or an offer that is there already: nothing, or a 422."""
    regrant: Literal["no effect", "restores"] = "no effect"
    """What granting an offer does whose purchase was deactivated: one integrator has to revoke it first."""
    course_included: Literal["document", "data"] = "document"
    """Where the included resources of a course stand: beside ``data``, or inside it, as the API document has it."""

    def ignores(self, filter_name: str) -> bool:
        """Return whether the server takes no notice of a filter."""
        return self.gte == "ignored" and filter_name.endswith(("_gte", "_lte"))

    def is_searchable(self, row: Row, now: datetime) -> bool:
        """Return whether the search knows a contact or customer by *now*."""
        if str(row.attributes.get("email")).casefold() in self.unsearchable:
            return False
        created = moment(row.attributes.get("created_at"))
        return not self.search_lag or created is None or now - created >= timedelta(seconds=self.search_lag)
