"""What an export tells: how far it has come, what shifted under it, and what it came to."""

from collections.abc import Callable, Mapping
from pathlib import Path

import attrs

__all__ = ["ExportObserver", "ExportProgress", "ExportReport", "Shift"]


@attrs.frozen
class Shift:
    """Rows that had moved to another page because others wrote to the list meanwhile."""

    page: int
    """After which page of the export, counted from 1."""
    moved: int
    """Rows that stood on this page when it was looked at again, and had not before."""
    recovered: int
    """Those among them that no other page had shown: without looking again they would be missing."""


@attrs.frozen(kw_only=True)
class ExportProgress:
    """How far an export has come, told to its observer after every page and every batch, and when it stalls."""

    rows: int
    """Rows kept so far, those of earlier runs among them."""
    pages: int
    listed: int | None
    """How many rows the server says the list has; None where it does not say."""
    written: int
    """Rows written to the final file, which begins when every page has been read."""
    stalled_since: float | None = None
    """Since when nothing is answered, in seconds since the epoch as of ``time.time``; None if the export goes on."""
    paused_until: float | None = None
    """Until when the API asked to wait, in seconds since the epoch as of ``time.time``; None if it did not."""


ExportObserver = Callable[[ExportProgress], None]


@attrs.frozen(kw_only=True)
class ExportReport:
    """What an export came to, the runs it went on from included."""

    paths: tuple[Path, ...]
    """The files that were written, that of the list first."""
    rows: int
    pages: int
    related: Mapping[str, int]
    """How many included resources there are, by type."""
    repeated: int
    """Rows that came again on a later page and were left out."""
    shifts: tuple[Shift, ...]
    malformed: int
    """Rows that could not be read and are not in the file."""
    problems: tuple[str, ...]
    """What was wrong with the first of the malformed rows."""
    listed: int | None
    """How many rows the list had at its last page, where the server said so."""
    resumed_from: int | None
    """How many rows an earlier run had left; None where there was none."""
    seconds: float
    """What this run took."""

    @property
    def recovered(self) -> int:
        """Rows that had shifted away from where they were looked for, and were found by looking again."""
        return sum(shift.recovered for shift in self.shifts)

    @property
    def moved(self) -> int:
        """Rows that were seen to have shifted to an earlier page."""
        return sum(shift.moved for shift in self.shifts)

    @property
    def lacking(self) -> int:
        """How many rows the server's own count has beyond those that came; 0 where it gives none."""
        return 0 if self.listed is None else max(0, self.listed - self.rows - self.malformed)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader of the file should know, one sentence each; empty where nothing shifted or failed."""
        told: list[str] = []
        if self.moved or self.repeated:
            told.append(
                f"others wrote to the list meanwhile: {self.moved:,} rows had shifted to an earlier page and "
                f"{self.recovered:,} of them were found by looking again; {self.repeated:,} came twice and stand once"
            )
        if self.malformed:
            told.append(f"{self.malformed:,} rows could not be read and are not in the file: {self.problems[0]}")
        if self.lacking:
            told.append(f"the server counts {self.listed:,} rows, {self.lacking:,} more than it gave")
        return tuple(told)
