"""The line on standard error for an error that ends a command."""

from typing import Any

from kajabi_async.cli.credentials.error import CredentialsError
from kajabi_async.cli.exit_codes import ExitCode
from kajabi_async.errors import ApiError, KajabiError
from kajabi_async.output import print_json, print_line

__all__ = ["print_error"]


def print_error(error: BaseException, code: ExitCode, *, json: bool) -> None:
    """Print *error* in one line on standard error: as a sentence, or as JSON with the facts as members."""
    message = ". ".join([" ".join(str(error).split()), *getattr(error, "__notes__", ())])
    if json:
        print_json({"error": {**_facts(error), "message": message, "exit_code": code.value}}, error=True)
    else:
        print_line(f"kajabi: {message}", error=True)


def _facts(error: BaseException) -> dict[str, Any]:
    facts: dict[str, Any] = {"type": type(error).__name__}
    if isinstance(error, ApiError):
        facts |= {"status": error.status, "request_id": error.request_id, "retry_after": error.retry_after}
    if isinstance(error, CredentialsError):
        facts["cure"] = error.cure
    if isinstance(error, KajabiError):
        facts |= {"attempts": error.attempts, "maybe_applied": error.maybe_applied}
    return facts
