"""A resource is no dict, no sequence and nothing to fill or change; each attempt names the cure."""

import copy
import inspect
import json
import operator
import pickle
import sys
from collections.abc import Callable
from typing import Any, SupportsInt

import attrs
import pytest

from kajabi_async import Customer
from tests.models.building import build

MISTAKES: list[tuple[Callable[[Any], object], str]] = [
    (dict, "a Customer is not a dict: write .to_dict()"),
    (vars, "a Customer is not a dict: write .to_dict()"),
    (iter, "a Customer is not a dict: write .to_dict()"),
    (list, "a Customer is not a dict: write .to_dict()"),
    (operator.itemgetter("name"), "write .name, or .to_dict()['name']"),
    (operator.itemgetter(0), "a Customer is not a dict: write .to_dict()"),
    (lambda it: "name" in it, "a Customer is not a dict: write .to_dict()"),
    (attrs.asdict, "a Customer is turned into a dict by .to_dict()"),
    (attrs.astuple, "a Customer is turned into a dict by .to_dict()"),
    (lambda it: attrs.evolve(it, name="Eve"), "Customer() takes no arguments: it is what an answer of the API said"),
    (lambda it: type(it)(), "write with the create() or update() of the client"),
    (lambda it: type(it)(id="1", name="Eve"), "write with the create() or update() of the client"),
    (json.dumps, "Customer (call .to_dict() on it first)"),
    (lambda it: json.dumps([it]), "Customer (call .to_dict() on it first)"),
    (lambda it: json.dumps({"customer": it}, indent=2), "Customer (call .to_dict() on it first)"),
]
if sys.version_info >= (3, 13):
    MISTAKES.append((lambda it: copy.replace(it, name="Eve"), "Customer() takes no arguments: it is what an answer"))
ABSENT: list[tuple[str, str]] = [
    *((name, "call .to_dict()") for name in ("items", "keys", "get", "dict", "json", "model_dump", "attributes")),
    *((name, "api.contacts.update(id") for name in ("save", "update", "delete")),
    *((name, "await api.customers.get(id)") for name in ("refresh", "reload")),
]


@pytest.mark.parametrize("attributes", [{"name": "Ada"}, {}], ids=["loaded", "not loaded"])
@pytest.mark.parametrize(("mistake", "cure"), MISTAKES)
def test_a_mistake_names_the_cure(mistake: Callable[[Any], object], cure: str, attributes: dict[str, Any]) -> None:
    """It is a TypeError, as for any object without the operation, whether or not all attributes are loaded."""
    with pytest.raises(TypeError) as caught:
        mistake(build(Customer, attributes))
    assert cure in str(caught.value)


@pytest.mark.parametrize(("name", "cure"), ABSENT)
def test_methods_of_other_libraries_name_the_cure(name: str, cure: str) -> None:
    """Of dicts, pydantic models and active records; it is an AttributeError."""
    with pytest.raises(AttributeError) as caught:
        getattr(build(Customer), name)
    assert cure in str(caught.value)


def test_nothing_is_deleted() -> None:
    """An attribute is what the server said."""
    customer = build(Customer, {"name": "Ada"})
    with pytest.raises(AttributeError, match=r"Customer\.name .* cannot be deleted"):
        del customer.name  # pyright: ignore[reportAttributeAccessIssue]
    assert customer.name == "Ada"


def test_tools_that_look_at_objects_are_not_disturbed() -> None:
    """A resource is true, can be copied and pickled, and has the attributes of any object without a dict."""
    customer = build(Customer, {"name": "Ada"})
    assert bool(customer)
    assert not hasattr(customer, "__dict__")
    assert "name" in dir(customer)
    assert ("name", "Ada") in inspect.getmembers(customer)
    assert inspect.getattr_static(customer, "name") is not None
    assert not isinstance(customer, SupportsInt)
    assert pickle.loads(pickle.dumps(customer)) == copy.copy(customer) == copy.deepcopy(customer) == customer
    assert type(customer).__name__ == "Customer"
    assert not any("as_dict_by_attrs" in getattr(cls, "__slots__", ()) for cls in type(customer).__mro__)
