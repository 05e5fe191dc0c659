"""What the pages read so far say of those to come, page by page, without a list."""

from collections.abc import Sequence

import pytest

from kajabi_async.fetching.forecast import EmailForecast, Forecast, ListSize

PAGE = 10


def _read(forecast: Forecast, rows: Sequence[int], pages: int, *, ids: Sequence[int], size: ListSize | None) -> None:
    for number in range(pages):
        page = rows[number * PAGE : number * PAGE + PAGE]
        hits = len(set(page) & set(ids))
        forecast.add_page([str(each) for each in page], hits, size=size)
    forecast.is_over = pages * PAGE >= len(rows)


def _forecast(rows: Sequence[int], ids: Sequence[int], *, pages: int = 1, stated: bool = True) -> Forecast:
    forecast = Forecast([str(each) for each in ids])
    _read(forecast, rows, pages, ids=ids, size=ListSize(len(rows), -(-len(rows) // PAGE)) if stated else None)
    return forecast


UP, DOWN = range(1, 301), range(300, 0, -1)
MIXED = [number * 137 % 301 for number in range(1, 301)]


@pytest.mark.parametrize("rows", [UP, DOWN, MIXED])
def test_many_ids_are_worth_the_pages(rows: Sequence[int]) -> None:
    """100 lookups on one side, 30 pages on the other."""
    forecast = _forecast(rows, range(3, 301, 3))
    assert forecast.pays()
    pages, lookups = forecast.total or (0, 0)
    assert (pages, lookups) == (30, 0) or (rows is MIXED and pages + lookups < 100)


def test_the_last_page_is_worth_more_than_one_id() -> None:
    """It is one request, and so is the lookup of one id."""
    assert _forecast(range(1, 21), range(1, 13)).pays()
    assert not _forecast(range(1, 21), range(1, 12)).pays()


@pytest.mark.parametrize("rows", [UP, DOWN, MIXED])
def test_few_ids_are_not(rows: Sequence[int]) -> None:
    """Ten lookups on one side, 30 pages on the other."""
    assert not _forecast(rows, range(15, 301, 30)).pays()


@pytest.mark.parametrize("rows", [UP, DOWN])
def test_ids_that_were_passed_over_are_not_expected_any_more(rows: Sequence[int]) -> None:
    """In a list in the order of its ids, those before the first page and between its rows will not come."""
    forecast = _forecast(rows[::2], [*rows[1:18:2], *rows[40:60]])
    assert (forecast.unseen, forecast.ahead) == (29, 20)
    beyond = [0, -1, -2] if rows is UP else [1000, 1001, 1002]
    assert _forecast(rows, beyond).ahead == 0


def test_ids_that_were_passed_over_show_how_many_of_the_others_exist() -> None:
    """Of 300 ids none of the ten passed was there: the others are not expected either."""
    gone = _forecast(range(2, 602, 2), range(1, 601, 2))
    assert (gone.ahead, gone.pays()) == (290, False)


def test_the_end_of_a_dense_stretch_of_ids_is_estimated() -> None:
    """The newest 25 of 300 are on three pages, so the others are not read."""
    forecast = _forecast(DOWN, range(276, 301))
    assert forecast.total == (3, 0)
    assert forecast.pays()


def test_an_estimate_is_not_followed_over_many_pages() -> None:
    """Twenty ids on pages 14 and 15: a guess that fails would cost more than a tenth of the lookups."""
    forecast = _forecast(UP, range(135, 155))
    assert forecast.total == (30, 0)
    assert not forecast.pays()


@pytest.mark.parametrize("is_rising", [False, True])
def test_rows_that_come_again_on_a_later_page_are_no_step_back(is_rising: bool) -> None:
    """Others have pushed them there; the list is still in order, whatever a page has of it."""
    forecast = Forecast([str(each) for each in range(1, 101)])
    pages = (range(100, 80, -2), 10, 81), (range(84, 64, -2), 8, 65), ([65], 1, 64), ([95, 94], 0, 64), ((), 0, 64)
    for rows, hits, ahead in pages:
        forecast.add_page([str(101 - each if is_rising else each) for each in rows], hits, size=ListSize(100, 10))
        assert forecast.ahead == ahead


@pytest.mark.parametrize(
    ("pages", "ahead"),
    [
        ([[5, 6]], 1),
        ([[6, 5]], 1),
        ([[5]], 2),
        ([[5, 5, 6]], 2),
        ([[5, 7, 6]], 2),
        ([[5, 7, 6], [10, 11, 12]], 2),
        ([[5, 6], [7, 9, 8]], 2),
        ([[], [5, 6]], 1),
    ],
)
def test_the_order_of_a_list_shows_on_its_first_rows(pages: list[list[int]], ahead: int) -> None:
    """And holds as long as no row contradicts it; if it is unknown, every unseen id may still come."""
    forecast = Forecast(["1", "20"])
    for rows in pages:
        forecast.add_page([str(each) for each in rows], 0, size=ListSize(100, 30))
    assert forecast.ahead == ahead


def test_nothing_is_expected_after_the_last_page() -> None:
    """The unseen ids are looked up."""
    forecast = _forecast(UP, range(1, 400), pages=30)
    assert (forecast.unseen, forecast.ahead, forecast.pages_left) == (99, 0, 0)
    assert forecast.total == (30, 99)
    assert not forecast.pays()


def test_a_list_of_unknown_length_is_not_read_on() -> None:
    """Its cost is unknown."""
    forecast = _forecast(UP, UP, stated=False)
    assert (forecast.pages_left, forecast.total, forecast.pays()) == (None, None, False)
    assert forecast.sure_pages(at_any_price=True) == 1


def test_pages_requested_at_once_are_all_needed() -> None:
    """Even if every row of them is a hit, the scan goes on to the last of them."""
    forecast = _forecast(UP, range(1, 301, 2))
    at_once = forecast.sure_pages(at_any_price=False)
    assert 1 < at_once <= 14
    assert (145 - (at_once - 1) * PAGE) > 29 - (at_once - 1)
    assert forecast.sure_pages(at_any_price=True) == 15
    assert _forecast(UP, range(15, 301, 30)).sure_pages(at_any_price=False) == 1
    short = Forecast([str(each) for each in range(1, 61)])
    short.add_page(["1", "2"], 2, size=ListSize(60, 30))
    assert short.sure_pages(at_any_price=False) == 29


def test_a_page_that_could_not_be_read_counts_as_read() -> None:
    """There is one less to come."""
    forecast = _forecast(UP, UP)
    forecast.add_failed_page()
    assert (forecast.pages, forecast.pages_left, forecast.unseen) == (2, 28, 290)


def test_a_list_in_no_order_without_hits_is_given_up_after_a_few_pages() -> None:
    """One page without any may be chance; three of ten rows, with ten hits to be expected, are not."""
    ids = range(1001, 1101)
    assert _forecast(MIXED, ids, pages=1).pays()
    assert not _forecast(MIXED, ids, pages=3).pays()


@pytest.mark.parametrize("strange", ["default", "7x", "\N{SUPERSCRIPT TWO}"])
def test_ids_that_are_no_numbers_leave_the_order_unknown(strange: str) -> None:
    """Every unseen id may then still come."""
    forecast = Forecast(["1", "2", strange])
    forecast.add_page(["5", strange, "3"], 1, size=ListSize(30, 10))
    assert forecast.ahead == 2


def _emails(number: int, *, is_unique: bool | None = True, pages: int = 30, hits: int = 3) -> EmailForecast:
    """Return the forecast for *number* emails after the first page of ten rows, with *hits* of them on it."""
    forecast = EmailForecast([f"{each}@x.y" for each in range(number)], is_unique=is_unique)
    forecast.add_page([""] * PAGE, hits, size=ListSize(pages * PAGE, pages))
    return forecast


@pytest.mark.parametrize(
    ("number", "pays"), [(3, False), (33, True), (20, False), (30, False), (31, True), (100, True)]
)
def test_emails_are_worth_the_pages_left(number: int, pays: bool) -> None:
    """Each email that was not seen is a lookup, and no page says where the others are."""
    forecast = _emails(number, hits=1)
    assert (forecast.unseen, forecast.ahead, forecast.pays()) == (number - 1, number - 1, pays)


def test_no_email_is_looked_up_after_the_last_page() -> None:
    """A list read to its end answers those that are not on it, too."""
    forecast = _emails(100, hits=1)
    assert forecast.total == (30, 0)
    forecast.is_over = True
    assert (forecast.ahead, forecast.pages_left, forecast.pays()) == (0, 0, False)


def test_emails_that_come_in_a_row_are_expected_to_go_on() -> None:
    """The newest ten of a list: five on the first page, so one page more."""
    forecast = _emails(10, hits=5)
    assert forecast.total == (2, 0)
    assert forecast.pays()
    forecast.add_page([""] * PAGE, 2, size=None)
    assert (forecast.unseen, forecast.total) == (3, (4, 0))
    forecast.add_page([""] * PAGE, 0, size=None)
    assert not forecast.pays()


def test_of_several_sites_the_whole_list_is_needed() -> None:
    """What a page brings is no answer before its end: every email would be looked up."""
    forecast = _emails(25, is_unique=False, hits=10)
    assert (forecast.lookups, forecast.pays(), forecast.total) == (25, False, (30, 0))
    assert forecast.sure_pages(at_any_price=True) == 29
    assert _emails(30, is_unique=False, hits=10).pays()
    assert _emails(30, is_unique=None, hits=10).lookups == 20


def test_pages_of_emails_requested_at_once_are_all_needed() -> None:
    """Even if every row of them is a hit."""
    forecast = _emails(100, hits=0)
    at_once = forecast.sure_pages(at_any_price=False)
    assert at_once == 8
    assert 100 - (at_once - 1) * PAGE > 29 - (at_once - 1)
    assert forecast.sure_pages(at_any_price=True) == 10
    assert _emails(3).sure_pages(at_any_price=False) == 1
    assert EmailForecast(["a@x.y"], is_unique=True).sure_pages(at_any_price=True) == 1
    assert _emails(100, is_unique=False, pages=2).sure_pages(at_any_price=True) == 1


@pytest.mark.parametrize(("rows", "number", "cost", "at_once"), [(10, 50, 2, 4), (2, 40, 1, 11), (1, 40, 1, 11)])
def test_the_shorter_the_pages_and_the_longer_a_lookup_the_more_pages_are_needed_at_once(
    rows: int, number: int, cost: int, at_once: int
) -> None:
    """As long as what is left of the list takes fewer requests than the lookups of what full pages leave."""
    forecast = EmailForecast([f"{each}@x.y" for each in range(number)], is_unique=True)
    forecast.add_page([""] * rows, 0, size=ListSize(30 * rows, 30))
    forecast.lookup_requests = cost
    assert forecast.sure_pages(at_any_price=False) == at_once


def test_a_page_of_emails_that_failed_brings_no_hits() -> None:
    """The row of hits is over."""
    forecast = _emails(10, hits=5)
    forecast.add_failed_page()
    assert (forecast.pages, forecast.pays()) == (2, False)


def test_a_step_back_makes_pages_come_again() -> None:
    """Their rows, too; the first page stays read, and the list is not over."""
    forecast = _emails(100)
    for _ in range(4):
        forecast.add_page([""] * PAGE, 1, size=None)
    forecast.is_over = True
    forecast.step_back(2)
    assert (forecast.pages, forecast.rows, forecast.pages_left) == (3, 30, 27)
    forecast.step_back(9)
    assert (forecast.pages, forecast.rows) == (1, 10)


def test_if_a_lookup_reads_the_whole_list_the_rest_of_the_list_pays() -> None:
    """The server ignores the filter: one email is worth a reading of all pages."""
    forecast = _emails(2, hits=1)
    assert not forecast.pays()
    forecast.lookup_requests = 30
    assert forecast.pays()
    assert _emails(1, hits=1).pays() is False


def test_if_a_lookup_reads_the_whole_list_an_email_of_unknown_sites_needs_all_of_it() -> None:
    """To look for it on other sites would take as long as the rest of the list."""
    forecast = _emails(1, is_unique=None, hits=1)
    assert (forecast.ahead, forecast.pays()) == (0, False)
    forecast.lookup_requests = 30
    assert (forecast.ahead, forecast.pays(), forecast.sure_pages(at_any_price=False)) == (1, True, 29)


def test_a_list_of_unknown_length_is_read_on_only_in_place_of_longer_lookups() -> None:
    """It is no longer than a lookup that reads all of it."""
    forecast = EmailForecast(["a@x.y"], is_unique=True)
    forecast.add_page([""] * PAGE, 0, size=None)
    assert (forecast.pages_left, forecast.pays()) == (None, False)
    forecast.lookup_requests = 2
    assert forecast.pays()
    forecast.is_over = True
    assert not forecast.pays()
    found = EmailForecast(["a@x.y"], is_unique=True)
    found.add_page([""] * PAGE, 1, size=None)
    found.lookup_requests = 2
    assert not found.pays()
