"""An asyncio-native SDK for the Kajabi Public API.

A public name is imported when it is first asked for, with what it needs and no more.
"""

import logging
from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from kajabi_async.client import Kajabi
    from kajabi_async.errors import (
        AmbiguousMatchError,
        AnswerTooLargeError,
        ApiError,
        AuthenticationError,
        BadRequestError,
        BulkStalledError,
        ClientClosedError,
        ConfigurationError,
        ConflictError,
        ConnectionFailedError,
        DecodeError,
        ErrorObject,
        ExportError,
        FieldNotLoadedError,
        InvalidArgumentError,
        InvalidIdError,
        KajabiError,
        NotFoundError,
        PagingError,
        PausedError,
        PermissionDeniedError,
        RateLimitError,
        RelationshipUnavailableError,
        RequestTimeoutError,
        ServerError,
        StoreUnavailableError,
        TransportError,
        UnknownAttributeError,
        UnknownFieldError,
        UnknownFilterError,
        UnknownHookEventError,
        UnknownIncludeError,
        UnknownSortKeyError,
        UnprocessableEntityError,
        UnreadableAttributeError,
        UntrustedLinkError,
        WrongLoopError,
    )
    from kajabi_async.models import (
        ApiVersion,
        BlogPost,
        Contact,
        ContactNote,
        ContactTag,
        Course,
        Customer,
        CustomField,
        Form,
        FormField,
        FormSubmission,
        Hook,
        LandingPage,
        Lesson,
        Me,
        Media,
        Module,
        Offer,
        Order,
        OrderItem,
        Payout,
        PayoutTransaction,
        Podcast,
        PodcastDirectory,
        Product,
        Purchase,
        Resource,
        Site,
        Socials,
        ToMany,
        ToOne,
        Transaction,
        UntypedResource,
        WebsitePage,
    )
    from kajabi_async.resources.account import HookEvent
    from kajabi_async.resources.bulk import Lookups
    from kajabi_async.resources.lookup_plan import LookupPlan
    from kajabi_async.resources.outcomes import Failed, Found, Lookup, Progress, Report
    from kajabi_async.resources.pages import Page, Pages
    from kajabi_async.resources.people import GetOrCreated
    from kajabi_async.resources.subscriptions import EnsuredHooks
    from kajabi_async.serialization import dumps, loads
    from kajabi_async.session import (
        AdaptiveRate,
        ClientCredentials,
        Credentials,
        FixedRate,
        MemoryTokenStore,
        PasswordCredentials,
        RateLimit,
        RefreshTokenCredentials,
        RetryPolicy,
        SessionEvent,
        SessionManager,
        SessionObserver,
        SessionStats,
        Timeouts,
        TokenStore,
    )

__all__ = [
    "AdaptiveRate",
    "AmbiguousMatchError",
    "AnswerTooLargeError",
    "ApiError",
    "ApiVersion",
    "AuthenticationError",
    "BadRequestError",
    "BlogPost",
    "BulkStalledError",
    "ClientClosedError",
    "ClientCredentials",
    "ConfigurationError",
    "ConflictError",
    "ConnectionFailedError",
    "Contact",
    "ContactNote",
    "ContactTag",
    "Course",
    "Credentials",
    "CustomField",
    "Customer",
    "DecodeError",
    "EnsuredHooks",
    "ErrorObject",
    "ExportError",
    "Failed",
    "FieldNotLoadedError",
    "FixedRate",
    "Form",
    "FormField",
    "FormSubmission",
    "Found",
    "GetOrCreated",
    "Hook",
    "HookEvent",
    "InvalidArgumentError",
    "InvalidIdError",
    "Kajabi",
    "KajabiError",
    "LandingPage",
    "Lesson",
    "Lookup",
    "LookupPlan",
    "Lookups",
    "Me",
    "Media",
    "MemoryTokenStore",
    "Module",
    "NotFoundError",
    "Offer",
    "Order",
    "OrderItem",
    "Page",
    "Pages",
    "PagingError",
    "PasswordCredentials",
    "PausedError",
    "Payout",
    "PayoutTransaction",
    "PermissionDeniedError",
    "Podcast",
    "PodcastDirectory",
    "Product",
    "Progress",
    "Purchase",
    "RateLimit",
    "RateLimitError",
    "RefreshTokenCredentials",
    "RelationshipUnavailableError",
    "Report",
    "RequestTimeoutError",
    "Resource",
    "RetryPolicy",
    "ServerError",
    "SessionEvent",
    "SessionManager",
    "SessionObserver",
    "SessionStats",
    "Site",
    "Socials",
    "StoreUnavailableError",
    "Timeouts",
    "ToMany",
    "ToOne",
    "TokenStore",
    "Transaction",
    "TransportError",
    "UnknownAttributeError",
    "UnknownFieldError",
    "UnknownFilterError",
    "UnknownHookEventError",
    "UnknownIncludeError",
    "UnknownSortKeyError",
    "UnprocessableEntityError",
    "UnreadableAttributeError",
    "UntrustedLinkError",
    "UntypedResource",
    "WebsitePage",
    "WrongLoopError",
    "dumps",
    "loads",
]

_HOMES: Final = (
    "errors",
    "models",
    "resources.outcomes",
    "resources.pages",
    "resources.lookup_plan",
    "resources.bulk",
    "resources.account",
    "resources.people",
    "resources.subscriptions",
    "serialization",
    "session",
    "client",
)
"""Where the public names are: what needs least comes first, and aiohttp with the last two alone."""

logging.getLogger(__name__).addHandler(logging.NullHandler())

if not TYPE_CHECKING:  # With it, type checkers would take any misspelt name for a real one.

    def __getattr__(name: str) -> object:
        if name in _HOMES:
            return import_module(f"{__name__}.{name}")
        if name in __all__:
            for home in _HOMES:
                module = import_module(f"{__name__}.{home}")
                if name in module.__all__:
                    return globals().setdefault(name, getattr(module, name))
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__} - {"TYPE_CHECKING", "Final", "import_module"})
