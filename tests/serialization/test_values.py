"""JSON values, and the few types that JSON lacks, in any nesting."""

import json
import math
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajabi_async import (
    Contact,
    GetOrCreated,
    InvalidArgumentError,
    KajabiError,
    NotFoundError,
    Progress,
    UntypedResource,
    dumps,
    loads,
)
from kajabi_async.errors import ErrorObject
from kajabi_async.jsonapi.codec import json_object
from tests.models.building import build
from tests.serialization.travelling import travelled

_TEXT = st.text(st.characters(), max_size=8) | st.sampled_from(["$kajabi", "\ud800", "kajabi_async"])
_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | _TEXT
    | st.decimals(allow_nan=False)
    | st.dates()
    | st.datetimes(timezones=st.just(UTC))
)
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(_TEXT, inner),
    max_leaves=20,
)


def _kinds(value: Any) -> Any:
    """Return the types at every level: ``1 == True == 1.0`` would hide a change."""
    members = json_object(value)
    if members is not None:
        return {name: _kinds(each) for name, each in members.items()}
    elements: Any = value if type(value) in {list, tuple} else ()
    return (type(value).__name__, [_kinds(each) for each in elements])


@given(_VALUES)
def test_any_value_comes_back_equal_and_of_the_same_type(value: Any) -> None:
    """Tuples stay tuples, decimals decimals; names used by the format and lone surrogates are preserved, too."""
    arrived = travelled(value)
    assert arrived == value
    assert _kinds(arrived) == _kinds(value)


def test_text_that_is_no_unicode_comes_back_as_it_was() -> None:
    """A lone surrogate, such as in a rejected id, as a value and as a name; the text written is UTF-8 all the same."""
    value = {"\ud800": ["a\udfff", "é"], "plain": "\ud83d"}
    assert travelled(value) == value
    assert loads(dumps(value).encode()) == value


def test_the_text_is_json_that_any_program_reads() -> None:
    """Plain values are written unchanged."""
    assert json.loads(dumps({"found": 3, "ids": ["1"]})) == {
        "kajabi_async": 1,
        "value": {"found": 3, "ids": ["1"]},
        "resources": [],
    }


def test_numbers_that_are_not_finite_are_written_by_name() -> None:
    """JSON has no NaN and no infinity; any other number is written unchanged."""
    assert json.loads(dumps([0.5]))["value"] == [0.5]
    assert math.isnan(travelled(math.nan))
    assert travelled([math.inf, -math.inf]) == [math.inf, -math.inf]


def test_a_time_keeps_its_zone_and_a_decimal_its_digits() -> None:
    """Although equal values may differ in them."""
    time = datetime.fromisoformat("2026-02-01T10:00:00.123456+05:30")
    assert travelled(time).isoformat() == time.isoformat()
    assert str(travelled(Decimal("129.00"))) == "129.00"
    assert travelled(date(2026, 2, 1)) == date(2026, 2, 1)


def test_bytes_are_read_like_text() -> None:
    """Queues return either."""
    assert loads(dumps(["é"]).encode()) == loads(dumps(["é"])) == ["é"]


class _OwnError(KajabiError):
    pass


class _OwnResult(GetOrCreated):
    pass


@pytest.mark.parametrize(
    "value",
    [object(), {1, 2}, b"bytes", ValueError("x"), _OwnError("x"), int, lambda: None, UntypedResource],
    ids=lambda value: type(value).__name__,
)
def test_an_unsupported_type_is_refused(value: Any) -> None:
    """The error names the type and the supported ones."""
    _refused(value)


def _refused(value: Any) -> None:
    name = re.escape(f"{type(value).__module__}.{type(value).__qualname__}")
    with pytest.raises(InvalidArgumentError, match=rf"^{name} cannot be written as JSON: dumps\(\) takes"):
        dumps([value])


def _named_like(cls: type[Any], *arguments: Any, **members: Any) -> Any:
    """Return an instance of a local class with the name of *cls*."""
    return type(cls.__name__, (cls,), {})(*arguments, **members)


@pytest.mark.parametrize(
    "value",
    [
        _named_like(KajabiError, "x"),
        _named_like(NotFoundError, status=404, method="GET", path="/v1/customers/1"),
        _named_like(Progress, given=1, found=1, missing=0, failed=0, duplicates=0),
        _named_like(ErrorObject, title="x"),
        type("Found", (), {})(),
        _named_like(GetOrCreated, contact=None, created=False),
        _OwnResult(build(Contact), created=False),
        _named_like(tuple, [1]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_local_class_is_refused_whatever_its_name(value: Any) -> None:
    """It would arrive as its base class, as its namesake, or not at all."""
    _refused(value)


def test_names_that_are_no_text_are_refused() -> None:
    """JSON would turn 1 into "1"."""
    with pytest.raises(InvalidArgumentError, match="names in an object must be text, not int"):
        dumps({1: "x"})


def test_a_list_that_contains_itself_is_refused() -> None:
    """It has no end."""
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(InvalidArgumentError, match="contains itself"):
        dumps(endless)


def test_a_signaling_nan_is_refused() -> None:
    """Comparing it raises, also within another object."""
    with pytest.raises(InvalidArgumentError, match="signaling NaN"):
        dumps({"price": Decimal("sNaN")})
    assert travelled(Decimal("NaN")).is_nan()
