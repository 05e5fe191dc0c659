"""The README is true: every block of Python in it runs, and its table has measured and tested facts."""

import asyncio
import re
from collections.abc import AsyncIterator
from importlib.metadata import requires
from pathlib import Path
from typing import Any

import kajabi
import pytest
import pytest_asyncio

from kajabi_async import Kajabi
from kajabi_async.testing import FakeKajabi
from tests.blocks import Block, environment_of, parametrized, python_blocks_of, run_function, run_program

README = Path(__file__).parents[1] / "README.md"
FIRST, *FUNCTIONS = python_blocks_of(README)


async def test_the_first_example_runs_as_it_stands(kajabi_fake: FakeKajabi, tmp_path: Path) -> None:
    """Saved as a file and run with the variables set, it prints the customer and the offers."""
    assert await run_program(FIRST, kajabi_fake, tmp_path)
    assert kajabi_fake.counts["customers.get"] == 1


@parametrized(FUNCTIONS)
async def test_each_further_example_runs(
    block: Block,
    kajabi_fake: FakeKajabi,
    kajabi_api: Kajabi,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    """Each is a coroutine that takes a client and, if it needs them, a list of ids, the fake or a Redis."""
    for name, value in environment_of(kajabi_fake).items():
        monkeypatch.setenv(name, value)
    available: dict[str, Any] = {
        "api": kajabi_api,
        "kajabi_api": kajabi_api,
        "kajabi_fake": kajabi_fake,
        "ids": ["1", "2", "no"],
        "emails": ["mateo.park.123@example.com", "nobody@example.com"],
    }
    if "redis_url: str" in block.code:
        available["redis_url"] = request.getfixturevalue("redis_url")
    await run_function(block, kajabi_fake, available)


FIRST_SCREEN = README.read_text("utf-8").partition("\n## ")[0]
LINK = re.compile(r"\]\((?!https?:)([^)#]+)\)")


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip().strip("|").split("|")]


def _row(page: str, heading: str, name: str) -> list[str]:
    """Return the cells after *name* in the first table below *heading*."""
    below = page.partition(f"{heading}\n")[2]
    return next(cells[1:] for cells in map(_cells, below.splitlines()) if cells[0] == name)


def test_the_first_screen_shows_the_commands_the_recording_and_the_table() -> None:
    """A description, ten lines of code, two commands, the recording and the comparison fit in sixty lines."""
    assert len(FIRST_SCREEN.splitlines()) <= 60
    for expected in ("$ make demo ", "$ make test ", "![kajabi demo](docs/demo.svg)", "| kajabi_async | [kajabi-py]"):
        assert expected in FIRST_SCREEN


def test_every_link_of_the_readme_leads_somewhere() -> None:
    """Guides, pictures and results exist under the linked names."""
    links = LINK.findall(README.read_text("utf-8"))
    assert len(links) > 10
    assert [link for link in links if not (README.parent / link).exists()] == []


@pytest.mark.parametrize(
    ("name_in_readme", "heading", "column", "rows"),
    [
        (
            "Bulk lookups a second: ours is",
            "## Bulk lookup, three includes, 50 at a time",
            2,
            ["kajabi-py", "aiohttp by hand, json", "httpx loop"],
        ),
        (
            "Memory of a customer: ours is",
            "## Memory of one customer",
            1,
            ["kajabi-py", "json to dicts", "json to dicts"],
        ),
        ("Time to import: ours is", "## Import", 2, ["kajabi-py", "aiohttp", "httpx"]),
    ],
)
def test_every_figure_of_the_table_is_one_that_the_benchmarks_wrote(
    name_in_readme: str, heading: str, column: int, rows: list[str]
) -> None:
    """Copy them from ``benchmarks/RESULTS.md`` after ``make bench``."""
    results = (README.parent / "benchmarks" / "RESULTS.md").read_text("utf-8")
    assert _row(FIRST_SCREEN, "", name_in_readme)[1:] == [_row(results, heading, name)[column] for name in rows]


def test_the_table_counts_what_each_installs() -> None:
    """It counts the direct dependencies, without theirs."""

    def needed(distribution: str) -> str:
        return str(sum("extra ==" not in each for each in requires(distribution) or ()))

    assert _row(FIRST_SCREEN, "", "Direct dependencies")[:2] == [needed("kajabi-async"), needed("kajabi-py")]


@pytest_asyncio.fixture
async def peer(kajabi_fake: FakeKajabi) -> AsyncIterator[kajabi.AsyncClient]:
    async with kajabi.AsyncClient(
        client_id=kajabi_fake.client_id, client_secret=kajabi_fake.client_secret, base_url=kajabi_fake.base_url
    ) as client:
        yield client


async def test_the_table_is_fair_about_the_peer_and_relations(
    peer: kajabi.AsyncClient, kajabi_fake: FakeKajabi
) -> None:
    """Under asyncio they raise; the blocking client requests each, included or not."""
    with pytest.raises(kajabi.KajabiError, match="async"):
        _ = (await peer.customers.get("123", include="offers")).offers

    def read_all() -> int:
        with kajabi.Client(
            client_id=kajabi_fake.client_id, client_secret=kajabi_fake.client_secret, base_url=kajabi_fake.base_url
        ) as client:
            return len(client.customers.get("123", include="products").products)

    read = await asyncio.to_thread(read_all)
    assert (read, kajabi_fake.counts["products.get"]) == (2, 2)


async def test_the_table_is_fair_about_the_peer_and_tokens(peer: kajabi.AsyncClient, kajabi_fake: FakeKajabi) -> None:
    """Ten tasks that start together request ten."""
    await asyncio.gather(*(peer.customers.get(str(number)) for number in range(1, 11)))
    assert kajabi_fake.counts["oauth.token"] == 10


async def test_the_table_is_fair_about_the_peer_and_retries(peer: kajabi.AsyncClient, kajabi_fake: FakeKajabi) -> None:
    """A 429 is an error at once."""
    kajabi_fake.fail("customers.get", status=429, headers={"Retry-After": "0"})
    with pytest.raises(kajabi.RateLimitError):
        await peer.customers.get("1")
    assert kajabi_fake.counts["customers.get"] == 1


async def test_the_table_is_fair_about_the_peer_and_absence(peer: kajabi.AsyncClient, kajabi_fake: FakeKajabi) -> None:
    """An absent attribute is None, and an unknown one is dropped."""
    kajabi_fake.add({"type": "customers", "id": "9000", "attributes": {"name": "Ada", "shoe_size": 38}})
    customer = await peer.customers.get("9000", fields=["name", "shoe_size"])
    assert (customer.name, customer.email, hasattr(customer, "shoe_size")) == ("Ada", None, False)
