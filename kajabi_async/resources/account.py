"""The account behind the API key: its sites, its hooks, its user, and the version of the API."""

from collections.abc import Iterable
from typing import Any, Final, Literal, Never, Unpack, cast, get_args
from urllib.parse import urlsplit

import attrs

from kajabi_async.checks import iterable_of, string
from kajabi_async.decoding.answers import read_resource, read_samples
from kajabi_async.errors import DecodeError, FieldNotLoadedError, NotFoundError, UnknownHookEventError
from kajabi_async.exchange import Request, Send
from kajabi_async.fetching.context import Context
from kajabi_async.fetching.pages import Pages
from kajabi_async.jsonapi.codec import decode, json_object
from kajabi_async.jsonapi.ids import checked_id
from kajabi_async.models.account import ApiVersion, Hook, Me, Site
from kajabi_async.models.names import Fieldsets
from kajabi_async.models.origin import Scope
from kajabi_async.models.resource import Resource, is_set
from kajabi_async.operations import operation
from kajabi_async.resources.arguments import needed_site
from kajabi_async.resources.base import Gettable, Listable, ListOptions, PagingOptions, sort_keys_of
from kajabi_async.resources.filters import HookFilters, SiteFilters
from kajabi_async.resources.writes import resource_body, site_linkage

__all__ = [
    "EnsuredHooks",
    "HookEvent",
    "Hooks",
    "Sites",
    "SortedHooks",
    "read_me",
    "read_version",
    "same_address",
    "sort_hooks",
]

SiteSort = Literal[
    "title", "-title", "subdomain", "-subdomain", "created_at", "-created_at", "updated_at", "-updated_at"
]

HookEvent = Literal["purchase", "payment_succeeded", "order_created", "form_submission", "tag_added", "tag_removed"]
"""The events of hooks; the API has none for cancellations, refunds or edits."""

_PORTS: Final = {"http": 80, "https": 443}


async def read_me(context: Context) -> Me:
    """Return the user behind the API key."""
    path = operation("me").path
    answer = await context.send(Request("GET", path))
    return read_resource(answer.body, cls=Me, scope=context.scope(), context=f"GET {path}")


async def read_version(send: Send) -> ApiVersion:
    """Return the version of the API; the request carries no token."""
    path = operation("version").path
    answer = await send(Request("GET", path, authorized=False))
    document = json_object(decode(answer.body, context=f"GET {path}"))
    if document is None:
        raise DecodeError("an object was expected", context=f"GET {path}")
    return ApiVersion.from_document(document)


class SiteListOptions(ListOptions[Never, SiteSort, Fieldsets], SiteFilters):
    """What the list of sites takes."""


class Sites(Gettable[Site, Never, Fieldsets], Listable[Site]):
    """``api.sites``: read only."""

    name = "sites"
    model = Site
    filters = SiteFilters
    sort_keys = sort_keys_of(SiteSort)

    def list(self, **options: Unpack[SiteListOptions]) -> Pages[Site]:
        """List sites; filters are those of `SiteFilters`."""
        return self._pages(options)


@attrs.frozen
class EnsuredHooks:
    """What ``api.hooks.ensure`` found and did; ``kept`` and ``created`` together are one hook for each event."""

    kept: tuple[Hook, ...]
    """Hooks that stood and were right."""
    created: tuple[Hook, ...]
    """Hooks that this call created and that stand."""
    deleted: tuple[Hook, ...]
    """Second hooks, hooks for one resource and hooks for other events: gone, by this call or by another."""

    @property
    def changed(self) -> bool:
        """Whether a hook was created or deleted."""
        return bool(self.created or self.deleted)


class HookPagingOptions(PagingOptions, total=False):
    """How hooks are paged; they are not sorted, and their fields cannot be restricted (API document)."""

    page_size: int
    """Rows per page; the server may return fewer."""


class HookListOptions(HookPagingOptions, HookFilters):
    """What the list of hooks takes."""


