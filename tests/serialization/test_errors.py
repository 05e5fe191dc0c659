"""Every error of the SDK is restored with its class, text and attributes."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajabi_async import errors
from kajabi_async.errors import ErrorObject, KajabiError
from kajabi_async.webhooks import delivery_errors
from tests.serialization.travelling import travelled
from tests.test_errors import CLASSES, attributes, example

WEBHOOK_ERRORS: list[KajabiError] = [
    delivery_errors.WebhookError("what went wrong"),
    delivery_errors.WrongSecretError("no such path"),
    delivery_errors.DeliveryTooLargeError(limit=1024),
    delivery_errors.MalformedDeliveryError("no list", path="payload", event="purchase"),
    delivery_errors.UnknownDeliveryError(event=None),
    delivery_errors.DeliveryInProgressError("it is being handled"),
    delivery_errors.ReplayGuardUnavailableError("Redis is away"),
]
_TEXT = st.text(max_size=20)
_OBJECTS = st.builds(
    ErrorObject,
    status=_TEXT | st.none(),
    title=_TEXT | st.none(),
    source=st.none() | st.dictionaries(_TEXT, _TEXT),
    meta=st.none() | st.dictionaries(_TEXT, st.lists(st.integers() | _TEXT)),
)
_STATUS_CLASSES = [cls for cls in CLASSES if issubclass(cls, errors.ApiError) and cls is not errors.PausedError]


def _made(cls: type[Any], **members: Any) -> KajabiError:
    made: KajabiError = cls(**members)
    return made


_API_ERRORS = st.builds(
    _made,
    st.sampled_from(_STATUS_CLASSES),
    status=st.integers(400, 599),
    errors=st.lists(_OBJECTS, max_size=3),
    method=st.sampled_from(["GET", "POST"]),
    path=_TEXT,
    request_id=st.none() | _TEXT,
    retry_after=st.none() | st.floats(0, 1e6),
    hint=_TEXT,
)


@pytest.mark.parametrize("cls", CLASSES)
def test_every_error_arrives_as_it_left(cls: type[KajabiError]) -> None:
    """Class, text, arguments, attempts, whether a write may have been applied, and notes."""
    error = example(cls).sent(attempts=3, maybe_applied=True, gave_up="deadline")
    error.add_note("chunk 12")
    arrived = travelled(error)
    assert type(arrived) is cls
    assert attributes(arrived) == attributes(error)
    assert arrived.__notes__ == ["chunk 12"]


@pytest.mark.parametrize("error", WEBHOOK_ERRORS, ids=lambda error: type(error).__name__)
def test_every_error_of_a_delivery_arrives_as_it_left(error: KajabiError) -> None:
    """With the status to answer with."""
    arrived = travelled(error)
    assert type(arrived) is type(error)
    assert attributes(arrived) == attributes(error)


def test_no_error_of_a_delivery_is_left_out() -> None:
    """A new class must be added to this test."""
    assert [type(error).__name__ for error in WEBHOOK_ERRORS] == [*_drawn(delivery_errors.__doc__)]


def _drawn(drawing: str | None) -> list[str]:
    return re.findall(r"── (\w+Error)", drawing or "")


@given(_API_ERRORS, st.integers(1, 9), st.booleans(), st.sampled_from(["final", "write", "attempts", "budget"]))
def test_an_answer_of_the_api_keeps_its_text(
    error: KajabiError, attempts: int, maybe_applied: bool, gave_up: Any
) -> None:
    """Whatever the server sent."""
    error.sent(attempts=attempts, maybe_applied=maybe_applied, gave_up=gave_up)
    arrived = travelled(error)
    assert type(arrived) is type(error)
    assert attributes(arrived) == attributes(error)


def test_an_error_that_arrived_can_be_raised_and_caught_like_any_other() -> None:
    """By its own class and by its builtin one."""
    arrived = travelled(errors.RequestTimeoutError("no answer", phase="queue", seconds=2.0, method="GET", path="/v1/x"))
    with pytest.raises(TimeoutError, match="no answer") as caught:
        raise arrived
    assert isinstance(caught.value, errors.RequestTimeoutError)
    assert caught.value.never_sent
