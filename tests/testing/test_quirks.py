"""The fake can behave either way where the live server is believed to differ from its document."""

from typing import Any

import pytest

from kajabi_async import Course, Kajabi, UnprocessableEntityError
from kajabi_async.models.names.catalog import CourseInclude
from kajabi_async.testing import FakeKajabi, Quirks

CONTACT, EMAIL = "2150000001", "ada.new@example.com"


def _api(fake: FakeKajabi) -> Kajabi:
    return Kajabi(client_id=fake.client_id, client_secret=fake.client_secret, base_url=fake.base_url, site_id="1")


async def _ids(pages: Any) -> set[str]:
    return {row.id for row in await pages.collect()}


async def test_gte_is_ignored_and_gteq_honoured() -> None:
    """The server's library does so; a test that passes here must not fail there."""
    async with FakeKajabi(customers=40) as fake, _api(fake) as api:
        every = await _ids(api.purchases.list())
        dear = await _ids(api.purchases.list(amount_in_cents_gteq=9700))
        assert dear < every
        assert await _ids(api.purchases.list(amount_in_cents_gte=9700)) == every
    async with FakeKajabi(customers=40, quirks=Quirks(gte="honoured")) as fake, _api(fake) as api:
        assert await _ids(api.purchases.list(amount_in_cents_gte=9700)) == dear


async def test_a_filter_takes_the_first_of_values_with_commas() -> None:
    """The library splits every value; a predicate for one value takes the first."""
    async with FakeKajabi(customers=5) as fake, _api(fake) as api:
        first = await api.offers.list().first()
        assert first is not None
        filters = {"title_cont": [first.title, "no such title"]}
        assert first.id in await _ids(api.offers.list(extra_filters=filters))


async def test_the_search_learns_of_a_contact_later_than_the_list() -> None:
    """The delay is ``search_lag`` in the fake's time; ``thorough`` does not depend on it."""
    async with FakeKajabi(customers=5, quirks=Quirks(search_lag=0.8)) as fake, _api(fake) as api:
        made = await api.contacts.create(email=EMAIL)
        assert await api.contacts.find_by_email(EMAIL) is None
        assert (await api.contacts.find_by_email(EMAIL, thorough=True)) == made
        fake.clock.jump(1.0)
        assert (await api.contacts.find_by_email(EMAIL)) == made


async def test_some_are_never_found_by_the_search() -> None:
    """Their email is still taken."""
    async with FakeKajabi(customers=5, quirks=Quirks(unsearchable=frozenset({EMAIL}))) as fake, _api(fake) as api:
        made = await api.contacts.create(email=EMAIL)
        assert await api.contacts.find_by_email(EMAIL) is None
        assert await api.contacts.get_or_create(email=EMAIL) == (made, False)


@pytest.mark.parametrize("lag", [0.8, float("inf")])
async def test_with_double_opt_in_a_form_makes_its_contact_later(lag: float) -> None:
    """The contact is created when the opt-in is confirmed, if ever."""
    async with FakeKajabi(customers=5, quirks=Quirks(opt_in="double", opt_in_lag=lag)) as fake, _api(fake) as api:
        submission = await api.forms.submit("default", name="Ada", email=EMAIL)
        assert submission.email == EMAIL
        assert [effect.email for effect in fake.effects if effect.kind == "opt_in_email"] == [EMAIL]
        assert await api.contacts.find_by_email(EMAIL, thorough=True) is None
        fake.clock.jump(1.0)
        found = await api.contacts.find_by_email(EMAIL, thorough=True)
        assert (found is not None) is (lag < 1.0)
        assert found is None or found.subscribed


async def test_writes_to_a_relation_may_be_answered_with_nothing() -> None:
    """204 is success; the client still returns the linkage."""
    async with FakeKajabi(customers=5, quirks=Quirks(linkage_writes="no content")) as fake, _api(fake) as api:
        tags = [tag.id for tag in await api.contact_tags.list().collect()][:2]
        assert await api.contacts.replace_tags(CONTACT, tags[:1]) == (tags[0],)
        assert await api.contacts.add_tags(CONTACT, tags[1:]) == tuple(tags)
        assert await api.contacts.remove_tags(CONTACT, tags[:1]) == (tags[1],)


