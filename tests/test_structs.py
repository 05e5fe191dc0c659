"""The base of the classes of which one or more is made for every request."""

import io

from rich.console import Console

from kajabi_async.structs import Struct


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
