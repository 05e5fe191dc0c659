"""Absent is not null is not empty."""

import copy
import pickle
from collections.abc import Callable

import pytest

from kajabi_async import Contact, Customer, FieldNotLoadedError
from kajabi_async.jsonapi.query import Query
from kajabi_async.models.origin import Scope
from tests.models.building import build, read


def _through_pickle(customer: Customer) -> Customer:
    travelled: Customer = pickle.loads(pickle.dumps(customer))
    return travelled


def test_an_attribute_that_did_not_come_raises_and_names_itself() -> None:
    """Reading it raises an AttributeError of the tree that names the resource and the attribute."""
    customer = build(Customer, {"name": "Ada"})
    with pytest.raises(FieldNotLoadedError, match="customers 1 came without 'email'") as caught:
        _ = customer.email
    assert isinstance(caught.value, AttributeError)
    assert caught.value.name == "email"


def test_the_error_names_the_sparse_fieldset_if_that_is_why() -> None:
    """It says to add the name to fields=."""
    scope = Scope(Query(fields={"customers": ("name",)}))
    customer = build(Customer, {"name": "Ada"}, scope=scope)
    with pytest.raises(FieldNotLoadedError, match=r"fields\[customers\]=name; add 'email'"):
        _ = customer.email


def test_null_is_none_and_raises_nothing() -> None:
    """A null attribute is an answer."""
    assert build(Customer, {"email": None}).email is None


def test_has_attr_and_getattr_with_a_default_treat_it_as_missing() -> None:
    """FieldNotLoadedError is an AttributeError, so the built-ins work as on any object."""
    customer = build(Customer, {"name": "Ada"})
    assert not hasattr(customer, "email")
    assert getattr(customer, "email", "unknown") == "unknown"


def test_repr_shows_what_is_absent_as_nothing() -> None:
    """A repr never raises."""
    assert "email=NOTHING" in repr(build(Customer, {"name": "Ada"}))


def test_a_misspelt_attribute_suggests_the_nearest_name() -> None:
    """It is an AttributeError and no FieldNotLoadedError: there is no such attribute."""
    with pytest.raises(AttributeError, match="did you mean 'net_revenue'") as caught:
        getattr(build(Customer), "net_revenu")  # noqa: B009 - type checkers refuse it otherwise
    assert not isinstance(caught.value, FieldNotLoadedError)


def test_an_attribute_the_sdk_does_not_know_is_kept_in_extra() -> None:
    """What Kajabi adds tomorrow can be read today."""
    customer = build(Customer, {"name": "Ada", "mood": {"today": "fine"}})
    assert customer.extra == {"mood": {"today": "fine"}}
    with pytest.raises(AttributeError, match=r"read \.extra\['mood'\]"):
        getattr(customer, "mood")  # noqa: B009 - type checkers refuse it otherwise


def test_attributes_cannot_be_set() -> None:
    """Setting one would change nothing at Kajabi, so it is refused with the cure."""
    customer = build(Customer, {"name": "Ada"})
    with pytest.raises(AttributeError, match=r"update\(\)"):
        customer.name = "Eve"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    assert customer.name == "Ada"


def test_resources_are_equal_by_type_and_id() -> None:
    """Two readings of one record are one record; a contact with the same id is another one."""
    assert build(Customer, {"name": "Ada"}) == build(Customer, {"name": "Eve"})
    assert len({build(Customer), build(Customer), build(Contact)}) == 2


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, _through_pickle])
def test_copies_and_pickles_keep_absence_linkage_and_what_was_included(
    duplicate: Callable[[Customer], Customer],
) -> None:
    """A resource travels between processes with all that is known of it, cycles included."""
    document = {
        "data": {
            "type": "customers",
            "id": "1",
            "attributes": {"name": "Ada", "email": None, "mood": 1},
            "relationships": {"contact": {"data": {"type": "contacts", "id": "7"}}},
            "links": {"self": "/v1/customers/1"},
            "meta": {"seen": True},
        },
        "included": [
            {
                "type": "contacts",
                "id": "7",
                "attributes": {"name": "Ada", "custom_2": "blue"},
                "relationships": {"customer": {"data": {"type": "customers", "id": "1"}}},
            }
        ],
    }
    twin = duplicate(read(Customer, document))
    assert (twin.name, twin.email, twin.extra) == ("Ada", None, {"mood": 1})
    assert not hasattr(twin, "avatar")
    assert twin.contact.ids == ("7",)
    assert twin.contact.loaded
    assert twin.offers.ids is None
    assert (twin.origin.links, twin.origin.meta) == ({"self": "/v1/customers/1"}, {"seen": True})
