"""What a check found: how it went, in words, with the cure where something is wrong."""

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
    """Its name: such as ``credentials`` or ``clock``."""
    status: Status
    message: str
    cure: str = ""
    """What to do about it; empty where nothing is wrong."""
    details: Mapping[str, Any] = attrs.field(factory=dict[str, Any])
    """The facts apart, for programs."""
    exit_code: ExitCode = ExitCode.DONE
    """What the command ends with if this is the first check that failed."""

    @property
    def is_failure(self) -> bool:
        """Whether what was checked cannot work."""
        return self.status == "fail"


def fine(check: str, message: str, **details: Any) -> Finding:
    """Tell that all is well."""
    return Finding(check=check, status="ok", message=message, details=details)


def warned(check: str, message: str, *, cure: str, **details: Any) -> Finding:
    """Tell of something that works, but may not be meant so."""
    return Finding(check=check, status="warn", message=message, cure=cure, details=details)


def failed(check: str, message: str, *, cure: str, exit_code: ExitCode, **details: Any) -> Finding:
    """Tell of something that cannot work."""
    return Finding(check=check, status="fail", message=message, cure=cure, exit_code=exit_code, details=details)


def skipped(check: str, because: str) -> Finding:
    """Tell that there was nothing to check, or no way to."""
    return Finding(check=check, status="skip", message=because)
