"""Errors of the SDK in the words of the command: ``--site-id`` in place of ``site_id=``."""

import re
from typing import Final

__all__ = ["in_own_words"]

_PHRASES: Final = {
    "site_id=, here or on the client (KAJABI_SITE_ID)": "--site-id or KAJABI_SITE_ID",
    "restart=True (--restart)": "--restart",
    "add one, such as UTC, or pass a date": "write 2024-05-01T16:00:00Z, or a date alone",
    " (extra_filters= sends a filter that the SDK does not know yet)": "",
    "True or False": "true or false",
    "an amount: a Decimal, a whole number, or text such as '12.50'": "an amount such as 12.50",
    "a date, a time with its zone, or either in ISO 8601": (
        "a date such as 2024-05-01, or a time with its zone such as 2024-05-01T16:00:00Z"
    ),
    "customers and contacts have find_by_email and find_many": (
        "`kajabi customers find` and `kajabi contacts find` take emails"
    ),
    "or set the format to one of": "or write --format and one of",
    "check() takes either email= or customer_id=": "write either an email or --customer-id",
    "cursor is not text that api.changes() wrote, or not all of it": (
        "--cursor names a file that `kajabi changes` did not write, or not all of it"
    ),
    "cursor is damaged: it is not what api.changes() wrote": (
        "--cursor names a file that is damaged: it is not what `kajabi changes` wrote"
    ),
    "another base_url: store one cursor for each client": (
        "another KAJABI_BASE_URL: name a file of its own for each with --cursor"
    ),
    "start with since= instead": "remove the file that --cursor names, and start with --since",
}
_OPERATION: Final = re.compile(r"^([a-z][a-z_]*)\.([a-z][a-z_]*)(?= (?:needs|has no) )")
_FILTER: Final = re.compile(r"filter\[([a-z_]+)\]")
_ARGUMENT: Final = re.compile(r"(?<![\w-])([a-z]+(?:_[a-z]+)*)=(?=[\s,:;.)]|$)")
_SUBJECT: Final = re.compile(
    r"^(page_size|limit|concurrency|patience|site_id|sort|include|fields|strategy|target_url|format|every|sweep)"
    r"(?= must )"
)


def in_own_words(text: str) -> str:
    """Return the text of an error of the SDK with the command's options in place of arguments and filters."""
    for phrase, own in _PHRASES.items():
        text = text.replace(phrase, own)
    text = _OPERATION.sub(lambda match: f"{_dashed(match[1])} {_dashed(match[2])}", text)
    for pattern in (_FILTER, _ARGUMENT, _SUBJECT):
        text = pattern.sub(lambda match: f"--{_dashed(match[1])}", text)
    return text


def _dashed(name: str) -> str:
    return name.replace("_", "-")
