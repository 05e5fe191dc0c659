"""``kajabi whoami``, ``me`` and ``version``: the user of the API key, the sites it sees, and the API that answers."""

from typing import TYPE_CHECKING, Any

import attrs

from kajabi_async.cli.credentials import CredentialsError
from kajabi_async.cli.options import Json
from kajabi_async.cli.rendering import print_resource
from kajabi_async.cli.running import on_client
from kajabi_async.cli.screens import output_screen
from kajabi_async.errors import PermissionDeniedError
from kajabi_async.escaping.text import escape_value
from kajabi_async.output import print_json

if TYPE_CHECKING:
    from kajabi_async.client import Kajabi

__all__ = ["me", "version", "whoami"]


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
        members = {
            **{name: getattr(user, name, None) for name in ("name", "email", "role_level")},
            # None if the key has no permission to see them.
            "sites": await _sites(api),
            "credentials": place,
            "base_url": api.session.base_url,
        }
        if json:
            print_json(members)
        else:
            output_screen().fields(_fields(members))

    return on_client(show)


def me(*, json: Json = False) -> int:
    """Show the user that the API key belongs to, with every attribute that the API sends.

    Examples:
      kajabi me
      kajabi me --json
    """

    async def show(api: "Kajabi") -> None:
        print_resource(await api.me(), json=json)

    return on_client(show)


def version(*, json: Json = False) -> int:
    """Show the version of the API; `kajabi --version` shows that of this command.

    Examples:
      kajabi version
      kajabi version --json
    """

    async def show(api: "Kajabi") -> None:
        members = attrs.asdict(await api.version())
        if json:
            print_json(members)
        else:
            output_screen().fields((name, escape_value(str(value))) for name, value in members.items())

    try:
        return on_client(show)
    except CredentialsError as error:
        error.add_note("This command asks for the API's version; `kajabi --version` prints the command's own")
        raise


async def _sites(api: "Kajabi") -> list[dict[str, Any]] | None:
    try:
        # An attribute that is missing from an answer is shown as null instead of ending the command.
        return [
            {name: getattr(site, name, None) for name in ("id", "title", "subdomain")}
            async for site in api.sites.list()
        ]
    except PermissionDeniedError:
        return None


def _fields(members: dict[str, Any]) -> list[tuple[str, str]]:
    user = (("name", "name"), ("email", "email"), ("role", "role_level"))
    first, *others = _site_lines(members["sites"])
    return [
        *((label, escape_value(members[name] or "-")) for label, name in user),
        ("sites", first),
        *(("", each) for each in others),
        ("credentials", f"from {members['credentials']}"),
        ("API", members["base_url"]),
    ]


def _site_lines(sites: list[dict[str, Any]] | None) -> list[str]:
    if sites is None:
        return ["not visible to this key"]
    return [_site_line(site) for site in sites] or ["none"]


def _site_line(site: dict[str, Any]) -> str:
    return " ".join(escape_value(part) for part in (site["id"], site["title"] or site["subdomain"]) if part)
