r"""Escaping of text for terminals, log lines, JSON, file names and HTML, with the tables that notebooks show."""

import json
import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

__all__ = [
    "escape_html",
    "escape_json",
    "escape_line",
    "escape_value",
    "file_name_for_type",
    "html_table",
    "is_plain",
    "unescape_value",
]

_NAMED: Final = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}
_BY_NAME: Final = {shown[1]: character for character, shown in _NAMED.items()}
_ESCAPE: Final = r"(?:x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8}|[nrt])"
_ESCAPE_BODY: Final = re.compile(_ESCAPE)

# Printable by category, but invisible: Default_Ignorable_Code_Point in Unicode's DerivedCoreProperties.txt.
_INVISIBLE: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0").union(
    map(chr, (*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))
)
# Separates the two parts of Japanese names, and is visible as a wide space.
_IDEOGRAPHIC_SPACE: Final = "\u3000"
_MAX_NAME_LENGTH: Final = 64
# The module html of the standard library also imports the names of two thousand characters.
_REFERENCES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"})


def is_plain(text: str) -> bool:
    """Return whether *text* is one line of visible characters, without control characters."""
    return text.isprintable() and (text.isascii() or _INVISIBLE.isdisjoint(text))


def escape_line(text: str) -> str:
    r"""Return *text* as one line: control and invisible characters are shown as ``\x1b``, ``\u202e`` or ``\n``.

    For messages and log lines. Escaping the result again does not change it.
    """
    if is_plain(text):
        return text
    return "".join(each if _is_visible(each) else _escape_of(each) for each in text)


def escape_value(text: str) -> str:
    r"""Return *text* escaped as by `escape_line`, but so that `unescape_value` restores it exactly.

    A backslash that would look like the start of an escape is doubled; spaces at the ends and after another space,
    which are easily overlooked, are ``\x20``.
    """
    if is_plain(text) and "\\" not in text and "  " not in text and text == text.strip(" "):
        return text
    pieces: list[str] = []
    backslashes = 0
    for at, each in enumerate(text):
        if each == "\\":
            backslashes += 1
            pieces.append(each)
            continue
        shown = each if _is_visible(each) and not _is_overlooked_space(text, at) else _escape_of(each)
        if backslashes and (shown != each or _ESCAPE_BODY.match(text, at)):
            pieces.append("\\" * backslashes)
        backslashes = 0
        pieces.append(shown)
    return "".join(pieces)


def unescape_value(shown: str) -> str:
    """Return the text that `escape_value` turned into *shown*."""
    return re.sub(rf"(\\+)({_ESCAPE})", _unescaped, shown)


def escape_json(
    value: Any,
    *,
    separators: tuple[str, str] | None = None,
    ascii_only: bool = False,
    indent: int | None = None,
) -> str:
    r"""Return *value* as one line of JSON without control or invisible characters; it decodes to the same value.

    C1 and bidirectional controls, which JSON allows, are written as ``\u009b``. *separators* are those of
    `json.dumps`; *ascii_only* escapes all other characters outside ASCII, too. With *indent* it is several lines.
    """
    text = json.dumps(value, ensure_ascii=ascii_only, separators=separators, indent=indent)
    if is_plain(text):
        return text
    # Outside of strings JSON is ASCII, so every character to escape is in a string; a line end never is.
    return "\n".join(
        "".join(each if _is_visible(each) else _json_escape_of(each) for each in line) for line in text.split("\n")
    )


def file_name_for_type(resource_type: str, known: Collection[str]) -> str:
    """Return *resource_type* for use in a file name; ValueError unless it is one of *known* and alphanumeric."""
    is_word = resource_type.isascii() and resource_type.replace("_", "").replace("-", "").isalnum()
    if resource_type not in known or not is_word or len(resource_type) > _MAX_NAME_LENGTH:
        raise ValueError(f"{resource_type[:60]!r} is not a known resource type, and only those name files")
    return resource_type


def escape_html(text: str) -> str:
    r"""Return *text* for an element or an attribute in quotes, on one line.

    ``<``, ``>``, ``&`` and quotes become references; control, bidirectional and invisible characters are shown as
    ``\x1b`` or ``\u202e``, as by `escape_line`.
    """
    return escape_line(text).translate(_REFERENCES)


def html_table(caption: str, rows: Iterable[Sequence[str]], *, header: Sequence[str] = ()) -> str:
    """Return a table of *rows* of text, all of it escaped; the first cell of each row is its heading."""
    head = f"<thead><tr>{_cells('th', header)}</tr></thead>" if header else ""
    body = "".join(f"<tr>{_cells('th', row[:1])}{_cells('td', row[1:])}</tr>" for row in rows)
    return f"<table><caption>{escape_html(caption)}</caption>{head}<tbody>{body}</tbody></table>"


def _is_visible(character: str) -> bool:
    return (character.isprintable() and character not in _INVISIBLE) or character == _IDEOGRAPHIC_SPACE


def _is_overlooked_space(text: str, at: int) -> bool:
    return text[at] == " " and (at == 0 or at == len(text) - 1 or text[at - 1] == " ")


def _escape_of(character: str) -> str:
    number = ord(character)
    if number <= 0xFF:  # noqa: PLR2004
        return _NAMED.get(character) or f"\\x{number:02x}"
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"  # noqa: PLR2004


def _unescaped(shown: re.Match[str]) -> str:
    backslashes, body = shown[1], shown[2]
    kept = "\\" * (len(backslashes) // 2)
    if len(backslashes) % 2 == 0:
        return kept + body
    try:
        return kept + (_BY_NAME.get(body) or chr(int(body[1:], 16)))
    except ValueError:
        # Beyond the last code point, so it is not an escape.
        return shown[0]


def _json_escape_of(character: str) -> str:
    # A character beyond 16 bits takes two escapes (RFC 8259, section 7).
    return f"\\u{ord(character):04x}" if character.isascii() else json.dumps(character)[1:-1]


def _cells(tag: str, texts: Sequence[str]) -> str:
    return "".join(f'<{tag} style="text-align: left">{escape_html(text)}</{tag}>' for text in texts)
