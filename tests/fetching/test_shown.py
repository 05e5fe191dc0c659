"""Lists, runs and their results as people see them: one line each, and tables in notebooks."""

import json
from typing import Any

import pytest

from kajabi_async import ContactTag, Failed, Found, InvalidIdError, Kajabi, NotFoundError, Page
from kajabi_async.testing import FakeKajabi
from tests.models.building import build


async def test_a_list_shows_its_request(kajabi_api: Kajabi) -> None:
    """On one line of bounded length, with characters of a filter escaped; nothing is sent."""
    assert repr(kajabi_api.offers.list()) == "<Pages: GET /v1/offers>"
    pages = kajabi_api.customers.list(has_offer_id="3", sort="-created_at")
    assert repr(pages) == "<Pages: GET /v1/customers?filter[has_offer_id]=3&sort=-created_at>"
    hostile = repr(kajabi_api.customers.list(email_contains="\x1b[2J\u202e" + "x" * 1000))
    assert hostile.isprintable()
    assert len(hostile) < 400
    assert kajabi_api.stats.attempts == 0


async def test_a_run_shows_how_far_it_is(kajabi_api: Kajabi) -> None:
    """The outcomes that its loop has got."""
    run = kajabi_api.customers.get_many(["1", "2", "999999"], ordered=True)
    assert repr(run) == "<Lookups: not started>"
    async for _ in run:
        break
    assert repr(run) == "<Lookups: 1 outcome; 1 found, 0 missing, 0 failed>"
    assert repr(kajabi_api.customers.find_many(["a@example.com"])) == "<EmailLookups: not started>"


async def test_a_report_is_a_sentence_and_a_table(kajabi_api: Kajabi) -> None:
    """Its dict has every figure."""
    report = await kajabi_api.customers.get_many(["1", "1", "999999", "a/b"]).report()
    shown = repr(report)
    assert shown.startswith("<Report: 4 looked up in ")
    assert "2 found, 1 missing, 1 failed, 1 duplicate; 2 requests, 0 of them retries>" in shown
    assert report._repr_html_().count("<tr>") == len(report.to_dict()) == 10
    members = report.to_dict()
    assert (members["total"], members["found"], members["elapsed_seconds"]) == (4, 2, report.elapsed_seconds)
    json.dumps(members)


async def test_a_page_shows_its_size_and_a_table_of_its_rows(kajabi_api: Kajabi, kajabi_fake: FakeKajabi) -> None:
    """With the attributes that distinguish the rows, those that are not loaded left empty."""
    kajabi_fake.add({"type": "contact_tags", "id": "9001", "attributes": {"name": "<b>&\u202e"}})
    page = await anext(kajabi_api.contact_tags.list().pages())
    assert repr(page) == f"<Page: {len(page)} rows of ContactTag, {page.total_count:,} in the list>"
    shown = page._repr_html_()
    assert shown.count("<tr>") == len(page) + 1
    assert "&lt;b&gt;&amp;\\u202e" in shown
    assert "<b>" not in shown
    bare = await anext(kajabi_api.customers.list(fields={"customers": ["name"]}).pages())
    assert "@" not in bare._repr_html_()
    assert repr(Page((), None, None)) == "<Page: 0 rows>"
    assert Page((), None, None)._repr_html_().count("<tr>") == 1


def test_a_page_of_one_row_is_a_table_with_a_header() -> None:
    """The id and what distinguishes the rows."""
    shown = Page((build(ContactTag, {"name": "vip"}, id="7"),), None, None)._repr_html_()
    plain = shown.replace(' style="text-align: left"', "")
    assert "<caption>Page: 1 row of ContactTag</caption><thead><tr><th>id</th><th>name</th></tr></thead>" in plain
    assert "<tbody><tr><th>7</th><td>vip</td></tr></tbody>" in plain


async def test_a_long_request_is_cut(kajabi_api: Kajabi) -> None:
    """After three hundred characters; one of exactly that length is shown whole."""
    start = "/v1/customers?filter[email_contains]="
    for length, end in ((300, ">"), (301, "...>")):
        pages = kajabi_api.customers.list(email_contains="x" * (length - len(start)))
        assert repr(pages) == f"<Pages: GET {start}{'x' * (300 - len(start))}{end}"


async def test_operations_show_what_there_is(kajabi_api: Kajabi) -> None:
    """The verbs of a resource, of each kind."""
    assert repr(kajabi_api.offers) == "<Offers: get, get_many, list, plan, product_ids>"
    assert "grant_offers" in repr(kajabi_api.contacts)


async def test_statistics_are_a_sentence(kajabi_api: Kajabi) -> None:
    """Their dict has every figure."""
    await kajabi_api.offers.list().first()
    assert repr(kajabi_api.stats).startswith(
        "<SessionStats: 1 operation, 1 request; 0 retries, 0 answers 429, 1 token request;"
    )
    assert kajabi_api.stats.to_dict()["token_requests"] == 1


async def test_outcomes_are_dicts(kajabi_api: Kajabi) -> None:
    """The same that the command prints: found with the resource, or not with the reason."""
    found, missing, invalid = [
        each async for each in kajabi_api.customers.get_many(["1", "999999", "a/b"], ordered=True)
    ]
    assert isinstance(found, Found)
    assert found.to_dict() == {"id": "1", "found": True, "customer": found.customer.to_dict()}
    assert found.to_dict(relations=False)["customer"] == found.customer.to_dict(relations=False)
    assert isinstance(missing, Failed)
    assert missing.to_dict() == {"id": "999999", "found": False, "missing": True, "error": str(missing.error)}
    assert (invalid.to_dict()["missing"], invalid.to_dict()["id"]) == (False, "a/b")
    assert isinstance(invalid.error, InvalidIdError)
    assert isinstance(missing.error, NotFoundError)
    offer = await kajabi_api.offers.list().first()
    contact = await kajabi_api.contacts.list().first()
    assert offer is not None
    assert contact is not None
    assert Found(offer.id, offer).to_dict()["resource"] == offer.to_dict()
    assert Found(contact.id, contact).to_dict()["contact"] == contact.to_dict()


async def test_plans_and_progress_are_dicts(kajabi_api: Kajabi) -> None:
    """With their fields by name."""
    seen: list[Any] = []
    plan = await kajabi_api.customers.plan(["1", "2"])
    await kajabi_api.customers.get_many(["1"], observer=seen.append).report()
    assert plan.to_dict()["lookup_requests"] == 2
    assert seen[-1].to_dict() == {
        "given": 1,
        "found": 1,
        "missing": 0,
        "failed": 0,
        "duplicates": 0,
        "stalled_since": None,
        "paused_until": None,
    }


@pytest.mark.parametrize("kind", ["report", "found"])
async def test_a_json_library_names_the_method(kind: str, kajabi_api: Kajabi) -> None:
    """Instead of the class alone."""
    run = kajabi_api.customers.get_many(["1"])
    value: Any = await run.report() if kind == "report" else [each async for each in run]
    with pytest.raises(TypeError, match=r"call \.to_dict\(\) on it first"):
        json.dumps({"value": value})
