"""The pages of an export: when each is requested, what is kept of it, and where an interrupted one goes on."""

import asyncio
import gc
import logging
from pathlib import Path
from typing import Any

import pytest

from kajabi_async import BlogPost, Customer, PagingError, PermissionDeniedError
from kajabi_async.decoding.answers import read_page
from kajabi_async.export import ExportProgress, export
from kajabi_async.export.collect import columns_for, included_types
from kajabi_async.fetching import walk
from kajabi_async.fetching.page import ListRequest
from kajabi_async.jsonapi.query import Query
from kajabi_async.operations import operation
from tests.export.scripted import ScriptedList, ids_of, rows_of
from tests.sending import Canned, context, resource

FIRST = "https://api.kajabi.com/v1/customers?sort=created_at&page%5Bsize%5D=2"


class StopHere(Exception):  # noqa: N818 - it is no error
    """Raised by an observer to stop an export."""


def after_pages(pages: int) -> Any:
    """Return an observer that stops an export after that many pages."""

    def observe(progress: ExportProgress) -> None:
        if progress.pages == pages:
            raise StopHere

    return observe


def while_writing(progress: ExportProgress) -> None:
    """Stop an export when every page has been read."""
    if progress.written:
        raise StopHere


def link_to(page: int) -> dict[str, str]:
    return {"next": FIRST if page == 1 else f"{FIRST}&page%5Bnumber%5D={page}"}


def forbidden() -> Exception:
    return PermissionDeniedError(status=403, method="GET", path="/v1/customers")


# When a page is requested


@pytest.mark.parametrize(
    ("ids", "prefetch", "requests"),
    [
        ("ab", 0, "1"),
        ("abcdef", 0, "1 2 1 3 2"),
        ("abcdefgh", 1, "1 2 3 1 4 2 3"),
        ("abcdefgh", 2, "1 2 3 4 1 2 3"),
    ],
)
async def test_a_page_is_read_again_once_the_page_after_it_was_read(
    ids: str, prefetch: int, requests: str, tmp_path: Path
) -> None:
    """Each but the last, in order; each request has the timeout of the list."""
    listed = ScriptedList(ids)
    report = await listed.export(tmp_path / "c.jsonl", prefetch=prefetch)
    within = [each for each in listed.requests if int(each) * 2 <= len(ids)]
    assert within == requests.split()
    assert {timeout for timeout, _ in listed.canned.timeouts} == {7.0}
    assert (report.rows, report.shifts, ids_of(tmp_path / "c.jsonl")) == (len(ids), (), list(ids))


async def test_a_page_is_read_again_without_includes_and_with_the_rest_of_its_query(tmp_path: Path) -> None:
    """Also with values that are empty."""
    listed = ScriptedList("abcd")
    listing = listed.listing("offers", filters=(("filter[search]", ""), ("filter[site_id]", "5")))
    await export(listing, tmp_path / "c.jsonl")
    assert listed.requests == ["1+", "2+", "1"]
    first, _, again = listed.queries
    assert first[0] == ("include", "offers")
    assert again == first[1:]
    assert ("filter[search]", "") in again


async def test_a_page_without_includes_is_read_again_by_the_same_query(tmp_path: Path) -> None:
    """However the server wrote its link."""
    listed = ScriptedList(())
    written = "page%5bnumber%5d=2&cursor=a+b%7Ec"
    row = [resource("customers", "a")]
    listed.pages[1] = {"data": row, "links": {"next": f"https://api.kajabi.com/v1/customers?{written}"}}
    listed.pages[2] = {"data": row, "links": link_to(3)}
    listed.pages[3] = {"data": row}
    await listed.export(tmp_path / "c.jsonl")
    queries = [request.query for request in listed.canned.asked]
    assert listed.requests == ["1", "2", "1", "3", "2"]
    assert (queries[2], queries[4]) == (queries[0], queries[1])


