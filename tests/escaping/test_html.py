"""Text for HTML: markup and characters that act on text are shown."""

from html import unescape

from hypothesis import given
from hypothesis import strategies as st

from kajabi_async.escaping.text import escape_html, escape_line, html_table


@given(st.text())
def test_a_page_shows_the_text_and_runs_nothing(text: str) -> None:
    """In an element and in a quoted attribute; what is shown is what a log line would show."""
    escaped = escape_html(text)
    assert not set("<>\"'") & set(escaped)
    assert escaped.isprintable() or "\u3000" in escaped
    assert unescape(escaped) == escape_line(text)


def test_every_cell_of_a_table_is_escaped() -> None:
    """The caption and the header too."""
    shown = html_table("<a>", [["<b>", "<c>"]], header=["<d>", "<e>"])
    assert not [letter for letter in "abcde" if f"<{letter}>" in shown]
    assert shown.count("&lt;") == 5
    assert shown.count("<tr>") == 2
