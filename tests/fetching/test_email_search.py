"""One email by the search: what it finds is compared, and what it cannot read is no proof."""

from typing import Any
from urllib.parse import parse_qs

import pytest

from kajabi_async import Contact, DecodeError, PagingError, UnreadableAttributeError
from kajabi_async.exchange import Request, Tally
from kajabi_async.fetching.email_search import EmailSearch, FilterIgnoredError
from kajabi_async.fetching.one import Reader
from kajabi_async.fetching.page import ListRequest
from kajabi_async.jsonapi.query import Query
from kajabi_async.operations import operation
from tests.fetching.contact_list import World, list_of
from tests.sending import Canned, context, resource

JOSE = "jos\u00e9@example.com"
SITES: list[tuple[Any, bool]] = [
    ({"data": {"type": "sites", "id": "1"}}, True),
    ({"data": {"type": "sites", "id": 1}}, True),
    ({"data": {"type": "sites", "id": "2"}}, False),
    ({"links": {"data": {"type": "sites", "id": "2"}}}, False),
    ({"data": [{"type": "sites", "id": "2"}, {"type": "sites", "id": "1"}]}, True),
    ({"data": {"type": "sites", "id": "2"}, "meta": {"x": [[]]}}, False),
    ({"data": None}, True),
    ({"links": {}}, True),
    (None, True),
]


def _search(
    server: Any, *, site_id: str | None = None, include: tuple[str, ...] = ()
) -> tuple[EmailSearch[Contact], Canned]:
    send = Canned(server)
    query = Query(include=include, page_number=1, page_size=100)
    within = context(send)
    reader = Reader(within, operation("contacts.get"), Contact, query, query.encode())
    return EmailSearch(reader, ListRequest(within, operation("contacts.list"), Contact, query), site_id), send


async def _ids(search: EmailSearch[Contact], key: str, **options: Any) -> list[str]:
    return [row.id for row in (await search.look_up(key, Tally(), **options)).rows]


async def test_only_a_row_with_the_very_email_matches() -> None:
    """The search finds all that contain it."""
    world = list_of(120)
    search, send = _search(world)
    assert await _ids(search, "user1@example.com") == ["1"]
    world.rows.append((121, "another.user1@example.com", "1"))
    assert await _ids(search, "user1@example.com") == ["1"]
    assert parse_qs(send.asked[0].query)["filter[email_contains]"] == ["user1@example.com"]


async def test_both_forms_of_unicode_are_found() -> None:
    """One search for each."""
    decomposed = "jose\u0301@example.com"
    search, send = _search(World([(1, decomposed, "1"), (2, JOSE.upper(), "2")], list_of(0).chance, size=10))
    assert sorted(await _ids(search, JOSE)) == ["1", "2"]
    assert len(send.asked) == 2


async def test_a_match_on_the_site_ends_the_search() -> None:
    """An email is unique within a site; without one, all pages are read."""
    world = list_of(1000, ignores=frozenset({"email_contains"}))
    search, send = _search(world, site_id="1")
    assert await _ids(search, "user950@example.com") == ["950"]
    assert len(send.asked) == 1
    search, send = _search(world)
    assert await _ids(search, "user950@example.com") == ["950"]
    assert len(send.asked) == 10


@pytest.mark.parametrize(("site", "is_match"), SITES)
async def test_a_row_is_no_match_if_it_is_known_to_be_of_another_site(site: Any, is_match: bool) -> None:
    """The server may ignore the filter; it need not state the site of a row."""
    row = resource("contacts", "7", relationships={"site": site})
    row["attributes"] = {"email": "ada@example.com"}
    page: dict[str, Any] = {"data": [row], "links": {}}

    def answer(_: Request) -> dict[str, Any]:
        return page

    search, _ = _search(answer, site_id="1")
    assert await _ids(search, "ada@example.com") == ["7"] * is_match


async def test_a_search_that_finds_very_many_rows_is_read_to_its_end() -> None:
    """Each of its pages brings rows that are new."""
    rows = [(number, f"x{number}a@example.com", "1") for number in range(150, 0, -1)]
    search, send = _search(World([*rows, (200, "a@example.com", "1")], list_of(0).chance, size=1))
    assert await _ids(search, "a@example.com") == ["200"]
    assert len(send.asked) == 151


async def test_an_ignored_filter_is_noticed_on_the_first_page() -> None:
    """With the length of the list, if the answer states it."""
    for states_length, pages in ((True, 10), (False, None)):
        world = list_of(1000, ignores=frozenset({"email_contains"}), states_length=states_length)
        search, send = _search(world)
        with pytest.raises(FilterIgnoredError) as caught:
            await _ids(search, "user1@example.com", reads_unfiltered=False)
        assert caught.value.pages == pages
        assert len(send.asked) == 1


