"""``kajabi me`` and ``kajabi version``."""

from typing import TYPE_CHECKING

import attrs

from kajabi_async.cli.credentials.error import CredentialsError
from kajabi_async.cli.options import Json
from kajabi_async.cli.rendering import as_members, print_resource
from kajabi_async.cli.running import on_client
from kajabi_async.cli.screens import output_screen
from kajabi_async.escaping.text import escape_value
from kajabi_async.output import print_json

if TYPE_CHECKING:
    from kajabi_async.client import Kajabi

__all__ = ["me", "version"]


def me(*, json: Json = False) -> int:
    """Show the user that the API key belongs to, with every attribute that the API sends.

    Examples:
      kajabi me
      kajabi me --json
    """

    async def show(api: "Kajabi") -> None:
        user = await api.me()
        if json:
            print_json(as_members(user))
        else:
            print_resource(output_screen(), user)

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
