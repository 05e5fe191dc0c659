"""Sites and hooks: the account behind the API key."""

from collections.abc import Iterable
from typing import Any, Literal, Unpack, cast, get_args
from urllib.parse import urlsplit

import attrs

from kajabi_async.decoding.answers import read_samples
from kajabi_async.errors import FieldNotLoadedError, InvalidArgumentError, NotFoundError, UnknownHookEventError
from kajabi_async.fetching.pages import Pages
from kajabi_async.jsonapi.ids import checked_id
from kajabi_async.models.account import Hook, Site
from kajabi_async.models.resource import Resource, Scope, is_set
from kajabi_async.resources.base import Gettable, Listable, ListOptions, PagingOptions, needed_site, site_linkage
from kajabi_async.resources.filters import HookFilters, SiteFilters
from kajabi_async.resources.writes import resource_body

__all__ = ["EnsuredHooks", "HookEvent", "Hooks", "Sites", "SortedHooks", "same_address", "sort_hooks"]


@attrs.frozen
class EnsuredHooks:
    """What ``api.hooks.ensure`` found and did; ``kept`` and ``created`` together are one hook for each event."""

    kept: tuple[Hook, ...]
    """Those that were right."""
    created: tuple[Hook, ...]
    """Those that this call made and that stand."""
    deleted: tuple[Hook, ...]
    """Those that were too many, or for events that are no longer wanted; gone, be it by this call or by another."""

    @property
    def changed(self) -> bool:
        """Whether anything had to be done."""
        return bool(self.created or self.deleted)


@attrs.frozen
class SortedHooks:
    """The hooks of one address on one site."""

    right: tuple[Hook, ...]
    """The one that stays for each event that has one."""
    missing: tuple[str, ...]
    """Events without a hook."""
    superfluous: tuple[Hook, ...]


def sort_hooks(hooks: Iterable[Hook], events: Iterable[str], *, url: str, site_id: str) -> SortedHooks:
    """Tell what stays, what is missing and what goes; hooks of other addresses and other sites are not looked at.

    Of several that are right the one with the lowest id stays: everybody who sees the same hooks keeps the same one.
    UnreadableAttributeError if an attribute that this is decided by cannot be read.
    """
    ours = sorted((hook for hook in hooks if _is_ours(hook, url, site_id)), key=_rank)
    right: dict[str, Hook] = {}
    wanted = tuple(dict.fromkeys(events))
    for hook in ours:
        event = hook.event or ""
        if event in wanted and _stated(hook, "resource_id") is None:
            right.setdefault(event, hook)
    staying = set(right.values())
    return SortedHooks(
        right=tuple(right[event] for event in wanted if event in right),
        missing=tuple(event for event in wanted if event not in right),
        superfluous=tuple(hook for hook in ours if hook not in staying),
    )


def same_address(one: str | None, other: str) -> bool:
    """Tell whether two addresses are the same but for what never matters: case of the host, a port that goes unsaid."""
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


_PORTS = {"http": 80, "https": 443}


def _is_ours(hook: Hook, url: str, site_id: str) -> bool:
    if _stated(hook, "event") is None or not same_address(_stated(hook, "target_url"), url):
        return False
    # A hook that does not tell its site was in a list that was asked for by site.
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


HookEvent = Literal["purchase", "payment_succeeded", "order_created", "form_submission", "tag_added", "tag_removed"]
"""What can be subscribed to; there is none for cancellations, refunds or edits."""


class SiteListOptions(ListOptions, SiteFilters):
    """What the list of sites takes."""


class Sites(Gettable[Site], Listable[Site]):
    """``api.sites``."""

    name = "sites"
    model = Site
    filters = SiteFilters
    sort_keys = frozenset({"title", "subdomain", "created_at", "updated_at"})

    def list(self, **options: Unpack[SiteListOptions]) -> Pages[Site]:
        """List sites; filters are those of `SiteFilters`."""
        return self._pages(options)


class HookPagingOptions(PagingOptions, total=False):
    """How hooks are paged; they are not sorted, and their fields cannot be restricted (API document)."""

    page_size: int


