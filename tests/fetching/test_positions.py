"""Where a list goes on, as text: for the same list alone, and never past a row that was not read."""

from typing import Any

import pytest

from kajabi_async import Customer, InvalidArgumentError
from kajabi_async.fetching.pages import Pages, Position, list_digest
from kajabi_async.jsonapi.query import Query
from kajabi_async.resources.people import Customers
from tests.sending import Canned, context, resource

DIGEST = "0123456789ab"
LIST = "https://api.kajabi.com/v1/customers"


def _send() -> Canned:
    """Answer with three pages of two rows."""

    def respond(request: Any) -> Any:
        number = int(request.query.partition("page%5Bnumber%5D=")[2].partition("&")[0] or 1)
        rows = [resource("customers", str(2 * number - 1)), resource("customers", str(2 * number))]
        return {"data": rows, "links": {"next": f"{LIST}?page[number]={number + 1}" if number < 3 else None}}

    return Canned(respond)


def _customers(send: Canned | None = None, **requested: Any) -> Pages[Customer]:
    return Customers(context(send or _send())).list(**requested)


def test_a_position_is_read_as_it_was_written() -> None:
    """With its query, which may have dots of its own."""
    position = Position(DIGEST, 12, "page%5Bnumber%5D=2&sort=a.b")
    assert str(position) == f"1.{DIGEST}.12.page%5Bnumber%5D=2&sort=a.b"
    assert Position.parse(str(position), list_digest=DIGEST) == position
    assert Position.parse(f"1.{DIGEST}.0.", list_digest=DIGEST) == Position(DIGEST, 0, "")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "page 3",
        f"2.{DIGEST}.0.a=1",
        f"1.{DIGEST}.-1.a=1",
        f"1.{DIGEST}.1234567890.a=1",
        f"1.{DIGEST}.0.a b",
        f"1.{DIGEST}.0.a=\u00e9",
        f"1.{DIGEST}.0.a=1\n",
        f"1.{DIGEST[:-1]}.0.a=1",
        f"1.{DIGEST.upper()}.0.a=1",
    ],
)
def test_what_no_list_gave_is_no_position(text: str) -> None:
    """Neither is one of another version of the package."""
    with pytest.raises(InvalidArgumentError, match=r"^resume_from is not a position that a list gave$"):
        Position.parse(text, list_digest=DIGEST)


@pytest.mark.parametrize("value", [7, b"1", ["1"]])
def test_a_position_is_a_text(value: Any) -> None:
    """The error names the argument."""
    with pytest.raises(InvalidArgumentError, match=r"^resume_from must be text"):
        Position.parse(value, list_digest=DIGEST)


def test_a_position_belongs_to_one_list() -> None:
    """The text says what may differ."""
    with pytest.raises(InvalidArgumentError, match=r"^resume_from belongs to a list with another path, filter, sort"):
        Position.parse(f"1.{DIGEST}.0.a=1", list_digest=DIGEST[::-1])


def test_a_list_is_known_by_its_path_and_query_without_the_page() -> None:
    """Always by the same twelve digits, as positions outlive the process."""
    query = Query(sort=("name",), page_size=5)
    digest = list_digest("/v1/customers", query)
    assert digest == "4ff01acc5a8c"
    assert list_digest("/v1/customers", Query(sort=("name",), page_size=5, page_number=3)) == digest
    others = [Query(sort=("-name",), page_size=5), Query(sort=("name",), page_size=6), Query()]
    digests = {digest, list_digest("/v1/contacts", query), *(list_digest("/v1/customers", each) for each in others)}
    assert len(digests) == 5


async def test_the_position_of_a_list_follows_its_loop() -> None:
    """From the start, row by row, to its end; then it begins again with the next loop."""
    pages = _customers()
    start = pages.position
    seen: list[tuple[str, str | None]] = []
    async for row in pages:
        seen.append((row.id, pages.position and pages.position.partition(".")[2].partition(".")[2]))  # noqa: PERF401 - while it runs
    assert seen == [
        ("1", "1."),
        ("2", "0.page%5Bnumber%5D=2"),
        ("3", "1.page%5Bnumber%5D=2"),
        ("4", "0.page%5Bnumber%5D=3"),
        ("5", "1.page%5Bnumber%5D=3"),
        ("6", None),
    ]
    assert pages.position is None
    again = aiter(pages)
    assert pages.position == start
    assert (await anext(again)).id == "1"


async def test_each_page_has_the_position_after_it() -> None:
    """None on the last; a list that goes on within a page begins with the rows that are left of it."""
    pages = _customers()
    positions = [page.position async for page in pages.pages()]
    assert positions[-1] is None
    assert [[row.id async for row in _customers(resume_from=each)] for each in positions[:2]] == [
        list("3456"),
        list("56"),
    ]
    within = aiter(pages)
    await anext(within)
    resumed = _customers(resume_from=pages.position)
    assert [[row.id for row in page] async for page in resumed.pages()] == [["2"], ["3", "4"], ["5", "6"]]
    first = await anext(_customers(resume_from=pages.position).pages())
    assert first.position == positions[0]


async def test_counting_does_not_move_a_list() -> None:
    """Nor does it send a request after a page was read."""
    send = _send()
    pages = _customers(send)
    start = pages.position
    assert await pages.count() is None
    assert pages.position == start
    assert len(send.asked) == 1
    await anext(aiter(pages))
    requested = len(send.asked)
    await pages.count()
    assert len(send.asked) == requested
