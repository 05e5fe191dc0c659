"""Whether a whole list was read, from the numbers of rows that its pages state."""

from typing import Any

from kajabi_async import PagingError
from kajabi_async.fetching.completeness import Completeness
from kajabi_async.fetching.page import FetchedPage


def _page(total: int | None) -> FetchedPage[Any]:
    return FetchedPage(rows=(), query="", next_query=None, last_number=None, total_count=total, meta={})


def _read(*pages: list[str], total: int) -> Completeness:
    read = Completeness()
    for page in pages:
        read.add_page(page)
        assert read.note_totals([_page(total)]) is None
    return read


def test_rows_are_counted_once() -> None:
    """A row that others push onto a later page comes again there."""
    read = _read(["5", "4"], ["4", "3"], total=5)
    assert read.missing_rows == 2
    read.add_page(["2", "1"])
    assert (read.missing_rows, read.problem, read.has_totals) == (0, None, True)


def test_an_empty_list_lacks_no_row() -> None:
    """Neither does one of which nothing was read yet."""
    assert Completeness().missing_rows == 0
    assert _read([], total=0).missing_rows == 0


def test_a_list_that_got_shorter_lost_rows() -> None:
    """As many as the lowest number of them says."""
    read = _read(["9", "8"], total=9)
    assert read.note_totals([_page(8), _page(7)]) == 2
    assert read.note_totals([_page(7)]) is None


def test_a_list_that_got_longer_lost_none() -> None:
    """New rows come first, and push others onto later pages, where they are read again."""
    read = _read(["9", "8"], total=9)
    assert read.note_totals([_page(10)]) is None


def test_pages_fetched_at_once_that_disagree_are_read_again() -> None:
    """Which of them was answered first is not known."""
    read = _read(["9", "8"], total=9)
    assert read.note_totals([_page(10), None, _page(9)]) == 0


def test_a_page_without_a_total_is_remembered() -> None:
    """Rows may have moved unnoticed; a page that failed states nothing either way."""
    read = _read(["2"], total=2)
    assert read.note_totals([None]) is None
    assert read.has_totals
    assert read.note_totals([_page(None)]) is None
    assert not read.has_totals


def test_inserted_rows_end_at_the_row_that_was_first() -> None:
    """Even if that row and those before it were deleted, a later one of the first page is enough."""
    read = _read(["3", "2", "1"], total=3)
    read.note_totals([_page(6)])
    assert not read.add_inserted(["6", "5"])
    assert read.missing_rows == 1
    assert read.add_inserted(["5", "4", "2", "1"])
    assert read.missing_rows == 0


def test_a_list_that_always_changes_is_given_up() -> None:
    """With the reason, and after enough tries, of which the last is still allowed."""
    read = _read(["1"], total=1000)
    assert [read.note_totals([_page(1000 - number)]) for number in range(1, 65)] == [1] * 64
    assert read.problem is None
    assert [read.note_totals([_page(1000 - number)]) for number in range(65, 70)] == [None] * 5
    assert isinstance(read.problem, PagingError)
    assert "changes faster than it is read" in str(read.problem)


def test_the_first_problem_is_kept() -> None:
    """It is the one to report."""
    read = Completeness()
    first = PagingError("first")
    read.add_problem(first)
    read.add_problem(PagingError("second"))
    assert read.problem is first
