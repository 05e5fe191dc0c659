"""Escaping of text for HTML, and the tables that notebooks show."""

from collections.abc import Iterable, Sequence
from typing import Final

from kajabi_async.escaping.text import escape_line

__all__ = ["escape_html", "html_table"]

# The module html of the standard library also imports the names of two thousand characters.
_REFERENCES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"})


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


def _cells(tag: str, texts: Sequence[str]) -> str:
    return "".join(f'<{tag} style="text-align: left">{escape_html(text)}</{tag}>' for text in texts)
