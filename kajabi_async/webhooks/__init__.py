"""Webhook deliveries: authenticated by a secret in the path, parsed into typed events, and handled once.

`RedisReplayGuard` is in `kajabi_async.webhooks.redis_replay`, as it needs the extra ``redis``.

Imports ``models`` and ``decoding``. Read ``receiver.py`` first: it checks the path, has ``parse.py`` parse the
body, and calls the handler once.
"""

from kajabi_async.webhooks.dashboard import (
    DashboardEvent,
    DashboardFormSubmissionCreated,
    DashboardOrderCreated,
    DashboardPaymentSucceeded,
    DashboardPurchaseCreated,
    Member,
    OrderedItem,
    Payment,
    PlacedOrder,
    SoldOffer,
)
from kajabi_async.webhooks.delivery_errors import (
    DeliveryInProgressError,
    DeliveryTooLargeError,
    MalformedDeliveryError,
    ReplayGuardUnavailableError,
    UnknownDeliveryError,
    WebhookError,
    WrongSecretError,
)
from kajabi_async.webhooks.hook_events import (
    Event,
    FormSubmissionEvent,
    OrderCreatedEvent,
    PaymentSucceededEvent,
    PurchaseEvent,
    TagAddedEvent,
    TagRemovedEvent,
)
from kajabi_async.webhooks.parse import MAX_BYTES, MAX_ELEMENTS, KnownEvent, parse
from kajabi_async.webhooks.path_secret import PathSecrets
from kajabi_async.webhooks.receiver import (
    AnyEvent,
    Handler,
    Key,
    Receipt,
    Receiver,
    UnreadDelivery,
    by_id,
    by_id_and_content,
)
from kajabi_async.webhooks.replay import MemoryReplayGuard, ReplayGuard, Standing

__all__ = [
    "MAX_BYTES",
    "MAX_ELEMENTS",
    "AnyEvent",
    "DashboardEvent",
    "DashboardFormSubmissionCreated",
    "DashboardOrderCreated",
    "DashboardPaymentSucceeded",
    "DashboardPurchaseCreated",
    "DeliveryInProgressError",
    "DeliveryTooLargeError",
    "Event",
    "FormSubmissionEvent",
    "Handler",
    "Key",
    "KnownEvent",
    "MalformedDeliveryError",
    "Member",
    "MemoryReplayGuard",
    "OrderCreatedEvent",
    "OrderedItem",
    "PathSecrets",
    "Payment",
    "PaymentSucceededEvent",
    "PlacedOrder",
    "PurchaseEvent",
    "Receipt",
    "Receiver",
    "ReplayGuard",
    "ReplayGuardUnavailableError",
    "SoldOffer",
    "Standing",
    "TagAddedEvent",
    "TagRemovedEvent",
    "UnknownDeliveryError",
    "UnreadDelivery",
    "WebhookError",
    "WrongSecretError",
    "by_id",
    "by_id_and_content",
    "parse",
]
