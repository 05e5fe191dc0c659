"""The data set: of any size, generated from a seed, each row on request.

Imports `testing.rows` and nothing of the server. Read `graph` first, who owns what; then `people`.
"""

from kajabi_async.testing.dataset.account import account
from kajabi_async.testing.dataset.catalog import catalog
from kajabi_async.testing.dataset.commerce import commerce
from kajabi_async.testing.dataset.content import content
from kajabi_async.testing.dataset.family import Family
from kajabi_async.testing.dataset.forms import forms
from kajabi_async.testing.dataset.graph import Graph
from kajabi_async.testing.dataset.people import people

__all__ = ["all_families"]


def all_families(graph: Graph) -> dict[str, Family]:
    """Return every family by type."""
    parts = (people, catalog, commerce, content, forms, account)
    return {family.type: family for part in parts for family in part(graph)}
