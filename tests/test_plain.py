"""Values as plain data, which every JSON library takes."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest

from kajabi_async import ConfigurationError
from kajabi_async.plain import PlainRecord, plain


@attrs.frozen
class Inner:
    size: Decimal
    extra: Mapping[str, Any] = {}


@attrs.frozen
class Outer(PlainRecord):
    inner: Inner
    at: datetime | None = None


VALUES: list[tuple[Any, Any]] = [
    (None, None),
    (True, True),
    (10**400, 10**400),
    (0.5, 0.5),
    (float("inf"), "inf"),
    (float("nan"), "nan"),
    (Decimal("12.50"), "12.50"),
    (date(2024, 5, 1), "2024-05-01"),
    (datetime(2024, 5, 1, 9, tzinfo=timezone(timedelta(hours=-7))), "2024-05-01T16:00:00Z"),
    (datetime(2024, 5, 1, 9, 0, 0, 5, tzinfo=UTC), "2024-05-01T09:00:00.000005Z"),
    (datetime(2024, 5, 1, 9), "2024-05-01T09:00:00"),  # noqa: DTZ001 - it has no zone to convert from
    (Path("a") / "b", str(Path("a") / "b")),
    ((1, (Decimal(2),)), [1, ["2"]]),
    ({"a": {1: Decimal(2)}}, {"a": {"1": "2"}}),
    (Inner(Decimal(1), {"shoe": 2}), {"shoe": 2, "size": "1"}),
    ([Outer(Inner(Decimal(1)))], [{"inner": {"size": "1"}, "at": None}]),
    (ConfigurationError("set it"), "set it"),
]


@pytest.mark.parametrize(("value", "expected"), VALUES)
def test_a_value_is_ready_for_json(value: Any, expected: Any) -> None:
    """Nothing is lost that JSON can say; what it cannot becomes text."""
    assert plain(value) == expected
    json.dumps(plain(value), allow_nan=False)


def test_a_record_names_its_method_when_a_json_library_rejects_it() -> None:
    """Such a library prints the name of the class alone."""
    with pytest.raises(TypeError, match=r"Object of type Outer \(call \.to_dict\(\) on it first\) is not JSON"):
        json.dumps([Outer(Inner(Decimal(1)))])
    assert Outer.__name__ == "Outer"
    assert json.dumps(Outer(Inner(Decimal(1))).to_dict()) == '{"inner": {"size": "1"}, "at": null}'
