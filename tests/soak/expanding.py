"""Values and documents built to expand: small in bytes, costly once they are decoded."""

from collections.abc import Callable, Iterable
from typing import Final

__all__ = ["KINDS", "PLACES", "document", "filling"]

UNITS: Final[dict[str, bytes]] = {
    "numbers": b"0,",
    "nulls": b"null,",
    "objects": b"{},",
    "arrays": b"[],",
    "nested arrays": b"[" * 90 + b"]" * 90 + b",",
    "nested objects": b'{"a":' * 90 + b"1" + b"}" * 90 + b",",
    "nested objects of members": b'{"a":1,"b":2,"c":3,"d":' * 90 + b"1" + b"}" * 90 + b",",
    "nested arrays of texts": b'["a","b","c",' * 90 + b"1" + b"]" * 90 + b",",
    "texts": b'"",',
    "short texts": b'"ab",',
    "small objects": b'{"a":0},',
    "rows": b'{"type":"customers","id":"1"},',
    "rows of another type": b'{"type":"offers","id":"1"},',
    "rows without id": b'{"type":"customers"},',
    "rows with attributes": b'{"type":"customers","id":"1","attributes":{}},',
    "rows with odd attributes": b'{"type":"customers","id":"1","attributes":{"name":[],"x":{}}},',
    "rows with relations": b'{"type":"customers","id":"1","relationships":{"offers":{"data":[]}}},',
    "transactions": b'{"amount":"1.5","offer_ids":["1","2"]},',
    "error objects": b'{"title":{},"detail":[[]],"source":{}},',
    "long numbers": b"1" * 4000 + b",",
    "large numbers": b"12345678901234567890123,",
    "fractions": b"1." + b"1" * 40 + b",",
    "escapes": b'"' + b"\\n" * 500 + b'",',
    "hidden quotes": b'"' + b'\\"' * 500 + b'",',
    "commas in text": b'"' + b",[{" * 200 + b'",',
    "wide texts": '"aaaaaaaaaaaaaaa\U0001f600",'.encode(),
    "spaces": b" " * 4000 + b"0,",
}
ROWS: Final[dict[str, tuple[str, str, int]]] = {
    "rows with members": ("contacts", "members", 900),
    "rows with a few members": ("contacts", "members", 60),
    "rows with members of objects": ("contacts", "members of objects", 900),
    "rows with members that cannot be decoded": ("contacts", "members that cannot be decoded", 900),
    "rows with custom fields": ("contacts", "custom fields", 900),
    "rows with a few custom fields": ("contacts", "custom fields", 60),
    "rows with odd custom fields": ("contacts", "odd custom fields", 900),
    "rows with undocumented custom fields": ("contacts", "undocumented custom fields", 900),
    "rows with names like custom fields": ("contacts", "names like custom fields", 900),
    "rows with times": ("contacts", "times", 900),
    "customers with members": ("customers", "members", 900),
    "customers with a few members": ("customers", "members", 60),
    "customers with a few members of objects": ("customers", "members of objects", 60),
    "customers with a few members, not in order": ("customers", "members, the last first", 60),
}
"""The type, the attributes and how many of them each row has."""
TEXTS: Final[dict[str, bytes]] = {
    "consecutive escapes": b"\\n",
    "hidden quotes": b'\\"',
    "hidden quotes and separators": b'\\",[{',
    "hidden quotes and commas": b'\\",',
    "hidden quotes and digits": b'\\"' * 50 + b"7" * 201,
    "hidden quotes among separators": b'\\",[{,[{,[{,[{,[{,',
    "code points": b"\\u0041",
    "pairs": b"\\ud83d\\ude00",
    "letters": b"a",
    "separators": b",[{:",
    "digits": b"7",
    "wide": "\U0001f600".encode(),
}
NUMBERED: Final[dict[str, bytes]] = {
    "members": b'"k%d":1',
    "members of objects": b'"k%d":{"a":1}',
    "members that cannot be decoded": b'"k%d":1e999',
    "relations": b'"k%d":{"data":{"type":"a","id":"b"}}',
    "custom fields": b'"custom_%d":"x"',
    "odd custom fields": b'"custom_%d":[]',
    "undocumented custom fields": b'"custom_9%d":"x"',
    "names like custom fields": b'"custom_a%d":1',
    "times": b'"k%d":"2024-11-20T18:53:19.389Z"',
    "members, the last first": b'"k%d":1',
}
CUSTOMER: Final = (
    b'{"type":"customers","id":"1","attributes":{"name":"a","email":"b","avatar":null,"external_user_id":null,'
    b'"public_bio":null,"public_location":null,"public_website":null,"socials":null,"net_revenue":"1.5",'
    b'"sign_in_count":1,"last_request_at":null,"bounced_at":null,"created_at":"2024-11-20T18:53:19.389Z",'
    b'"updated_at":%s},"relationships":{"offers":{"data":[{"type":"offers","id":"1"}]}}}'
)
_MOST_NESTED: Final = 230_000
"""Bytes of nested objects that are as many as an answer may have."""


