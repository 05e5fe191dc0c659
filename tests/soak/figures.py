"""The figure of a run, with its bar."""

import attrs

__all__ = ["Figure"]


@attrs.frozen
class Figure:
    """One line of the report."""

    what: str
    seen: str
    bar: str
    holds: bool

    def __str__(self) -> str:
        return f"{'ok  ' if self.holds else 'FAIL'}  {self.what}: {self.seen} (bar: {self.bar})"
