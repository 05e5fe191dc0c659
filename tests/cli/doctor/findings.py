"""Running all checks and reading their findings."""

from kajabi_async.cli.doctor.command import examine
from kajabi_async.cli.doctor.findings import Finding
from kajabi_async.session import Clock

CHECKS = (
    "versions",
    "credentials",
    "credentials file",
    "base URL",
    "name resolution",
    "connection",
    "TLS",
    "API",
    "clock",
    "token",
    "user",
    "site",
    "scopes",
)


async def examined(*, clock: Clock | None = None, step_seconds: float = 5.0) -> dict[str, Finding]:
    """Return the finding of each check by name; every check reports once, in the same order."""
    findings = [finding async for finding in examine(clock=clock, step_seconds=step_seconds)]
    assert tuple(finding.check for finding in findings) == CHECKS
    assert all(bool(finding.cure) == (finding.status in {"warn", "fail"}) for finding in findings)
    return {finding.check: finding for finding in findings}


def statuses(findings: dict[str, Finding]) -> dict[str, str]:
    """Return the checks that are not ok."""
    return {name: finding.status for name, finding in findings.items() if finding.status != "ok"}