async def test_an_unfiltered_list_of_one_page_is_an_answer() -> None:
    """It takes no further request."""
    search, send = _search(list_of(90, ignores=frozenset({"email_contains"})))
    assert await _ids(search, "user1@example.com", reads_unfiltered=False) == ["1"]
    assert await _ids(search, "none@example.com", reads_unfiltered=False) == []
    assert len(send.asked) == 2


async def test_many_rows_that_match_the_filter_are_no_sign_that_it_is_ignored() -> None:
    """Neither are rows whose email is null, or cannot be read."""
    rows = [(number, f"x{number}a@example.com", "1") for number in range(150)]
    world = World(rows, list_of(0).chance, size=100, damaged=frozenset({7}))
    search, send = _search(world)
    with pytest.raises(UnreadableAttributeError):
        await _ids(search, "a@example.com", reads_unfiltered=False)
    assert len(send.asked) == 2


async def test_a_row_without_an_email_is_no_match() -> None:
    """It has none, and that is known."""
    rows = [resource("contacts", each, attributes={"email": email}) for each, email in (("1", None), ("2", "a@b.c"))]
    search, _ = _search({"/v1/contacts": {"data": rows}})
    assert await _ids(search, "a@b.c") == ["2"]
    assert await _ids(search, "x@b.c") == []


async def test_a_row_that_is_none_is_no_sign_that_the_filter_is_ignored() -> None:
    """Nothing is known of its email."""

    def respond(request: Request) -> Any:
        following = None if "page%5Bnumber%5D=2" in request.query else "/v1/contacts?page%5Bnumber%5D=2"
        rows = [7, resource("contacts", "1", attributes={"email": "a@b.c"})]
        return {"data": rows, "links": {"next": following}}

    search, send = _search(respond)
    assert await _ids(search, "a@b.c", reads_unfiltered=False) == ["1"]
    assert len(send.asked) == 2
    with pytest.raises(DecodeError):
        await _ids(search, "x@b.c")


async def test_a_row_that_cannot_be_read_hides_no_match() -> None:
    """Only if none is found may it be the one."""
    world = list_of(50, damaged=frozenset({7}), ignores=frozenset({"email_contains"}))
    search, _ = _search(world)
    for each in ("8", "6"):
        assert await _ids(search, f"user{each}@example.com") == [each]
    with pytest.raises(UnreadableAttributeError):
        await _ids(search, "user7@example.com")


async def test_pages_that_lead_back_end_the_search() -> None:
    """With an error, and not with a request for ever."""

    def circle(request: Request) -> Any:
        following = f"http://127.0.0.1:8080/v1/contacts?{request.query}"
        return {"data": [resource("contacts", "1", attributes={"email": "x@y.z"})], "links": {"next": following}}

    search, _ = _search(circle)
    with pytest.raises(PagingError, match="leads back"):
        await _ids(search, "a@b.c")


async def test_pages_of_the_same_rows_without_end_end_the_search() -> None:
    """Each with a next link of its own."""

    def respond(_: Request) -> Any:
        following = f"http://127.0.0.1:8080/v1/contacts?page%5Bnumber%5D={len(send.asked) + 1}"
        return {"data": [resource("contacts", "1", attributes={"email": "x@y.z"})], "links": {"next": following}}

    search, send = _search(respond)
    with pytest.raises(PagingError, match=r"^101 pages in a row without a row that is new"):
        await _ids(search, "a@b.c")


async def test_a_match_without_what_was_to_be_included_is_read_by_its_id() -> None:
    """If it was deleted in between, it is not found."""
    row = resource("contacts", "1", attributes={"email": "a@b.c"})
    whole: dict[str, Any] = row | {"relationships": {"tags": {"data": []}}}
    answers: dict[str, Any] = {"/v1/contacts": {"data": [row]}, "/v1/contacts/1": {"data": whole}}
    search, send = _search(answers, include=("tags",))
    tally = Tally()
    assert [row.id for row in (await search.look_up("a@b.c", tally)).rows] == ["1"]
    assert tally.attempts == 2
    assert [request.path for request in send.asked] == ["/v1/contacts", "/v1/contacts/1"]
    del answers["/v1/contacts/1"]
    assert await _ids(search, "a@b.c") == []
    complete, sent = _search({"/v1/contacts": {"data": [whole]}}, include=("tags",))
    assert await _ids(complete, "a@b.c") == ["1"]
    assert len(sent.asked) == 1
