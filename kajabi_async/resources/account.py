"""Sites and hooks: the account behind the API key."""

from typing import Literal, Unpack, get_args

from kajabi_async.errors import InvalidArgumentError
from kajabi_async.jsonapi.ids import checked_id
from kajabi_async.models.account import Hook, Site
from kajabi_async.models.base import Resource
from kajabi_async.models.origin import Scope
from kajabi_async.models.reading import read_samples
from kajabi_async.resources.base import Gettable, Listable, ListOptions, PagingOptions, site_linkage
from kajabi_async.resources.filter_sets import HookFilters, SiteFilters
from kajabi_async.resources.pages import Pages
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
        return read_samples(answer.body, scope=Scope(resolver=self._backend.resolver), context=f"GET {row.path}")


def _as_number(resource_id: str | int) -> str | int:
    # Alone among ids, this one is a number in the schema of the request (API document).
    checked = checked_id(resource_id, of="hooks")
    return int(checked) if checked.isascii() and checked.isdigit() else checked


def _checked_event(event: str) -> str:
    known = get_args(HookEvent)
    if event not in known:
        raise InvalidArgumentError(f"there is no hook event {event!r}; known are: {', '.join(known)}")
    return event
