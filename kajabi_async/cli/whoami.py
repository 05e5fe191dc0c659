"""``kajabi whoami``: the user behind the credentials, the sites it sees, and where the credentials came from."""

from typing import Any

import attrs
from rich.table import Table

from kajabi_async.cli.credentials import find_credentials
from kajabi_async.cli.options import Json
from kajabi_async.cli.running import on_client
from kajabi_async.cli.terminal import output_console, print_json
from kajabi_async.client import Kajabi
from kajabi_async.errors import PermissionDeniedError

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
        told = _Told(user.name, user.email, user.role_level, await _sites(api), place, api.session.base_url)
        if json:
            print_json(attrs.asdict(told))
        else:
            output_console().print(_table(told))

    return on_client(show)


async def _sites(api: Kajabi) -> list[dict[str, Any]] | None:
    try:
        return [{"id": site.id, "title": site.title, "subdomain": site.subdomain} async for site in api.sites.list()]
    except PermissionDeniedError:
        return None


def _table(told: _Told) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in (("name", told.name), ("email", told.email), ("role", told.role_level)):
        table.add_row(name, value or "-")
    table.add_row("sites", _sites_text(told.sites))
    table.add_row("credentials", f"from {told.credentials}")
    table.add_row("API", told.base_url)
    return table


def _sites_text(sites: list[dict[str, Any]] | None) -> str:
    if sites is None:
        return "not to be seen with this key"
    return "\n".join(f"{site['id']} {site['title'] or site['subdomain'] or ''}".rstrip() for site in sites) or "none"
