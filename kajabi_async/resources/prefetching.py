"""``prefetch`` of the client: typed with the relations of each resource.

The annotations are not evaluated: importing every model for them would take longer than the rest of the client.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, overload

from kajabi_async.checks import iterable_of, string
from kajabi_async.errors import InvalidArgumentError
from kajabi_async.stall import PATIENCE_SECONDS, Stall, checked_patience

if TYPE_CHECKING:
    from kajabi_async.fetching.context import Context
    from kajabi_async.models.account import Hook
    from kajabi_async.models.catalog import Course, Lesson, Offer, Product
    from kajabi_async.models.commerce import Order, OrderItem, Purchase, Transaction
    from kajabi_async.models.content import BlogPost, LandingPage, Podcast, WebsitePage
    from kajabi_async.models.forms import Form, FormSubmission
    from kajabi_async.models.names.account import HookPath
    from kajabi_async.models.names.catalog import CoursePath, LessonPath, OfferPath, ProductPath
    from kajabi_async.models.names.commerce import OrderItemPath, OrderPath, PurchasePath, TransactionPath
    from kajabi_async.models.names.content import BlogPostPath, LandingPagePath, PodcastPath, WebsitePagePath
    from kajabi_async.models.names.forms import FormPath, FormSubmissionPath
    from kajabi_async.models.names.people import (
        ContactNotePath,
        ContactPath,
        ContactTagPath,
        CustomerPath,
        CustomFieldPath,
    )
    from kajabi_async.models.people import Contact, ContactNote, ContactTag, Customer, CustomField
    from kajabi_async.models.resource import Resource
    from kajabi_async.relationships.resolver import RelationshipResolver

__all__ = ["Prefetching"]

R = TypeVar("R", bound="Resource")

Some: TypeAlias = R | Iterable[R]


class Prefetching:
    """What a client does for many resources at once."""

    _resolver: RelationshipResolver
    _context: Context

    @overload
    async def prefetch(
        self, resources: Some[Customer], *paths: CustomerPath, patience: float = PATIENCE_SECONDS
    ) -> None: ...
    @overload
    async def prefetch(
        self, resources: Some[Contact], *paths: ContactPath, patience: float = PATIENCE_SECONDS
    ) -> None: ...
    @overload
    async def prefetch(
        self, resources: Some[ContactTag], *paths: ContactTagPath, patience: float = PATIENCE_SECONDS
    ) -> None: ...
    @overload
    async def prefetch(
        self, resources: Some[ContactNote], *paths: ContactNotePath, patience: float = PATIENCE_SECONDS
    ) -> None: ...
    @overload
    async def prefetch(
        self, resources: Some[CustomField], *paths: CustomFieldPath, patience: float = PATIENCE_SECONDS
    ) -> None: ...
    @overload
    async def prefetch(self, resources: Some[Offer], *paths: OfferPath, patience: float = PATIENCE_SECONDS) -> None: ...
    @overload
    async def prefetch(
        self, resources: Some[Product], *paths: ProductPath, patience: float = PATIENCE_SECONDS
    ) -> None: ...
    @overload
    async def prefetch(
        self, resources: Some[Course], *paths: CoursePath, patience: float = PATIENCE_SECONDS
    ) -> None: ...
    @overload
    async def prefetch(
        self, resources: Some[Lesson], *paths: LessonPath, patience: float = PATIENCE_SECONDS
    ) -> None: ...
    @overload
    async def prefetch(self, resources: Some[Order], *paths: OrderPath, patience: float = PATIENCE_SECONDS) -> None: ...
    @overload
    async def prefetch(
        self, resources: Some[OrderItem], *paths: OrderItemPath, patience: float = PATIENCE_SECONDS
    ) -> None: ...
    @overload
    async def prefetch(
        self, resources: Some[Purchase], *paths: PurchasePath, patience: float = PATIENCE_SECONDS
    ) -> None: ...
    @overload
    async def prefetch(
        self, resources: Some[Transaction], *paths: TransactionPath, patience: float = PATIENCE_SECONDS
    ) -> None: ...
    @overload
    async def prefetch(
        self, resources: Some[Podcast], *paths: PodcastPath, patience: float = PATIENCE_SECONDS
    ) -> None: ...
    @overload
    async def prefetch(
        self, resources: Some[BlogPost], *paths: BlogPostPath, patience: float = PATIENCE_SECONDS
    ) -> None: ...
    @overload
    async def prefetch(
        self, resources: Some[LandingPage], *paths: LandingPagePath, patience: float = PATIENCE_SECONDS
    ) -> None: ...
    @overload
    async def prefetch(
        self, resources: Some[WebsitePage], *paths: WebsitePagePath, patience: float = PATIENCE_SECONDS
    ) -> None: ...
    @overload
    async def prefetch(self, resources: Some[Form], *paths: FormPath, patience: float = PATIENCE_SECONDS) -> None: ...
    @overload
    async def prefetch(
        self, resources: Some[FormSubmission], *paths: FormSubmissionPath, patience: float = PATIENCE_SECONDS
    ) -> None: ...
    @overload
    async def prefetch(self, resources: Some[Hook], *paths: HookPath, patience: float = PATIENCE_SECONDS) -> None: ...
    # For resources of several types or of your own.
    @overload
    async def prefetch(
        self, resources: Iterator[Resource], *paths: str, patience: float = PATIENCE_SECONDS
    ) -> None: ...
    async def prefetch(self, resources: Any, *paths: str, patience: float = PATIENCE_SECONDS) -> None:
        """Load relations of many resources at once, such as ``"contact"`` or ``"offers.products"``.

        Sends as few requests as possible: what resources share is fetched once, and owners are read again with includes
        if that is fewer requests. Awaiting a loaded relation sends nothing. UnknownIncludeError for a relation that a
        resource does not have. Type checkers know the paths of one or two steps of each resource, and accept any path
        with an iterator, such as ``iter(resources)`` of several types.

        Pauses and outages are waited out as by `get_many`; after ``patience`` seconds without any answer the latest
        failure is raised. What is loaded by then stays loaded: the same call continues from there.
        """
        # Imported here: see above.
        from kajabi_async.models.resource import Resource  # noqa: PLC0415
        from kajabi_async.relationships.prefetch import prefetch  # noqa: PLC0415

        owners = [resources] if isinstance(resources, Resource) else _checked_resources(resources, Resource)
        for path in paths:
            string(path, of="a path of relations")
        stall = Stall(checked_patience(patience), self._context.clock, among=self._context.stalls)
        await prefetch(self._resolver, self._context.links, owners, paths, stall=stall)


def _checked_resources(resources: Any, kind: type[Resource]) -> list[Resource]:
    owners = list(iterable_of("resources", resources))
    for each in owners:
        if not isinstance(each, kind):
            raise InvalidArgumentError(f"prefetch() takes resources, got {type(each).__name__}")
    return owners
