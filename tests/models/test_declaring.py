"""A class of resources as it is declared: by the package, and by its users."""

import json
from collections.abc import Generator

import pytest

from kajabi_async import Contact, Customer, FieldNotLoadedError, Resource
from kajabi_async.decoding.answers import read_page
from kajabi_async.jsonapi.linkage import Identifier
from kajabi_async.models.origin import Scope
from kajabi_async.models.relations import ToManyRelation, ToOneRelation
from kajabi_async.models.resource import MODELS, also_called, attribute_names, model
from tests.models.building import build


@pytest.fixture
def gadget() -> Generator[type[Resource]]:
    """Declare a class as a user would."""

    class Base(Resource):
        maker = ToOneRelation["Contact"]("contacts")

    @model("gadgets")
    class Gadget(Base):
        size: int | None
        title: str | None = also_called("name", "label")
        parts = ToManyRelation["Resource"]("parts", includable=True)

    yield Gadget
    del MODELS["gadgets"]


def test_a_class_is_known_by_its_type(gadget: type[Resource]) -> None:
    """Whatever comes with that type is of the class."""
    assert MODELS["gadgets"] is gadget
    assert gadget.resource_type == "gadgets"
    assert build(gadget).identifier == Identifier("gadgets", "1")


def test_a_class_may_have_no_attributes() -> None:
    """What comes is unknown then, in an answer of one and in a page."""

    @model("widgets")
    class Widget(Resource):
        pass

    row = {"type": "widgets", "id": "1", "attributes": {"size": 4}}
    try:
        page = read_page(json.dumps({"data": [row]}).encode(), cls=Widget, scope=Scope(), context="GET /v1/widgets")
        read = [build(Widget, row["attributes"]), *page.rows]
    finally:
        del MODELS["widgets"]
    assert [(type(each), dict(each.extra)) for each in read if isinstance(each, Widget)] == [(Widget, {"size": 4})] * 2


def test_annotations_are_attributes_and_descriptors_relations(gadget: type[Resource]) -> None:
    """With other names that an attribute goes by, and relations of classes that it is derived from."""
    assert dict(attribute_names(gadget)) == {"id": (), "size": (), "title": ("name", "label")}
    assert {name: (each.name, each.resource_type, each.includable) for name, each in gadget.relations.items()} == {
        "maker": ("maker", "contacts", False),
        "parts": ("parts", "parts", True),
    }
    assert build(gadget, {"label": "Lamp", "size": "4"}).loaded_attributes() == {"size": 4, "title": "Lamp"}


def test_an_instance_is_what_the_server_said(gadget: type[Resource]) -> None:
    """It is not made by hand, not changed and not compared by its attributes; each class says so with its own name."""
    lamp = build(gadget, {"size": 4})
    with pytest.raises(TypeError, match="argument"):
        gadget("1")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # the point
    with pytest.raises(AttributeError, match=r"^Gadget\.size is what the server said and cannot be set; write with"):
        lamp.size = 5  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]  # the point
    assert lamp == build(gadget, {"size": 5})
    assert hash(lamp) == hash(build(gadget, {"size": 5})) != hash(build(gadget, id="2"))
    assert repr(lamp) == "Gadget(id='1', size=4, title=NOTHING)"
    assert not hasattr(build(Customer), "__dict__")


def test_a_resource_is_equal_to_nothing_else() -> None:
    """Nor to its own identifier."""
    assert build(Customer) != Identifier("customers", "1")
    assert build(Customer) != build(Contact)


def test_what_was_never_filled_says_so() -> None:
    """Such as one made without an answer, by a library that goes past the class."""
    with pytest.raises(FieldNotLoadedError, match=r"^this Customer was never filled$") as caught:
        _ = Customer.__new__(Customer).id
    assert caught.value.name == "id"
