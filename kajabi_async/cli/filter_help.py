"""What each filter of a list means, in a line for the help, and the word for its value.

The names of the API's filters are regular: an attribute and a comparison. The few that are not are listed.
"""

import re
from collections.abc import Callable
from typing import Final

__all__ = ["filter_meaning", "value_word"]

_WORDS: Final = {
    "a whole number of days": "DAYS",
    "an id": "ID",
    "an id, or several": "ID,...",
    "text that is not blank": "TEXT",
    "text that is not blank, or several": "TEXT,...",
    "text or a whole number": "TEXT",
    "text or a whole number, or several": "TEXT,...",
    "a whole number": "NUMBER",
    "a whole number of at least 1": "NUMBER",
    "a date, a time with its zone, or either in ISO 8601": "DATE",
}
_OTHERWISE: Final = "AMOUNT"

_OWN: Final = {
    "site_id": "Of this site; KAJABI_SITE_ID by default.",
    "search": "Fuzzy, in name and email; `find` looks for one exact email.",
    "contact_id": "Of this contact.",
    "customer_id": "Of this customer.",
    "form_id": "Sent with this form.",
    "referrer": "With this referrer.",
    "active": "Whether it is active.",
    "deactivated": "Whether it is deactivated.",
    "published": "Whether it is published.",
    "is_hidden": "Whether the person is hidden.",
    "is_hard_bouncing": "Whether mail to the person bounces for good.",
    "subscribed": "Whether the person is subscribed to marketing mail.",
    "never_subscribed": "Whether the person was never subscribed.",
    "has_tag_id": "With this tag, or one of several.",
    "has_all_tag_id": "With all of these tags.",
    "has_no_tag_id": "Without this tag, or all of several.",
    "has_offer_id": "With this offer, or one of several.",
    "has_no_offer_id": "Without this offer, or all of several.",
    "has_product_id": "With this product, or one of several.",
    "has_active_product_id": "With access to this product now.",
    "has_no_product_id": "Without this product, or all of several.",
    "previously_owned_product_id": "Who had this product and no longer have it.",
    "used_coupon_code": "Who used this coupon.",
    "exclude_product_types": "Without products of this type, such as Courses::CohortCourse.",
    "net_revenue_equal_to": "With exactly this `net_revenue`.",
    "net_revenue_greater_than": "With more `net_revenue` than this.",
    "net_revenue_less_than": "With less `net_revenue` than this.",
    "joined_in_last": "Joined in the last DAYS days.",
    "no_submitted_form_id": "Who did not submit this form.",
    "not_registered_event_id": "Who are not registered for this event.",
    "subscribed_newsletter_id": "Who are subscribed to this newsletter.",
    "unsubscribed_newsletter_id": "Who unsubscribed from this newsletter.",
    "subscribed_email_sequence_id": "Who are subscribed to this email sequence.",
    "not_subscribed_email_sequence_id": "Who are not subscribed to this email sequence.",
    "submitted_form_id": "Who submitted this form.",
    "registered_event_id": "Who are registered for this event.",
    "name_or_email": "With this in the name or the email of the buyer.",
    "status": "One of pending, in_transit, paid, failed and canceled.",
    "start_date": "On this day or later.",
    "end_date": "On this day or earlier.",
    "manually_unsubscribed_in_last": "Unsubscribed by hand in the last DAYS days.",
}
_COMPARISONS: Final = {
    "not_eq": "is not this",
    "not_cont": "does not contain this",
    "not_in": "is none of these",
    "i_cont": "contains this in any letter case",
    "gteq": "is this or more",
    "lteq": "is this or less",
    "gte": "is this or more (the server probably ignores it: use -gteq)",
    "lte": "is this or less (the server probably ignores it: use -lteq)",
    "cont": "contains this",
    "contains": "contains this",
    "start": "starts with this",
    "end": "ends with this",
    "null": "is empty",
    "eq": "is this",
    "gt": "is more than this",
    "lt": "is less than this",
    "in": "is one of these",
}
_IN_TIME: Final = {
    "gteq": "is at this time or later",
    "lteq": "is at this time or earlier",
    "gte": "is at this time or later (the server probably ignores it: use -gteq)",
    "lte": "is at this time or earlier (the server probably ignores it: use -lteq)",
    "eq": "is at this time",
    "not_eq": "is not at this time",
    "gt": "is later than this",
    "lt": "is earlier than this",
}
_TIME: Final = "_at"
_MAILED: Final = {
    "sent": ("Who were sent", "Who were not sent"),
    "delivered": ("Who got", "Who did not get"),
    "opened": ("Who opened", "Who did not open"),
    "clicked": ("Who clicked in", "Who did not click in"),
    "bounced": ("Whose mail server bounced", "Whose mail server did not bounce"),
    "dropped": ("Who were left out of", "Who were not left out of"),
}
"""What happened to a broadcast, and what did not."""

_WITH_MAIL: Final = {
    "opened": ("Opened", "Did not open"),
    "delivered": ("Got", "Did not get"),
    "clicked": ("Clicked in", "Did not click in"),
}
"""What a person did with an email, and did not do."""


def _in_last(match: re.Match[str]) -> str:
    words = match[2].replace("_", " ")
    return f"{f'Not {words}' if match[1] else words.capitalize()} in the last DAYS days."


def _of_mail_in_last(match: re.Match[str]) -> str:
    done, not_done = _WITH_MAIL[match[2]]
    return f"{not_done if match[1] else done} an email in the last DAYS days."


def _of_mailing(match: re.Match[str]) -> str:
    several = ", or any of several" if match[3].endswith("s") else ""
    done, not_done = _MAILED[match[2]]
    return f"{not_done if match[1] else done} this broadcast{several}."


def _of_assessment(match: re.Match[str]) -> str:
    return f"Who {match[1]} this assessment."


def _of_open_data(match: re.Match[str]) -> str:
    return f"Whether the contact counts as {match[1]}, by the mail that was opened."


def _compared(match: re.Match[str]) -> str:
    attribute, comparison = match[1], match[2]
    if comparison == "null":
        return f"Whether `{attribute}` is empty."
    in_time = _IN_TIME.get(comparison) if attribute.endswith(_TIME) else None
    return f"`{attribute}` {in_time or _COMPARISONS[comparison]}."


_PATTERNS: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...]] = (
    (re.compile(rf"(not_)?({'|'.join(_WITH_MAIL)})_email_in_last"), _of_mail_in_last),
    (re.compile(r"(not_)?(\w+)_in_last"), _in_last),
    (re.compile(r"(no_)?(\w+?)_email_broadcast_(ids?)"), _of_mailing),
    (re.compile(r"(\w+)_assessment_id"), _of_assessment),
    (re.compile(r"(\w+)_contacts_with_open_data"), _of_open_data),
    (re.compile(rf"(\w+?)_({'|'.join(_COMPARISONS)})"), _compared),
)


_FLAG: Final = re.compile(r"(\w+?)_(not_)?eq")


def filter_meaning(name: str, *, is_flag: bool = False) -> str:
    """Return what the filter called *name* selects, in one sentence; its name in words if nothing is known of it."""
    if name in _OWN:
        return _OWN[name]
    if is_flag and (match := _FLAG.fullmatch(name)):
        return f"Whether `{match[1]}` is {'not ' if match[2] else ''}true."
    for pattern, describe in _PATTERNS:
        if match := pattern.fullmatch(name):
            return describe(match)
    return f"{name.replace('_', ' ').capitalize()}."


def value_word(takes: str) -> str:
    """Return the word for the value of a filter that *takes* this, in the words of its declaration."""
    return _WORDS.get(takes, _OTHERWISE)
