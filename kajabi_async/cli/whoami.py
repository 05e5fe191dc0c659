"""``kajabi whoami``: the user behind the credentials, the sites it sees, and where the credentials came from."""

from typing import Any

import attrs

from kajabi_async.cli.credentials.sources import find_credentials
from kajabi_async.cli.options import Json
from kajabi_async.cli.running import on_client
from kajabi_async.cli.terminal import output_screen
from kajabi_async.client import Kajabi
from kajabi_async.errors import PermissionDeniedError
from kajabi_async.escaping.text import escape_value
from kajabi_async.output import print_json

__all__ = ["whoami"]


@attrs.frozen
class _Told:
    name: str | None
    email: str | None
    role_level: str | None
    sites: list[dict[str, Any]] | None
    """None where the key has no permission to see them."""
    credentials: str
    base_url: str


def whoami(*, json: Json = False) -> int:
    """Show whose API key is used: name, email, role, sites, and where the credentials came from."""
    place = find_credentials().place

    async def show(api: Kajabi) -> None:
        user = await api.me()
        name, email, role_level = (getattr(user, each, None) for each in ("name", "email", "role_level"))
        told = _Told(name, email, role_level, await _sites(api), place, api.session.base_url)
        if json:
            print_json(attrs.asdict(told))
        else:
            output_screen().fields(_fields(told))

    return on_client(show)


async def _sites(api: Kajabi) -> list[dict[str, Any]] | None:
    try:
        # What an answer lacks is not told, and stops nothing.
        return [
            {name: getattr(site, name, None) for name in ("id", "title", "subdomain")}
            async for site in api.sites.list()
        ]
    except PermissionDeniedError:
        return None


def _fields(told: _Told) -> list[tuple[str, str]]:
    user = [("name", told.name), ("email", told.email), ("role", told.role_level)]
    fields = [(name, escape_value(value or "-")) for name, value in user]
    sites = _site_lines(told.sites)
    fields.append(("sites", sites[0]))
    fields += [("", site) for site in sites[1:]]
    return [*fields, ("credentials", f"from {told.credentials}"), ("API", told.base_url)]


def _site_lines(sites: list[dict[str, Any]] | None) -> list[str]:
    if sites is None:
        return ["not to be seen with this key"]
    return [_site_line(site) for site in sites] or ["none"]


def _site_line(site: dict[str, Any]) -> str:
    return " ".join(escape_value(part) for part in (site["id"], site["title"] or site["subdomain"]) if part)