class Hooks(Gettable[Hook, Never, Fieldsets], Listable[Hook]):
    """``api.hooks``: the URLs that Kajabi posts events to. A hook cannot be changed: delete it and create another."""

    name = "hooks"
    model = Hook
    list_options = HookPagingOptions
    filters = HookFilters

    def list(self, **options: Unpack[HookListOptions]) -> Pages[Hook]:
        """List hooks; filters are those of `HookFilters`."""
        return self._pages(options)

    async def create(
        self,
        *,
        event: HookEvent,
        target_url: str,
        site_id: str | int | None = None,
        resource_id: str | int | None = None,
        timeout: float | None = None,
    ) -> Hook:
        """Subscribe ``target_url`` to ``event`` on a site (the client's by default) and return the hook.

        ``resource_id`` restricts the hook to one offer, form or tag, depending on the event; without it every event of
        the kind is posted. The API accepts a second hook for the same. The API key needs the event's permission.
        ``timeout`` is in seconds for the whole operation. UnknownHookEventError for an unknown event and
        InvalidArgumentError without a site, before anything is sent.
        """
        attributes: dict[str, str | int] = {
            "event": _checked_event(event),
            "target_url": string(target_url, of="target_url"),
        }
        if resource_id is not None:
            attributes["resource_id"] = _as_number(resource_id)
        body = resource_body(
            "hooks", attributes, relationships=site_linkage(site_id, self._context, owner="hooks.create")
        )
        return await self._send_for_resource(self._operation("create"), body=body, timeout=timeout)

    async def delete(self, id: str | int, *, timeout: float | None = None) -> None:
        """Delete a hook: Kajabi posts no more events to it. NotFoundError if it does not exist."""
        await self._send(self._operation("delete"), id, timeout=timeout)

    async def sample(self, event: HookEvent, *, timeout: float | None = None) -> tuple[Resource, ...]:
        """Return an example of the resources that a delivery of ``event`` carries, the primary one first.

        All their ids are "0" (observed): distinguish them by type. UnknownHookEventError, before anything is sent, for
        an unknown event.
        """
        row = self._operation(f"sample.{_checked_event(event)}")
        answer = await self._send(row, timeout=timeout)
        return read_samples(answer.body, scope=self.delivery_scope(), context=f"GET {row.path}")

    async def ensure(
        self,
        url: str,
        events: Iterable[HookEvent],
        *,
        site_id: str | int | None = None,
        timeout: float | None = None,
    ) -> EnsuredHooks:
        """Create and delete hooks until ``url`` gets each of ``events`` once and nothing else; return the changes.

        Missing hooks are created first; then superfluous hooks of ``url`` on the site are deleted: second ones, those
        for events not in ``events``, and those for one resource, which the one for all covers. So every event has a
        hook throughout. Hooks of other URLs and other sites are never touched; empty ``events`` unsubscribe ``url``.
        ``timeout`` is in seconds for each request.

        The call may be repeated, also by several processes at once with the same ``events``. The API has no lock and
        accepts a second hook for the same: so all hooks are listed again after one was created, and of two hooks every
        process keeps the one with the lowest id. Until then, or while a list does not show a new hook yet, an event may
        be delivered twice; the next call repairs that. An error leaves what was done so far: call again.
        UnknownHookEventError for an unknown event and InvalidArgumentError without a site, before anything is sent.
        """
        requested = _checked_events(events)
        string(url, of="url")
        site = needed_site(site_id, self._context, owner="hooks.ensure")
        found = await self._hooks_of(site, timeout)
        missing = sort_hooks(found.values(), requested, url=url, site_id=site).missing
        created: dict[str, Hook] = {}
        for event in missing:
            hook = await self.create(event=cast("HookEvent", event), target_url=url, site_id=site, timeout=timeout)
            if is_set(hook, "id"):
                created[hook.id] = hook
        before = frozenset(found)
        if missing:
            found = await self._hooks_of(site, timeout) | created
        standing = sort_hooks(found.values(), requested, url=url, site_id=site)
        for hook in standing.superfluous:
            await self._delete_if_exists(hook, timeout)
        # After an answer without a body, the id of the new hook is known from the list alone.
        new = frozenset(created) if len(created) == len(missing) else frozenset(found) - before
        return EnsuredHooks(
            kept=tuple(hook for hook in standing.right if hook.id not in new),
            created=tuple(hook for hook in standing.right if hook.id in new),
            deleted=standing.superfluous,
        )

    async def _hooks_of(self, site_id: str, timeout: float | None) -> dict[str, Hook]:
        return {hook.id: hook for hook in await self.list(site_id=site_id, timeout=timeout).collect()}

    async def _delete_if_exists(self, hook: Hook, timeout: float | None) -> None:
        try:
            await self.delete(hook.id, timeout=timeout)
        except NotFoundError:
            # Another process that saw the same hooks was faster.
            return

    def delivery_scope(self) -> Scope:
        """Return what ties the resources of one delivery to each other and to the client, for ``webhooks.parse``."""
        return self._context.scope()


