"""A secret in the path of the address that Kajabi posts to: the only possible proof of origin."""

import hmac
import re
from hashlib import sha256
from typing import Any, Final

from kajabi_async.errors import ConfigurationError
from kajabi_async.webhooks.delivery_errors import WrongSecretError

__all__ = ["PathSecrets"]

_MIN_LENGTH: Final = 32
_FITS_IN_A_PATH: Final = re.compile(r"[A-Za-z0-9._~-]+")
_HOW_TO_MAKE_ONE: Final = "make one with: python -c 'import secrets; print(secrets.token_urlsafe(32))'"


class PathSecrets:
    """The secrets that are accepted as a part of the path, such as in ``https://example.com/kajabi/<secret>``.

    Kajabi signs nothing: a delivery has no signature, no timestamp and no shared secret (API document). Anyone who
    knows the address can post to it, so the address must be secret. To change it, pass more than one: accept old and
    new, move the hooks with ``api.hooks.ensure``, then drop the old one.

    Limits: a secret in an address is written to access logs of servers and proxies, is visible to anyone who can list
    the hooks of the account, and is sent in clear text without https. It proves neither that the body is unchanged nor
    that the delivery is new. If a fact must be true, read it from the API: ``parse(body, api=...)`` returns the id, and
    the client reads the resource itself.
    """

    def __init__(self, *secrets: str) -> None:
        """Accept each of ``secrets``; ConfigurationError for none, one below 32 characters, or one that needs escaping.

        Only letters, digits and ``-._~`` are allowed: no framework decodes them to other text.
        """
        problem = _problem_with(secrets)
        self._digests = () if problem else tuple(_digest(secret) for secret in secrets)
        # Keep them out of the locals in a traceback.
        del secrets
        if problem is not None:
            raise ConfigurationError(f"{problem}; {_HOW_TO_MAKE_ONE}")

    def check(self, given: str) -> None:
        """Return if ``given`` is one of the secrets, else raise WrongSecretError, both in constant time."""
        digest = _digest(given)
        # Compare with all of them: the time must not show which one matches.
        matches = [hmac.compare_digest(digest, accepted) for accepted in self._digests]
        if not any(matches):
            raise WrongSecretError("the path of the delivery carries none of the accepted secrets")

    def __repr__(self) -> str:
        return f"<PathSecrets: {len(self._digests)} accepted>"


def _digest(text: str) -> bytes:
    # All digests have one length, since the time of compare_digest depends on the length.
    return sha256(text.encode("utf-8", "surrogatepass")).digest()


def _problem_with(secrets: tuple[Any, ...]) -> str | None:
    if not secrets:
        return "no secret is set, and without one anyone could post to you"
    for number, secret in enumerate(secrets, 1):
        if not isinstance(secret, str):
            return f"secret {number} of {len(secrets)} must be text, got {type(secret).__name__}"
        if len(secret) < _MIN_LENGTH:
            return f"secret {number} of {len(secrets)} has {len(secret)} characters, and {_MIN_LENGTH} are the least"
        if not _FITS_IN_A_PATH.fullmatch(secret):
            return f"secret {number} of {len(secrets)} holds characters that a path would need to escape"
    return None
