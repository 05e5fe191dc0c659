import copy
import inspect
import pickle
import re
from typing import Any

import pytest

from kajabi_async import KajabiError, webhooks
from kajabi_async.webhooks import (
    DeliveryTooLargeError,
    MalformedDeliveryError,
    UnknownDeliveryError,
    WebhookError,
    delivery_errors,
)

CLASSES: list[type[WebhookError]] = [
    cls for _, cls in inspect.getmembers(delivery_errors, inspect.isclass) if issubclass(cls, WebhookError)
]


def example(cls: type[Any]) -> WebhookError:
    made: WebhookError
    if cls is DeliveryTooLargeError:
        made = cls(limit=1000)
    elif cls is MalformedDeliveryError:
        made = cls("expected text", path="payload[0].id", event="purchase")
    elif cls is UnknownDeliveryError:
        made = cls(event="offer.created")
    else:
        made = cls("what went wrong")
    return made


@pytest.mark.parametrize("cls", CLASSES)
def test_survives_pickle_and_copy(cls: type[WebhookError]) -> None:
    """With class, text and attributes."""
    error = example(cls)
    for arrived in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert type(arrived) is cls
        assert (str(arrived), vars(arrived), arrived.http_status) == (str(error), vars(error), cls.http_status)


@pytest.mark.parametrize("cls", CLASSES)
def test_is_a_kajabi_error_and_exported(cls: type[WebhookError]) -> None:
    """KajabiError catches each, and the package exports each."""
    assert issubclass(cls, KajabiError)
    assert getattr(webhooks, cls.__name__) is cls
    assert cls.__doc__


def test_is_drawn_with_its_status() -> None:
    """The tree in the docstring of the module has every class with its status."""
    drawn = dict(re.findall(r"── (\w+Error) +(\d{3})", delivery_errors.__doc__ or ""))
    assert drawn == {cls.__name__: str(cls.http_status) for cls in CLASSES if cls is not WebhookError}
    assert set(delivery_errors.__all__) == {cls.__name__ for cls in CLASSES}


def test_the_front_door_is_a_list_in_order() -> None:
    """``__all__`` of the package is sorted and has no duplicates."""
    public = {
        name for name, value in vars(webhooks).items() if not name.startswith("_") and not inspect.ismodule(value)
    }
    assert set(webhooks.__all__) == public
    assert len(webhooks.__all__) == len(public)