class HookListOptions(HookPagingOptions, HookFilters):
    """What the list of hooks takes."""


class Hooks(Gettable[Hook], Listable[Hook]):
    """``api.hooks``: where Kajabi posts events to. A hook cannot be changed: delete it and create another."""

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
        """Subscribe *target_url* to *event* and give the hook.

        *resource_id* restricts it to one offer, form or tag, whichever the event is about; without it every event of
        the kind is posted. Nothing prevents a second hook for the same. The API key needs the event's permission.
        """
        attributes: dict[str, str | int] = {"event": _checked_event(event), "target_url": target_url}
        if resource_id is not None:
            attributes["resource_id"] = _as_number(resource_id)
        body = resource_body(
            "hooks", attributes, relationships=site_linkage(site_id, self._backend, owner="hooks.create")
        )
        return await self._send_for_resource(self._operation("create"), body=body, timeout=timeout)

    async def delete(self, id: str | int, *, timeout: float | None = None) -> None:
        """Unsubscribe."""
        await self._send(self._operation("delete"), id, timeout=timeout)

    async def sample(self, event: HookEvent, *, timeout: float | None = None) -> tuple[Resource, ...]:
        """Give an example of the resources that a delivery of *event* carries, the primary one first.

        All their ids are "0" (observed): tell them apart by type.
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
        """See to it that *url* is posted each of *events* once, and nothing else, and tell what that took.

        Makes the hooks that are missing, then deletes those of *url* on the site that are too many: second ones,
        those for events not in *events*, and those for one resource only, which the one for all covers. No event of
        *events* is without a hook meanwhile. Hooks of other URLs and other sites are never touched; no *events* at all
        unsubscribes *url*. *timeout* is in seconds for each request.

        May be called again and again, and by several processes at once with the same *events*: the API has no lock and
        takes a second hook like the first, so all hooks are listed again after one was made, and whoever sees two
        keeps that with the lowest id. Until that is done, and where a list does not show yet what was just made, an
        event may be delivered twice; the next call repairs it. An error leaves what was done so far; call again.
        UnknownHookEventError for an event that there is not, InvalidArgumentError without a site: nothing is sent then.
        """
        wanted = _checked_events(events)
        site = needed_site(site_id, self._backend, owner="hooks.ensure")
        found = {hook.id: hook for hook in await self.list(site_id=site, timeout=timeout).collect()}
        missing = sort_hooks(found.values(), wanted, url=url, site_id=site).missing
        made: dict[str, Hook] = {}
        for event in missing:
            hook = await self.create(event=cast("HookEvent", event), target_url=url, site_id=site, timeout=timeout)
            if is_set(hook, "id"):
                made[hook.id] = hook
        before = frozenset(found)
        if missing:
            found = {hook.id: hook for hook in await self.list(site_id=site, timeout=timeout).collect()} | made
        standing = sort_hooks(found.values(), wanted, url=url, site_id=site)
        for hook in standing.superfluous:
            await self._delete_if_there(hook, timeout)
        created = frozenset(made) if len(made) == len(missing) else frozenset(found) - before
        return EnsuredHooks(
            kept=tuple(hook for hook in standing.right if hook.id not in created),
            created=tuple(hook for hook in standing.right if hook.id in created),
            deleted=standing.superfluous,
        )

    async def _delete_if_there(self, hook: Hook, timeout: float | None) -> None:
        try:
            await self.delete(hook.id, timeout=timeout)
        except NotFoundError:
            # Another process that saw the same hooks was faster.
            return

    def delivery_scope(self) -> Scope:
        """Give what ties the resources of one delivery to each other and to the client, for ``webhooks.parse``."""
        return self._backend.scope()


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
    if isinstance(events, str):
        raise InvalidArgumentError(f"an iterable of events is needed, got one string: write [{events!r:.60}]")
    if not hasattr(events, "__iter__"):
        raise InvalidArgumentError(f"an iterable of events is needed, got {type(events).__name__}")
    return tuple(dict.fromkeys(_checked_event(event) for event in events))
