"""The finding of a check: status, message and, if something is wrong, the cure."""

from collections.abc import Mapping
from typing import Any, Literal

import attrs

from kajabi_async.cli.credentials.chain import FoundCredentials
from kajabi_async.cli.front import ExitCode
from kajabi_async.cli.running import is_about_the_token
from kajabi_async.errors import (
    AuthenticationError,
    BadRequestError,
    DecodeError,
    KajabiError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    TransportError,
)

__all__ = ["Finding", "Status", "cure_for", "failed", "fine", "skipped", "warned"]

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


_WAIT = "nothing is wrong here: try again in a few minutes"


def cure_for(error: KajabiError, found: FoundCredentials | None = None) -> str:
    """Return what to do about *error*, in one sentence."""
    if isinstance(error, AuthenticationError | BadRequestError) and is_about_the_token(error):
        place = "them" if found is None else found.place
        return (
            f"compare client id and secret in {place} with those under Settings, Security, User API Keys; a key that "
            "was deleted or renewed there is rejected like a wrong one"
        )
    for kind, cure in _CURES:
        if isinstance(error, kind):
            return cure
    return "see the message; run `kajabi doctor` again to see whether it lasts"


_CURES: tuple[tuple[type[KajabiError], str], ...] = (
    (
        AuthenticationError,
        "the token was issued and then rejected: check whether KAJABI_BASE_URL leads to another installation",
    ),
    (
        PermissionDeniedError,
        "check the permissions of the key under Settings, Security, User API Keys, and whether the plan has the API",
    ),
    (NotFoundError, "check KAJABI_BASE_URL: what answers there does not know this path"),
    (RateLimitError, _WAIT),
    (ServerError, _WAIT),
    (DecodeError, "what answers is not Kajabi's API: check KAJABI_BASE_URL, and for a login page of the network"),
    (TransportError, "try again, and look for a firewall or proxy that cuts connections"),
)
