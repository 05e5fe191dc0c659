"""Emails as Kajabi compares them: in lower case, without surrounding white space, whatever the form of Unicode."""

import re
import unicodedata
from typing import Any, Final

from kajabi_async.checks import string
from kajabi_async.errors import InvalidEmailError

__all__ = ["checked_email", "email_key", "search_texts"]

_LONGEST: Final = 320
"""64 characters, the @ and 255 characters (RFC 5321, section 4.5.3.1)."""
_PLAIN_KEY: Final = re.compile(r"[!-;=?\[-~]+@[a-z0-9][!-;=?\[-~]*")
"""Printable ASCII with one @, no capital letter and no angle bracket: nearly every key, and most emails as given."""
_SIGMA: Final = "\N{GREEK CAPITAL LETTER SIGMA}"
_SIGMA_IN_LOWER_CASE: Final = "\N{GREEK SMALL LETTER SIGMA}"
_UNPRINTABLE: Final = frozenset({"Cc", "Cs", "Zs", "Zl", "Zp"})


def email_key(email: str) -> str:
    """Return the form of ``email`` that is equal for all spellings of one email.

    Kajabi stores emails in lower case and stripped (API document). Plus-tags and dots stay: they make other emails.
    """
    if email.isascii():
        return email.strip().lower()
    # Ruby has no final form of the small sigma, and lower() does not, unlike casefold(), make one email of ß and ss.
    return unicodedata.normalize("NFC", email.replace(_SIGMA, _SIGMA_IN_LOWER_CASE).lower().strip())


def checked_email(value: Any) -> str:
    """Return the key of an email; InvalidEmailError for a value that cannot be one."""
    if type(value) is str and _is_plain_key(value):
        return value
    # An enumeration of strings would print as the name of its member.
    key = email_key(str.__str__(string(value, of="email", error=InvalidEmailError)))
    if _is_plain_key(key):
        return key
    problem = _problem(key)
    if problem:
        raise InvalidEmailError(f"{value[:60]!r} is no email address: {problem}")
    return key


def search_texts(key: str) -> tuple[str, ...]:
    """Return the texts to search for, which together find all spellings that the server may have stored.

    The server splits a filter at its commas: the longest part without one finds the same and more. It compares the
    characters as they are, so an email that has two forms in Unicode is searched for in both.
    """
    forms = (key,) if key.isascii() else (key, unicodedata.normalize("NFD", key))
    return tuple(dict.fromkeys(max(form.split(","), key=len) for form in forms))


def _is_plain_key(text: str) -> bool:
    return len(text) <= _LONGEST and _PLAIN_KEY.fullmatch(text) is not None


def _problem(key: str) -> str:
    local, at, domain = key.rpartition("@")
    problems = {
        f"it is longer than {_LONGEST} characters": len(key) > _LONGEST,
        "it has no @": not at,
        "it has nothing before the @": not local,
        "it has nothing after the @": not any(map(str.isalnum, domain)),
        "it has white space or control characters in it": any(map(_is_unprintable, key)),
        "it has angle brackets, which are not part of it": not {"<", ">"}.isdisjoint(key),
        "it has more than one @": "@" in local and not (local.startswith('"') and local.endswith('"')),
    }
    return next((problem for problem, is_so in problems.items() if is_so), "")


def _is_unprintable(character: str) -> bool:
    return unicodedata.category(character) in _UNPRINTABLE
