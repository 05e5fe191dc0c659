"""``kajabi hooks create``, ``delete`` and ``ensure``: the URLs that Kajabi posts events to."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter

from kajabi_async.cli.confirming import confirm
from kajabi_async.cli.options import Json, Metavar, Yes
from kajabi_async.cli.rendering import as_members, print_resource, print_rows
from kajabi_async.cli.running import on_client
from kajabi_async.cli.screens import error_screen
from kajabi_async.models.account import Hook
from kajabi_async.output import flush, print_json, print_line
from kajabi_async.resources.account import HookEvent, sort_hooks
from kajabi_async.wording import counted

if TYPE_CHECKING:
    from kajabi_async.client import Kajabi
    from kajabi_async.resources.account import EnsuredHooks

__all__ = ["HOOK_WRITES"]

_Url = Annotated[str, Parameter(help="The URL to post to.")]
_Site = Annotated[str | None, Parameter(help="The site; KAJABI_SITE_ID by default."), Metavar("ID")]


def create_hook(
    event: Annotated[HookEvent, Parameter(help="What to post.")],
    url: _Url,
    /,
    *,
    site_id: _Site = None,
    resource_id: Annotated[
        str | None, Parameter(help="Only for this offer, form or tag, depending on the event."), Metavar("ID")
    ] = None,
    json: Json = False,
) -> int:
    """Post an event of a site to a URL from now on.

    The API accepts a second hook for the same, and then posts twice: ensure does not create one that exists.

    Examples:
      kajabi hooks create purchase https://example.com/kajabi --site-id 1
      kajabi hooks create tag_added https://example.com/kajabi --site-id 1 --resource-id 5
    """

    async def create(api: "Kajabi") -> None:
        hook = await api.hooks.create(event=event, target_url=url, site_id=site_id, resource_id=resource_id)
        print_resource(hook, json=json)

    return on_client(create)


def delete_hook(id: str, /, *, yes: Yes = False, json: Json = False) -> int:
    """Delete a hook: Kajabi posts no more events to its URL. Asks first, unless --yes is set.

    Examples:
      kajabi hooks delete 12
      kajabi hooks delete 12 --yes
    """

    async def delete(api: "Kajabi") -> None:
        confirm(f"delete hook {id}", yes=yes)
        await api.hooks.delete(id)
        if json:
            print_json({"deleted": {"type": "hooks", "id": id}})
        else:
            print_line(f"Deleted hook {id}.")

    return on_client(delete)


def ensure_hooks(
    url: _Url,
    /,
    *event: Annotated[HookEvent, Parameter(help="What to post to it.")],
    site_id: _Site = None,
    yes: Yes = False,
    json: Json = False,
) -> int:
    """Create and delete hooks until a URL gets each of the events of a site once, and nothing else.

    Second hooks of the URL, those for other events and those for one resource are deleted; without any event, all of
    them. Asks before it deletes, unless --yes is set. Other URLs are left alone. Running it again changes nothing.

    Examples:
      kajabi hooks ensure https://example.com/kajabi purchase order_created --site-id 1
      kajabi hooks ensure https://example.com/kajabi --site-id 1 --yes
    """

    async def ensure(api: "Kajabi") -> None:
        if not yes:
            await _confirm_deletions(api, url, event, site_id)
        ensured = await api.hooks.ensure(url, event, site_id=site_id)
        if json:
            print_json({name: [as_members(hook) for hook in hooks] for name, hooks in _parts(ensured).items()})
        else:
            _print_ensured(ensured)

    return on_client(ensure)


async def _confirm_deletions(api: "Kajabi", url: str, events: tuple[HookEvent, ...], site_id: str | None) -> None:
    site = site_id or api.site_id
    if not site:
        # The call itself says what is missing.
        return
    hooks = await api.hooks.list(site_id=site).collect()
    superfluous = sort_hooks(hooks, events, url=url, site_id=site).superfluous
    if superfluous:
        what = ", ".join(f"{hook.id} ({hook.event})" for hook in superfluous)
        confirm(f"delete {counted(len(superfluous), 'hook')} of {url}: {what}", yes=False)


def _parts(ensured: "EnsuredHooks") -> dict[str, tuple[Hook, ...]]:
    return {"kept": ensured.kept, "created": ensured.created, "deleted": ensured.deleted}


def _print_ensured(ensured: "EnsuredHooks") -> None:
    standing = (*ensured.kept, *ensured.created)
    if standing:
        print_rows(standing, Hook)
        flush()
    changes = [f"{counted(len(hooks), 'hook')} {name}" for name, hooks in _parts(ensured).items() if hooks]
    error_screen().line(", ".join(changes) or "no hooks")


HOOK_WRITES: Final[dict[str, Callable[..., int]]] = {
    "create": create_hook,
    "delete": delete_hook,
    "ensure": ensure_hooks,
}
"""The writes by name of the command."""
