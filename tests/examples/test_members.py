from typing import Any

import pytest

from kajabi_async.testing import FakeKajabi
from tests.examples.conftest import App
from tests.examples.serving import SECRET
from tests.webhooks.deliveries import delivery, row

pytestmark = pytest.mark.asyncio(loop_scope="session")

NOT_YOURS = {"detail": "This product is not yours."}
NOT_A_MEMBER = {"detail": "This page is for members."}


async def test_the_member_page_takes_one_request(app: App) -> None:
    """It shows the customer with the titles of all offers and products, which are included."""
    page = ""
    for _ in range(2):
        # The first visit also asks whether the customer is a member.
        app.fake.reset_counts()
        async with app.visitor.get("/members/7") as answer:
            assert (answer.status, answer.content_type) == (200, "text/html")
            page = await answer.text()
    assert app.fake.counts == {"customers.get": 1}
    linked = [*_linked(app.fake, "7", "offers"), *_linked(app.fake, "7", "products")]
    assert linked
    assert all(each["attributes"]["title"] in page for each in linked)


async def test_what_people_typed_is_escaped(app: App) -> None:
    """Names and titles add only text to the page."""
    _put(app.fake, "customers", "hostile", {"name": "<script>alert(1)</script>"}, offers=["hostile"])
    _put(app.fake, "offers", "hostile", {"title": "</li><img src=x>", "currency": "<b>", "price_in_cents": 1250})
    async with app.visitor.get("/members/hostile") as answer:
        page = await answer.text()
    assert "<h1>&lt;script&gt;alert(1)&lt;/script&gt;</h1>" in page
    assert "<li>&lt;/li&gt;&lt;img src=x&gt;: 12.50 &lt;b&gt;</li>" in page
    assert not any(tag in page for tag in ("<script", "<img", "<b>"))


async def test_a_customer_without_offers_and_name_has_a_page(app: App) -> None:
    """Empty and null values from Kajabi are no error."""
    _put(app.fake, "products", "plain", {"title": None})
    _put(app.fake, "customers", "nameless", {"name": None}, products=["plain"])
    async with app.visitor.get("/members/nameless") as answer:
        assert answer.status == 200
        page = await answer.text()
    assert "<h1>Member</h1><h2>Offers</h2><ul></ul><h2>Products</h2><ul><li>Untitled</li></ul>" in page


async def test_a_customer_without_any_access_is_turned_away(app: App) -> None:
    """As one that does not exist: the answer does not reveal who is known."""
    _put(app.fake, "customers", "empty", {"name": "Empty"})
    for customer_id in ("empty", "nobody"):
        async with app.visitor.get(f"/members/{customer_id}") as answer:
            assert (answer.status, await answer.json()) == (403, NOT_A_MEMBER)


async def test_while_it_is_not_known_who_may_in_visitors_are_asked_to_come_back(app: App) -> None:
    """Neither in nor away: the text does not send a member to the checkout."""
    app.fake.fail("purchases.list", status=422, times=None)
    app.fake.fail("customers.get", status=422, times=None)
    for path in ("/members/31", "/members/32/products/1"):
        async with app.visitor.get(path) as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (503, "30")
            assert "You have not lost anything" in (await answer.json())["detail"]


async def test_no_cache_keeps_the_page_of_a_person(app: App) -> None:
    """A shared proxy must not show one member's page to another."""
    async with app.visitor.get("/members/7") as answer:
        assert answer.headers["Cache-Control"] == "private, no-store"


async def test_a_product_is_shown_to_its_owner(app: App) -> None:
    """The customer's products decide about access."""
    product = _linked(app.fake, "7", "products")[0]
    async with app.visitor.get(f"/members/7/products/{product['id']}") as answer:
        assert answer.status == 200
        shown = await answer.json()
    assert shown == {"id": product["id"], **{name: product["attributes"][name] for name in ("title", "description")}}


async def test_a_product_of_others_is_refused_like_one_that_does_not_exist(app: App) -> None:
    """The answer does not reveal which products exist."""
    own = {product["id"] for product in _linked(app.fake, "7", "products")}
    foreign = next(id_ for id_ in map(str, range(1, 31)) if id_ not in own and app.fake.resource("products", id_))
    for product_id in (foreign, "no-such-product"):
        async with app.visitor.get(f"/members/7/products/{product_id}") as answer:
            assert (answer.status, await answer.json()) == (403, NOT_YOURS)


async def test_a_product_that_was_taken_away_is_refused_once_kajabi_says_so(app: App) -> None:
    """Within a minute by itself, and at once after a delivery that names the customer."""
    _put(app.fake, "products", "lent", {"title": "Lent", "description": None})
    _put(app.fake, "customers", "borrower", {"name": "Borrower"}, products=["lent"])
    for taken, is_noticed, status in ((False, False, 200), (True, False, 200), (True, True, 403)):
        if taken:
            _put(app.fake, "customers", "borrower", {"name": "Borrower"})
        if is_noticed:
            customer = row("customers", "borrower", {"email": "borrower@example.com"})
            body = delivery("payment_succeeded", [row("transactions", "1", customer="customers:borrower"), customer])
            async with app.visitor.post(f"/webhooks/{SECRET}", data=body) as answer:
                assert answer.status == 200
        async with app.visitor.get("/members/borrower/products/lent") as answer:
            assert answer.status == status


def _linked(fake: FakeKajabi, customer_id: str, relation: str) -> list[dict[str, Any]]:
    customer = fake.resource("customers", customer_id)
    assert customer is not None
    found = [fake.resource(each["type"], each["id"]) for each in customer["relationships"][relation]["data"]]
    return [each for each in found if each is not None]


def _put(fake: FakeKajabi, type_name: str, id_: str, attributes: dict[str, Any], **related: list[str]) -> None:
    relations = {"offers": [], "products": [], **related} if type_name == "customers" else related
    relationships = {name: {"data": [{"type": name, "id": each} for each in ids]} for name, ids in relations.items()}
    fake.add({"type": type_name, "id": id_, "attributes": attributes, "relationships": relationships})
