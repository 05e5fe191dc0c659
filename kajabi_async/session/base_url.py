"""Where requests go: checked once, when the client is made."""

import ipaddress
from typing import Final
from urllib.parse import SplitResult, urlsplit

from kajabi_async.checks import boolean
from kajabi_async.errors import ConfigurationError

__all__ = ["checked_base_url"]

_EXAMPLE: Final = "such as https://api.kajabi.com"


def checked_base_url(base_url: str, *, allow_insecure: bool) -> str:
    """Give *base_url* without a slash at its end; ConfigurationError where requests must not go there."""
    parts = _split(base_url)
    boolean(allow_insecure, of="allow_insecure", error=ConfigurationError)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigurationError(f"base_url must be scheme and host, {_EXAMPLE}")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ConfigurationError(f"base_url must not carry user information, a query or a fragment, {_EXAMPLE}")
    path = parts.path.rstrip("/")
    if path.endswith("/v1"):
        raise ConfigurationError(f"base_url is given without /v1, {_EXAMPLE}")
    if parts.scheme == "http" and not allow_insecure and not _is_loopback(parts.hostname):
        raise ConfigurationError(
            "base_url is plain http, which would send the secret and the token in clear text: use https, or "
            "allow_insecure=True where the way there is safe"
        )
    return f"{parts.scheme}://{parts.netloc}{path}"


def _split(base_url: object) -> SplitResult:
    if not isinstance(base_url, str) or not base_url.isprintable() or " " in base_url:
        raise ConfigurationError(f"base_url must be a URL, {_EXAMPLE}")
    try:
        parts = urlsplit(base_url)
        _ = parts.port
    except ValueError:
        raise ConfigurationError(f"base_url is not a URL, {_EXAMPLE}") from None
    return parts


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
