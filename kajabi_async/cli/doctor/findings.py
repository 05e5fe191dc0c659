"""The finding of a check: status, message and, if something is wrong, the cure."""

from collections.abc import Mapping
from typing import Any, Literal

import attrs

from kajabi_async.cli.exit_codes import ExitCode

__all__ = ["Finding", "Status", "failed", "fine", "skipped", "warned"]

Status = Literal["ok", "warn", "fail", "skip"]


@attrs.frozen(kw_only=True)
class Finding:
    """The outcome of one check."""

    check: str
    """The name of the check, such as ``credentials`` or ``clock``."""
    status: Status
    message: str
    cure: str = ""
    """What to do about it; empty if nothing is wrong."""
    details: Mapping[str, Any] = attrs.field(factory=dict[str, Any])
    """The facts as separate values, for programs."""
    exit_code: ExitCode = ExitCode.DONE
    """The exit code of the command if this is the first check that failed."""

    @property
    def is_failure(self) -> bool:
        """Whether the check failed."""
        return self.status == "fail"


def fine(check: str, message: str, **details: Any) -> Finding:
    """Return a finding that nothing is wrong."""
    return Finding(check=check, status="ok", message=message, details=details)


def warned(check: str, message: str, *, cure: str, **details: Any) -> Finding:
    """Return a finding of something that works but may be unintended."""
    return Finding(check=check, status="warn", message=message, cure=cure, details=details)


def failed(check: str, message: str, *, cure: str, exit_code: ExitCode, **details: Any) -> Finding:
    """Return a finding of something that cannot work."""
    return Finding(check=check, status="fail", message=message, cure=cure, exit_code=exit_code, details=details)


def skipped(check: str, because: str) -> Finding:
    """Return a finding that nothing was checked, with the reason."""
    return Finding(check=check, status="skip", message=because)