async def test_an_answer_that_came_before_is_not_decoded_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same answer has the same rows, so that reading pages again costs requests alone."""
    decoded: list[bytes] = []

    def reading(body: bytes, **options: Any) -> Any:
        decoded.append(body)
        return read_page(body, **options)

    monkeypatch.setattr("kajabi_async.fetching.page.read_page", reading)
    listed = ScriptedList("abcdef")
    await listed.export(tmp_path / "c.jsonl")
    assert (len(listed.requests), len(decoded), len(set(decoded))) == (5, 3, 3)


# Rows that shift


@pytest.mark.parametrize(
    ("include", "requests"),
    [((), "1 2 1 3 2 4 3"), (("offers",), "1+ 2+ 1 3+ 1+ 2 4+ 3")],
)
async def test_a_row_that_moved_to_the_page_before_is_found(
    include: tuple[str, ...], requests: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is in the file once, and so are its offers, for which alone a page is read a third time."""
    listed = ScriptedList("abcdefgh")
    listed.before(2, lambda: listed.ids.remove("a"))
    with caplog.at_level(logging.WARNING, "kajabi_async"):
        report = await listed.export(tmp_path / "c.jsonl", *include)
    assert listed.requests == requests.split()
    assert ids_of(tmp_path / "c.jsonl") == ["a", "b", "d", "e", "c", "f", "g", "h"]
    assert [shift.to_dict() for shift in report.shifts] == [{"page": 1, "moved": 1, "recovered": 1}]
    assert (report.rows, report.listed, report.repeated) == (8, 7, 0)
    if include:
        offers = ids_of(tmp_path / "c.offers.jsonl")
        assert (report.related, sorted(offers)) == ({"offers": 8}, [f"of-{each}" for each in "abcdefgh"])
    assert caplog.messages == ["the list changes during the export: 1 row had shifted to page 1"]


async def test_a_row_that_moved_from_the_last_page_is_found(tmp_path: Path) -> None:
    """The page before the last one is read again too."""
    listed = ScriptedList("abcdef")
    listed.before(4, lambda: listed.ids.remove("a"))
    report = await listed.export(tmp_path / "c.jsonl")
    assert ids_of(tmp_path / "c.jsonl") == ["a", "b", "c", "d", "f", "e"]
    assert [shift.to_dict() for shift in report.shifts] == [{"page": 2, "moved": 1, "recovered": 1}]


