"""Untrusted text is shown, never acted on, and can be read back."""

import json
import unicodedata

import pytest
from hypothesis import example, given, settings

from kajabi_async.escaping.text import (
    escape_json,
    escape_line,
    escape_value,
    file_name_for_type,
    unescape_value,
)
from tests.drawing import examples
from tests.escaping.hostile import HOSTILE

ACTING = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def acting(text: str) -> list[str]:
    return [each for each in text if unicodedata.category(each) in ACTING]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Ada Lovelace", "Ada Lovelace"),
        ("Zoë 山田\u3000太郎 Łukasz 😀", "Zoë 山田\u3000太郎 Łukasz 😀"),
        ("Bob [/] [link=x] :smile:", "Bob [/] [link=x] :smile:"),
        ("a\x1b[2Jb", r"a\x1b[2Jb"),
        ("a\x9b31mb", r"a\x9b31mb"),
        ("one\ntwo\r\tthree", r"one\ntwo\r\tthree"),
        ("a\u202egpj.exe", r"a\u202egpj.exe"),
        ("\U000e0041\u200d\u2028", r"\U000e0041\u200d\u2028"),
        ("\u3164 \ufe0f", r"\u3164 \ufe0f"),
        ("\udcff", r"\udcff"),
    ],
)
def test_control_characters_are_shown_and_other_text_is_unchanged(text: str, shown: str) -> None:
    """Markup is plain text here."""
    assert escape_line(text) == shown
    assert escape_value(text) == shown


@settings(deadline=None)
@given(HOSTILE)
def test_an_escaped_line_is_plain_and_stays_the_same(text: str) -> None:
    """It has no control character, no line break and nothing that cannot be encoded."""
    shown = escape_line(text)
    assert acting(shown) == []
    assert escape_line(shown) == shown
    shown.encode()


@examples(1000)
@given(HOSTILE)
@example("\\\x1b")
@example(r"\x1b")
@example("\\\\x1b\\\x9b\\")
@example(r"C:\new\U0001F600")
@example("  a  b ")
def test_a_value_can_be_read_back_from_what_is_shown(text: str) -> None:
    """Two values never look the same: text that spells an escape differs from the character."""
    shown = escape_value(text)
    assert acting(shown) == []
    assert unescape_value(shown) == text
    assert "  " not in shown
    assert shown == shown.strip(" ")


def test_a_backslash_is_doubled_only_if_it_could_be_misread() -> None:
    """Most are unchanged."""
    assert escape_value(r"C:\Ada\_") == r"C:\Ada\_"
    assert escape_value(r"C:\new") == r"C:\\new"


@settings(deadline=None)
@given(HOSTILE)
def test_escaped_json_is_plain_and_decodes_to_the_same_value(text: str) -> None:
    """Also with C1 and bidirectional controls and lone surrogates, which JSON writers allow."""
    line = escape_json({text: [text]})
    assert acting(line) == []
    assert json.loads(line) == {text: [text]}


def test_only_known_types_name_files() -> None:
    """Neither paths, nor unknown types from a server, nor a known one that is not alphanumeric."""
    known = {"offers", "../x", "x.y", "a\nb", "x" * 65}
    assert file_name_for_type("offers", known) == "offers"
    for name in ("backup", "../x", "..", "", "Offers", "x.y", "a\nb", "offers/../x", "x" * 65):
        with pytest.raises(ValueError, match="not a known resource type"):
            file_name_for_type(name, known)
