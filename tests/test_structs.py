"""The bases of records: those made for every request, and those compared by their fields."""

import io

import attrs
from rich.console import Console

from kajabi_async.structs import Struct, Value


class Sent(Struct):
    token: str
    size: int = 0


def test_no_field_is_shown() -> None:
    """Neither repr nor rich shows a field of a record that may lead to a token or to what users wrote."""
    record = Sent("secret", 3)
    console = Console(file=io.StringIO(), record=True)
    console.print(record)

    shown = console.export_text()

    assert "Sent" in repr(record)
    assert "secret" not in repr(record)
    assert shown == "Sent()\n"


def test_records_are_equal_to_themselves_alone() -> None:
    """Records are compared and hashed by identity, so that sets of them are cheap and two calls are never one."""
    one, other = Sent("a"), Sent("a")

    assert one != other
    assert len({hash(each) for each in (one, other, one)}) == 2


@attrs.frozen(eq=False, repr=False)
class Event(Value):
    name: str
    size: int = attrs.field(default=0, repr=False)


@attrs.frozen(eq=False, repr=False)
class Other(Event):
    pass


@attrs.frozen
class ByAttrs:
    name: str
    size: int = attrs.field(default=0, repr=False)


def test_values_are_equal_by_class_and_fields() -> None:
    """As those of attrs are: a subclass with the same fields is another value."""
    assert Event("a", 1) == Event("a", 1)
    assert hash(Event("a", 1)) == hash(Event("a", 1))
    assert Event("a", 1) != Event("a", 2)
    assert Event("a", 1) != Other("a", 1)
    assert Event("a", 1) != "a"
    assert {Event("a"), Event("a"), Other("a")} == {Event("a"), Other("a")}


def test_values_are_printed_like_those_of_attrs() -> None:
    """Class and fields, without those that are kept out of it."""
    assert repr(Event("a", 1)) == repr(ByAttrs("a", 1)).replace("ByAttrs", "Event")