def filling(kind: str, size: int) -> bytes:
    """Return a JSON value of one *kind* of about *size* bytes."""
    if kind in TEXTS:
        unit = TEXTS[kind]
        return b'"' + unit * (size // len(unit)) + b'"'
    if kind in MADE:
        return MADE[kind](size)
    if kind in NUMBERED or kind in ROWS:
        return _of_many_members(kind, size)
    unit = UNITS[kind]
    return b"[" + unit * max(1, size // len(unit)) + unit[:-1] + b"]"


def _letters(size: int) -> bytes:
    return b'"' + b"a" * (size - 10) + '\U0001f600"'.encode()


def _customers(size: int) -> bytes:
    row = CUSTOMER % b'"2024-11-20T18:53:19.389Z"'
    return _joined(b"[", [*([row] * (size // len(row))), CUSTOMER % b"[]"], b"]")


def _nested_and_members(size: int) -> bytes:
    unit = UNITS["nested objects"]
    nested = unit * (min(size, _MOST_NESTED) // len(unit))
    return b"[%s%s]" % (nested, _numbered("members", max(1, (size - len(nested)) // 11)))


def _repeated_name(size: int) -> bytes:
    return _joined(b"{", [b'"name":[]'] * (size // 10), b"}")


def _long_names(size: int) -> bytes:
    return _joined(b"{", (b'"%s%d":0' % (b"k" * 2000, index) for index in range(size // 2010)), b"}")


def _of_many_members(kind: str, size: int) -> bytes:
    if kind in NUMBERED:
        return _numbered(kind, size // (len(NUMBERED[kind]) + 5))
    resource_type, attributes, number = ROWS[kind]
    row = b'{"type":"%s","id":"1","attributes":%s}' % (resource_type.encode(), _numbered(attributes, number))
    return _joined(b"[", [row] * (size // len(row)), b"]")


def _numbered(kind: str, number: int) -> bytes:
    numbers = range(number)
    return _joined(b"{", (NUMBERED[kind] % each for each in (reversed(numbers) if "last" in kind else numbers)), b"}")


def _joined(opening: bytes, parts: Iterable[bytes], closing: bytes) -> bytes:
    return opening + b",".join(parts) + closing


MADE: Final[dict[str, Callable[[int], bytes]]] = {
    "a letter among many": _letters,
    "customers, the last one odd": _customers,
    "members and nested objects": _nested_and_members,
    "a repeated name": _repeated_name,
    "long names": _long_names,
}
KINDS: Final = (*UNITS, *ROWS, *TEXTS, *NUMBERED, *MADE)
PLACES: Final[dict[str, bytes]] = {
    "data": b'{"data":%s,"links":{}}',
    "name": b'{"data":{"type":"customers","id":"1","attributes":{"name":%s}}}',
    "amount": b'{"data":{"type":"customers","id":"1","attributes":{"name":"a","net_revenue":%s,"created_at":[]}}}',
    "attributes": b'{"data":{"type":"customers","id":"1","attributes":%s}}',
    "attributes of a contact": b'{"data":{"type":"contacts","id":"1","attributes":%s}}',
    "an unknown attribute": b'{"data":[{"type":"customers","id":"1","attributes":{"name":1,"zz":%s}}]}',
    "relationships": b'{"data":{"type":"customers","id":"1","relationships":%s}}',
    "linkage": b'{"data":{"type":"customers","id":"1","relationships":{"offers":{"data":%s}}}}',
    "included": b'{"data":{"type":"customers","id":"1"},"included":%s}',
    "meta": b'{"data":[],"meta":{"x":%s}}',
    "links": b'{"data":[],"links":{"next":%s}}',
    "transactions": b'{"data":{"type":"kajabi_payments_payouts","id":"1","attributes":{"transactions":%s}}}',
    "links of a row": b'{"data":{"type":"customers","id":"1","links":%s,"meta":%s}}',
    "type": b'{"data":[{"type":%s,"id":"1"}]}',
    "id": b'{"data":[{"type":"customers","id":%s}]}',
    "errors": b'{"errors":%s}',
    "title": b'{"errors":[{"title":%s,"meta":{}}]}',
    "error": b'{"error":%s,"error_description":%s}',
    "expires_in": b'{"access_token":"x","expires_in":%s}',
    "an unknown member": b'{"data":[],"zz":%s}',
    "all of it": b"%s",
    "resources": b'{"id":"1","event":"tag_added","payload":%s}',
    "payload": b'{"id":"1","event":"purchase","payload":%s}',
    "payload of the dashboard": b'{"id":"1","event":"purchase.created","payload":{"member":{"email":%s}}}',
}


def document(place: str, kind: str, size: int, *, second: str = "numbers") -> bytes:
    """Return a body of at most about *size* bytes with values of *kind* at *place*."""
    template = PLACES[place]
    if template.count(b"%s") == 1:
        return template.replace(b"%s", filling(kind, size - len(template) - 4500))
    half = size // 2 - len(template) - 4500
    return template.replace(b"%s", filling(kind, half), 1).replace(b"%s", filling(second, half), 1)
