"""The command ``kajabi doctor``: the order of the checks and how their findings are printed."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Final, NoReturn

from cyclopts import Parameter

from kajabi_async.cli.credentials.chain import FoundCredentials, configured_base_url
from kajabi_async.cli.doctor.findings import Finding, skipped
from kajabi_async.cli.doctor.machine import (
    check_base_url,
    check_credentials,
    check_credentials_file,
    check_versions,
)
from kajabi_async.cli.doctor.network import check_network
from kajabi_async.cli.doctor.remote import check_account, check_api
from kajabi_async.cli.front import ExitCode
from kajabi_async.cli.running import run_to_exit_code
from kajabi_async.cli.screens import Screen, output_screen
from kajabi_async.client import Kajabi
from kajabi_async.errors import ConfigurationError
from kajabi_async.output import print_json
from kajabi_async.session import Clock, Credentials, RetryPolicy, SystemClock, Timeouts

__all__ = ["doctor", "examine"]

_STYLES: Final = {"ok": "green", "warn": "yellow", "fail": "bold red", "skip": "dim"}
_WIDTHS: Final = (4, 16)
"""Widths of the status and of the name of a check, in characters."""
_STEP_SECONDS: Final = 5.0
_ACCOUNT_CHECKS: Final = ("token", "user", "site", "scopes")


def doctor(
    *,
    json: Annotated[
        bool, Parameter(name="--json", help="Print a line of JSON for each check; errors, too.", negative=())
    ] = False,
) -> int:
    """Check settings, credentials, network, clock and permissions, and print what is wrong and how to mend it.

    Each check is ok, warn, fail or skip. Only reads are sent, and no secret is shown.
    The exit code is 0 if no check failed, otherwise that of the first that did: 2 for settings or the clock, 3 for a
    rejected request, 4 for an unreachable API.

    Examples:
      kajabi doctor
      kajabi doctor --json
    """
    screen = output_screen()

    async def show() -> int:
        findings: list[Finding] = []
        async for finding in examine():
            findings.append(finding)
            if json:
                print_json(_members(finding))
            else:
                _print_finding(screen, finding)
        if not json:
            _print_summary(screen, findings)
        return next((each.exit_code for each in findings if each.is_failure), ExitCode.DONE)

    return run_to_exit_code(show)


async def examine(*, clock: Clock | None = None, step_seconds: float = _STEP_SECONDS) -> AsyncIterator[Finding]:
    """Run all checks in order and yield each finding as it is made.

    A check is skipped if an earlier one that it needs failed. *step_seconds* limits each network step; a request may
    take three times that.
    """
    yield check_versions()
    finding, found = check_credentials()
    yield finding
    yield check_credentials_file(found)
    base_url = configured_base_url()
    form = check_base_url(base_url)
    yield form
    reachable = not form.is_failure
    if reachable:
        async for finding in check_network(base_url, seconds=step_seconds):
            reachable = reachable and not finding.is_failure
            yield finding
    else:
        for check in ("name resolution", "connection", "TLS"):
            yield skipped(check, "not tried, as the base URL is wrong")
    async for finding in _examine_api(found, clock or SystemClock(), base_url if reachable else None, step_seconds):
        yield finding


async def _examine_api(
    found: FoundCredentials | None, clock: Clock, base_url: str | None, step_seconds: float
) -> AsyncIterator[Finding]:
    if base_url is None:
        for check in ("API", "clock", *_ACCOUNT_CHECKS):
            yield skipped(check, "not tried, as the API is not reached")
        return
    credentials: Credentials = _NoCredentials() if found is None else found.credentials
    limits = Timeouts(total=3 * step_seconds, connect=step_seconds, read=3 * step_seconds)
    once = RetryPolicy(max_attempts=1)
    async with Kajabi(credentials=credentials, base_url=base_url, timeout=limits, retry=once) as api:
        async for finding in check_api(api, clock):
            yield finding
        if found is None:
            for check in _ACCOUNT_CHECKS:
                yield skipped(check, "not tried, as there are no credentials")
            return
        async for finding in check_account(api, found):
            yield finding


class _NoCredentials:
    """A placeholder for missing credentials; no request that needs them is sent."""

    def form(self) -> NoReturn:
        raise ConfigurationError("there are no credentials")


def _members(finding: Finding) -> dict[str, Any]:
    return {
        "check": finding.check,
        "status": finding.status,
        "message": finding.message,
        "cure": finding.cure or None,
        "details": dict(finding.details),
    }


def _print_finding(screen: Screen, finding: Finding) -> None:
    cells = [(finding.status, _STYLES[finding.status]), (finding.check, ""), (finding.message, "")]
    screen.aligned(cells, widths=_WIDTHS)
    if finding.cure:
        screen.aligned([("", ""), ("", ""), (f"-> {finding.cure}", "italic")], widths=_WIDTHS)


def _print_summary(screen: Screen, findings: list[Finding]) -> None:
    counts = {status: sum(finding.status == status for finding in findings) for status in ("fail", "warn")}
    if not any(counts.values()):
        screen.line("Nothing is wrong.")
        return
    screen.line(f"{counts['fail']} failed, {counts['warn']} to look at.")
