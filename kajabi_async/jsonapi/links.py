"""Links of the server: parsed, matched and rebuilt on the base URL of the client, never followed as they are.

The API has links on two hosts of its own, ``api.kajabi.com/v1`` and ``app.kajabi.com/api/v1`` (API document). A forged
answer could name any other host, and the token would go there; so a link only says which path of the API is meant.
"""

import re
from collections.abc import Collection, Iterable
from typing import Final
from urllib.parse import SplitResult, parse_qsl, urljoin, urlsplit

from kajabi_async.errors import InvalidIdError, UntrustedLinkError
from kajabi_async.jsonapi.ids import path_segment
from kajabi_async.jsonapi.query import encoded_pairs
from kajabi_async.structs import FrozenStruct

__all__ = ["LinkRules", "TrustedLink"]

_FORBIDDEN: Final = re.compile(r"[\x00-\x20\x7f\\]")
_LONGEST_LINK: Final = 8192
_MOST_PARAMETERS: Final = 500
_CANONICAL: Final = re.compile(
    r"(?:[A-Za-z0-9_.~-]|%5B|%5D)+=[A-Za-z0-9_.,~-]*"
    rf"(?:&(?:[A-Za-z0-9_.~-]|%5B|%5D)+=[A-Za-z0-9_.,~-]*){{0,{_MOST_PARAMETERS - 1}}}"
)
"""A query that decoding and encoding would leave as it is, like that of nearly every link."""
_PARAMETER: Final = re.compile(r"\{[a-z_]+\}")
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}

_Origin = tuple[str, str | None, int | None]


class TrustedLink(FrozenStruct, frozen=True):
    """A link of the API: its template, the id in it, and the path and query to request from the base URL."""

    template: str
    resource_id: str
    path: str
    query: str


class LinkRules:
    """Which links are those of the API."""

    def __init__(self, *, base_url: str, origins: Collection[tuple[str, str]], templates: Iterable[str]) -> None:
        """Trust *origins*, pairs of origin and path prefix, and the *base_url*, for paths like the *templates*."""
        self.base_url = base_url.rstrip("/")
        base = urlsplit(self.base_url)
        self._scheme = base.scheme
        trusted = [(_origin(urlsplit(origin)), prefix) for origin, prefix in origins]
        trusted.append((_origin(base), f"{base.path}/v1"))
        # The longest first, as a base URL may have a path that starts like another prefix.
        self._prefixes = sorted(trusted, key=lambda pair: -len(pair[1]))
        known = dict.fromkeys(templates)
        self._literals = frozenset(template for template in known if "{" not in template)
        self._patterns = [(template, _pattern(template)) for template in known if "{" in template]

    def rebuild(self, link: str, *, request_path: str = "/", expected: Collection[str] | None = None) -> TrustedLink:
        """Match *link*, relative to *request_path*, against the API's paths.

        *expected* are the templates that make sense here. UntrustedLinkError for another host, port, scheme or path
        family, and for an id that is more than one segment; nothing is ever sent to such a link.
        """
        _refuse_malformed(link)
        path, query = self._api_path(link, request_path)
        trusted = self._matched(path, _canonical(query, link), link)
        if expected is not None and trusted.template not in expected:
            raise UntrustedLinkError("its path is not one that is expected here", link=link)
        return trusted

    def _api_path(self, link: str, request_path: str) -> tuple[str, str]:
        parts = _resolved(link, request_path)
        # On the resolved link, as resolving turns `///host` and `/..//host` into links with a host.
        has_host = bool(parts.scheme or parts.netloc)
        prefixes = self._prefixes_at(parts, link) if has_host else [prefix for _, prefix in self._prefixes]
        for prefix in prefixes:
            if parts.path.startswith(f"{prefix}/"):
                return f"/v1{parts.path.removeprefix(prefix)}", parts.query
        raise UntrustedLinkError("its path is not one of the API's", link=link)

    def _prefixes_at(self, parts: SplitResult, link: str) -> list[str]:
        if "@" in parts.netloc:
            raise UntrustedLinkError("it carries user information", link=link)
        # Lower-casing turns some letters beyond ASCII, such as the Kelvin sign, into those of a trusted host.
        origin = _origin(parts._replace(scheme=parts.scheme or self._scheme)) if parts.netloc.isascii() else None
        prefixes = [prefix for trusted, prefix in self._prefixes if trusted == origin]
        if not prefixes:
            raise UntrustedLinkError("its host is not the API's", link=link)
        return prefixes

    def _matched(self, path: str, query: str, link: str) -> TrustedLink:
        if path in self._literals:
            return TrustedLink(path, "", path, query)
        for template, pattern in self._patterns:
            match = pattern.fullmatch(path)
            if match:
                resource_id = match.group(1)
                filled = f"{path[: match.start(1)]}{_segment(resource_id, link)}{path[match.end(1) :]}"
                return TrustedLink(template, resource_id, filled, query)
        raise UntrustedLinkError("its path is not one of the API's", link=link)


def _refuse_malformed(link: str) -> None:
    if not link:
        raise UntrustedLinkError("it is empty", link=link)
    if len(link) > _LONGEST_LINK:
        raise UntrustedLinkError(f"it is longer than {_LONGEST_LINK} characters", link=link)
    if _FORBIDDEN.search(link):
        raise UntrustedLinkError("it holds characters no link may have", link=link)
    if "#" in link:
        raise UntrustedLinkError("it has a fragment, which no link of the API has", link=link)


def _resolved(link: str, request_path: str) -> SplitResult:
    try:
        parts = urlsplit(link)
        if not parts.scheme:
            parts = urlsplit(urljoin(request_path, link))
        _ = parts.port
    except ValueError:
        raise UntrustedLinkError("it is not a URL", link=link) from None
    return parts


def _origin(parts: SplitResult) -> _Origin:
    port = _DEFAULT_PORTS.get(parts.scheme) if parts.port is None else parts.port
    return parts.scheme, parts.hostname, port


def _pattern(template: str) -> re.Pattern[str]:
    before, after = _PARAMETER.split(template)
    return re.compile(f"{re.escape(before)}([^/]+){re.escape(after)}")


def _segment(resource_id: str, link: str) -> str:
    try:
        return path_segment(resource_id)
    except InvalidIdError:
        raise UntrustedLinkError("the id in it is more than one path segment", link=link) from None


def _canonical(query: str, link: str) -> str:
    """Return *query* in canonical percent-encoding with every parameter; UntrustedLinkError if it is no UTF-8."""
    if not query or _CANONICAL.fullmatch(query):
        return query
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=_MOST_PARAMETERS)
        return encoded_pairs(pairs)
    except ValueError:
        raise UntrustedLinkError("its query cannot be read", link=link) from None
