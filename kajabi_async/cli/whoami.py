"""``kajabi whoami``: the user of the credentials, the sites it sees, and the source of the credentials."""

from typing import TYPE_CHECKING, Any

import attrs

from kajabi_async.cli.options import Json
from kajabi_async.cli.running import on_client
from kajabi_async.cli.screens import output_screen
from kajabi_async.errors import PermissionDeniedError
from kajabi_async.escaping.text import escape_value
from kajabi_async.output import print_json

if TYPE_CHECKING:
    from kajabi_async.client import Kajabi

__all__ = ["whoami"]


@attrs.frozen
class _KeyOwner:
    name: str | None
    email: str | None
    role_level: str | None
    sites: list[dict[str, Any]] | None
    """None if the key has no permission to see them."""
    credentials: str
    base_url: str


def whoami(*, json: Json = False) -> int:
    """Show the user of the API key: name, email, role, sites, and where the credentials came from.

    Examples:
      kajabi whoami
      kajabi whoami --profile shop
    """
    # Imported here, as the client takes longer to import than a refused argument takes to report.
    from kajabi_async.cli.credentials.chain import find_credentials  # noqa: PLC0415

    place = find_credentials().place

    async def show(api: "Kajabi") -> None:
        user = await api.me()
        name, email, role_level = (getattr(user, each, None) for each in ("name", "email", "role_level"))
        identity = _KeyOwner(name, email, role_level, await _sites(api), place, api.session.base_url)
        if json:
            print_json(attrs.asdict(identity))
        else:
            output_screen().fields(_fields(identity))

    return on_client(show)


async def _sites(api: "Kajabi") -> list[dict[str, Any]] | None:
    try:
        # An attribute that is missing from an answer is shown as null instead of ending the command.
        return [
            {name: getattr(site, name, None) for name in ("id", "title", "subdomain")}
            async for site in api.sites.list()
        ]
    except PermissionDeniedError:
        return None


def _fields(identity: _KeyOwner) -> list[tuple[str, str]]:
    user = [("name", identity.name), ("email", identity.email), ("role", identity.role_level)]
    fields = [(name, escape_value(value or "-")) for name, value in user]
    sites = _site_lines(identity.sites)
    fields.append(("sites", sites[0]))
    fields += [("", site) for site in sites[1:]]
    return [*fields, ("credentials", f"from {identity.credentials}"), ("API", identity.base_url)]


def _site_lines(sites: list[dict[str, Any]] | None) -> list[str]:
    if sites is None:
        return ["not visible to this key"]
    return [_site_line(site) for site in sites] or ["none"]


def _site_line(site: dict[str, Any]) -> str:
    return " ".join(escape_value(part) for part in (site["id"], site["title"] or site["subdomain"]) if part)
