"""When the access that a purchase gave is over."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kajabi_async import FieldNotLoadedError, InvalidArgumentError, Purchase
from kajabi_async.decoding.answers import read_resource
from kajabi_async.jsonapi.codec import encode
from kajabi_async.models.origin import Scope
from tests.sending import resource

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


def _purchase(**attributes: Any) -> Purchase:
    body = encode({"data": resource("purchases", "1", attributes=attributes)})
    return read_resource(body, cls=Purchase, scope=Scope(), context="")


@pytest.mark.parametrize(
    ("deactivated_at", "is_over"),
    [
        (None, False),
        ("2026-11-27T11:59:59Z", True),
        ("2026-11-27T12:00:00Z", True),
        ("2026-11-27T12:00:00.001Z", False),
        ("2026-11-27T06:30:00-06:00", False),
        ("2099-01-01T00:00:00Z", False),
    ],
)
def test_access_ends_at_deactivated_at(deactivated_at: str | None, is_over: bool) -> None:
    """It may be in the future: until then the purchase has access."""
    assert _purchase(deactivated_at=deactivated_at).was_over_at(NOW) is is_over


def test_the_property_asks_the_clock() -> None:
    """Of this machine, in UTC."""
    ends = datetime.now(UTC) + timedelta(hours=1)
    assert not _purchase(deactivated_at=ends.isoformat()).is_over
    assert _purchase(deactivated_at=(ends - timedelta(hours=2)).isoformat()).is_over


def test_a_purchase_that_does_not_say_is_not_taken_for_active() -> None:
    """Sparse fields left the attribute out."""
    with pytest.raises(FieldNotLoadedError):
        _ = _purchase(currency="USD").is_over


def test_a_moment_needs_a_zone() -> None:
    """Compared with one that has a zone, Python would raise a TypeError."""
    with pytest.raises(InvalidArgumentError, match="has no zone"):
        _purchase(deactivated_at=None).was_over_at(datetime(2026, 1, 1))  # noqa: DTZ001
