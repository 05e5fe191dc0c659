"""What the pages read so far say of those to come, page by page, without a list."""

from collections.abc import Sequence

import pytest

from kajabi_async.fetching.forecast import Forecast, ListSize

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


def test_a_row_that_comes_again_on_a_later_page_is_no_step_back() -> None:
    """Others have pushed it there; the list is still in order."""
    forecast = Forecast([str(each) for each in range(1, 101)])
    size = ListSize(100, 10)
    forecast.add_page([str(each) for each in range(100, 90, -1)], 10, size=size)
    forecast.add_page([str(each) for each in range(92, 82, -1)], 8, size=size)
    assert forecast.ahead == 82


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
