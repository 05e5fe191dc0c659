"""What the pages read so far tell of those to come, page by page, without a list."""

from collections.abc import Sequence

import pytest

from kajabi_async.fetching.forecast import ListSize, Outlook

PAGE = 10


def _read(outlook: Outlook, rows: Sequence[int], pages: int, *, wanted: Sequence[int], size: ListSize | None) -> None:
    for number in range(pages):
        page = rows[number * PAGE : number * PAGE + PAGE]
        hits = len(set(page) & set(wanted))
        outlook.turn([str(each) for each in page], hits, size=size)
    outlook.is_over = pages * PAGE >= len(rows)


def _outlook(rows: Sequence[int], wanted: Sequence[int], *, pages: int = 1, told: bool = True) -> Outlook:
    outlook = Outlook([str(each) for each in wanted])
    _read(outlook, rows, pages, wanted=wanted, size=ListSize(len(rows), -(-len(rows) // PAGE)) if told else None)
    return outlook


UP, DOWN = range(1, 301), range(300, 0, -1)
MIXED = [number * 137 % 301 for number in range(1, 301)]


@pytest.mark.parametrize("rows", [UP, DOWN, MIXED])
def test_many_wanted_ids_are_worth_the_pages(rows: Sequence[int]) -> None:
    """100 lookups on one side, 30 pages on the other."""
    outlook = _outlook(rows, range(3, 301, 3))
    assert outlook.pays()
    pages, lookups = outlook.in_all or (0, 0)
    assert (pages, lookups) == (30, 0) or (rows is MIXED and pages + lookups < 100)


@pytest.mark.parametrize("rows", [UP, DOWN, MIXED])
def test_few_wanted_ids_are_not(rows: Sequence[int]) -> None:
    """Ten lookups on one side, 30 pages on the other."""
    assert not _outlook(rows, range(15, 301, 30)).pays()


@pytest.mark.parametrize("rows", [UP, DOWN])
def test_ids_that_were_passed_over_are_not_expected_any_more(rows: Sequence[int]) -> None:
    """In a list in the order of its ids, those before the first page and between its rows will not come."""
    outlook = _outlook(rows[::2], [*rows[1:18:2], *rows[40:60]])
    assert (outlook.unseen, outlook.ahead) == (29, 20)
    beyond = [0, -1, -2] if rows is UP else [1000, 1001, 1002]
    assert _outlook(rows, beyond).ahead == 0


def test_what_was_passed_over_tells_how_many_of_the_others_are_there() -> None:
    """Of 300 wanted none of the ten passed was there: the others are not to be hoped for either."""
    gone = _outlook(range(2, 602, 2), range(1, 601, 2))
    assert (gone.ahead, gone.pays()) == (290, False)


def test_the_end_of_a_stretch_is_guessed_where_ids_stand_densely() -> None:
    """The newest 25 of 300 stand on three pages; all of them need not be read."""
    outlook = _outlook(DOWN, range(276, 301))
    assert outlook.in_all == (3, 0)
    assert outlook.pays()


def test_no_long_way_is_gone_on_a_guess() -> None:
    """Twenty ids on pages 14 and 15: a guess that fails would cost more than a tenth of the lookups."""
    outlook = _outlook(UP, range(135, 155))
    assert outlook.in_all == (30, 0)
    assert not outlook.pays()


def test_a_row_that_comes_again_on_a_later_page_is_no_step_back() -> None:
    """Others have pushed it there; the list is still in order."""
    outlook = Outlook([str(each) for each in range(1, 101)])
    size = ListSize(100, 10)
    outlook.turn([str(each) for each in range(100, 90, -1)], 10, size=size)
    outlook.turn([str(each) for each in range(92, 82, -1)], 8, size=size)
    assert outlook.ahead == 82


def test_nothing_is_expected_after_the_last_page() -> None:
    """Whatever is unseen is looked up."""
    outlook = _outlook(UP, range(1, 400), pages=30)
    assert (outlook.unseen, outlook.ahead, outlook.pages_left) == (99, 0, 0)
    assert outlook.in_all == (30, 99)
    assert not outlook.pays()


def test_a_list_of_unknown_length_is_not_gone_on_with() -> None:
    """Nobody can tell what it would cost."""
    outlook = _outlook(UP, UP, told=False)
    assert (outlook.pages_left, outlook.in_all, outlook.pays()) == (None, None, False)
    assert outlook.sure_pages(at_any_price=True) == 1


def test_pages_asked_for_at_once_are_all_needed() -> None:
    """Even if every row of them is wanted, the scan goes on to the last of them."""
    outlook = _outlook(UP, range(1, 301, 2))
    at_once = outlook.sure_pages(at_any_price=False)
    assert 1 < at_once <= 14
    assert (145 - (at_once - 1) * PAGE) > 29 - (at_once - 1)
    assert outlook.sure_pages(at_any_price=True) == 15


def test_a_page_that_could_not_be_read_counts_as_read() -> None:
    """There is one less to come."""
    outlook = _outlook(UP, UP)
    outlook.skip()
    assert (outlook.pages, outlook.pages_left, outlook.unseen) == (2, 28, 290)


def test_a_list_in_no_order_without_hits_is_given_up_after_a_few_pages() -> None:
    """One page without any may be chance; three of ten rows, with ten hits to be expected, are not."""
    wanted = range(1001, 1101)
    assert _outlook(MIXED, wanted, pages=1).pays()
    assert not _outlook(MIXED, wanted, pages=3).pays()


@pytest.mark.parametrize("strange", ["default", "7x", "\N{SUPERSCRIPT TWO}"])
def test_ids_that_are_no_numbers_leave_the_order_unknown(strange: str) -> None:
    """Whatever is unseen may then still come."""
    outlook = Outlook(["1", "2", strange])
    outlook.turn(["5", strange, "3"], 1, size=ListSize(30, 10))
    assert outlook.ahead == 2
