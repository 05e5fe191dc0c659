"""Resource ids as segments of a path: checked first, then encoded.

Encoding alone is not enough: a URL library may undo it and walk up the path (``%2e%2e``), so every id that could mean
more than one segment is rejected.
"""

import unicodedata
from typing import Any, Final
from urllib.parse import quote

from kajabi_async.errors import InvalidIdError

__all__ = ["FIRST_NO_ID", "checked_id", "path_segment"]

_LONGEST_ID: Final = 255
FIRST_NO_ID: Final = 10**_LONGEST_ID
"""The least number that has too many digits for an id."""
_ILLEGAL: Final = frozenset('/\\?#%&=;:@"<>|^`{}[]*')


def checked_id(value: Any, *, of: str = "a resource") -> str:
    """Return *value* as an id; InvalidIdError if it cannot be one. Whole numbers are accepted."""
    if type(value) is str:
        text = value
    elif isinstance(value, str):
        # str() of an enumeration of strings is the name of its member.
        text = str.__str__(value)
    elif isinstance(value, int) and not isinstance(value, bool):
        text = _digits(value, of)
    else:
        raise InvalidIdError(f"the id of {of} must be {_wrong_type(value)}")
    if text.isascii() and text.isalnum() and len(text) <= _LONGEST_ID:
        return text
    problem = _problem(text)
    if problem:
        raise InvalidIdError(f"{text[:60]!r} cannot be the id of {of}: {problem}")
    return text


def path_segment(resource_id: str) -> str:
    """Encode an id as one path segment; InvalidIdError if it cannot be one."""
    if resource_id.isascii() and resource_id.isalnum() and len(resource_id) <= _LONGEST_ID:
        return resource_id
    return quote(checked_id(resource_id), safe="")


def _digits(value: int, of: str) -> str:
    if not 0 <= value < FIRST_NO_ID:
        raise InvalidIdError(f"a number that is the id of {of} must have at most {_LONGEST_ID} digits and no sign")
    return int.__repr__(value)


def _wrong_type(value: Any) -> str:
    name = type(value).__name__
    if isinstance(value, list | tuple | set | frozenset | dict):
        return f"one string, got {name}: get_many takes any number"
    return f"a string, got {name}{': pass its .id' if hasattr(value, 'id') else ''}"


def _problem(value: str) -> str:
    if not value:
        return "it is empty"
    if len(value) > _LONGEST_ID:
        return f"it is longer than {_LONGEST_ID} characters"
    if not value.isprintable() or any(character.isspace() for character in value):
        return "it holds white space or control characters"
    # A server may fold look-alikes, such as the full-width slash: it must not find a path in it either.
    folded = unicodedata.normalize("NFKC", value)
    if set(folded) == {"."} or ".." in folded:
        return "dots would climb out of the path"
    illegal = sorted(_ILLEGAL & set(folded))
    if "@" in illegal:
        return "an email is no id: customers and contacts have find_by_email and find_many"
    return f"{illegal[0]!r} is not allowed in it" if illegal else ""
