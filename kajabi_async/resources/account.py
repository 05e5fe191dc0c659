"""Sites and hooks: the account behind the API key."""

from collections.abc import Iterable
from typing import Any, Literal, Unpack, cast, get_args

from kajabi_async.errors import InvalidArgumentError, NotFoundError, UnknownHookEventError
from kajabi_async.jsonapi.ids import checked_id
from kajabi_async.models.account import Hook, Site
from kajabi_async.models.base import Resource, is_set
from kajabi_async.models.origin import Scope
from kajabi_async.models.reading import read_samples
from kajabi_async.resources.base import Gettable, Listable, ListOptions, PagingOptions, needed_site, site_linkage
from kajabi_async.resources.filter_sets import HookFilters, SiteFilters
from kajabi_async.resources.pages import Pages
from kajabi_async.resources.subscriptions import EnsuredHooks, sort_hooks
from kajabi_async.resources.writing import resource_body

__all__ = ["HookEvent", "Hooks", "Sites"]

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
        return Scope(resolver=self._backend.resolver, most_elements=self._backend.most_elements)


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
