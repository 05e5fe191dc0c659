"""Known or suspected differences between the live server and its document: one option for each."""

from typing import Literal

import attrs

__all__ = ["Quirks"]


@attrs.frozen(kw_only=True)
class Quirks:
    """The behaviour of the fake where document and server differ; the defaults are what integrators report most.

    The guide on testing lists what is known of the live server for each, and how certain it is.
    """

    gte: Literal["ignored", "honoured"] = "ignored"
    """The handling of filters that end in ``_gte`` and ``_lte``: the server's library has ``gteq`` and ``lteq``."""
    search_lag: float = 0.0
    """Seconds before ``search`` and ``email_contains`` find a new contact or customer."""
    unsearchable: frozenset[str] = frozenset()
    """Emails, in lower case, that are in the list but that the search never finds."""
    opt_in: Literal["single", "double"] = "single"
    """With ``double``, a form creates its contact only when the opt-in is confirmed, after `opt_in_lag`."""
    opt_in_lag: float = 0.8
    """Seconds until a double opt-in is confirmed; infinity for never."""
    linkage_writes: Literal["linkage", "no content"] = "linkage"
    """The answer to a write to a relationship: the whole linkage, or 204 without a body."""
    already: Literal["success", "refused"] = "success"
    """The result of adding a tag or an offer that is already there: success without effect, or a 422."""
    regrant: Literal["no effect", "restores"] = "no effect"
    """The effect of granting an offer whose purchase was deactivated: one integrator has to revoke it first."""
    course_included: Literal["document", "data"] = "document"
    """The place of a course's included resources: beside ``data``, or inside it as in the API document."""
