"""A secret in the path of the address that Kajabi posts to: the only proof of origin there can be."""

import hmac
import re
from hashlib import sha256
from typing import Any, Final

from kajabi_async.errors import ConfigurationError
from kajabi_async.webhooks.errors import WrongSecretError

__all__ = ["PathSecrets"]

_SHORTEST: Final = 32
_FITS_IN_A_PATH: Final = re.compile(r"[A-Za-z0-9._~-]+")
_HOW_TO_MAKE_ONE: Final = "make one with: python -c 'import secrets; print(secrets.token_urlsafe(32))'"


class PathSecrets:
    """The secrets that are accepted as a part of the path, such as in ``https://example.com/kajabi/<secret>``.

    Kajabi signs nothing: no signature, no timestamp and no shared secret come with a delivery (API document). Who
    knows the address can post to it, so the address has to be secret. Give more than one while you change it: accept
    old and new, move the hooks with ``api.hooks.ensure``, then drop the old one.

    What this does not protect from: a secret in an address is written to access logs of servers and proxies, is seen
    by whoever can list the hooks of the account, and travels in clear text without https. Nor does it prove that the
    body is unchanged, or that it comes for the first time. For what must be true, ask the API: ``parse(body, api=...)``
    gives the id, and the client reads the resource itself.
    """

    def __init__(self, *secrets: str) -> None:
        """Accept each of *secrets*; ConfigurationError for none, one below 32 characters, or one that needs escaping.

        Letters, digits and ``-._~`` stand in a path as they are, so that no framework hands on another text.
        """
        problem = _problem_with(secrets)
        self._digests = () if problem else tuple(_digest(secret) for secret in secrets)
        # Not in the locals of a traceback.
        del secrets
        if problem is not None:
            raise ConfigurationError(f"{problem}; {_HOW_TO_MAKE_ONE}")

    def check(self, given: str) -> None:
        """Return where *given* is one of the secrets, in a time that does not depend on how much of it is right.

        WrongSecretError where it is none.
        """
        digest = _digest(given)
        # All of them, however early one fits: the time must not tell which.
        matches = [hmac.compare_digest(digest, accepted) for accepted in self._digests]
        if not any(matches):
            raise WrongSecretError("the path of the delivery carries none of the accepted secrets")

    def __repr__(self) -> str:
        return f"<PathSecrets: {len(self._digests)} accepted>"


def _digest(text: str) -> bytes:
    # Of one length for all, as compare_digest tells lengths apart.
    return sha256(text.encode("utf-8", "surrogatepass")).digest()


def _problem_with(secrets: tuple[Any, ...]) -> str | None:
    if not secrets:
        return "no secret is given, and without one everybody could post to you"
    for number, secret in enumerate(secrets, 1):
        if not isinstance(secret, str):
            return f"secret {number} of {len(secrets)} must be text, got {type(secret).__name__}"
        if len(secret) < _SHORTEST:
            return f"secret {number} of {len(secrets)} has {len(secret)} characters, and {_SHORTEST} are the least"
        if not _FITS_IN_A_PATH.fullmatch(secret):
            return f"secret {number} of {len(secrets)} holds characters that a path would need to escape"
    return None
