"""Submitting forms; ending, restoring and cancelling purchases."""

from typing import Any

import pytest

from kajabi_async.testing import FakeKajabi
from tests.testing.caller import Caller


def _submission(**attributes: Any) -> dict[str, Any]:
    return {"data": {"type": "form_submissions", "attributes": attributes}}


def _ids(resource: Any, relation: str) -> list[str]:
    return [entry["id"] for entry in resource["relationships"][relation]["data"]]


async def _generous_form(call: Caller) -> Any:
    """Return a form with both an offer and tags."""
    for form in await call.all_pages("/v1/forms"):
        if "offer" in form["relationships"] and _ids(form, "contact_tags"):
            return form
    raise AssertionError


async def test_a_submission_is_stored_and_makes_a_contact_with_the_forms_tags_and_offer(
    fake: FakeKajabi, call: Caller
) -> None:
    """The contact is subscribed, has the offer and the tags, and got an email."""
    form = await _generous_form(call)
    body = _submission(name="Nia Park", email="Nia@example.org", phone_number="555", custom_1="Winter")
    got = await call.post(f"/v1/forms/{form['id']}/submit", body)
    assert (got.status, got.data["type"]) == (201, "form_submissions")
    assert got.data["attributes"]["email"] == "nia@example.org"
    shown = await call.get(f"/v1/form_submissions/{got.data['id']}?include=form,site")
    assert shown.included == [("forms", form["id"]), ("sites", "1")]
    listed = await call.get(f"/v1/form_submissions?filter[form_id]={form['id']}&sort=-created_at")
    assert listed.ids[0] == got.data["id"]
    (contact,) = (await call.get("/v1/contacts?filter[search]=nia@example.org&include=tags,offers")).data
    assert (contact["attributes"]["subscribed"], contact["attributes"]["phone_number"]) == (True, "555")
    assert _ids(contact, "tags") == _ids(form, "contact_tags")
    assert _ids(contact, "offers") == [form["relationships"]["offer"]["data"]["id"]]
    kinds = [effect.kind for effect in fake.effects]
    assert kinds[0] == "opt_in_email"
    assert {"tag_added", "offer_granted", "welcome_email", "automation"} <= set(kinds)
    assert fake.customer_id_of(contact["id"]) == "61"


async def test_a_known_person_submits_without_becoming_another(fake: FakeKajabi, call: Caller) -> None:
    """The person is identified by email within the site; the second submission is a second row."""
    known = fake.resource("contacts", "2150000012")
    assert known
    before = (await call.get("/v1/contacts")).document["meta"]["total_count"]
    for _ in range(2):
        await call.post("/v1/forms/1/submit", _submission(name="Again", email=known["attributes"]["email"]))
    assert (await call.get("/v1/contacts")).document["meta"]["total_count"] == before
    assert (await call.get("/v1/form_submissions")).document["meta"]["total_count"] == 52
    assert "2150000012" in (await call.get("/v1/contacts?filter[submitted_form_id]=1&page[size]=100")).ids


async def test_default_stands_for_the_default_form(call: Caller) -> None:
    """``default`` works for reading and submitting."""
    shown = await call.get("/v1/forms/default?include=fields")
    assert (shown.data["attributes"]["default"], shown.data["id"]) == (True, "1")
    got = await call.post("/v1/forms/default/submit", _submission(name="Nia", email="nia@example.org"))
    assert got.data["relationships"]["form"]["data"]["id"] == "1"


async def test_without_forms_default_is_a_404(fake: FakeKajabi, call: Caller) -> None:
    """No form can be the default one."""
    for number in range(1, 7):
        fake.remove("forms", str(number))
    assert (await call.get("/v1/forms/default")).status == 404


@pytest.mark.parametrize(
    ("attributes", "pointer"),
    [
        ({"email": "nia@example.org"}, "/data/attributes/name"),
        ({"name": " ", "email": "nia@example.org"}, "/data/attributes/name"),
        ({"name": "Nia"}, "/data/attributes/email"),
        ({"name": "Nia", "email": "nonsense"}, "/data/attributes/email"),
    ],
)
async def test_name_and_email_are_needed(
    fake: FakeKajabi, call: Caller, attributes: dict[str, str], pointer: str
) -> None:
    """422 with a pointer, and no effects."""
    got = await call.post("/v1/forms/1/submit", _submission(**attributes))
    assert (got.status, got.error["source"]) == (422, {"pointer": pointer})
    assert (fake.effects, (await call.get("/v1/form_submissions")).document["meta"]["total_count"]) == ([], 50)


async def _bought(call: Caller, *kinds: str) -> Any:
    rows = await call.all_pages("/v1/purchases?filter[active]=true&page[size]=100")
    return next(row for row in rows if row["attributes"]["payment_type"] in kinds)


def _access(purchase: Any) -> tuple[str, str]:
    relationships = purchase["relationships"]
    return relationships["customer"]["data"]["id"], relationships["offer"]["data"]["id"]


async def test_access_is_removed_and_restored(call: Caller) -> None:
    """The offer follows the purchase; a second request is no error."""
    purchase = await _bought(call, "single")
    customer_id, offer = _access(purchase)
    path, linkage = f"/v1/purchases/{purchase['id']}", f"/v1/customers/{customer_id}/relationships/offers"
    for _ in range(2):
        ended = await call.post(f"{path}/deactivate")
        assert (ended.status, ended.data["attributes"]["deactivation_reason"]) == (200, "deactivated")
        assert offer not in (await call.get(linkage)).ids
    assert purchase["id"] in (await call.get("/v1/purchases?filter[deactivated]=true&page[size]=100")).ids
    for _ in range(2):
        restored = await call.post(f"{path}/reactivate")
        assert (restored.status, restored.data["attributes"]["deactivated_at"]) == (200, None)
        assert (await call.get(linkage)).ids.count(offer) == 1


async def test_cancelling_ends_billing_and_access_once(fake: FakeKajabi, call: Caller) -> None:
    """A second time there is nothing to cancel, and restoring access does not restore billing."""
    purchase = await _bought(call, "subscription", "multipay")
    customer_id, offer = _access(purchase)
    path = f"/v1/purchases/{purchase['id']}"
    cancelled = await call.post(f"{path}/cancel_subscription")
    assert (cancelled.status, bool(cancelled.data["attributes"]["deactivated_at"])) == (200, True)
    assert offer not in (await call.get(f"/v1/customers/{customer_id}/relationships/offers")).ids
    (effect,) = fake.effects
    assert (effect.kind, effect.customer_id, effect.about_id) == ("subscription_cancelled", customer_id, purchase["id"])
    assert (await call.post(f"{path}/cancel_subscription")).status == 422
    assert (await call.post(f"{path}/reactivate")).status == 200
    assert (await call.post(f"{path}/cancel_subscription")).status == 422


async def test_a_one_time_purchase_has_nothing_to_cancel(call: Caller) -> None:
    """422, and the access stays."""
    purchase = await _bought(call, "single")
    assert (await call.post(f"/v1/purchases/{purchase['id']}/cancel_subscription")).status == 422
    assert (await call.get(f"/v1/purchases/{purchase['id']}")).data["attributes"]["deactivated_at"] is None


async def test_deactivating_does_not_stop_the_billing(call: Caller) -> None:
    """A subscription can be cancelled after its access was removed."""
    purchase = await _bought(call, "subscription", "multipay")
    await call.post(f"/v1/purchases/{purchase['id']}/deactivate")
    assert (await call.post(f"/v1/purchases/{purchase['id']}/cancel_subscription")).status == 200