@attrs.frozen
class SortedHooks:
    """The hooks of one address on one site."""

    right: tuple[Hook, ...]
    """The hook to keep of each event that has one."""
    missing: tuple[str, ...]
    """Events without a hook."""
    superfluous: tuple[Hook, ...]
    """Hooks to delete."""


def sort_hooks(hooks: Iterable[Hook], events: Iterable[str], *, url: str, site_id: str) -> SortedHooks:
    """Sort ``hooks`` into those to keep and to delete, and name the events without one.

    Hooks of other addresses and other sites are left out. Of several right ones the lowest id is kept: all processes
    that see the same hooks keep the same one. UnreadableAttributeError if an attribute that decides cannot be read.
    """
    ours = sorted((hook for hook in hooks if _is_ours(hook, url, site_id)), key=_rank)
    right: dict[str, Hook] = {}
    requested = tuple(dict.fromkeys(events))
    for hook in ours:
        event = hook.event or ""
        if event in requested and _stated(hook, "resource_id") is None:
            right.setdefault(event, hook)
    kept = set(right.values())
    return SortedHooks(
        right=tuple(right[event] for event in requested if event in right),
        missing=tuple(event for event in requested if event not in right),
        superfluous=tuple(hook for hook in ours if hook not in kept),
    )


def same_address(one: str | None, other: str) -> bool:
    """Return whether two URLs are equal apart from the case of the host, a default port and an empty path."""
    return one is not None and (one == other or _canonical(one) == _canonical(other))


def _canonical(url: str) -> str:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return url
    host = (parts.hostname or "") + ("" if port in (None, _PORTS.get(parts.scheme)) else f":{port}")
    user = parts.netloc.rpartition("@")[0]
    return parts._replace(netloc=f"{user}@{host}" if user else host, path=parts.path or "/").geturl()


def _is_ours(hook: Hook, url: str, site_id: str) -> bool:
    if _stated(hook, "event") is None or not same_address(_stated(hook, "target_url"), url):
        return False
    # A hook that does not state its site came in the list of this one.
    return hook.site.ids in (None, (site_id,))


def _stated(hook: Hook, name: str) -> Any:
    """Return the attribute called *name*, None if it did not come; UnreadableAttributeError if it cannot be read."""
    try:
        return getattr(hook, name)
    except FieldNotLoadedError:
        return None


def _rank(hook: Hook) -> tuple[int, str]:
    # Ids are numbers written as text: by length first, they sort as numbers do.
    return len(hook.id), hook.id


def _as_number(resource_id: str | int) -> str | int:
    # Alone among ids, this one is a number in the schema of the request (API document).
    checked = checked_id(resource_id, of="hooks")
    return int(checked) if checked.isascii() and checked.isdigit() else checked


def _checked_event(event: Any) -> str:
    known = get_args(HookEvent)
    if event not in known:
        raise UnknownHookEventError(event, owner="Kajabi", known=known)
    return str(event)


def _checked_events(events: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_checked_event(event) for event in iterable_of("events", events)))
