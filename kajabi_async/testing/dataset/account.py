"""The account behind the key: its sites and its hooks."""

from collections.abc import Iterator
from typing import Final

from kajabi_async.testing.dataset.family import Family, numbered
from kajabi_async.testing.dataset.graph import Graph
from kajabi_async.testing.dataset.times import DAY, times_of
from kajabi_async.testing.rows import LinkToOne, Row

__all__ = ["EVENTS", "ME", "account"]

EVENTS: Final = ("purchase", "payment_succeeded", "order_created", "form_submission", "tag_added", "tag_removed")
"""The events of hooks."""

ME: Final = Row(
    "me",
    "1",
    {"initials": "RO", "name": "Robin Owner", "email": "robin.owner@example.com", "role_level": "OWNER"},
)
"""The owner of the key; the document does not state the type."""


def account(graph: Graph) -> Iterator[Family]:
    """Yield the families of the account."""
    yield numbered("sites", graph.sizes.sites, _site)
    yield numbered("hooks", graph.sizes.hooks, lambda number: _hook(graph, number))


def _site(number: int) -> Row:
    return Row(
        "sites",
        str(number),
        {"title": f"Learning Site {number}", "subdomain": f"site{number}", **times_of(number, DAY)},
    )


def _hook(graph: Graph, number: int) -> Row:
    attributes = {
        "event": EVENTS[(number - 1) % len(EVENTS)],
        "target_url": f"https://hooks.example.com/kajabi/{number}",
        "resource_id": None,
        **times_of(number, DAY),
    }
    return Row("hooks", str(number), attributes, {"site": LinkToOne("sites", graph.site_of(number))})
