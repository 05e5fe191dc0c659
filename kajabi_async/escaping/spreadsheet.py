"""Escaping of text for spreadsheet cells, so that it is never a formula, with any cell separator."""

import re
from typing import Any, Final

from kajabi_async.escaping.text import escape_json

__all__ = ["escape_cell", "escape_json_cell", "unescape_cell"]

# Patterns are compiled on first use: most programs export nothing.
_SEPARATORS: Final = r",;|:^~\t\r\n"
_SIGNS: Final = "+\\-\uff0b\uff0d\ufe62\ufe63\u2212"
_OPERATORS: Final = frozenset("=@+-\uff1d\uff20\ufe66\ufe6b\uff0b\uff0d\ufe62\ufe63\u2212")
_NUMBER_ONLY: Final = r"[0-9 ().+\-]*\Z"
_OPERATOR: Final = "[=@\uff1d\uff20\ufe66\ufe6b]"
_RUN: Final = rf"(?:{_OPERATOR}|[{_SIGNS}](?!{_NUMBER_ONLY}))"
_RUN_AFTER_SPACE: Final = rf"(?:{_OPERATOR}|[{_SIGNS}](?! |{_NUMBER_ONLY}))"
_AT_START: Final = r"\A'*"
_IN_CELL: Final = rf"(?:\A|[{_SEPARATORS}])[\"'\s]*"
_AFTER_SPACE: Final = rf"(?<![{_SEPARATORS}\"'\s])[^\S{_SEPARATORS}]+[\"']*"
_FORMULA: Final = rf"({_AT_START})(?=[\t\r\n])|({_IN_CELL})(?={_RUN})|({_AFTER_SPACE})(?={_RUN_AFTER_SPACE})"
_INERT: Final = rf"({_AT_START})'(?=[\t\r\n])|({_IN_CELL})'(?={_RUN})|({_AFTER_SPACE})'(?={_RUN_AFTER_SPACE})"
_FORMULA_IN_JSON: Final = rf"({_IN_CELL})({_RUN})|({_AFTER_SPACE})({_RUN_AFTER_SPACE})"
_JSON_STRING: Final = r'"((?:[^"\\]|\\.)*)"'
_CONTROL: Final = r"(\\+)(?=x[0-9a-f]{2})|(\\*)([\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f])"
_SHOWN_CONTROL: Final = r"(\\+)x([0-9a-f]{2})"


def escape_cell(text: str) -> str:
    r"""Return *text* escaped so that no spreadsheet runs it as a formula, with any cell separator.

    A ``'`` is put before each ``=``, ``+``, ``-`` and ``@``, of normal or full width, that starts the text or would
    start a cell if ``,``, ``;``, ``|``, ``:``, ``^``, ``~``, a space, a tab or a line end separated cells. A sign
    followed only by digits, as in a telephone number, stays. So does one between spaces, as in ``A - B``. Control
    characters other than tabs and line ends are shown as ``\x1b``, and a backslash that would look like the start of
    such an escape is doubled.
    """
    if text.isprintable() and "\\" not in text and _OPERATORS.isdisjoint(text):
        return text
    return re.sub(_FORMULA, _with_apostrophe, re.sub(_CONTROL, _shown_control, text))


def unescape_cell(cell: str) -> str:
    """Return the text that `escape_cell` turned into *cell*."""
    return re.sub(_SHOWN_CONTROL, _unescaped_control, re.sub(_INERT, r"\1\2\3", cell))


def escape_json_cell(value: Any) -> str:
    r"""Return *value* as JSON that no spreadsheet runs: ``=`` is written ``\u003d`` if it could start a cell."""
    return re.sub(_JSON_STRING, _inert_string, escape_json(value, separators=(",", ":")))


def _with_apostrophe(found: re.Match[str]) -> str:
    return f"{found[0]}'"


def _shown_control(found: re.Match[str]) -> str:
    if found[3] is None:
        return found[1] * 2
    return f"{found[2] * 2}\\x{ord(found[3]):02x}"


def _unescaped_control(found: re.Match[str]) -> str:
    backslashes, digits = found[1], found[2]
    kept = "\\" * (len(backslashes) // 2)
    return kept + (chr(int(digits, 16)) if len(backslashes) % 2 else f"x{digits}")


def _inert_string(literal: re.Match[str]) -> str:
    return f'"{re.sub(_FORMULA_IN_JSON, _inert_operator, literal[1])}"'


def _inert_operator(found: re.Match[str]) -> str:
    context, operator = (found[1], found[2]) if found[2] else (found[3], found[4])
    return f"{context}\\u{ord(operator):04x}"