async def test_adding_what_is_there_may_be_refused() -> None:
    """The 422 says "already", for tags and offers alike."""
    async with FakeKajabi(customers=5, quirks=Quirks(already="refused")) as fake, _api(fake) as api:
        tag, *_ = [tag.id for tag in await api.contact_tags.list().collect()]
        await api.contacts.replace_tags(CONTACT, [tag])
        with pytest.raises(UnprocessableEntityError, match="already"):
            await api.contacts.add_tags(CONTACT, [tag])
        assert await api.contacts.add_tags(CONTACT, [tag], verify=True) == (tag,)
        await api.contacts.replace_offers(CONTACT, ["1"])
        with pytest.raises(UnprocessableEntityError, match="already"):
            await api.contacts.grant_offers(CONTACT, ["1"])


async def test_granting_again_does_not_restore_what_was_deactivated() -> None:
    """One integrator has to revoke first; ``restores`` is the other behaviour."""
    async with FakeKajabi(customers=20) as fake, _api(fake) as api:
        purchase = await _active_purchase(api)
        customer, offer = purchase.customer.id or "", purchase.offer.id or ""
        await api.purchases.deactivate(purchase.id)
        assert offer not in await api.customers.grant_offers(customer, [offer])
        await api.customers.revoke_offers(customer, [offer])
        assert offer in await api.customers.grant_offers(customer, [offer])
    async with FakeKajabi(customers=20, quirks=Quirks(regrant="restores")) as fake, _api(fake) as api:
        await api.purchases.deactivate(purchase.id)
        assert offer in await api.customers.grant_offers(customer, [offer])


async def _active_purchase(api: Kajabi) -> Any:
    purchases = await api.purchases.list(active=True).collect()
    for each in purchases:
        if len(await _others(api, each)) == 1:
            return each
    raise AssertionError("no customer bought an offer just once")


async def _others(api: Kajabi, purchase: Any) -> list[Any]:
    mine = await api.purchases.list(customer_id=purchase.customer.id).collect()
    return [each for each in mine if each.offer.id == purchase.offer.id]


async def test_a_purchase_whose_end_lies_ahead_is_active() -> None:
    """``deactivated_at`` may be in the future."""
    async with FakeKajabi(customers=5) as fake, _api(fake) as api:
        attributes = {"deactivated_at": "2099-01-01T00:00:00Z"}
        fake.add({"type": "purchases", "id": "900", "attributes": attributes, "relationships": {}})
        assert "900" in await _ids(api.purchases.list(active=True))
        assert "900" not in await _ids(api.purchases.list(deactivated=True))
        fake.clock.jump(80 * 365 * 86_400.0)
        assert "900" in await _ids(api.purchases.list(deactivated=True))


@pytest.mark.parametrize(("ends", "former"), [("2099-01-01T00:00:00Z", set[str]()), ("2020-01-01T00:00:00Z", {"5"})])
async def test_a_product_is_no_former_one_before_its_end(ends: str, former: set[str]) -> None:
    """A purchase that ends in the future has not ended."""
    async with FakeKajabi(customers=5) as fake, _api(fake) as api:
        linkage = {
            "customer": {"data": {"type": "customers", "id": "5"}},
            "products": {"data": [{"type": "products", "id": "900"}]},
        }
        fake.add({"type": "products", "id": "900", "attributes": {}})
        fake.add({"type": "purchases", "id": "900", "attributes": {"deactivated_at": ends}, "relationships": linkage})
        assert await _ids(api.customers.list(previously_owned_product_id="900")) == former


@pytest.mark.parametrize("place", ["document", "data"])
async def test_what_a_course_includes_may_stand_inside_of_it(place: Any) -> None:
    """The API document prints it inside ``data``."""
    async with FakeKajabi(customers=5, quirks=Quirks(course_included=place)) as fake, _api(fake) as api:
        include: tuple[CourseInclude, ...] = ("modules", "lessons", "lessons.media")
        raw = await api.request("GET", "/v1/courses/1", params={"include": ",".join(include)})
        assert ("included" in raw, "included" in raw["data"]) == (place == "document", place == "data")
        course: Course = await api.courses.get("1", include=include)
        sent = fake.counts["courses.get"]
        assert await course.lessons
        assert await course.media
        assert fake.counts["courses.get"] == sent
