"""Which included resources are a relation's, if sparse fields dropped the linkage that says so."""

from typing import Any, cast

import pytest

from kajabi_async import Customer, Offer, UnknownIncludeError
from kajabi_async.models.names import Fieldsets
from kajabi_async.resources.catalog import Courses
from kajabi_async.resources.people import Customers
from tests.sending import Canned, context, linkage, resource

SPARSE: Fieldsets = {"customers": ["name"]}
SHOW = "/v1/customers/123"


def _answer(*included: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"data": resource("customers", "123", **{"relationships": {}, **members}), "included": list(included)}


def _offer(number: str, *products: str) -> dict[str, Any]:
    return resource("offers", number, relationships={"products": linkage("products", *products)})


def _product(number: str) -> dict[str, Any]:
    return resource("products", number)


def _answering(by_include: dict[str, dict[str, Any]]) -> Canned:
    return Canned(lambda request: by_include[_include(request.query)])


async def _customer(send: Canned, *include: str) -> Customer:
    return await Customers(context(send)).get("123", include=cast("Any", include), fields=SPARSE)


def _include(path: str) -> str:
    return path.partition("include=")[2].partition("&")[0]


async def test_a_product_that_came_with_an_offer_is_never_one_of_the_customer() -> None:
    """``include=products,offers.products`` brings the products of both, and only a request says which are whose."""
    both = _answer(_product("1"), _offer("7", "2"), _product("2"))
    send = _answering({"products": _answer(_product("1")), "products,offers.products": both})
    customer = await _customer(send, "products", "offers.products")
    assert customer.products.ids is None
    assert [product.id for product in await customer.products] == ["1"]
    assert [_include(path) for path in send.paths] == ["products,offers.products", "products"]


async def test_a_server_that_includes_more_than_requested_does_not_mislead() -> None:
    """Products that a resource which was not requested links to stay with it."""
    send = Canned({SHOW: _answer(_product("1"), _offer("7", "2"), _product("2"))})
    customer = await _customer(send, "products", "offers.products")
    assert [product.id for product in await customer.products] == ["1"]


async def test_offers_of_a_nested_include_are_the_customers() -> None:
    """``include=offers.products`` includes the offers as well, and only the customer's."""
    send = Canned({SHOW: _answer(_offer("7", "2"), _product("2"))})
    customer = await _customer(send, "offers.products")
    (offer,) = await customer.offers
    assert isinstance(offer, Offer)
    assert [product.id for product in await offer.products] == ["2"]
    assert len(send.paths) == 1


async def test_products_that_an_offer_has_too_stay_the_customers() -> None:
    """With ``include=offers,products`` each product came along the path of the customer, whatever else links to it."""
    send = Canned({SHOW: _answer(_product("1"), _product("2"), _offer("7", "2"))})
    customer = await _customer(send, "offers", "products")
    assert customer.products.ids == ("1", "2")
    assert customer.offers.ids == ("7",)


async def test_offers_of_the_contact_are_never_those_of_the_customer() -> None:
    """The same at depth two, where the step between has another type."""
    contact = resource("contacts", "321", relationships={"offers": linkage("offers", "8")})
    both = _answer(_offer("7"), contact, _offer("8"))
    send = _answering({"offers": _answer(_offer("7")), "offers,contact.offers": both})
    customer = await _customer(send, "offers", "contact.offers")
    assert [offer.id for offer in await customer.offers] == ["7"]


async def test_two_resources_never_fill_a_relation_to_one() -> None:
    """Two contacts came for one customer: the relation stays unknown."""
    send = Canned({SHOW: _answer(resource("contacts", "321"), resource("contacts", "322"))})
    customer = await _customer(send, "contact")
    assert customer.contact.ids is None


def _course(*included: dict[str, Any]) -> dict[str, Any]:
    lessons = linkage("lessons", *(each["id"] for each in included if each["type"] == "lessons"))
    return {"data": resource("courses", "1", relationships={"lessons": lessons}), "included": list(included)}


def _media(number: str) -> dict[str, Any]:
    return resource("media", number, attributes={"duration_in_minutes": 1.5})


async def test_every_media_that_was_included_is_the_courses() -> None:
    """The documented answer links no lesson to its media; the course they came with is all that is certain."""
    lessons = [resource("lessons", "7", relationships={"media": linkage("media", "20")}), resource("lessons", "8")]
    send = Canned({"/v1/courses/1": _course(*lessons, _media("20"), _media("21"))})
    course = await Courses(context(send)).get("1", include=["modules", "lessons", "lessons.media", "offers"])
    assert [media.duration_in_minutes for media in await course.media] == [1.5, 1.5]
    first, second = await course.lessons
    assert [media.id for media in await first.media] == ["20"]
    assert second.media.ids is None
    assert len(send.paths) == 1


async def test_the_media_of_a_course_are_requested_along_its_lessons() -> None:
    """One request for all that await them, and none again if there are none."""
    send = _answering({"": _course(), "lessons.media": _course(resource("lessons", "7"), _media("20"))})
    course = await Courses(context(send)).get("1")
    assert course.media.ids is None
    assert [media.id for media in await course.media] == ["20"]
    assert [media.id for media in await course.media] == ["20"]
    assert [_include(path) for path in send.paths] == ["", "lessons.media"]
    send = _answering({"lessons.media": _course(resource("lessons", "7"))})
    course = await Courses(context(send)).get("1", include="lessons.media")
    assert course.media.ids == ()


async def test_media_is_no_include_of_a_course() -> None:
    """The API knows the path alone."""
    with pytest.raises(UnknownIncludeError):
        await Courses(context(Canned({}))).get("1", include="media")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