@pytest.mark.parametrize("include", [(), ("offers",)])
@pytest.mark.parametrize("failing", [0, 1, 2, 3, 4])
async def test_pages_are_read_back_to_one_that_has_a_row_that_is_known(
    include: tuple[str, ...], failing: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """If two pages of rows go before the last one is read, down to the first; each request is repeated if it fails."""
    listed = ScriptedList("abcdefgh")

    def shrink() -> None:
        del listed.ids[:4]
        if failing:
            listed.fail(failing)

    listed.before(4, shrink)
    with caplog.at_level(logging.WARNING, "kajabi_async"):
        report = await listed.export(tmp_path / "c.jsonl", *include)
    shown = listed.requests if not failing else listed.requests[: 3 + failing] + listed.requests[4 + failing :]
    assert shown == ("1+ 2+ 1 3+ 2 2+ 1 1+" if include else "1 2 1 3 2 1").split()[: len(shown)]
    assert ids_of(tmp_path / "c.jsonl") == list("abcdghef")
    assert [shift.to_dict() for shift in report.shifts] == [{"page": 2, "moved": 2, "recovered": 2}] * 2
    assert caplog.messages == [
        f"the list changes during the export: 2 rows had shifted to page {page}" for page in (2, 1)
    ]
    if include:
        assert ids_of(tmp_path / "c.offers.jsonl") == [f"of-{each}" for each in "abcdghef"]


async def test_the_page_before_one_that_keeps_no_row_is_read_again_too(tmp_path: Path) -> None:
    """A row may have moved past the empty page, whose answer stays the same."""
    listed = ScriptedList("abcdefgh")
    listed.pages[2] = {"data": [], "links": link_to(3)}
    listed.before(4, lambda: listed.ids.remove("a"))
    report = await listed.export(tmp_path / "c.jsonl")
    assert ids_of(tmp_path / "c.jsonl") == ["a", "b", "f", "g", "c", "h"]
    assert listed.requests == ["1", "2", "1", "3", "2", "4", "1", "3"]
    assert [shift.to_dict() for shift in report.shifts] == [{"page": 2, "moved": 1, "recovered": 1}]


@pytest.mark.parametrize("include", [(), ("offers",)])
async def test_a_row_that_changed_is_no_shift(include: tuple[str, ...], tmp_path: Path) -> None:
    """It is kept as it came first, and its page is not requested a third time."""
    listed = ScriptedList("abcd")
    listed.before(3, lambda: listed.names.update(a="New"))
    with pytest.raises(StopHere):
        await listed.export(tmp_path / "c.jsonl", *include, observer=while_writing)
    assert len(listed.requests) == 3
    report = await listed.export(tmp_path / "c.jsonl", *include)
    assert (len(listed.requests), report.rows, report.shifts, report.warnings) == (3, 4, (), ())
    assert rows_of(tmp_path / "c.jsonl")[0]["name"] == "a"


async def test_rows_that_come_again_are_kept_once_and_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """With the number of rows of each page, counted alone; a quiet list logs nothing."""
    listed = ScriptedList("abcd")
    with caplog.at_level(logging.WARNING, "kajabi_async"):
        await listed.export(tmp_path / "c.jsonl")
        assert caplog.messages == []
        listed = ScriptedList("abcdef")
        listed.before(2, lambda: listed.ids.insert(0, "x"))
        listed.before(4, lambda: listed.ids.__setitem__(slice(0, 0), ["y", "z"]))
        report = await listed.export(tmp_path / "c.jsonl")
    again = [message for message in caplog.messages if "again" in message]
    assert again == ["1 row came again on page 2 of an export", "2 rows came again on page 3 of an export"]
    exported = ids_of(tmp_path / "c.jsonl")
    assert set("abcdef") <= set(exported)
    assert len(exported) == len(set(exported)) == report.rows
    assert report.repeated == 3


# Where an interrupted export goes on


async def test_an_interrupted_export_requests_what_it_has_not_read(tmp_path: Path) -> None:
    """The pages to come, and those that were not read again since the page after them came."""
    listed = ScriptedList("abcdefghijkl")
    with pytest.raises(StopHere):
        await listed.export(tmp_path / "c.jsonl", observer=after_pages(4))
    assert listed.requests == ["1", "2", "1", "3", "2", "4"]
    listed.requests.clear()
    listed.counts = False
    report = await listed.export(tmp_path / "c.jsonl")
    assert listed.requests == ["3", "5", "4", "6", "5"]
    assert (report.resumed_from, report.rows, report.pages, report.listed) == (8, 12, 6, 12)
    assert ids_of(tmp_path / "c.jsonl") == list("abcdefghijkl")


async def test_a_row_that_moves_while_an_export_is_interrupted_is_found(tmp_path: Path) -> None:
    """On a page that was to be read again anyway."""
    listed = ScriptedList("abcdefghijkl")
    with pytest.raises(StopHere):
        await listed.export(tmp_path / "c.jsonl", observer=after_pages(4))
    listed.ids.remove("b")
    report = await listed.export(tmp_path / "c.jsonl")
    assert [shift.to_dict() for shift in report.shifts] == [
        {"page": 3, "moved": 1, "recovered": 0},
        {"page": 4, "moved": 1, "recovered": 1},
    ]
    assert sorted(ids_of(tmp_path / "c.jsonl")) == list("abcdefghijkl")
    assert report.rows == 12


async def test_an_export_that_has_read_every_page_requests_none_when_it_goes_on(tmp_path: Path) -> None:
    """Also if rows had shifted; the report is that of both runs."""
    listed = ScriptedList("abcdefgh")
    listed.before(4, lambda: listed.ids.remove("a"))
    with pytest.raises(StopHere):
        await listed.export(tmp_path / "c.jsonl", observer=while_writing)
    listed.requests.clear()
    report = await listed.export(tmp_path / "c.jsonl")
    assert listed.requests == []
    assert (report.rows, report.listed, report.resumed_from, report.recovered) == (8, 7, 8, 1)


async def test_the_page_before_the_last_is_read_again_if_an_export_stops_before_that(tmp_path: Path) -> None:
    """A row may have moved to it from the last page."""
    listed = ScriptedList("abcdef")
    listed.before(4, lambda: listed.ids.remove("a"))
    with pytest.raises(StopHere):
        await listed.export(tmp_path / "c.jsonl", observer=after_pages(3))
    listed.requests.clear()
    report = await listed.export(tmp_path / "c.jsonl")
    assert listed.requests == ["2"]
    assert (report.rows, report.recovered, sorted(ids_of(tmp_path / "c.jsonl"))) == (6, 1, list("abcdef"))


async def test_an_interrupted_export_does_not_start_where_its_list_goes_in_a_circle(tmp_path: Path) -> None:
    """A link back to a page of an earlier run is an error once the page with the link is kept, and ever after."""
    listed = ScriptedList("abcdef")
    with pytest.raises(StopHere):
        await listed.export(tmp_path / "c.jsonl", observer=after_pages(2))
    listed.pages[3] = {"data": [resource("customers", "e")], "links": link_to(1)}
    for requests in ("1 3", ""):
        listed.requests.clear()
        with pytest.raises(PagingError, match=r"^links\.next leads back to a page that was already read$"):
            await listed.export(tmp_path / "c.jsonl")
        assert listed.requests == requests.split()


# Lists without an end


@pytest.mark.parametrize(
    ("rows", "message"), [(["a"], "pages in a row without a row that is new"), ([], "empty pages in a row")]
)
async def test_too_many_pages_without_a_new_row_end_in_an_error(
    rows: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first page of the list does not count."""
    monkeypatch.setattr(walk, "MOST_FRUITLESS", 3)
    listed = ScriptedList(())
    for page in range(1, 9):
        listed.pages[page] = {"data": [resource("customers", each) for each in rows], "links": link_to(page + 1)}
    with pytest.raises(PagingError, match=f"^4 {message}, each with a next link$"):
        await listed.export(tmp_path / "c.jsonl")
    assert max(listed.requests) == "5"


@pytest.mark.parametrize("rows", ["aaaaa", " ..  ", "    a", "abcdefgh"])
async def test_pages_with_a_new_row_in_time_are_read_to_the_end(
    rows: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the first nor the last page counts; a new row starts the count again."""
    monkeypatch.setattr(walk, "MOST_FRUITLESS", 3)
    listed = ScriptedList(())
    for number, row in enumerate(rows, 1):
        links = link_to(number + 1) if number < len(rows) else {}
        listed.pages[number] = {"data": [resource("customers", row)] if row != " " else [], "links": links}
    report = await listed.export(tmp_path / "c.jsonl")
    kept = sorted(set(rows) - {" "})
    assert (sorted(ids_of(tmp_path / "c.jsonl")), report.pages) == (kept, len(rows))
    assert (report.listed, report.repeated) == (None, len(rows) - rows.count(" ") - len(kept))


# Failures


async def test_a_failed_page_ends_the_pages_that_are_read_beside_it(tmp_path: Path) -> None:
    """Its error is raised alone, and no request goes on."""
    listed = ScriptedList("abcdefgh")
    listed.hold(3)
    listed.before(4, forbidden)
    names: set[str] = set()

    def note_tasks() -> Exception:
        names.update(task.get_name() for task in asyncio.all_tasks())
        return forbidden()

    listed.before(4, note_tasks)
    with pytest.raises(PermissionDeniedError):
        await listed.export(tmp_path / "c.jsonl")
    assert "kajabi_async page again" in names
    for _ in range(3):
        await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("prefetch", [0, 1])
async def test_failures_that_come_after_another_are_not_logged(
    prefetch: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A page and one that is read again fail together: one of the errors is raised, and the loop logs no other."""
    listed = ScriptedList("abcdefgh")
    for request in (3, 4, 5):
        listed.before(request, forbidden)
    with caplog.at_level(logging.DEBUG, "asyncio"), pytest.raises(PermissionDeniedError):
        await listed.export(tmp_path / "c.jsonl", prefetch=prefetch)
    for _ in range(3):
        await asyncio.sleep(0)
    gc.collect()
    assert [record.message for record in caplog.records if record.name == "asyncio"] == []
    assert (await ScriptedList("abcdefgh").export(tmp_path / "c.jsonl")).rows == 8


@pytest.mark.parametrize("failing", range(1, 8))
async def test_each_request_is_repeated_while_its_failures_pass(failing: int, tmp_path: Path) -> None:
    """The first reading of a page and the second one alike."""
    listed = ScriptedList("abcdefgh")
    listed.fail(failing)
    report = await listed.export(tmp_path / "c.jsonl", "offers")
    assert (len(listed.requests), report.rows, report.shifts, report.related) == (8, 8, (), {"offers": 8})
    assert ids_of(tmp_path / "c.jsonl") == list("abcdefgh")


# What is kept of a page


async def test_a_row_that_cannot_be_read_is_counted_once_and_described(tmp_path: Path) -> None:
    """Whether it is no resource or one of its attributes fits no column; reading its page again adds nothing."""
    listed = ScriptedList("abcdef")
    listed.malformed.add("b")
    listed.names["c"] = {"first": "C"}
    listed.before(3, lambda: listed.names.update(a="New"))
    listed.before(5, lambda: listed.names.update(d="New"))
    report = await listed.export(tmp_path / "c.jsonl")
    assert ids_of(tmp_path / "c.jsonl") == ["a", "d", "e", "f"]
    assert (report.rows, report.malformed, report.shifts, report.lacking) == (4, 2, (), 0)
    malformed, unfit = report.problems
    assert "type" in malformed
    assert "name" in unfit


@pytest.mark.parametrize("include", [(), ("offers",)])
async def test_a_row_that_cannot_be_read_is_counted_if_only_the_second_reading_has_it(
    include: tuple[str, ...], tmp_path: Path
) -> None:
    """It had moved to a page that was read. One that the first reading had is not counted again by a later run."""
    listed = ScriptedList("abcdefgh")
    listed.names |= {"c": {"first": "C"}, "e": {"first": "E"}}
    listed.before(2, lambda: listed.ids.remove("a"))
    with pytest.raises(StopHere):
        await listed.export(tmp_path / "c.jsonl", *include, observer=after_pages(3))
    report = await listed.export(tmp_path / "c.jsonl", *include)
    assert ids_of(tmp_path / "c.jsonl") == ["a", "b", "d", "f", "g", "h"]
    assert (report.rows, report.malformed, report.shifts, report.resumed_from) == (6, 2, (), 5)
    problem = "came with 'name' that cannot be read: expected text, got an object at /attributes/name"
    assert report.problems == (f"customers e {problem}", f"customers c {problem}")
    assert report.warnings[0].startswith("2 rows could not be read and are not in the file: ")


async def test_an_included_resource_that_cannot_be_read_is_described(tmp_path: Path) -> None:
    """Those beside it are kept."""
    listed = ScriptedList("ab")
    offers = [resource("offers", each) for each in ("1", "2", "3")]
    offers[1]["attributes"] = {"title": {"en": "Two"}}
    rows = [resource("customers", each) for each in "ab"]
    listed.pages[1] = {"data": rows, "included": offers}
    report = await listed.export(tmp_path / "c.jsonl", "offers")
    assert ids_of(tmp_path / "c.offers.jsonl") == ["1", "3"]
    assert (report.rows, report.related, report.malformed) == (2, {"offers": 2}, 1)
    assert "title" in report.problems[0]


async def test_included_resources_are_described_in_the_order_in_which_they_came(tmp_path: Path) -> None:
    """Whatever their types are: as only the first are described, none of a type that comes later might be."""
    included = [resource(each, str(number)) for number in (1, 2, 3) for each in ("offers", "products")]
    for each in included[2:]:
        each["attributes"] = {"title": []}
    listed = ScriptedList("ab")
    listed.pages[1] = {"data": [resource("customers", "a")], "included": included}
    report = await listed.export(tmp_path / "c.jsonl", "offers", "products")
    assert [problem.partition(" came with")[0] for problem in report.problems] == [
        *("offers 2", "products 2", "offers 3", "products 3")
    ]
    assert report.related == {"offers": 1, "products": 1}


async def test_only_what_was_requested_and_is_no_row_is_kept_as_included(tmp_path: Path) -> None:
    """Not the customers of the list itself; from a page with one row, and from one without rows nothing."""
    listed = ScriptedList("abc")
    listed.pages[1] = {
        "data": [resource("customers", "a")],
        "links": {"next": f"{link_to(2)['next']}&include=offers"},
        "included": [resource("customers", "a"), resource("offers", "1")],
    }
    listed.pages[2] = {"data": [], "included": [resource("offers", "2")]}
    report = await listed.export(tmp_path / "c.jsonl", "offers")
    assert (report.rows, report.related) == (1, {"offers": 1})
    listed = ScriptedList("a")
    listed.pages[1] = {"data": [resource("customers", "a")], "included": [resource("offers", "1")]}
    report = await listed.export(tmp_path / "c.jsonl")
    assert (report.rows, report.related, len(report.paths)) == (1, {}, 1)


async def test_the_number_of_rows_is_the_latest_that_the_server_said(tmp_path: Path) -> None:
    """A page without it leaves that of the page before; without any it is not known."""
    listed = ScriptedList("abcdef")
    listed.before(1, lambda: setattr(listed, "counts", False))
    assert (await listed.export(tmp_path / "c.jsonl")).listed is None
    listed = ScriptedList("abcdef")
    listed.before(3, lambda: listed.ids.append("g"))
    listed.before(5, lambda: setattr(listed, "counts", False))
    assert (await listed.export(tmp_path / "c.jsonl")).listed == 7


def test_the_types_to_include_are_those_of_each_step_of_a_path() -> None:
    """In the order of the request, each once; also types that have no model."""
    listed = ScriptedList(()).listing("offers.products", "contact.site", "products")
    assert included_types(listed.lister) == ("offers", "products", "contacts", "sites")
    posts = ListRequest(context(Canned({})), operation("blog_posts.list"), BlogPost, Query(include=("blog",)))
    assert included_types(posts) == ("blogs",)


def test_the_columns_are_those_of_the_fields_that_are_requested() -> None:
    """All without a fieldset for the type."""
    listed = ScriptedList(()).listing(fields={"customers": ("name",)})
    assert {"id", "name"} <= {column.name for column in columns_for(Customer, listed.lister)} <= {"id", "name", "extra"}
    others = ScriptedList(()).listing(fields={"offers": ("title",)})
    assert "email" in {column.name for column in columns_for(Customer, others.lister)}
