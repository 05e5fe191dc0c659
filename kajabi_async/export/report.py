"""The progress, the shifts and the report of an export."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import attrs

from kajabi_async.escaping.text import html_table
from kajabi_async.plain import PlainRecord
from kajabi_async.wording import counted

__all__ = ["ExportObserver", "ExportProgress", "ExportReport", "Shift"]


@attrs.frozen
class Shift(PlainRecord):
    """Rows that moved to another page because the list changed during the export."""

    page: int
    """The page of the export after which they moved, counted from 1."""
    moved: int
    """Rows that the second reading of this page showed, but not the first."""
    recovered: int
    """Those of the moved rows that no other page had shown: without the second reading they would be missing."""


@attrs.frozen(kw_only=True)
class ExportProgress(PlainRecord):
    """The progress of an export, passed to its observer after every page and every batch, and when it stalls."""

    rows: int
    """The number of rows kept so far, including those of earlier runs."""
    pages: int
    listed: int | None
    """The number of rows in the list according to the server; None if it does not say."""
    written: int
    """The number of rows written to the final files; writing starts when every page has been read."""
    stalled_since: float | None = None
    """The time since which no request is answered, as of ``time.time``; None if the export goes on."""
    paused_until: float | None = None
    """The time until which the API asked to wait, as of ``time.time``; None if it did not."""


ExportObserver = Callable[[ExportProgress], None]
"""Called after every page and every batch, and when the export stalls, on the event loop: it must not block."""


@attrs.frozen(kw_only=True)
class ExportReport(PlainRecord):
    """The result of an export, including the earlier runs that it resumed."""

    paths: tuple[Path, ...]
    """The files that were written, that of the list first."""
    rows: int
    pages: int
    related: Mapping[str, int]
    """The number of included resources by type."""
    repeated: int
    """Rows that appeared again on a later page and were left out."""
    shifts: tuple[Shift, ...]
    malformed: int
    """Rows that could not be read and are not in the file."""
    problems: tuple[str, ...]
    """The problems of the first malformed rows, one sentence each."""
    listed: int | None
    """The number of rows in the list as of its last page; None if the server does not say."""
    resumed_from: int | None
    """The number of rows that an earlier run left; None if there was none."""
    seconds: float
    """The duration of this run."""

    @property
    def recovered(self) -> int:
        """The number of shifted rows that only the second reading of a page found."""
        return sum(shift.recovered for shift in self.shifts)

    @property
    def moved(self) -> int:
        """The number of rows that shifted to an earlier page, as far as noticed."""
        return sum(shift.moved for shift in self.shifts)

    @property
    def lacking(self) -> int:
        """The number of rows that the server counts but did not send; 0 if it sends no count."""
        return 0 if self.listed is None else max(0, self.listed - self.rows - self.malformed)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Warnings for readers of the file, one sentence each; empty if nothing shifted or failed."""
        warnings: list[str] = []
        if self.moved or self.repeated:
            warnings.append(
                f"the list changed meanwhile: {counted(self.moved, 'row')} had shifted to an earlier page, of which "
                f"{self.recovered:,} {'was' if self.recovered == 1 else 'were'} found by reading again; "
                f"{self.repeated:,} came twice and {_are(self.repeated)} written once"
            )
        if self.malformed:
            unread = f"{counted(self.malformed, 'row')} could not be read and {_are(self.malformed)} not in the file"
            warnings.append(f"{unread}: {self.problems[0]}")
        if self.lacking:
            warnings.append(f"the server counts {counted(self.listed or 0, 'row')}, {self.lacking:,} more than it sent")
        return tuple(warnings)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields by name, and the ``warnings``; JSON-ready, with paths as text."""
        return {**super().to_dict(), "warnings": list(self.warnings)}

    def _repr_html_(self) -> str:
        return html_table("Export", ([name, _shown(value)] for name, value in self.to_dict().items()))


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def _shown(value: Any) -> str:
    if hasattr(value, "append"):
        return "; ".join(map(str, value))
    return "" if value is None else str(value)
