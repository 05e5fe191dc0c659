"""Which hooks an address should have, against those it has: decided here, done by ``api.hooks.ensure``."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

import attrs

from kajabi_async.errors import FieldNotLoadedError
from kajabi_async.models.account import Hook

__all__ = ["EnsuredHooks", "SortedHooks", "same_address", "sort_hooks"]


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
