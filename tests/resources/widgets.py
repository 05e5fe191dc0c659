"""A resource that Kajabi might ship tomorrow, in one small file: rows, model, filters, class.

Imported by `test_tomorrow` in a process of its own, as importing it enters it everywhere.
"""

from typing import Unpack

from kajabi_async.fetching.pages import Pages
from kajabi_async.models import Customer
from kajabi_async.models.relations import ToManyRelation, ToOneRelation
from kajabi_async.models.resource import Resource, model
from kajabi_async.operations import reads
from kajabi_async.resources.base import Gettable, Listable, ListOptions
from kajabi_async.resources.filters.encoding import Id, Text


@model("widgets")
class Widget(Resource):
    """A widget."""

    title: str | None
    weight_in_grams: int | None

    customer = ToOneRelation[Customer]("customers", includable=True)
    parts = ToManyRelation["Widget"]("widgets", includable=True)


class WidgetListOptions(ListOptions, total=False):
    """What the list of widgets takes."""

    site_id: Id
    title_cont: Text


class Widgets(Gettable[Widget], Listable[Widget]):
    """Widgets."""

    name = "widgets"
    operations = tuple(reads("widgets"))
    model = Widget
    filters = WidgetListOptions
    sort_keys = frozenset({"title"})

    def list(self, **options: Unpack[WidgetListOptions]) -> Pages[Widget]:
        """List widgets."""
        return self._pages(options)
