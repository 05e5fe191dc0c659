"""``kajabi customers find`` and ``kajabi contacts find``: one person by email."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from kajabi_async.cli.options import Json
from kajabi_async.cli.rendering import as_members, print_resource
from kajabi_async.cli.running import on_client
from kajabi_async.cli.screens import output_screen
from kajabi_async.errors import KajabiError
from kajabi_async.output import print_json

if TYPE_CHECKING:
    from kajabi_async.client import Kajabi

__all__ = ["add_find"]


def add_find(groups: dict[str, App]) -> None:
    """Add the command ``find`` to the groups of customers and of contacts."""
    for name in {"customers", "contacts"} & groups.keys():
        groups[name].command(_find(name), name="find")


def _find(name: str) -> Callable[..., int]:
    def find(
        email: str,
        /,
        *,
        site_id: Annotated[str | None, Parameter(help="The site; KAJABI_SITE_ID by default.")] = None,
        thorough: Annotated[
            bool, Parameter(help="Read the whole list if the search finds none: it misses people.", negative=())
        ] = False,
        json: Json = False,
    ) -> int:
        """Show the person with exactly this email.

        Letter case does not count; plus-tags and dots do. The exit code is 1 if none is found.

        Examples:
          kajabi customers find ada@example.com
          kajabi customers find ada@example.com --thorough --json
        """
        return on_client(lambda api: _show(api, name, email, site_id=site_id, thorough=thorough, json=json))

    find.__doc__ = (find.__doc__ or "").replace("kajabi customers", f"kajabi {name}")
    return find


async def _show(api: "Kajabi", name: str, email: str, *, site_id: str | None, thorough: bool, json: bool) -> None:
    operations: Any = getattr(api, name)
    found = await operations.find_by_email(email, site_id=site_id, thorough=thorough)
    if found is None:
        proof = "" if thorough else "; the search may miss people: --thorough reads the whole list"
        raise KajabiError(f"no one among the {name} has the email {email}{proof}")
    if json:
        print_json(as_members(found))
    else:
        print_resource(output_screen(), found)
